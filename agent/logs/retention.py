"""What goes, oldest first: segments and runs of an instance, and what ended instances have left."""

import os
import shutil
import time
from contextlib import suppress

from agent.logs import runs
from agent.logs.segments import LOG, Layout, name_of

MAX_RUNS = 10
"""Runs that are kept of an instance, the present one included."""

DOOMED = ".gone"
"""The end of the name of a folder that is being deleted."""

ENDED_SECONDS = 3600.0
"""How long the logs of an instance that is gone are kept."""

ENDED_BYTES = 256 * 1024 * 1024
"""Disk space of all logs of instances that are gone."""


class _Kept:
    """A segment, or what of a run is not rotated yet (``path`` empty)."""

    __slots__ = ("is_last", "path", "run", "size")

    def __init__(self, run: str, path: str, size: int, *, is_last: bool) -> None:
        self.run, self.path, self.size, self.is_last = run, path, size, is_last


def trim(instance: str, limits: runs.Limits) -> None:
    """Keep an instance's logs within their limits. Only of the newest run everything may be needed; other runs go
    as a whole once they are over. Raises OSError."""
    _finish(os.path.join(instance, runs.RUNS))
    numbers = runs.numbers(instance)
    newest = runs.folder(instance, numbers[-1]) if numbers else ""
    for number in numbers[:-MAX_RUNS]:
        _remove_run(runs.folder(instance, number))
    kept = [part for number in numbers[-MAX_RUNS:] for part in _parts(runs.folder(instance, number))]
    total = sum(part.size for part in kept)
    segments = sum(1 for part in kept if part.path and part.size)
    for part in kept:
        if part.path and not part.size and not part.is_last:
            os.unlink(part.path)  # that a part has gone is seen without it
    for part in kept:
        if total <= limits.budget and segments <= limits.files:
            return
        if part.path and part.size:
            _drop(part)
            segments -= 1
            total -= part.size
        elif not part.path and part.run != newest and _remove_run(part.run):
            total -= part.size


def _parts(run: str) -> list[_Kept]:
    """What there is of a run's log, oldest first."""
    try:
        layout = Layout(run)
        found = []
        for span in layout.segments:
            path = os.path.join(run, name_of(span))
            found.append(_Kept(run, path, os.stat(path).st_size, is_last=span == layout.segments[-1]))
        rest = os.stat(os.path.join(run, LOG)).st_size + layout.missing - layout.base
    except FileNotFoundError:
        return []
    return [*found, _Kept(run, "", max(0, rest), is_last=False)]


def _drop(part: _Kept) -> None:
    """Give up a segment. The last one's name still says where the log begins to count: of it only the bytes go."""
    if part.is_last:
        os.truncate(part.path, 0)
    else:
        os.unlink(part.path)


def _remove_run(run: str) -> bool:
    """Delete a run's folder, if the run is over."""
    if not runs.is_over(run):
        return False
    _remove(run)
    return True


def _remove(folder: str) -> None:
    """Delete a folder of logs, all at once for who reads: a punched log without its segments would read as zeros.
    Raises OSError."""
    doomed = f"{folder}{DOOMED}"
    shutil.rmtree(doomed, ignore_errors=True)
    os.rename(folder, doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def _finish(folder: str) -> None:
    """Delete what a rotator that was killed has begun to."""
    with suppress(FileNotFoundError, NotADirectoryError):
        for name in os.listdir(folder):
            if name.endswith(DOOMED):
                shutil.rmtree(os.path.join(folder, name), ignore_errors=True)


def trim_ended(data: str, *, now: float | None = None) -> None:
    """Delete what instances that are gone have left: what is old, and the oldest of what is too much."""
    moment = time.time() if now is None else now
    _finish(os.path.join(data, runs.ENDED))
    total = 0
    for ctime, path, size in sorted(_ended(os.path.join(data, runs.ENDED)), reverse=True):
        total += size
        if moment - ctime > ENDED_SECONDS or total > ENDED_BYTES:
            with suppress(OSError):  # tried again later
                _remove(path)


def _ended(folder: str) -> list[tuple[float, str, int]]:
    """Since when which folders lie there, and the disk space they take."""
    found = []
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                found.append((entry.stat(follow_symlinks=False).st_ctime, entry.path, _space(entry.path)))
    return found


def _space(path: str) -> int:
    """Bytes on disk below a folder: holes take none."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
    return total
