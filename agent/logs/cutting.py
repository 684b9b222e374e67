"""One step of rotation: copy a part of the log out, give the copy its name, punch the part out of the log.

The name is the whole state. Before the rename nothing has happened; after it only the punch is missing, and
punching again does no harm. So a kill at any moment loses nothing and doubles nothing.
"""

import os

from agent.files import plain
from agent.logs.punching import punch
from agent.logs.segments import LOG, SCRATCH, Span, name_of

CHUNK = 64 * 1024
COPY = 1 << 20
SEARCH = 1 << 20
"""How far a line's end is looked for where a part is given up."""


def cut(folder: str, span: Span) -> None:
    """Move a part of the log to a segment. Raises OSError; then nothing has changed, or only the punch is missing."""
    start, end = span
    scratch = os.path.join(folder, SCRATCH)
    source = os.open(os.path.join(folder, LOG), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        target = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
        try:
            copy(source, target, start, end)
            os.fdatasync(target)  # the space of the original is given back: the copy must not be in memory alone
        finally:
            os.close(target)
        os.rename(scratch, os.path.join(folder, name_of(span)))
        punch(source, end)
    finally:
        os.close(source)


def give_up(folder: str, span: Span) -> None:
    """Drop a part of the log; an empty segment says so. Raises OSError."""
    scratch = os.path.join(folder, SCRATCH)
    os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640))
    os.rename(scratch, os.path.join(folder, name_of(span)))
    punch_up_to(folder, span[1])


def punch_up_to(folder: str, end: int) -> None:
    """Free the log up to an offset: the last step, alone. Raises OSError."""
    fd = os.open(os.path.join(folder, LOG), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        punch(fd, end)
    finally:
        os.close(fd)


def last_line_end(folder: str, start: int, end: int) -> int:
    """The offset after the last line that ends in ``[start, end)``; ``end`` where none does. Raises OSError."""
    with open(os.path.join(folder, LOG), "rb", buffering=0, opener=plain) as file:
        fd, upto = file.fileno(), end
        while upto > start:
            begin = max(start, upto - CHUNK)
            found = os.pread(fd, upto - begin, begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            upto = begin
    return end


def next_line_start(folder: str, offset: int) -> int:
    """The first line that begins at an offset or soon after it; the offset itself where none does. Raises OSError."""
    if offset == 0:
        return 0
    with open(os.path.join(folder, LOG), "rb", buffering=0, opener=plain) as file:
        for begin in range(offset - 1, offset - 1 + SEARCH, CHUNK):
            found = os.pread(file.fileno(), CHUNK, begin).find(b"\n")
            if found >= 0:
                return begin + found + 1
    return offset


def copy(source: int, target: int, start: int, end: int) -> None:
    """Append a part of one file to another. Raises OSError."""
    at = start
    while at < end:
        count = os.sendfile(target, source, at, min(COPY, end - at))
        if count == 0:
            raise OSError("the log is shorter than it was")
        at += count
