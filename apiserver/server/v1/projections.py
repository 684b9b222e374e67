"""What is kept of objects, so that nothing is parsed again for a reply while it stays as it is."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Generic, TypeVar

from apiserver.server.store.engine import Key
from apiserver.server.store.snapshot import Slot
from apiserver.server.store.table import Table

T = TypeVar("T")
_SPARE = 1000
STEP = 300
"""Objects that are looked at without a break."""


async def in_turns(slots: Sequence[Slot]) -> AsyncIterator[Slot]:
    """The same objects, with a break after every so many: reading all of a large fleet takes seconds."""
    for index, slot in enumerate(slots, start=1):
        yield slot
        if index % STEP == 0:
            await asyncio.sleep(0)


class Projection(Generic[T]):
    """One value an object, made when it is asked for first, and again after the object has changed."""

    def __init__(self, make: Callable[[Slot], T], table: Table) -> None:
        """``table`` holds the objects that there are; values of others are forgotten."""
        self._make, self._table = make, table
        self._known: dict[Key, tuple[Slot, T]] = {}

    def __call__(self, slot: Slot) -> T:
        """The value of an object as it is now, or as an earlier state of it was."""
        known = self._known.get(slot.key)
        if known is not None and known[0] is slot:
            return known[1]
        value = self._make(slot)
        if len(self._known) > 2 * len(self._table.slots) + _SPARE:
            self._prune()
        self._known[slot.key] = (slot, value)
        return value

    def _prune(self) -> None:
        present = self._table.slots
        self._known = {key: kept for key, kept in self._known.items() if (key.namespace, key.name) in present}
