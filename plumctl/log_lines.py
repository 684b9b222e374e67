"""Lines of logs on their way to the terminal: read from the wire, merged by time, written. No network."""

import asyncio
import heapq
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import BinaryIO

import click

COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_red", "bright_cyan", "bright_green", "bright_magenta")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of one instance's log. A mark has no text: it only says how far the log has been read."""

    source: str
    """The assignment's name."""
    cursor: str
    """Where to go on after the line."""
    time: str = ""
    text: bytes | None = None


def parse(source: str, raw: bytes) -> Line:
    """A line as a server sends it to whoever asks for cursors."""
    cursor, _, rest = raw.partition(b" ")
    if not rest:
        return Line(source, cursor.decode("ascii", "replace"))
    time, _, text = rest.partition(b" ")
    return Line(source, cursor.decode("ascii", "replace"), time.decode("ascii", "replace"), text)


async def lines_of(source: str, chunks: AsyncIterator[bytes]) -> AsyncGenerator[list[Line], None]:
    """The lines in a body, as many together as came together. What the end of the body cuts off is left out."""
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        if whole:
            yield [parse(source, raw) for raw in whole]


async def merged(streams: Sequence[AsyncGenerator[Line, None]]) -> AsyncGenerator[Line, None]:
    """The lines of several logs in the order of their times, lines of one log in their own. Of each at most one is
    waiting."""
    async with AsyncExitStack() as stack:
        for stream in streams:
            await stack.enter_async_context(aclosing(stream))
        first = await asyncio.gather(*(anext(stream, None) for stream in streams))
        heap = [(line.time, index, line) for index, line in enumerate(first) if line is not None]
        heapq.heapify(heap)
        while heap:
            _, index, line = heap[0]
            yield line
            following = await anext(streams[index], None)
            if following is None:
                heapq.heappop(heap)
            else:
                heapq.heapreplace(heap, (max(following.time, line.time), index, following))


class Writer:
    """Writes lines as people want them, and waits for whoever reads them."""

    def __init__(
        self, *, prefix: bool, timestamps: bool, colour: bool | None = None, output: BinaryIO | None = None
    ) -> None:
        """``colour`` None: where the output is a terminal."""
        self._prefix, self._timestamps = prefix, timestamps
        self._output = output or sys.stdout.buffer
        self._colour = self._output.isatty() if colour is None else colour
        self._prefixes: dict[str, bytes] = {}

    def write(self, lines: Sequence[Line]) -> None:
        """Write them, now. Raises OSError, BrokenPipeError where nobody reads any more."""
        text = b"".join(self._formatted(line) for line in lines if line.text is not None)
        if text:
            self._output.write(text)
            self._output.flush()

    def _formatted(self, line: Line) -> bytes:
        prefix = self._prefix_of(line.source) if self._prefix else b""
        time = f"{line.time} ".encode() if self._timestamps else b""
        return b"%s%s%s\n" % (prefix, time, line.text or b"")

    def _prefix_of(self, source: str) -> bytes:
        if source not in self._prefixes:
            text = f"[assignment/{source}]"
            if self._colour:
                text = click.style(text, fg=COLOURS[len(self._prefixes) % len(COLOURS)])
            self._prefixes[source] = f"{text} ".encode()
        return self._prefixes[source]
