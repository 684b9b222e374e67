"""``GET …/assignments/<name>/log``: what an instance writes, from its node through the agent's channel.

The reply is as long as the log, or as the client stays. The agent's body is read only as fast as the client takes
the reply. A reply that breaks off for a reason of ours breaks its connection, so that nobody takes it for whole.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

import orjson
from pydantic import ValidationError
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from apiserver.api.channel import LogOptions, LogRequest
from apiserver.api.errors import ApiError, BadRequest, MethodNotAllowed
from apiserver.api.meta import Body
from apiserver.server.channels import Broken, Channel, Channels, Exchange
from apiserver.server.http.caching import AS_IT_IS
from apiserver.server.http.requests import flag
from apiserver.server.http.streams import StreamedResponse, while_connected
from apiserver.server.registry import Registry, Target
from apiserver.server.store.engine import Key
from apiserver.server.transaction import not_found

TEXT = "text/plain; charset=utf-8"
STUCK_SECONDS = 900.0
"""A client may stand still for so long; what it misses meanwhile a line in the log says."""

_FLAGS = ("follow", "previous", "timestamps", "cursors")
_VALUES = ("tailLines", "sinceSeconds", "sinceTime", "limitBytes", "cursor")
_BEGINNINGS = ("cursor", "previous", "tailLines", "sinceSeconds", "sinceTime")


@dataclass(frozen=True)
class Logs:
    """The endpoint of logs."""

    registry: Registry
    channels: Channels

    async def get(self, request: Request, target: Target, verb: str) -> Response:
        """The log. Raises BadRequest; NotFound where nothing is known of the assignment, or its log is gone;
        ServiceUnavailable without a channel to its node; Timeout when the agent does not answer."""
        return await self.relay(request, target)

    async def relay(self, request: Request, target: Target, **changed: bool) -> Response:
        """The same, with some of the options changed. Raises as ``get``."""
        if request.method != "GET":
            raise MethodNotAllowed(f"the server does not allow {request.method} on {request.url.path}")
        request.scope["plum_verb"] = "connect"
        options = read_log_options(request.query_params)
        body, is_live = await self._assignment(target)
        node = str(body["spec"].get("nodeName", ""))
        if not node:
            raise BadRequest(f'assignment "{target.name}" has no node yet: there is no log before it is placed')
        asked = LogRequest(
            **(options.model_dump() | changed),
            namespace=target.namespace,
            name=target.name,
            uid=body["metadata"]["uid"],
            live=is_live,
        )
        channel = self.channels.of(node)
        exchange = channel.ask(asked)
        try:
            await while_connected(request.receive, exchange.answered())
        except ApiError:
            channel.done(exchange, is_complete=exchange.is_answered)
            raise
        except BaseException:
            channel.done(exchange, is_complete=False)
            raise
        return _LogResponse(channel, exchange, request.scope["plum_abort"])

    async def _assignment(self, target: Target) -> tuple[Body, bool]:
        """The assignment, and whether it exists; one that does not is known from the history for a while."""
        store = self.registry.store
        slot = store.get(target.kind, target.namespace, target.name)
        if slot is not None:
            return slot.parse(), True
        key = Key(target.kind.resource, target.namespace, target.name)
        changes = await store.ask(lambda engine: engine.history(key, before=store.version, limit=1))
        if not changes:
            raise not_found(target.kind, target.name)
        body: Body = orjson.loads(changes[0].body)
        return body, False


class _LogResponse(StreamedResponse):
    """Relays an answer, and ends the exchange however that goes."""

    def __init__(self, channel: Channel, exchange: Exchange, abort: Callable[[], None]) -> None:
        super().__init__(self._relayed(), media_type=TEXT, stuck_seconds=STUCK_SECONDS)
        self.headers.update(AS_IT_IS)
        self._channel, self._exchange, self._abort = channel, exchange, abort
        self._is_complete = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        try:
            if self._exchange.is_answered:  # else the client has gone meanwhile
                await super().__call__(scope, receive, send)
        finally:
            self._channel.done(self._exchange, is_complete=self._is_complete)

    async def _relayed(self) -> AsyncGenerator[bytes, None]:
        try:
            async with aclosing(self._exchange.chunks()) as chunks:
                async for chunk in chunks:
                    yield chunk
        except (Broken, ClientDisconnect):
            self._abort()
        else:
            self._is_complete = True


def read_log_options(query: QueryParams) -> LogOptions:
    """What of the log is asked for. Raises BadRequest that names the parameter."""
    given = {name: query[name] for name in _VALUES if query.get(name)}
    if "sinceSeconds" in given and "sinceTime" in given:
        raise BadRequest("sinceTime: give sinceSeconds or sinceTime, not both")
    beginnings = [name for name in _BEGINNINGS if name in given or flag(query, name)]
    if "cursor" in given and len(beginnings) > 1:
        raise BadRequest(f"{beginnings[1]}: a cursor says already where to begin")
    try:
        return LogOptions.model_validate(given | {name: flag(query, name) for name in _FLAGS})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise BadRequest(f"{name}: Invalid value: {given.get(name, '')[:60]!r}: {first['msg']}") from None
