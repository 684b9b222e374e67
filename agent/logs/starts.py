"""Where reading begins within a run: the last lines, or what was written since a moment."""

from agent.logs import reading, times

SEARCH = 1 << 20
"""How far the end of a line is looked for."""


def first_kept(run: str) -> int:
    """The first byte that is still there. Raises OSError."""
    return reading.read(run, 0, 1)[0]


def tail(run: str, end: int, count: int) -> int:
    """Where the last ``count`` lines before ``end`` begin, or the first kept byte after that. Raises OSError."""
    if count <= 0:
        return end
    upto, left = end, count
    while upto > 0:
        begin, raw = reading.read_exactly(run, max(0, upto - reading.CHUNK), upto)
        found = len(raw) - 1 if upto == end and raw.endswith(b"\n") else len(raw)
        while (found := raw.rfind(b"\n", 0, found)) >= 0:
            left -= 1
            if left == 0:
                return begin + found + 1
        if not raw or begin > max(0, upto - reading.CHUNK):
            return begin
        upto = begin
    return 0


def since(run: str, end: int, seconds: float) -> int:
    """Where the first line begins that was written at ``seconds`` or later, ``end`` if none was. Raises OSError."""
    if reading.changed_at(run) < seconds:
        return end
    return min(end, line_start(run, times.load(run).first_after(seconds)))


def line_start(run: str, offset: int) -> int:
    """The first line that begins at an offset or after it; soon, or the offset itself. Raises OSError."""
    if offset == 0:
        return 0
    at = offset - 1
    while at < offset + SEARCH:
        begin, raw = reading.read(run, at)
        if begin > at:
            return begin  # segments begin with lines
        if (found := raw.find(b"\n")) >= 0:
            return begin + found + 1
        if not raw:
            return begin
        at = begin + len(raw)
    return offset
