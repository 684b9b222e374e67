"""How much of the log is kept. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apiserver.server.store.engine import Mark

SLACK = 0.95
"""Compaction, once begun, goes down to this share of a limit, so that it does not begin again at once."""


@dataclass(frozen=True)
class Retention:
    """What is forgotten: changes over a number, a size or an age."""

    age: timedelta = timedelta(hours=24)
    changes: int = 1_000_000
    size: int = 64 * 1024 * 1024
    """Bytes. The log may also hold as much as the objects themselves do, if that is more."""

    def is_exceeded(self, changes: int, size: int, live: int) -> bool:
        """Whether a log of so many changes and bytes beside so many bytes of objects is too long."""
        return changes > self.changes or size > max(self.size, live)


def horizon(
    oldest: Sequence[Mark], log: tuple[int, int], live: int, keep: Retention, *, cutoff: datetime | None, is_long: bool
) -> int:
    """The version up to which to forget, by what is known of the oldest changes; 0: nothing.

    ``log`` are the changes and bytes that there are, ``live`` the bytes of all objects; what was stored before
    ``cutoff`` is too old. With ``is_long``, which is for the caller to remember over several slices, the log is cut
    down to somewhat below its limits.
    """
    changes, size = log
    most_changes, most_size = SLACK * keep.changes, SLACK * max(keep.size, live)
    reached = 0
    for mark in oldest:
        is_old = cutoff is not None and mark.time < cutoff
        if not is_old and not (is_long and (changes > most_changes or size > most_size)):
            return reached
        reached = mark.version
        changes -= 1
        size -= mark.size
    return reached
