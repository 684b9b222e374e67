"""The engine interface: what every place to keep objects must be able to do.

An operation is a list of changes that is stored whole or not at all, and all changes of one operation
share one version: events are keyed ``(version, sequence)``. Versions come from the committer and grow
strictly; an engine stores the highest one apart from the rows, so that it never goes back, whatever is
deleted or compacted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]


class Key(NamedTuple):
    """Where an object lives. ``kind`` is ``plural.group``; cluster-scoped objects have an empty namespace."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What selectors see of an object."""

    labels: dict[str, str]
    fields: dict[str, str]


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


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One current object."""

    key: Key
    body: bytes


@dataclass(frozen=True)
class Loaded:
    """All that a server needs to start."""

    objects: Sequence[StoredObject]
    changes: Sequence[Change]
    """The recent history in order, as much as was asked for, cut between versions only."""
    floor: int
    """``changes`` holds every change with a version above this."""
    version: int
    """The highest version ever given."""


class CommitFailed(Exception):
    """Nothing of the batch has been stored; the engine can go on."""


class OutcomeUnknown(Exception):
    """Whether the batch has been stored cannot be told: stop, start anew and read."""


class Engine(Protocol):
    """A place to keep objects. Called from one thread at a time."""

    def load(self, *, history_bytes: int) -> Loaded:
        """Everything there is, with at most about ``history_bytes`` of recent changes."""
        ...

    def commit(self, changes: Sequence[Change], version: int) -> None:
        """Store a batch of whole operations durably, in order; ``version`` is the highest given so far.

        Raises CommitFailed or OutcomeUnknown. When it returns, the batch survives a crash.
        """
        ...

    def close(self) -> None:
        """Let go of files and locks."""
        ...
