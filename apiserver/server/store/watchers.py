"""Who waits for which events. A change costs the watchers it concerns and no others.

A watcher whose selector demands one value of a field (``spec.nodeName=nodeA``) is found by that value;
all others by their kind. Each has a bounded buffer; one that does not keep up is cut off and lists again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from apiserver.server.store.engine import ChangeType
from apiserver.server.store.snapshot import Event, Filter

MAX_BUFFERED = 10_000
"""Events a watcher may be behind; past that it is cut."""

MAX_BUFFERED_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event as one watcher sees it."""

    type: ChangeType
    event: Event


class WatcherCut(Exception):
    """The watcher was too slow, or the server is ending; resume from the last version seen."""


class Watcher:
    """One watch: deliveries in the order of versions, each once."""

    def __init__(self, selection: Filter, *, limit: int = MAX_BUFFERED, limit_bytes: int = MAX_BUFFERED_BYTES) -> None:
        self.selection = selection
        self._limit, self._limit_bytes = limit, limit_bytes
        self._buffer: list[Delivery] = []
        self._bytes = 0
        self._wake = asyncio.Event()
        self.is_cut = False

    @property
    def has_buffered(self) -> bool:
        """Whether there is something to take."""
        return bool(self._buffer)

    def offer(self, event: Event) -> bool:
        """Buffer the event if it concerns the watcher; False when the watcher has to be cut."""
        kind = self.selection.view(event)
        if kind is None:
            return True
        self._buffer.append(Delivery(kind, event))
        self._bytes += len(event.slot.body)
        self._wake.set()
        return len(self._buffer) <= self._limit and self._bytes <= self._limit_bytes

    def cut(self) -> None:
        """Drop what is buffered and end the watch."""
        self.is_cut = True
        self._buffer = []
        self._wake.set()

    def take(self) -> list[Delivery]:
        """What is buffered now. Raises WatcherCut."""
        if self.is_cut:
            raise WatcherCut
        taken, self._buffer, self._bytes = self._buffer, [], 0
        self._wake.clear()
        return taken

    async def wait(self, timeout: float) -> None:
        """Until there is something to take, at most ``timeout`` seconds."""
        if self._buffer or self.is_cut:
            return
        try:
            await asyncio.wait_for(self._wake.wait(), timeout)
        except TimeoutError:
            return


class Watchers:
    """All watchers, indexed. Used on the event loop only."""

    def __init__(self) -> None:
        self._index: dict[tuple[str, str, str], set[Watcher]] = defaultdict(set)
        self.count = 0
        self.cut = 0

    def add(self, watcher: Watcher) -> None:
        """Events published from now on reach it."""
        self._index[_place(watcher.selection)].add(watcher)
        self.count += 1

    def remove(self, watcher: Watcher) -> None:
        """Forget it; harmless if it is gone."""
        place = _place(watcher.selection)
        if watcher in self._index.get(place, ()):
            self._index[place].discard(watcher)
            self.count -= 1
            if not self._index[place]:
                del self._index[place]

    def publish(self, events: Sequence[Event]) -> None:
        """Offer each event to those it may concern."""
        for event in events:
            for watcher in self._concerned(event):
                if not watcher.is_cut and not watcher.offer(event):
                    watcher.cut()
                    self.cut += 1

    def cut_all(self) -> None:
        """End every watch, at shutdown."""
        for watchers in list(self._index.values()):
            for watcher in watchers:
                watcher.cut()

    def _concerned(self, event: Event) -> set[Watcher]:
        kind = event.slot.key.kind
        places = {(kind, "", "")}
        for seen in (event.slot.seen, event.previous):
            if seen is not None:
                places.update((kind, path, value) for path, value in seen.fields.items())
        return set().union(*(self._index[place] for place in places if place in self._index))


def _place(selection: Filter) -> tuple[str, str, str]:
    wanted = selection.fields.equalities()
    path = next((path for path in wanted if path != "metadata.namespace"), "")
    return selection.kind.resource, path, wanted.get(path, "")
