"""When lines were written, as well as can be known when nobody stands between an app and its file.

Beside a log lies ``times``: lines ``<offset> <seconds since the epoch>``, each of which says that by this time so
much had been written. A line's time is that of the first sample past its beginning.
"""

import errno
import os
from bisect import bisect_left, bisect_right

from agent.files import plain

TIMES = "times"
MAX_BYTES = 128 * 1024
"""A longer file is thinned out."""

MAX_LINE = 64


def format_sample(offset: int, seconds: float) -> bytes:
    """A line of the file."""
    return b"%d %.6f\n" % (offset, seconds)


def append(folder: str, offset: int, seconds: float) -> int:
    """Add a sample, whole or not at all; the file's size afterwards. Raises OSError."""
    sample = format_sample(offset, seconds)
    fd = os.open(os.path.join(folder, TIMES), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        written = os.write(fd, sample)
        size = os.fstat(fd).st_size
        if written < len(sample):  # the next one would be read as its end
            os.ftruncate(fd, size - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return size
    finally:
        os.close(fd)


class Times:
    """The samples of one run, in order. Broken lines, of a writer that was killed, count for nothing."""

    def __init__(self, raw: bytes = b"") -> None:
        self.offsets: list[int] = []
        self.seconds: list[float] = []
        self.extend(raw)

    def extend(self, raw: bytes) -> None:
        """Take in more lines."""
        for line in raw.split(b"\n"):
            offset, _, seconds = line.partition(b" ")
            try:
                self._add(int(offset), float(seconds))
            except ValueError:
                continue

    def _add(self, offset: int, seconds: float) -> None:
        if not self.offsets or offset > self.offsets[-1]:
            self.offsets.append(offset)
            self.seconds.append(max(seconds, self.seconds[-1] if self.seconds else 0.0))

    def at(self, offset: int) -> float | None:
        """When the byte at an offset was written, at the latest; None: after the last sample."""
        index = bisect_right(self.offsets, offset)
        return self.seconds[index] if index < len(self.seconds) else None

    def first_after(self, seconds: float) -> int:
        """The offset from which on everything was written at this time or later."""
        index = bisect_left(self.seconds, seconds)
        return self.offsets[index - 1] if index else 0

    def thinned(self, oldest: int, most: int) -> bytes:
        """The file without what is about bytes before ``oldest``, and with less detail of what is long ago until it
        is no longer than ``most`` bytes."""
        begin = bisect_right(self.offsets, oldest)
        kept = list(zip(self.offsets[begin:], self.seconds[begin:], strict=True))
        while len(kept) > 2 and len(kept) * MAX_LINE // 2 > most:
            half = len(kept) // 2
            kept = kept[1:half:2] + kept[half:]
        return b"".join(format_sample(*sample) for sample in kept)


def load(folder: str) -> Times:
    """The samples on disk, none where there is no file. Raises OSError."""
    try:
        with open(os.path.join(folder, TIMES), "rb", opener=plain) as file:
            return Times(file.read(8 * MAX_BYTES))
    except FileNotFoundError:
        return Times()


def thin(folder: str, oldest: int) -> None:
    """Make the file shorter: nothing about bytes before ``oldest``, and less detail. Raises OSError."""
    kept = load(folder).thinned(oldest, MAX_BYTES // 2)
    scratch = os.path.join(folder, f"{TIMES}.tmp")
    with open(scratch, "wb") as file:
        file.write(kept)
    os.replace(scratch, os.path.join(folder, TIMES))
