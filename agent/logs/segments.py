"""Which part of a run's log is in which file. Offsets are logical: bytes since the run's first, for ever.

The app appends to ``out.log``. What has been rotated away lies in ``out.log.<start>-<end>``, named by the part
``[start, end)`` that it holds; the end of the last segment is where ``out.log`` itself begins to count. A segment
that is shorter than its name says has lost the rest: an empty one only says that a part is gone.
"""

import os
from collections.abc import Sequence

LOG = "out.log"
SCRATCH = "out.log.tmp"
"""A segment under way; whoever finds one may remove it."""

TRUNCATES, TRUNCATING = "truncates", "truncating"
"""Where holes cannot be punched (see ``stopping``): the log is truncated when a part has been moved out of it, and
just now that is under way."""

Span = tuple[int, int]


def name_of(span: Span) -> str:
    """The file name of a segment."""
    return f"{LOG}.{span[0]}-{span[1]}"


def span_of(name: str) -> Span | None:
    """What a segment of this name holds; None for other files."""
    if not name.startswith(f"{LOG}."):
        return None
    start, dash, end = name[len(LOG) + 1 :].partition("-")
    if not (dash and start.isdecimal() and end.isdecimal()):
        return None
    return (int(start), int(end)) if int(start) < int(end) else None


def spans(folder: str) -> list[Span]:
    """The segments of a run, oldest first. Raises OSError, FileNotFoundError where there is no such folder."""
    return sorted(span for name in os.listdir(folder) if (span := span_of(name)))


class Layout:
    """A run's folder as it is at a moment."""

    __slots__ = ("is_moving", "segments", "truncates")

    def __init__(self, folder: str) -> None:
        """Raises OSError, FileNotFoundError where there is no such folder."""
        names = os.listdir(folder)
        self.segments = sorted(span for name in names if (span := span_of(name)))
        self.truncates = TRUNCATES in names
        self.is_moving = TRUNCATING in names

    @property
    def base(self) -> int:
        """Where ``out.log`` begins to count."""
        return base(self.segments)

    @property
    def missing(self) -> int:
        """How much less is in ``out.log`` than its offsets say."""
        return self.base if self.truncates else 0


def base(segments: Sequence[Span]) -> int:
    """Where ``out.log`` begins to count."""
    return segments[-1][1] if segments else 0


def holder(segments: Sequence[Span], offset: int) -> Span | None:
    """The segment that has the byte at an offset, if one has."""
    return next((span for span in segments if span[0] <= offset < span[1]), None)


def kept_from(segments: Sequence[Span], offset: int) -> int:
    """The first offset at or after this one that is in a file: where it is itself, unless it has gone."""
    for start, end in segments:
        if offset < end:
            return max(offset, start)
    return offset
