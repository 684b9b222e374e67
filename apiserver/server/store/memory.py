"""The engine that forgets: for tests and simulation. It keeps the same promises but durability."""

from collections.abc import Sequence

from apiserver.server.store.engine import Change, Key, Loaded, StoredObject


class MemoryEngine:
    """Objects and changes in plain containers."""

    def __init__(self) -> None:
        self._objects: dict[Key, bytes] = {}
        self._changes: list[Change] = []
        self._version = 0

    def load(self, *, history_bytes: int) -> Loaded:
        """See Engine."""
        kept, floor = recent(self._changes, history_bytes)
        objects = [StoredObject(key, body) for key, body in self._objects.items()]
        return Loaded(objects, kept, floor, self._version)

    def commit(self, changes: Sequence[Change], version: int) -> None:
        """See Engine."""
        for change in changes:
            if change.type == "DELETED":
                self._objects.pop(change.key, None)
            else:
                self._objects[change.key] = change.body
        self._changes.extend(changes)
        self._version = version

    def close(self) -> None:
        """Nothing to let go of: a later ``load`` sees what was committed."""


def recent(changes: Sequence[Change], history_bytes: int) -> tuple[list[Change], int]:
    """The newest changes of about that size in whole versions, and the version they begin after."""
    size, start = 0, len(changes)
    while start > 0 and size < history_bytes:
        start -= 1
        size += len(changes[start].body)
    while 0 < start < len(changes) and changes[start].version == changes[start - 1].version:
        start += 1
    floor = changes[start - 1].version if start > 0 else 0
    return list(changes[start:]), floor
