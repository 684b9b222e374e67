"""Bytes to lines, and lines to what goes over the wire. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

MAX_LINE = 64 * 1024
"""A longer line is shown as several."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in an instance's log: a run, and an offset in its log. Run 0 is before the first."""

    run: int
    offset: int

    def __str__(self) -> str:
        return f"{self.run}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Read ``RUN:OFFSET``. Raises ValueError."""
        run, _, offset = text.partition(":")
        return cls(int(run), int(offset))


@dataclass(frozen=True, slots=True)
class Line:
    """A line, with its line break if it has one, and where it begins."""

    at: Cursor
    data: bytes
    is_note: bool = False
    """Ours, not the app's: it takes no place in the log."""

    @property
    def end(self) -> Cursor:
        """Where the next one begins."""
        return self.at if self.is_note else Cursor(self.at.run, self.at.offset + len(self.data))


class Splitter:
    """Cuts one run's bytes, which come in pieces of any size, into lines."""

    def __init__(self, *, joined: bool = False) -> None:
        """``joined``: lines that come together may stay together, for who only passes them on."""
        self._pending = b""
        self._joined = joined

    @property
    def pending(self) -> int:
        """Bytes that wait for the end of their line."""
        return len(self._pending)

    def feed(self, at: Cursor, data: bytes) -> Iterator[Line]:
        """The lines that are complete with these bytes, which begin at ``at`` and follow those before."""
        start = at.offset - len(self._pending)
        data = self._pending + data
        begin = data.rfind(b"\n") + 1 if self._joined else 0
        if begin:
            yield Line(Cursor(at.run, start), data[:begin])
        while True:
            end = data.find(b"\n", begin, begin + MAX_LINE) + 1
            if not end:
                end = begin + MAX_LINE
                if end > len(data):
                    break
            yield Line(Cursor(at.run, start + begin), data[begin:end])
            begin = end
        self._pending = data[begin:]

    def flush(self, at: Cursor) -> Iterator[Line]:
        """What waits, as a line without an end; ``at`` is where the bytes that were fed end."""
        if self._pending:
            pending, self._pending = self._pending, b""
            yield Line(Cursor(at.run, at.offset - len(pending)), pending)


def lost(at: Cursor, count: int) -> Line:
    """The note about bytes before ``at`` that nobody has any more."""
    return Line(at, b"--- %d bytes lost: rotated away before they were read ---\n" % count, is_note=True)


def lost_runs(at: Cursor, first: int) -> Line:
    """The note about runs before that of ``at``, from ``first`` on, that were removed."""
    last = at.run - 1
    which = f"run {first} was" if first == last else f"runs {first} to {last} were"
    return Line(at, f"--- {which} removed before all of it was read ---\n".encode(), is_note=True)


def removed(at: Cursor) -> Line:
    """The note that the log goes on, and nobody can read it."""
    text = f"--- the log of run {at.run} is gone: out.log was removed, and with it what is written to it ---"
    return Line(at, text.encode() + b"\n", is_note=True)


def format_seconds(seconds: float) -> bytes:
    """A time as in RFC 3339, with microseconds."""
    micros = round(seconds * 1_000_000)
    return _second(micros // 1_000_000) + b".%06dZ" % (micros % 1_000_000)


@lru_cache(maxsize=256)
def _second(seconds: int) -> bytes:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()


def with_time(line: Line, seconds: float) -> bytes:
    """``TIME TEXT``, for people."""
    return format_seconds(seconds) + b" " + _ended(line.data)


def with_cursor(line: Line, seconds: float) -> bytes:
    """``RUN:OFFSET TIME TEXT``, for programs: the cursor is where to go on after the line."""
    return b"%s %s %s" % (str(line.end).encode(), format_seconds(seconds), _ended(line.data))


def mark(at: Cursor) -> bytes:
    """A cursor alone: this is how far it is."""
    return str(at).encode() + b"\n"


def _ended(data: bytes) -> bytes:
    return data if data.endswith(b"\n") else data + b"\n"
