"""All objects in memory, and the ring of recent events. Only the committer writes here."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice

from apiserver.api.errors import Expired
from apiserver.api.scheme import SCHEME
from apiserver.server.store.engine import OVERHEAD, Key
from apiserver.server.store.snapshot import Event, Filter, Slot
from apiserver.server.store.table import FIRST, Place, Table

RING_BYTES = 32 * 1024 * 1024
_TRIM = 16
"""The ring is cut when it is over its limit by one part in so many, so that it is not cut at each commit."""


class Cache:
    """The state at ``version``, every change above ``floor``, and so every state down to ``oldest_state``."""

    def __init__(self, *, ring_bytes: int = RING_BYTES) -> None:
        self.version = 0
        self.floor = 0
        self.oldest_state = 0
        self.tables = {kind.resource: Table(kind) for kind in SCHEME}
        self._ring: list[Event] = []
        self._ring_bytes = 0
        self._ring_limit = ring_bytes

    @property
    def ring_size(self) -> tuple[int, int]:
        """Events and bytes of the ring."""
        return len(self._ring), self._ring_bytes

    @property
    def live_bytes(self) -> int:
        """What the bodies of all objects hold."""
        return sum(table.bytes for table in self.tables.values())

    def get(self, key: Key) -> Slot | None:
        """One object."""
        return self.tables[key.kind].slots.get((key.namespace, key.name))

    def select(self, selection: Filter) -> Iterator[Slot]:
        """Matching objects in the order of namespace and name. Exact only until the next ``await``."""
        table = self.tables[selection.kind.resource]
        for place in table.candidates(selection, FIRST):
            slot = table.slots[place]
            if selection.matches(slot.key, slot.seen):
                yield slot

    def state(self, selection: Filter, *, version: int, after: Place = FIRST, limit: int = 0) -> tuple[list[Slot], int]:
        """The objects behind ``after`` as they were at a version, in order, and how many follow them.

        Without selectors at most ``limit``, if there is one. With selectors everything that an index cannot
        rule out: it remains to be matched. Raises Expired for a version that cannot be had any more.
        """
        if not self.oldest_state <= version <= self.version:
            raise Expired(f"the state at version {version} is not kept any more ({self.oldest_state}); list again")
        table = self.tables[selection.kind.resource]
        places = table.candidates(selection, after)
        past = self._past(selection.kind.resource, version)
        total = len(places)
        most = limit if limit and selection.is_open else total + len(past)
        if past:
            places, total = _of_the_past(table, selection, places, past, after, most)
        slots = [past.get(place) or table.slots[place] for place in places[:most]]
        return slots, max(0, total - most)

    def _past(self, kind: str, version: int) -> dict[Place, Slot | None]:
        """What the objects that have changed since a version were then; None: there was none."""
        past: dict[Place, Slot | None] = {}
        for event in self.since(version):
            key = event.slot.key
            if key.kind == kind:
                past.setdefault((key.namespace, key.name), event.before)
        return past

    def since(self, version: int, limit: int | None = None) -> list[Event]:
        """The events with a higher version, oldest first; with ``limit`` about so many, in whole versions.
        Only complete while ``version >= floor``."""
        start = bisect_right(self._ring, version, key=lambda event: event.version)
        end = len(self._ring) if limit is None else min(start + limit, len(self._ring))
        while start < end < len(self._ring) and self._ring[end].version == self._ring[end - 1].version:
            end += 1
        return self._ring[start:end]

    def publish(self, events: Sequence[Event], version: int) -> None:
        """Take in a committed batch."""
        for event in events:
            key = event.slot.key
            table = self.tables[key.kind]
            if event.type == "DELETED":
                table.remove((key.namespace, key.name))
            else:
                table.put(event.slot)
        self.remember(events)
        self.version = version

    def remember(self, events: Sequence[Event]) -> None:
        """Append to the ring; the oldest versions fall out, a version always as a whole."""
        self._ring.extend(events)
        self._ring_bytes += sum(_size(event) for event in events)
        if self._ring_bytes <= self._ring_limit * (1 + 1 / _TRIM):
            return
        drop = 0
        while self._ring_bytes > self._ring_limit and drop < len(self._ring):
            self.floor = self._ring[drop].version
            for event in islice(self._ring, drop, None):
                if event.version != self.floor:
                    break
                self._ring_bytes -= _size(event)
                drop += 1
        self.oldest_state = max(self.oldest_state, self.floor)
        del self._ring[:drop]


def _of_the_past(
    table: Table, selection: Filter, places: Sequence[Place], past: dict[Place, Slot | None], after: Place, most: int
) -> tuple[list[Place], int]:
    """The first ``most`` of the places as they were, in order, and how many there were. ``places`` are those of today;
    ``past`` tells what those that have changed since held then."""
    known = set(places) if table.narrows(selection) else table.slots.keys()
    namespace = selection.namespace
    behind = [(place, slot) for place, slot in past.items() if place > after and namespace in ("", place[0])]
    gone = [place for place, slot in behind if slot and place not in known]
    new = sum(1 for place, slot in behind if slot is None and place in known)
    # So many of today's are enough, whichever of them are new: a page does not cost the whole collection.
    merged = sorted([*places[: most + new], *gone])
    return [place for place in merged if place not in past or past[place]], len(places) + len(gone) - new


def _size(event: Event) -> int:
    """What the ring keeps alive for the event: its object, and the one before."""
    return len(event.slot.body) + (len(event.before.body) if event.before else 0) + OVERHEAD
