"""Who waits for which events. A change costs the watchers it concerns and no others.

A watcher whose selector demands one value of a field (``spec.nodeName=nodeA``) is found by that value;
all others by their kind. Each has a small buffer; one that does not keep up loses it and goes on from the log,
at its own pace and at nobody's cost.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from apiserver.server.store.engine import ChangeType
from apiserver.server.store.snapshot import NAME, Event, Filter

MAX_BUFFERED = 1000
"""Events a watcher may be behind before it has to read them from the log."""

MAX_BUFFERED_BYTES = 4 * 1024 * 1024
Place = tuple[str, str, str]
"""Kind, and a field and its value, or two empty texts."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event as one watcher sees it."""

    type: ChangeType
    event: Event


class Watcher:
    """One watch over one or more kinds: deliveries in the order of versions, each once."""

    __slots__ = ("_buffer", "_bytes", "_limit", "_wake", "complete_to", "has_overflowed", "is_ended", "selections")

    def __init__(self, selections: Sequence[Filter], *, limit: int = MAX_BUFFERED) -> None:
        """The selections are of different kinds."""
        self.selections = {selection.kind.resource: selection for selection in selections}
        self._limit = limit
        self._buffer: list[Delivery] = []
        self._bytes = 0
        self._wake = asyncio.Event()
        self.has_overflowed = False
        """It was too slow, and its buffer is gone: go on with the log after ``complete_to``."""
        self.complete_to = 0
        self.is_ended = False
        """The server is ending."""

    def has_buffered(self) -> bool:
        """Whether there is something to take."""
        return bool(self._buffer)

    def offer(self, event: Event) -> bool:
        """Buffer the event if it concerns the watcher; False when that makes it overflow."""
        if self.has_overflowed:
            return True
        kind = self.selections[event.slot.key.kind].view(event)
        if kind is None:
            return True
        self._buffer.append(Delivery(kind, event))
        self._bytes += len(event.slot.body)
        self._wake.set()
        if len(self._buffer) <= self._limit and self._bytes <= MAX_BUFFERED_BYTES:
            return True
        self.complete_to = self._buffer[0].event.version - 1
        self._buffer, self.has_overflowed = [], True
        return False

    def end(self) -> None:
        """Drop what is buffered and end the watch."""
        self.is_ended = True
        self._buffer = []
        self._wake.set()

    def take(self) -> list[Delivery]:
        """What is buffered now."""
        taken, self._buffer, self._bytes = self._buffer, [], 0
        self._wake.clear()
        return taken

    async def wait(self, timeout: float) -> None:
        """Until there is something to do, at most ``timeout`` seconds."""
        if self._buffer or self.is_ended or self.has_overflowed:
            return
        # Not wait_for: before Python 3.12 it swallows a cancellation that comes with the wake-up.
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._wake.wait()


class Watchers:
    """All watchers, indexed. Used on the event loop only."""

    def __init__(self) -> None:
        self._index: dict[Place, set[Watcher]] = defaultdict(set)
        self.is_ended = False
        self.overflows = 0
        """How often a watcher was too slow, since the start."""

    def add(self, watcher: Watcher) -> None:
        """Events published from now on reach it."""
        watcher.is_ended = self.is_ended
        for place in _places(watcher):
            self._index[place].add(watcher)

    def remove(self, watcher: Watcher) -> None:
        """Forget it; harmless if it is gone."""
        for place in _places(watcher):
            self._index[place].discard(watcher)
            if not self._index[place]:
                del self._index[place]

    def publish(self, events: Sequence[Event]) -> None:
        """Offer each event to those it may concern."""
        for event in events:
            for watcher in self._concerned(event):
                if not watcher.offer(event):
                    self.overflows += 1

    def end(self) -> None:
        """End every watch, at shutdown; those that come later end at once."""
        self.is_ended = True
        for watcher in set().union(*self._index.values()):
            watcher.end()

    def _concerned(self, event: Event) -> Iterable[Watcher]:
        key = event.slot.key
        places = {(key.kind, "", ""), (key.kind, NAME, key.name)}
        for seen in (event.slot.seen, event.previous):
            if seen is not None:
                places.update((key.kind, path, value) for path, value in seen.fields.items())
        found = [self._index[place] for place in places if place in self._index]
        return found[0].copy() if len(found) == 1 else set().union(*found)


def _places(watcher: Watcher) -> Iterable[Place]:
    """Where the watcher is found: one place for each of its kinds."""
    for kind, selection in watcher.selections.items():
        path = next((path for path in selection.equal if path != "metadata.namespace"), "")
        yield kind, path, selection.equal.get(path, "")
