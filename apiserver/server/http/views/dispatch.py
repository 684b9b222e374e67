"""Which view a path means, and who answers."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from apiserver.api.errors import NotFound
from apiserver.api.views.registry import VIEWS, View
from apiserver.server.http.requests import check_place, split_path

Place = tuple[str, str, str]
"""Namespace, name and subresource."""

Handler = Callable[[Request, View, Place], Awaitable[Response]]
"""Answers a request for a view. Raises ApiError."""


class Views:
    """The endpoint of all views."""

    def __init__(self, handlers: Mapping[View, Handler]) -> None:
        """Raises ValueError where a registered view has no handler."""
        missing = [view.resource for view in VIEWS if not any(view is known for known in handlers)]
        if missing:
            raise ValueError(f"nobody answers for {', '.join(missing)}")
        self._handlers = {(view.group, view.version, view.plural): handler for view, handler in handlers.items()}
        self._groups = frozenset((group, version) for group, version, _ in self._handlers)

    async def __call__(self, request: Request, group: str, version: str, path: str) -> Response | None:
        """The answer; None for what is no view's. Raises ApiError."""
        if (group, version) not in self._groups:
            return None
        namespace, plural, name, subresource = split_path(path)
        view = VIEWS.served(group, version, plural)
        if view is None:
            return None
        if subresource in view.unserved:
            raise NotFound(f"{view.resource}/{subresource} is not served: {view.unserved_because}")
        check_place(view, namespace, name, subresource)
        request.scope["plum_resource"] = view.resource
        return await self._handlers[group, version, plural](request, view, (namespace, name, subresource))
