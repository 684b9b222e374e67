"""The engine that forgets: for tests and simulation. It keeps the same promises but durability."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from apiserver.api.meta import format_micro_time
from apiserver.server.store.engine import (
    OVERHEAD,
    Change,
    Key,
    Loaded,
    Mark,
    Sizes,
    StoredObject,
    StoredRevision,
    whole_versions,
)


class MemoryEngine:
    """Objects and changes in plain containers."""

    def __init__(self) -> None:
        self.on_sync: Callable[[float], None] = lambda seconds: None
        """Never called: there is nothing to flush."""
        self._objects: dict[Key, bytes] = {}
        self._revisions: dict[Key, list[StoredRevision]] = {}
        self._changes: list[Change] = []
        self._version = 0
        self._compacted = 0
        self._forgotten: datetime | None = None
        """When the newest of the forgotten changes was stored."""

    def load(self) -> Loaded:
        """See Engine."""
        objects = [StoredObject(key, body) for key, body in self._objects.items()]
        return Loaded(objects, self._changes[::-1], self._compacted, self._version)

    def commit(self, changes: Sequence[Change], version: int) -> None:
        """See Engine."""
        for change in changes:
            if change.type == "DELETED":
                self._objects.pop(change.key, None)
                self._revisions.pop(change.key, None)
            else:
                self._objects[change.key] = change.body
                self._keep(change)
        self._changes.extend(changes)
        self._version = version

    def _keep(self, change: Change) -> None:
        if change.revision is None:
            return
        number, time = change.revision.number, format_micro_time(change.time)
        one = StoredRevision(number, change.version, time, change.user, change.manager, change.revision.spec)
        others = [kept for kept in self._revisions.get(change.key, ()) if kept.number != number]
        self._revisions[change.key] = [one, *others][: change.revision.kept]

    def settle(self) -> int:
        """See Engine."""
        return self._version

    def oldest(self, limit: int) -> Sequence[Mark]:
        """See Engine."""
        return [Mark(found.version, found.time, len(found.body) + OVERHEAD) for found in self._changes[:limit]]

    def compact(self, version: int) -> None:
        """See Engine."""
        going = [change.time for change in self._changes if change.version <= version]
        self._forgotten = going[-1] if going else self._forgotten
        self._changes = [change for change in self._changes if change.version > version]
        self._compacted = version

    def vacuum(self) -> bool:
        """See Engine."""
        return False

    def sizes(self) -> Sizes:
        """See Engine."""
        return Sizes(*self.log_size)

    @property
    def log_size(self) -> tuple[int, int]:
        """See Engine."""
        return len(self._changes), sum(len(change.body) + OVERHEAD for change in self._changes)

    def changes_after(self, version: int, *, size: int) -> Sequence[Change]:
        """See Engine."""
        return whole_versions((change for change in self._changes if change.version > version), size)

    def history(self, key: Key, *, before: int, limit: int) -> Sequence[Change]:
        """See Engine."""
        found = [change for change in self._changes if change.key == key and change.version <= before]
        return found[::-1][:limit]

    def next_change(self, key: Key, *, after: int) -> Change | None:
        """See Engine."""
        return next((change for change in self._changes if change.key == key and change.version > after), None)

    def version_at(self, moment: datetime) -> int | None:
        """See Engine."""
        told = next((change.version for change in reversed(self._changes) if change.time <= moment), None)
        if told is None and (not self._compacted or (self._forgotten and self._forgotten <= moment)):
            return self._compacted
        return told

    def revisions(self, key: Key) -> Sequence[StoredRevision]:
        """See Engine."""
        return list(self._revisions.get(key, ()))

    def backup(self, path: Path) -> None:
        """See Engine."""
        raise OSError("there is nothing on disk to back up")

    def close(self) -> None:
        """Nothing to let go of: a later ``load`` sees what was committed."""
