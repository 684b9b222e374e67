"""``/v1/stream``: tells a node, or a page about it, that its assignments have changed (server-sent events)."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from starlette.responses import Response

from apiserver.api.errors import Expired
from apiserver.api.kinds.assignment import ASSIGNMENTS
from apiserver.api.selectors import equal
from apiserver.server.http.metrics import Metrics
from apiserver.server.http.streams import StreamedResponse
from apiserver.server.store.following import follow
from apiserver.server.store.snapshot import Filter
from apiserver.server.store.store import Store
from apiserver.server.v1.calls import Call

PING_SECONDS = 30.0
GATHER_SECONDS = 0.01
"""Changes within so long are told together."""

FIRST, UPDATE, PING = b"event: ping\ndata: init\n\n", b"event: update\ndata: assignments\n\n", b": ping\n\n"


class Stream:
    """The handler of ``/v1/stream``."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store, self._metrics = store, metrics

    async def serve(self, call: Call) -> Response:
        """A stream without end. An update comes after the change that it tells of is committed, never before.
        Raises BadRequest."""
        node = call.required("nodeId")
        call.request.scope["plum_verb"] = "watch"
        frames = self._metrics.watch("v1.stream", self._frames(node))
        headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
        response = StreamedResponse(frames, media_type="text/event-stream", on_stuck=self._metrics.stuck)
        response.headers.update(headers)
        return response

    async def _frames(self, node: str) -> AsyncIterator[tuple[bytes, int]]:
        selection = [Filter(ASSIGNMENTS, fields=equal("spec.nodeName", node))]
        version = self._store.version
        yield FIRST, 0
        while not self._store.watchers.is_ended:
            try:
                batches = follow(self._store, selection, version, idle=PING_SECONDS, gather=GATHER_SECONDS)
                async with aclosing(batches) as found:  # type: ignore[type-var]
                    async for batch in found:
                        version = batch.version
                        yield (UPDATE, 1) if batch.deliveries else (PING, 0)
            except Expired:
                # So much has happened that nobody knows what: that is an update too.
                version = self._store.version
                yield UPDATE, 1
