"""The objects of one kind in memory, in the order of namespace and name, and indexed by some fields."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable, Sequence

from apiserver.api.scheme import Kind
from apiserver.server.store.snapshot import NAME, Filter, Slot

Place = tuple[str, str]
"""Namespace and name."""

FIRST: Place = ("", "")


class Table:
    """All objects of a kind; in each index those that have a value of the field, the empty one too."""

    def __init__(self, kind: Kind | None) -> None:
        self.slots: dict[Place, Slot] = {}
        self.bytes = 0
        """What the bodies hold."""
        self.changes = 0
        """How often anything has changed."""
        self._order: list[Place] = []
        self._indexes: dict[str, dict[str, dict[Place, None]]] = {path: {} for path in (kind.indexed if kind else ())}

    def fill(self, slots: Iterable[Slot]) -> None:
        """Take in what is stored, at the start."""
        for slot in slots:
            place = (slot.key.namespace, slot.key.name)
            self.slots[place] = slot
            self.bytes += len(slot.body)
            self._index(place, slot)
        self._order = sorted(self.slots)

    def put(self, slot: Slot) -> None:
        """Add or replace an object."""
        self.changes += 1
        place = (slot.key.namespace, slot.key.name)
        old = self.slots.get(place)
        if old is None:
            insort(self._order, place)
        else:
            self.bytes -= len(old.body)
        if old is None or old.seen is not slot.seen:
            self._unindex(place, old)
            self._index(place, slot)
        self.slots[place] = slot
        self.bytes += len(slot.body)

    def remove(self, place: Place) -> None:
        """Take an object out; harmless if it is not there."""
        old = self.slots.pop(place, None)
        if old is None:
            return
        self.changes += 1
        self.bytes -= len(old.body)
        self._unindex(place, old)
        del self._order[bisect_left(self._order, place)]

    def narrows(self, selection: Filter) -> bool:
        """Whether ``candidates`` leaves out objects that are behind ``after`` in the right namespace."""
        return any(path in selection.equal for path in (NAME, *self._indexes))

    def candidates(self, selection: Filter, after: Place) -> Sequence[Place]:
        """The places behind ``after``, in order, where objects that the selection means can be: all of them,
        and as few others as an index can tell."""
        namespace, equal = selection.namespace, selection.equal
        found: Collection[Place]
        if NAME in equal and namespace:
            found = [(namespace, equal[NAME])]
        elif NAME in equal:
            found = [place for place in self._order if place[1] == equal[NAME]]
        elif indexed := [values.get(equal[path], {}) for path, values in self._indexes.items() if path in equal]:
            found = min(indexed, key=len)
        else:
            return self._behind(namespace, after)
        return sorted(p for p in found if p > after and p in self.slots and (not namespace or p[0] == namespace))

    def _behind(self, namespace: str, after: Place) -> Sequence[Place]:
        start = bisect_right(self._order, after) if after != FIRST else 0
        end = len(self._order)
        if namespace:
            start = max(start, bisect_left(self._order, (namespace, "")))
            end = bisect_left(self._order, (namespace + "\0", ""), start)
        return self._order[start:end]

    def _index(self, place: Place, slot: Slot) -> None:
        for path, values in self._indexes.items():
            values.setdefault(slot.seen.fields.get(path, ""), {})[place] = None

    def _unindex(self, place: Place, slot: Slot | None) -> None:
        if slot is None:
            return
        for path, values in self._indexes.items():
            value = slot.seen.fields.get(path, "")
            values[value].pop(place, None)
            if not values[value]:
                del values[value]
