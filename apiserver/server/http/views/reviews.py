"""Self reviews over HTTP: a question is posted, and comes back with the answer. Nothing is kept."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from apiserver.api.errors import MethodNotAllowed, Timeout
from apiserver.api.machinery.decode import decode
from apiserver.api.meta import format_time
from apiserver.api.views.registry import View
from apiserver.api.views.reviews import User, review
from apiserver.server.http.lists import JSON
from apiserver.server.http.requests import no_resource, read_document, read_options
from apiserver.server.http.views.dispatch import Place

BODY_SECONDS = 20.0


@dataclass(frozen=True)
class Reviews:
    """The endpoint of all self reviews."""

    clock: Callable[[], datetime]

    async def __call__(self, request: Request, view: View, place: Place) -> Response:
        """Serve one request. Raises BadRequest, Invalid, MethodNotAllowed, NotFound, Timeout, TooLarge,
        UnsupportedMediaType."""
        if any(place):
            raise no_resource()
        if request.method != "POST":
            raise MethodNotAllowed(f"the server does not allow {request.method} on {request.url.path}")
        request.scope["plum_verb"] = "create"
        options = read_options(request)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                document = await read_document(request)
        except TimeoutError:
            raise Timeout(f"the review did not arrive within {BODY_SECONDS:.0f} s") from None
        body, _ = decode(view, document, options.validation)
        answer = review(view, body, user_of(request.scope), created=format_time(self.clock()))
        return Response(orjson.dumps(answer), status_code=201, media_type=JSON)


def user_of(scope: Scope) -> User:
    """Who sends a request."""
    return User(scope["user_name"], scope["user_groups"], scope["user_uid"])
