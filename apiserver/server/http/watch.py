"""Watching a collection: streaming (``watch=true``) and long-poll (``watch=poll``), one iterator behind both.

The cursor is the resourceVersion. A stream that ends (time, shutdown, a client too slow) is resumed from the
last version seen; only where history has been forgotten does the client list again (410).
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from apiserver.api.errors import ApiError, Invalid
from apiserver.server.http import tables
from apiserver.server.http.lists import JSON, reach
from apiserver.server.http.requests import Accepted, flag, number, read_filter
from apiserver.server.registry import Registry, Target
from apiserver.server.store.snapshot import Filter, Slot
from apiserver.server.store.watchers import WatcherCut

BOOKMARK_SECONDS = 30.0
MAX_WATCH_SECONDS = 3600
DEFAULT_POLL_SECONDS, MAX_POLL_SECONDS = 30, 300
COALESCE_SECONDS = 0.02
"""How long a long-poll gathers after the first event."""

DEFAULT_BATCH = 100
INITIAL_SLICE = 100


@dataclass(frozen=True, slots=True)
class Batch:
    """Some deliveries in order, and the version that the watch has reached with them."""

    deliveries: list[tuple[str, Slot]]
    version: int
    initial: bool = False


async def batches(
    registry: Registry, selection: Filter, since: int | None, *, idle: float, gather: float = 0.0
) -> AsyncIterator[Batch]:
    """The one iterator: batches as they come, an empty one after ``idle`` seconds without any; with
    ``gather`` it waits that long after an event for more.

    Without ``since`` it begins with every object as ADDED (marked ``initial``, the last such batch may be
    empty). Raises Expired; ends when the watcher is cut. Close it to give the watcher back.
    """
    store = registry.store
    version = store.version if since is None else since
    missed, watcher = store.watch(selection, version)
    try:
        if since is None:
            slots = list(store.cache.select(selection))
            for start in range(0, len(slots), INITIAL_SLICE):
                yield Batch([("ADDED", slot) for slot in slots[start : start + INITIAL_SLICE]], version, initial=True)
            yield Batch([], version, initial=True)
        if missed:
            yield Batch([(found.type, found.event.slot) for found in missed], missed[-1].event.version)
        while True:
            taken = watcher.take()
            if taken:
                yield Batch([(found.type, found.event.slot) for found in taken], taken[-1].event.version)
                continue
            await watcher.wait(idle)
            if gather and watcher.has_buffered:
                await asyncio.sleep(gather)
            if not watcher.has_buffered and not watcher.is_cut:
                # Everything up to here has been offered, and nothing of it was meant.
                yield Batch([], store.version)
    except WatcherCut:
        return
    finally:
        store.unwatch(watcher)


class WatchResponse(Response):
    """A chunked stream that begins at once and ends when the client goes, the time is up or the watch is cut."""

    def __init__(self, frames: AsyncIterator[bytes], seconds: float) -> None:
        super().__init__(media_type=JSON)
        self._frames, self._seconds = frames, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        headers = [(key, value) for key, value in self.raw_headers if key != b"content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait((sending, leaving), timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
            finished = not leaving.done()
        finally:
            sending.cancel()
            leaving.cancel()
            failure, _ = await asyncio.gather(sending, leaving, return_exceptions=True)
        if isinstance(failure, Exception):
            # Not a clean end: the client must see its connection break.
            raise failure
        if finished:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send) -> None:
        async with aclosing(self._frames) as frames:  # type: ignore[type-var]
            async for frame in frames:
                await send({"type": "http.response.body", "body": frame, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def watch_collection(
    registry: Registry,
    target: Target,
    request: Request,
    accepted: Accepted,
    *,
    clock: Callable[[], datetime],
    rng: random.Random,
) -> Response:
    """A watch in the form that the query asks for. Raises BadRequest, Invalid; a poll also Expired, Timeout."""
    query = request.query_params
    selection = read_filter(target, query)
    since = number(query, "resourceVersion", 0, most=2**63) or None
    if query["watch"] == "poll":
        return await _poll(registry, target, selection, since, request)
    is_list = flag(query, "sendInitialEvents")
    if "sendInitialEvents" in query and query.get("resourceVersionMatch") != "NotOlderThan":
        raise Invalid("resourceVersionMatch: Forbidden: must be NotOlderThan when sendInitialEvents is given")
    seconds = number(query, "timeoutSeconds", 0, most=MAX_WATCH_SECONDS) or rng.randint(1800, 3600)
    frame = _table_frames(target, accepted, clock) if accepted.form == "table" else _object_frames(registry)
    stream = _Stream(registry, target, frame, bookmarks=flag(query, "allowWatchBookmarks"), is_list=is_list)
    return WatchResponse(stream.frames(selection, None if is_list else since), seconds)


Framer = Callable[[str, Slot], bytes]


@dataclass(frozen=True)
class _Stream:
    """How one client wants its lines."""

    registry: Registry
    target: Target
    frame: Framer
    bookmarks: bool
    is_list: bool

    async def frames(self, selection: Filter, since: int | None) -> AsyncIterator[bytes]:
        """The lines; a failure is one ERROR line."""
        try:
            if since is not None:
                await reach(self.registry, since)
            async with aclosing(batches(self.registry, selection, since, idle=BOOKMARK_SECONDS)) as found:  # type: ignore[type-var]
                async for batch in found:
                    if batch.deliveries:
                        yield b"".join(self.frame(kind, slot) for kind, slot in batch.deliveries)
                    elif batch.initial and self.is_list:
                        yield self._bookmark(batch.version, {"k8s.io/initial-events-end": "true"})
                    elif self.bookmarks:
                        yield self._bookmark(batch.version, {})
        except ApiError as error:
            yield orjson.dumps({"type": "ERROR", "object": error.to_status()}) + b"\n"

    def _bookmark(self, version: int, annotations: dict[str, str]) -> bytes:
        metadata: dict[str, Any] = {"resourceVersion": str(version), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        kind = self.target.kind
        body = {"kind": kind.name, "apiVersion": kind.api_version, "metadata": metadata}
        return orjson.dumps({"type": "BOOKMARK", "object": body}) + b"\n"


def _object_frames(registry: Registry) -> Framer:
    return lambda kind, slot: b'{"type":"' + kind.encode() + b'","object":' + registry.raw(slot) + b"}\n"


def _table_frames(target: Target, accepted: Accepted, clock: Callable[[], datetime]) -> Framer:
    headed = True

    def frame(kind: str, slot: Slot) -> bytes:
        nonlocal headed
        rows = [tables.row(target.kind, slot.parse(), clock(), accepted.include)]
        body = tables.table(target.kind, rows, {"resourceVersion": str(slot.version)}, headed=headed)
        headed = False
        return orjson.dumps({"type": kind, "object": body}) + b"\n"

    return frame


async def _poll(registry: Registry, target: Target, selection: Filter, since: int | None, request: Request) -> Response:
    """The first events after ``since`` as one document; none within the time is an answer too."""
    query = request.query_params
    seconds = number(query, "timeoutSeconds", DEFAULT_POLL_SECONDS, most=MAX_POLL_SECONDS)
    limit = max(1, number(query, "limit", DEFAULT_BATCH, most=10_000))
    if since is None:
        version = registry.store.version
        events = [("ADDED", slot) for slot in registry.store.cache.select(selection)]
        return _document(registry, target, events, version)
    await reach(registry, since)
    waiting = asyncio.create_task(_first_batch(registry, selection, since, seconds))
    leaving = asyncio.create_task(_disconnected(request.receive))
    try:
        await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
        batch = await waiting if waiting.done() else Batch([], since)
    finally:
        waiting.cancel()
        leaving.cancel()
        await asyncio.gather(waiting, leaving, return_exceptions=True)
    return _document(registry, target, *_cut(batch.deliveries, batch.version, limit))


async def _first_batch(registry: Registry, selection: Filter, since: int, seconds: float) -> Batch:
    async with aclosing(
        batches(registry, selection, since, idle=seconds, gather=COALESCE_SECONDS)  # type: ignore[type-var]
    ) as found:
        return await anext(found, Batch([], since))


def _cut(events: list[tuple[str, Slot]], version: int, limit: int) -> tuple[list[tuple[str, Slot]], int]:
    """At most ``limit`` events, cut between versions only: a version's events belong together."""
    if len(events) <= limit:
        return events, version
    end = limit
    while end < len(events) and events[end][1].version == events[end - 1][1].version:
        end += 1
    return (events, version) if end == len(events) else (events[:end], events[end - 1][1].version)


def _document(registry: Registry, target: Target, events: list[tuple[str, Slot]], version: int) -> Response:
    head = {
        "kind": "WatchEventBatch",
        "apiVersion": "plum.dev/v1",
        "metadata": {"resourceVersion": str(version)},
    }
    frame = _object_frames(registry)
    items = b",".join(frame(kind, slot).rstrip() for kind, slot in events)
    return Response(orjson.dumps(head)[:-1] + b',"items":[' + items + b"]}\n", media_type=JSON)
