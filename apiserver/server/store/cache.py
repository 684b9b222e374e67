"""All objects in memory, and the ring of recent events. Only the committer writes here."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice

from apiserver.server.store.engine import Key
from apiserver.server.store.snapshot import Event, Filter, Slot

RING_BYTES = 32 * 1024 * 1024
_EVENT_OVERHEAD = 400
"""What an event holds beside its body, in bytes, about."""


class Cache:
    """The state at ``version``, and every change above ``floor``."""

    def __init__(self, *, ring_bytes: int = RING_BYTES) -> None:
        self.version = 0
        self.floor = 0
        self._slots: dict[str, dict[tuple[str, str], Slot]] = defaultdict(dict)
        self._order: dict[str, list[tuple[str, str]] | None] = {}
        self._ring: list[Event] = []
        self._ring_bytes = 0
        self._ring_limit = ring_bytes

    def get(self, key: Key) -> Slot | None:
        """One object."""
        return self._slots[key.kind].get((key.namespace, key.name))

    def select(self, selection: Filter, *, after: tuple[str, str] = ("", "")) -> Iterator[Slot]:
        """Matching objects in the order of namespace and name, those behind ``after`` only.

        Exact only until the next ``await``: take what is needed at once.
        """
        kind = selection.kind.resource
        slots = self._slots[kind]
        order = self._order.get(kind)
        if order is None:
            order = self._order[kind] = sorted(slots)
        start = bisect_right(order, after) if after != ("", "") else 0
        for key in islice(order, start, None):
            slot = slots[key]
            if selection.matches(slot.key, slot.seen):
                yield slot

    def since(self, kind: str, version: int) -> Iterator[Event]:
        """The events of a kind with a higher version; only complete while ``version >= floor``."""
        start = bisect_right(self._ring, version, key=lambda event: event.version)
        return (event for event in islice(self._ring, start, None) if event.slot.key.kind == kind)

    def put(self, slot: Slot) -> None:
        """Set an object."""
        key = (slot.key.namespace, slot.key.name)
        if key not in self._slots[slot.key.kind]:
            self._order[slot.key.kind] = None
        self._slots[slot.key.kind][key] = slot

    def publish(self, events: Sequence[Event], version: int) -> None:
        """Take in a committed batch."""
        for event in events:
            if event.type == "DELETED":
                self._slots[event.slot.key.kind].pop((event.slot.key.namespace, event.slot.key.name), None)
                self._order[event.slot.key.kind] = None
            else:
                self.put(event.slot)
        self.remember(events)
        self.version = version

    def remember(self, events: Sequence[Event]) -> None:
        """Append to the ring; the oldest versions fall out, a version always as a whole."""
        self._ring.extend(events)
        self._ring_bytes += sum(_size(event) for event in events)
        drop = 0
        while self._ring_bytes > self._ring_limit and drop < len(self._ring):
            self.floor = self._ring[drop].version
            while drop < len(self._ring) and self._ring[drop].version == self.floor:
                self._ring_bytes -= _size(self._ring[drop])
                drop += 1
        del self._ring[:drop]


def _size(event: Event) -> int:
    return len(event.slot.body) + _EVENT_OVERHEAD
