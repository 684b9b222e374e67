"""Bytes of a run by their offset, wherever they are by now. Rotation may go on meanwhile.

What is punched out of a log reads as zeros, but never before its segment has its name: so bytes that were read from
the log itself count only if a later look at the names still says that they are there.
"""

import os
import time
from contextlib import suppress

from agent.files import check
from agent.logs.segments import LOG, Layout, holder, kept_from, name_of

CHUNK = 64 * 1024
TRIES = 1000
"""Rotations in a row that may overtake one read."""

BEGIN_SECONDS = 2.0
"""How long the log of a run may take to appear."""


def size(run: str) -> int:
    """The logical size of a run's log; 0 where there is none, that of its rotated parts where it was removed. Raises
    OSError, NotRegular."""
    with suppress(FileNotFoundError):
        for _ in range(TRIES):
            layout = Layout(run)
            try:
                state = os.lstat(os.path.join(run, LOG))
            except FileNotFoundError:
                return layout.base
            check(os.path.join(run, LOG), state)
            found = state.st_size + layout.missing
            if not layout.truncates or _is_still(run, layout):
                return found
    return 0


def is_removed(run: str) -> bool:
    """Whether somebody has removed the log of a run that has begun: it is made right after the pid is noted."""
    try:
        begun = os.stat(os.path.join(run, "pid")).st_mtime
        return not os.path.lexists(os.path.join(run, LOG)) and time.time() - begun > BEGIN_SECONDS
    except OSError:
        return False


def changed_at(run: str) -> float:
    """When somebody wrote to the log last, in seconds since the epoch; 0 where there is none."""
    try:
        return os.stat(os.path.join(run, LOG)).st_mtime
    except FileNotFoundError:
        return 0.0


def read(run: str, offset: int, limit: int = CHUNK) -> tuple[int, bytes]:
    """At most ``limit`` bytes from an offset on, none at the end of the log; and the offset at which they begin: a
    later one where what lies between is gone. Raises OSError, FileNotFoundError where there is no such run."""
    at = offset
    for _ in range(TRIES):
        layout = Layout(run)
        at = kept_from(layout.segments, at)
        span = holder(layout.segments, at)
        if span is None:
            raw = _pread(os.path.join(run, LOG), at - layout.missing, limit)
            if _is_still(run, layout) if layout.truncates else Layout(run).base <= at:
                return at, raw
            continue
        with suppress(FileNotFoundError):  # dropped since: look again
            raw = _pread(os.path.join(run, name_of(span)), at - span[0], min(limit, span[1] - at))
            if raw:
                return at, raw
            at = span[1]
    raise OSError(f"{run}: rotated faster than it can be read")


def _is_still(run: str, before: Layout) -> bool:
    """Whether nothing was moved out of a log since a look, and nothing is being moved."""
    after = Layout(run)
    if not (before.is_moving or after.is_moving):
        return after.base == before.base
    time.sleep(0.001)
    return False


def read_exactly(run: str, start: int, end: int) -> tuple[int, bytes]:
    """All bytes of ``[start, end)`` that are kept and have no gap after them, and where they begin. Raises OSError."""
    parts: list[bytes] = []
    begin = at = start
    while at < end:
        found, raw = read(run, at, end - at)
        if not raw:
            break
        if found > at:
            parts, begin = [], found
        parts.append(raw)
        at = found + len(raw)
    joined = b"".join(parts)[: max(0, end - begin)]
    return (begin, joined) if joined else (end, b"")


def _pread(path: str, offset: int, limit: int) -> bytes:
    """Without waiting for anybody: an app may have put a FIFO there."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        if path.endswith(f"/{LOG}"):
            return b""
        raise
    try:
        return os.pread(fd, limit, offset)
    finally:
        os.close(fd)
