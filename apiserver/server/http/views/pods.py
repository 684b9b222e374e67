"""Assignments as pods. Lists, watches and deletions are those of assignments; only what is told has the form, and the
words, of pods."""

from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from apiserver.api.errors import ApiError
from apiserver.api.kinds.assignment import ASSIGNMENTS
from apiserver.api.scheme import Served
from apiserver.api.views.registry import View
from apiserver.server.http.resources import Resources
from apiserver.server.http.views.dispatch import Place
from apiserver.server.registry import Target


@dataclass(frozen=True)
class PodEndpoint:
    """The verbs over pods."""

    resources: Resources

    async def __call__(self, request: Request, view: View, place: Place) -> Response:
        """Serve one request. Raises ApiError."""
        try:
            return await self.resources.serve(request, Target(ASSIGNMENTS, *place, view=view))
        except ApiError as error:
            raise retold(error, view) from error


def retold(error: ApiError, view: Served) -> ApiError:
    """What went wrong with an assignment, told of its pod."""
    if error.details.kind != ASSIGNMENTS.plural:
        return error
    details = replace(error.details, kind=view.plural, group=view.group)
    return type(error)(error.message.replace(ASSIGNMENTS.resource, view.resource, 1), details=details)
