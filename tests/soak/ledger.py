"""What writers tried, what they were answered, and whether the log of all changes agrees."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Verb = Literal["create", "patch", "delete"]
Outcome = Literal["stored", "refused", "unknown"]
MARK = "soak/serial"
"""The annotation that tells which write an object was last changed by."""

EVENT_OF: Mapping[Verb, str] = {"create": "ADDED", "patch": "MODIFIED", "delete": "DELETED"}


class Place(NamedTuple):
    """Where an object lives."""

    kind: str
    namespace: str
    name: str


class Told(NamedTuple):
    """One event as a watcher was told of it."""

    type: str
    place: Place
    version: int


@dataclass(frozen=True, slots=True)
class Logged:
    """One event of the log of all changes, with what selectors and writers know it by."""

    told: Told
    seen: Mapping[str, str]
    """Its labels, and what it has as ``node``, ``task`` and ``name``."""
    serial: str
    """What the last write that changed the object, but did not delete it, has marked it with."""


@dataclass(slots=True)
class Attempt:
    """One write of an object and what became of it."""

    verb: Verb
    serial: str
    """The mark that the object carries afterwards; of a deletion none."""
    outcome: Outcome = "unknown"
    version: int = 0
    """As acknowledged; 0 where the answer names none."""

    def is_told_by(self, logged: Logged) -> bool:
        """Whether the log's event can be this write's."""
        if logged.told.type != EVENT_OF[self.verb]:
            return False
        return (self.verb == "delete" or logged.serial == self.serial) and self.version in (0, logged.told.version)


@dataclass
class Ledger:
    """All attempts, by object and in order: an object has one writer, which waits for each answer."""

    attempts: dict[Place, list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    counts: Counter[Outcome] = field(default_factory=Counter)
    highest: int = 0
    """The highest acknowledged version."""

    def settle(self, attempt: Attempt, outcome: Outcome, version: int = 0, *, highest_before: int = 0) -> None:
        """Note the answer to a write; ``highest_before`` is what was acknowledged to anybody before it was sent."""
        attempt.outcome, attempt.version = outcome, version
        self.counts[outcome] += 1
        if version:
            assert version > highest_before, f"a version went back: {version} after {highest_before}"
            self.highest = max(self.highest, version)

    def is_certain(self, place: Place) -> bool:
        """Whether what is stored of the object can be only one thing."""
        for attempt in reversed(self.attempts[place]):
            if attempt.outcome != "refused":
                return attempt.outcome == "stored"
        return True

    def check_read(self, place: Place, found: tuple[str, int] | None) -> None:
        """An object's mark and version as they were just read: what was acknowledged last, or of later unknown
        outcome."""
        possible: set[str | None] = {None}
        version = 0
        for attempt in self.attempts[place]:
            after = None if attempt.verb == "delete" else attempt.serial
            if attempt.outcome == "stored":
                possible, version = {after}, attempt.version
            elif attempt.outcome == "unknown":
                possible.add(after)
        serial = found[0] if found else None
        assert serial in possible, f"{place} reads as {found}, not as one of {possible}"
        assert found is None or found[1] >= version, f"{place} went back from {version} to {found[1]}"

    def check_log(self, log: Iterable[Logged]) -> None:
        """Everything acknowledged is in the log, nothing refused is, and nothing that nobody wrote."""
        by_place: dict[Place, list[Logged]] = defaultdict(list)
        for logged in log:
            by_place[logged.told.place].append(logged)
        assert by_place.keys() <= self.attempts.keys()
        for place, attempts in self.attempts.items():
            _check_place(place, attempts, by_place[place])


def _check_place(place: Place, attempts: Sequence[Attempt], log: Sequence[Logged]) -> None:
    """An attempt of unknown outcome may account for an event or not, so that there may be several ways to go on."""
    reached = {0}
    for attempt in attempts:
        told = {position + 1 for position in reached if position < len(log) and attempt.is_told_by(log[position])}
        if attempt.outcome == "stored":
            assert told, f"{place}: lost: {attempt}; the log goes on {log[min(reached) :][:3]}"
            reached = told
        elif attempt.outcome == "unknown":
            reached |= told
    assert len(log) in reached, f"{place}: nobody wrote, or was refused: {log[max(reached) :][:3]}; {attempts[-6:]}"
