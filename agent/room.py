"""Space on the node's disk: how much is free, and which archives go so that enough of it is.

Apps write to the same disk. So the cache keeps within a size, and it gives space back while less than a reserve
is free: first what is left of broken downloads, then archives that no instance here was made from, then others,
each time what was used longest ago. Instances have their own copies, so that whatever goes can be fetched again.
"""

import os
import threading
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from agent.artifact_failures import DiskFull

T = TypeVar("T")

RESERVE_BYTES = 1 << 30
RESERVE_SHARE = 20
"""The reserve is a GiB, or the twentieth part of a disk that is smaller than twenty."""

FLOOR_SHARE = 16
"""The sixteenth part of the reserve is left free even by what is asked for, so that records can be written."""


@dataclass(frozen=True)
class Space:
    """Bytes of a file system: ``total``, and those ``free`` for us."""

    total: int
    free: int

    @property
    def reserve(self) -> int:
        """How much the cache leaves free if it can."""
        return min(RESERVE_BYTES, self.total // RESERVE_SHARE)

    def fits(self, need: int) -> bool:
        """Whether so many bytes may still be written."""
        return self.free - need >= self.reserve // FLOOR_SHARE


@dataclass(frozen=True)
class Kept:
    """A file of the cache. ``rank`` 0 goes first."""

    path: Path
    size: int
    used_at: float
    rank: int


def space_of(folder: Path) -> Space:
    """The space of the disk that holds the folder. Raises OSError."""
    found = os.statvfs(folder)
    return Space(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)


def superfluous(kept: Iterable[Kept], excess: int) -> list[Kept]:
    """What goes so that at least ``excess`` bytes come free, or all there is. Pure."""
    going = []
    for one in sorted(kept, key=lambda one: (one.rank, one.used_at, one.path)):
        if excess <= 0:
            break
        going.append(one)
        excess -= one.size
    return going


class Room:
    """The space of one cache folder. All methods block; they may be called from any thread.

    ``spared`` names the files that must stay, ``wanted`` the digests that instances here were made from.
    """

    def __init__(
        self,
        cache: Path,
        *,
        max_bytes: int,
        spared: Callable[[], Collection[Path]],
        wanted: Callable[[], Collection[str]] = tuple,
        space: Callable[[Path], Space] = space_of,
    ) -> None:
        self._cache, self._max_bytes = cache, max_bytes
        self._spared, self._wanted, self._space = spared, wanted, space
        self._lock = threading.Lock()

    def undisturbed(self, work: Callable[[], T]) -> T:
        """Do the work while nothing is deleted. What is spared by then and found to be there stays there."""
        with self._lock:
            return work()

    def make(self, need: int = 0) -> None:
        """Give back what is over the cache's size, and what is needed so that the reserve is free beside ``need``
        bytes. Raises OSError where the disk cannot be asked."""
        with self._lock:
            self._make(need)

    def _make(self, need: int) -> None:
        kept = list(self._kept())
        space = self._space(self._cache)
        over = sum(one.size for one in kept) + need - self._max_bytes
        short = space.reserve + need - space.free
        if max(over, short) <= 0:
            return
        wanted, spared = frozenset(self._wanted()), frozenset(self._spared())
        for one in superfluous(_ranked(kept, wanted, spared), max(over, short)):
            one.path.unlink(missing_ok=True)

    def ensure(self, need: int, what: str) -> None:
        """Make room for ``need`` bytes. Raises DiskFull where there is none to make, OSError."""
        self.make(need)
        if not self._space(self._cache).fits(need):
            raise self.full(what, need)

    def full(self, what: str, need: int = 0) -> DiskFull:
        """That there is no space, in words: how much is free, and what to do."""
        free = "unknown"
        with suppress(OSError):
            free = _amount(self._space(self._cache).free)
        needed = f", {_amount(need)} needed" if need else ""
        return DiskFull(
            f"{what}: no space left on the disk of {self._cache.parent} ({free} free{needed}); "
            "free some, or give the agent a --data-dir on a larger disk"
        )

    def _kept(self) -> Iterable[Kept]:
        for path in [*self._cache.glob("*.zip"), *self._cache.glob("*.part")]:
            with suppress(FileNotFoundError):
                info = path.stat()
                yield Kept(path, info.st_size, info.st_mtime, 0)


def _ranked(kept: Iterable[Kept], wanted: Collection[str], spared: Collection[Path]) -> Iterable[Kept]:
    """Those that may go, each with its rank."""
    for one in kept:
        if one.path not in spared:
            rank = 0 if one.path.suffix == ".part" else 2 if one.path.stem in wanted else 1
            yield Kept(one.path, one.size, one.used_at, rank)


def _amount(size: int) -> str:
    """Bytes for people, in so few digits that it seldom changes from one try to the next."""
    for unit, step in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= step:
            return f"{size / step:.1f} {unit}"
    return f"{size} bytes"
