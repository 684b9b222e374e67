"""A request for ``/v1`` to its handler."""

import asyncio
from collections.abc import Mapping, Sequence

from starlette.types import Receive, Scope, Send

from apiserver.api.errors import MethodNotAllowed, NotFound, Timeout
from apiserver.server.v1.calls import call_of
from apiserver.server.v1.operations import Operation


class Router:
    """The ASGI application of ``/v1``: the path is looked up, not matched."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._paths: dict[str, dict[str, Operation]] = {}
        for operation in operations:
            methods = self._paths.setdefault(operation.path, {})
            methods[operation.method] = operation
            if operation.method == "GET" and not operation.is_stream:  # a head has an end
                methods["HEAD"] = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI. Raises ApiError."""
        methods, id = self._find(scope["path"])
        operation = methods.get(scope["method"])
        if operation is None:
            refusal = MethodNotAllowed(
                f"method not allowed: this path takes {', '.join(sorted({*methods} - {'HEAD'}))}"
            )
            refusal.allowed = sorted({*methods, "OPTIONS"})
            raise refusal
        scope["plum_resource"] = operation.path.removeprefix("/")
        call = call_of(scope, receive, id)
        try:
            async with asyncio.timeout(operation.seconds):
                response = await operation.handler(call)
        except TimeoutError:
            raise Timeout(f"the request took longer than {operation.seconds:.0f} s") from None
        await response(scope, receive, send)

    def _find(self, path: str) -> tuple[Mapping[str, Operation], str]:
        """The operations of a path by method, and what its ``{id}`` is. Raises NotFound."""
        if (found := self._paths.get(path)) is not None:
            return found, ""
        collection, _, id = path.rpartition("/")
        if id and (found := self._paths.get(f"{collection}/{{id}}")) is not None:
            return found, id
        raise NotFound(f"not found: {path[:120]!r} is no path of this API; see /swagger")
