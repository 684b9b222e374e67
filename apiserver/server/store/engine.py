"""The engine interface: what every place to keep objects must be able to do.

An operation is a list of changes that is stored whole or not at all, and all changes of one operation
share one version: events are keyed ``(version, sequence)``. Versions come from the committer and grow
strictly; an engine stores the highest one apart from the rows, so that it never goes back, whatever is
deleted or compacted.

The engine also keeps the log of changes: the feed of watches that resume and the history that people read.
It is cut at its old end only, by ``compact``, between versions.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]

OVERHEAD = 400
"""What the log is taken to hold of a change beside its body, in bytes."""


class Key(NamedTuple):
    """Where an object lives. ``kind`` is ``plural.group``; cluster-scoped objects have an empty namespace."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What selectors see of an object beside its name and namespace. Equal ones may be one object."""

    labels: dict[str, str]
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Revision:
    """A spec that is kept beyond the log, for rollback; the ``kept`` newest of an object are."""

    number: int
    spec: bytes
    kept: int


@dataclass(frozen=True, slots=True)
class Change:
    """One object's change as it is stored and told to watchers."""

    version: int
    sequence: int
    type: ChangeType
    key: Key
    uid: str
    body: bytes
    """The object after the change, DELETED: its last state; ``resourceVersion`` is ``version`` in both."""
    previous: Seen | None
    """What selectors saw before; None for ADDED."""
    time: datetime
    user: str
    manager: str
    revision: Revision | None = None
    """The spec to keep with this change. Not part of the log: changes that are read back have none."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One current object."""

    key: Key
    body: bytes


@dataclass(frozen=True, slots=True)
class StoredRevision:
    """A kept spec, and the change that brought it."""

    number: int
    version: int
    time: str
    """RFC 3339; of a store from before revisions were kept, the object's creation."""
    user: str
    manager: str
    spec: bytes


class Mark(NamedTuple):
    """What compaction needs to know of one change."""

    version: int
    time: datetime
    size: int


@dataclass(frozen=True)
class Loaded:
    """All that a server needs to start. What can be iterated is read along the way, once and in this order, so
    that nothing is in memory twice; until then the engine may not be used for anything else."""

    objects: Iterable[StoredObject]
    newest: Iterable[Change]
    """The log, newest first; stop where it is enough."""
    compacted: int
    """The log holds every change with a version above this."""
    version: int
    """The highest version ever given."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the engine holds, in bytes unless said otherwise."""

    log_changes: int = 0
    """A number of changes."""
    log: int = 0
    database: int = 0
    free: int = 0
    """What the database holds for later use."""
    wal: int = 0


class CommitFailed(Exception):
    """Nothing of the batch has been stored; the engine can go on."""


class OutcomeUnknown(Exception):
    """Whether the batch has been stored cannot be told yet: nothing works until ``settle`` has succeeded."""


def whole_versions(found: Iterable[Change], size: int) -> list[Change]:
    """The first changes of about so many bytes, cut between versions only."""
    taken: list[Change] = []
    held = 0
    for one in found:
        if held >= size and taken and one.version != taken[-1].version:
            return taken
        taken.append(one)
        held += len(one.body) + OVERHEAD
    return taken


class Engine(Protocol):
    """A place to keep objects. Called from one thread at a time, ``backup`` and ``log_size`` excepted.

    What reads raises is the engine's own; callers treat it as a temporary failure.
    """

    on_sync: Callable[[float], None]
    """Told how many seconds each flush to the disk took."""

    @property
    def log_size(self) -> tuple[int, int]:
        """Changes and bytes of the log: bodies, and ``OVERHEAD`` for each. Costs nothing."""
        ...

    def load(self) -> Loaded:
        """Everything there is."""
        ...

    def commit(self, changes: Sequence[Change], version: int) -> None:
        """Store a batch of whole operations durably, in order; ``version`` is the highest given so far.

        Raises CommitFailed or OutcomeUnknown. When it returns, the batch survives a crash. An empty batch
        stores the version alone: a probe.
        """
        ...

    def settle(self) -> int:
        """After OutcomeUnknown: find out, durably. Returns the highest version stored: that of the batch, or
        the one before. Raises OutcomeUnknown while it cannot be told; call again later."""
        ...

    def oldest(self, limit: int) -> Sequence[Mark]:
        """The oldest changes of the log in order, at most ``limit``."""
        ...

    def compact(self, version: int) -> None:
        """Forget every change up to a version. Raises CommitFailed or OutcomeUnknown."""
        ...

    def vacuum(self) -> bool:
        """Give some free space back to the file system; False when there is nothing worth it. Raises as ``compact``."""
        ...

    def sizes(self) -> Sizes:
        """How much is held now."""
        ...

    def changes_after(self, version: int, *, size: int) -> Sequence[Change]:
        """The log from a version on, whole versions only, about ``size`` bytes; empty at its end."""
        ...

    def history(self, key: Key, *, before: int, limit: int) -> Sequence[Change]:
        """The changes of one object with versions up to ``before``, newest first."""
        ...

    def next_change(self, key: Key, *, after: int) -> Change | None:
        """The first change of one object with a version above ``after``, by the log."""
        ...

    def version_at(self, moment: datetime) -> int | None:
        """The highest version that was stored by then; 0 before the first. None where the log does not reach
        back so far: the newest of the forgotten changes is younger, or it is not known how old that is."""
        ...

    def revisions(self, key: Key) -> Sequence[StoredRevision]:
        """The kept specs of an object, newest first; none where it is gone."""
        ...

    def backup(self, path: Path) -> None:
        """Write a consistent copy of everything to a new file, while commits go on. From any thread. Raises OSError."""
        ...

    def close(self) -> None:
        """Let go of files and locks."""
        ...
