"""Watching collections: streaming (``watch=true``) and long-poll (``watch=poll``), one iterator behind both.

The cursor is the resourceVersion. A stream that ends (time, shutdown, a client that does not read) is resumed
from the last version seen; only where history has been forgotten does the client list again (410).
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from apiserver.api.errors import ApiError
from apiserver.server.http.frames import Frames, frames_of, object_frames
from apiserver.server.http.list_options import check_watch, start
from apiserver.server.http.lists import JSON, document, reach, sliced
from apiserver.server.http.metrics import Metrics
from apiserver.server.http.requests import Accepted, flag, number, read_filter, read_filters
from apiserver.server.http.streams import StreamedResponse, while_connected
from apiserver.server.registry import Registry, Target
from apiserver.server.store.following import follow
from apiserver.server.store.snapshot import Filter, Slot

BOOKMARK_SECONDS = 30.0
MAX_WATCH_SECONDS = 3600
DEFAULT_POLL_SECONDS, MAX_POLL_SECONDS = 30, 300
COALESCE_SECONDS = 0.02
"""How long a long-poll gathers after the first event."""

DEFAULT_BATCH = 100
INITIAL_SLICE = 100

Deliveries = Sequence[tuple[str, Slot]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some deliveries in order, and the version that the watch has reached with them."""

    deliveries: Deliveries
    version: int
    initial: bool = False


@dataclass(frozen=True)
class Watch:
    """What a client watches, and from where; ``since`` None: everything there is comes first, as ADDED."""

    registry: Registry
    selections: Sequence[Filter]
    since: int | None
    at_least: int = 0
    """The version that everything there is must have reached."""

    async def batches(self, *, idle: float, gather: float = 0.0) -> AsyncIterator[Batch]:
        """Batches as they come, an empty one after ``idle`` seconds without any; with ``gather`` it waits that
        long after an event for more. The last batch of what there is (``initial``) is empty.

        Raises Expired, Timeout for a version of the future; ends when the server does. Close it to give the
        watcher back.
        """
        store = self.registry.store
        await reach(self.registry, self.since or self.at_least)
        version = self.since or 0
        if self.since is None:
            slots, version = await store.everything(self.selections)
            for some in sliced(slots, lambda slot: len(slot.body), most=INITIAL_SLICE):
                yield Batch([("ADDED", slot) for slot in some], version, initial=True)
                await asyncio.sleep(0)  # a client that reads fast would never make us wait
            yield Batch((), version, initial=True)
        followed = follow(store, self.selections, version, idle=idle, gather=gather)
        async with aclosing(followed) as found:  # type: ignore[type-var]
            async for batch in found:
                yield Batch([(one.type, one.event.slot) for one in batch.deliveries], batch.version)

    async def first(self, *, seconds: float, limit: int) -> tuple[Deliveries, int]:
        """What a long-poll is answered: the first deliveries, about ``limit`` of them in whole versions, or none
        within the time; and the version reached. Raises as ``batches``."""
        store = self.registry.store
        if self.since is None:
            slots, version = await store.everything(self.selections)
            return [("ADDED", slot) for slot in slots], version
        async with aclosing(self.batches(idle=seconds, gather=COALESCE_SECONDS)) as found:  # type: ignore[type-var]
            batch = await anext(found, Batch((), self.since))
        return _cut(batch.deliveries, batch.version, limit)


@dataclass(frozen=True)
class Watching:
    """The endpoint of watches."""

    registry: Registry
    metrics: Metrics
    clock: Callable[[], datetime]
    rng: random.Random

    async def collection(self, target: Target, request: Request, accepted: Accepted) -> Response:
        """A watch of one kind in the form that the query asks for. Raises BadRequest, Invalid; a poll also
        Expired, Timeout."""
        query = request.query_params
        form = Accepted("object") if query.get("watch") == "poll" else accepted
        frames = frames_of(self.registry, target, form, self.clock)
        return await self._respond([read_filter(target, query)], request, frames)

    async def several(self, request: Request) -> Response:
        """A watch of several kinds on one connection, in the order of the one global version; for browsers,
        which open few connections to an origin. Raises as ``collection``."""
        request.scope["plum_verb"] = "watch"
        selections = read_filters(request.query_params)
        return await self._respond(selections, request, object_frames(self.registry, "Bookmark", "plum.dev/v1"))

    async def _respond(self, selections: Sequence[Filter], request: Request, frames: Frames) -> Response:
        query = request.query_params
        version = number(query, "resourceVersion", 0, most=2**63)
        if query.get("watch") == "poll":
            return await _poll(Watch(self.registry, selections, version or None), request, frames)
        check_watch(query)
        begin = start(query, version, self.registry.store.version)
        seconds = number(query, "timeoutSeconds", 0, most=MAX_WATCH_SECONDS) or self.rng.randint(1800, 3600)
        watch = Watch(self.registry, selections, begin.since, begin.at_least)
        stream = _Stream(frames, bookmarks=flag(query, "allowWatchBookmarks"), is_list=begin.is_list)
        resource = selections[0].kind.resource if len(selections) == 1 else "several"
        lines = self.metrics.watch(resource, stream.lines(watch))
        return StreamedResponse(lines, seconds, media_type=JSON, on_stuck=self.metrics.stuck)


@dataclass(frozen=True)
class _Stream:
    """What one client is sent."""

    frames: Frames
    bookmarks: bool
    is_list: bool
    """Whether a bookmark marks the end of what there is, for a client that takes bookmarks."""

    async def lines(self, watch: Watch) -> AsyncIterator[tuple[bytes, int]]:
        """The lines, with the number of events in them; a failure is one ERROR line."""
        try:
            async with aclosing(watch.batches(idle=BOOKMARK_SECONDS)) as found:  # type: ignore[type-var]
                async for batch in found:
                    if batch.deliveries:
                        lines = [self.frames.event(kind, slot) for kind, slot in batch.deliveries]
                        yield b"".join(lines), len(lines)
                    elif self.bookmarks and (self.is_list or not batch.initial):
                        yield self.frames.bookmark(batch.version, ends_initial=batch.initial), 0
        except ApiError as error:
            yield self.frames.error(error), 0


async def _poll(watch: Watch, request: Request, frames: Frames) -> Response:
    """The first events as one document; none within the time is an answer too."""
    query = request.query_params
    seconds = number(query, "timeoutSeconds", DEFAULT_POLL_SECONDS, most=MAX_POLL_SECONDS)
    limit = max(1, number(query, "limit", DEFAULT_BATCH, most=10_000))
    first = await while_connected(request.receive, watch.first(seconds=seconds, limit=limit))
    deliveries, version = first or ((), watch.since or 0)
    head = {"kind": "WatchEventBatch", "apiVersion": "plum.dev/v1", "metadata": {"resourceVersion": str(version)}}
    return await document(head, deliveries, lambda one: frames.event(*one).rstrip())


def _cut(events: Deliveries, version: int, limit: int) -> tuple[Deliveries, int]:
    """At most ``limit`` events, cut between versions only: a version's events belong together."""
    if len(events) <= limit:
        return events, version
    end = limit
    while end < len(events) and events[end][1].version == events[end - 1][1].version:
        end += 1
    return (events, version) if end == len(events) else (events[:end], events[end - 1][1].version)
