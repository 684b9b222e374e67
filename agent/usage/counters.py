"""Sums over a tree of processes as counters that never go back, and rates. Pure.

When a process ends, what it has used moves to its parent, the moment that the parent takes note of it; the kernel
drops it where nobody does. So a sum over the tree goes back in two ways: for one look, when a process ended between
the reading of its parent and its own, and for good. A counter waits one look to tell them apart.
"""

from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter of one run."""

    value: float = 0
    lost: float = 0
    """What was counted and cannot be seen any more."""
    is_low: bool = False
    """Whether the last look saw less than the one before."""

    def after(self, seen: float) -> Self:
        """The counter when a look has seen that sum."""
        found = seen + self.lost
        if found >= self.value:
            return replace(self, value=found, is_low=False)
        if not self.is_low:
            return replace(self, is_low=True)
        return replace(self, lost=self.lost + self.value - found, is_low=False)


@dataclass(frozen=True, slots=True)
class Point:
    """The counters of one run, at a moment."""

    seconds: float
    """After boot."""
    cpu: Counter = Counter()
    read: Counter = Counter()
    written: Counter = Counter()

    def after(self, seconds: float, *, cpu: float, read: float, written: float) -> Self:
        """The same at a later look."""
        return replace(
            self,
            seconds=seconds,
            cpu=self.cpu.after(cpu),
            read=self.read.after(read),
            written=self.written.after(written),
        )


SHORTEST_SECONDS = 0.5
"""Rates over less are noise."""


def rate(before: float, after: float, seconds: float, *, digits: int = 1) -> float | None:
    """What was counted a second; None for too short a time."""
    return round(max(0.0, after - before) / seconds, digits) if seconds >= SHORTEST_SECONDS else None
