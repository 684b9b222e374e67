"""The agent's two ends of a channel: the stream of requests it reads, and the answers it posts."""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import Response

from apiserver.api.errors import ApiError, BadRequest, MethodNotAllowed, NotFound, from_status
from apiserver.api.kinds.node import NODES
from apiserver.server.channels import Channel, Channels
from apiserver.server.http.lists import JSON
from apiserver.server.http.requests import media_type, no_resource, read_body
from apiserver.server.http.streams import StreamedResponse
from apiserver.server.registry import Registry, Target

PATH = re.compile(r"nodes/([^/]+)/channel(?:/([^/]+))?")


@dataclass(frozen=True)
class ChannelEndpoint:
    """The endpoint of ``nodes/<name>/channel`` and what is below."""

    registry: Registry
    channels: Channels

    async def __call__(self, request: Request, path: str) -> Response:
        """Serve one request of an agent. Raises ApiError."""
        found = PATH.fullmatch(path)
        if found is None:
            raise no_resource()
        node, identity = found[1], found[2]
        request.scope["plum_resource"], request.scope["plum_verb"] = NODES.resource, "connect"
        if request.method != ("POST" if identity else "GET"):
            raise MethodNotAllowed(f"the server does not allow {request.method} on {request.url.path}")
        if identity:
            return await self._answer(request, node, identity)
        self.registry.get(Target(NODES, name=node))
        return StreamedResponse(self._lines(node), media_type=JSON)

    async def _lines(self, node: str) -> AsyncGenerator[bytes, None]:
        channel: Channel = self.channels.open(node)
        try:
            async with aclosing(channel.lines()) as lines:
                async for line in lines:
                    yield line
        finally:
            self.channels.closed(channel)

    async def _answer(self, request: Request, node: str, identity: str) -> Response:
        """Hand the body over to who asked, and stay until it is done with. Raises NotFound."""
        exchange = self.channels.exchange(node, identity)
        if exchange is None or exchange.is_answered:
            raise NotFound("nobody waits for this answer, or no longer")
        if media_type(request) == JSON:
            exchange.refuse(await _refusal(request))
            return Response(status_code=204)
        body = _Body(request)
        exchange.answer(body.chunks())
        await exchange.finished.wait()
        return Response(status_code=204, headers={} if body.is_complete else {"connection": "close"})


class _Body:
    """A request's body, taken by somebody else."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.is_complete = False

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises ClientDisconnect where it breaks off."""
        async for chunk in self._request.stream():
            yield chunk
        self.is_complete = True


async def _refusal(request: Request) -> ApiError:
    """The error that the agent tells. Raises BadRequest."""
    try:
        return from_status(orjson.loads(await read_body(request)))
    except (orjson.JSONDecodeError, ValueError, TypeError, AttributeError) as error:
        raise BadRequest(f"a refusal is a Status object: {error}") from error
