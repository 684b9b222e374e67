"""A watch: everything that happened after a version, then everything that happens, each once and in order.

What the watcher missed is read from the log, in memory as far as that reaches and from the engine beyond; then
it is told of changes as they are stored. Between the two nothing runs, so there is no gap and no repeat. A
watcher too slow for its buffer goes back to reading the log.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from apiserver.server.store.snapshot import Event, Filter
from apiserver.server.store.store import Store
from apiserver.server.store.watchers import Delivery, Watcher

STEP = 300
"""Events that are looked at without a break."""

STEP_BYTES = 512 * 1024
"""What is read from the engine at a time."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some deliveries in order, whole versions, and the version that the watch has reached with them."""

    deliveries: Sequence[Delivery]
    version: int


async def follow(
    store: Store, selections: Sequence[Filter], since: int, *, idle: float, gather: float = 0.0
) -> AsyncIterator[Batch]:
    """Batches as they come, an empty one after ``idle`` seconds without any; with ``gather`` it waits that long
    after an event for more.

    Raises Expired when the log does not reach back to where the watch is; ends when the server does. Close it
    to give the watcher back.
    """
    store.check_version(since)
    reached = since
    while not store.watchers.is_ended:
        while reached < store.version:
            events, reached = await _read(store, reached)
            if deliveries := _seen_by(selections, events):
                yield Batch(deliveries, reached)
        watcher = Watcher(selections)
        store.watchers.add(watcher)
        try:
            while (batch := await _next(store, watcher, idle, gather)) is not None:
                reached = batch.version
                yield batch
        finally:
            store.watchers.remove(watcher)
        reached = max(reached, watcher.complete_to)


async def _next(store: Store, watcher: Watcher, idle: float, gather: float) -> Batch | None:
    """The next batch; None when the watcher has overflowed or is ended."""
    if not watcher.has_buffered():
        await watcher.wait(idle)
        if gather and watcher.has_buffered():
            await asyncio.sleep(gather)
    if taken := watcher.take():
        return Batch(taken, taken[-1].event.version)
    if watcher.is_ended or watcher.has_overflowed:
        return None
    # Everything up to here has been offered, and nothing of it was meant.
    return Batch((), store.version)


async def _read(store: Store, after: int) -> tuple[Sequence[Event], int]:
    """Some of the log behind a version, and the version reached with it. Raises Expired, ServiceUnavailable."""
    if after < store.cache.floor:
        return await store.read_log(after, size=STEP_BYTES)
    events = store.cache.since(after, STEP)
    reached = events[-1].version if events else store.version
    if reached < store.version:
        await asyncio.sleep(0)
    return events, reached


def _seen_by(selections: Sequence[Filter], events: Sequence[Event]) -> list[Delivery]:
    by_kind = {selection.kind.resource: selection for selection in selections}
    found: list[Delivery] = []
    for event in events:
        selection = by_kind.get(event.slot.key.kind)
        if selection is not None and (kind := selection.view(event)):
            found.append(Delivery(kind, event))
    return found
