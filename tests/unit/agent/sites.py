"""Real HTTP servers of a few lines that keep archives, and misbehave as they are told."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.unit.agent.waiting import eventually

CONTENT = b"archive" * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()
LARGE = bytes(range(256)) * (3 << 12)
"""3 MiB: more than what is gathered before it is written."""

LARGE_SHA = hashlib.sha256(LARGE).hexdigest()
RANGE = re.compile(r"bytes=(\d+)-")


@dataclass
class File:
    """Something to download."""

    content: bytes
    etag: str = '"v1"'
    ranges: bool = True
    """Whether it is served in parts; else every answer is the whole."""
    breaks: list[int] = field(default_factory=list)
    """After how many bytes each of the next answers breaks off."""
    stalls_after: int | None = None
    """After how many bytes answers wait for the gate."""
    shift: int = 0
    """By how much a part begins later than it was asked for."""

    def answer(self, headers: dict[str, str]) -> tuple[bytes, bytes]:
        """The head and the body."""
        asked = RANGE.fullmatch(headers.get("range", ""))
        total, tag = len(self.content), f"etag: {self.etag}\r\n" if self.etag else ""
        if not asked or not self.ranges or headers.get("if-range", self.etag) != self.etag:
            return head("200 OK", total, tag), self.content
        start = int(asked[1]) + self.shift
        if start >= total:
            return head("416 Range Not Satisfiable", 0, f"content-range: bytes */{total}\r\n"), b""
        span = f"content-range: bytes {start}-{total - 1}/{total}\r\n"
        return head("206 Partial Content", total - start, tag + span), self.content[start:]


def head(status: str, length: int, more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{more}\r\n".encode()


@dataclass
class Site:
    """One server: what it was asked, and what it answers."""

    url: str = ""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Nothing is answered while it is closed, and no stalled body goes on."""
    answers: dict[str, bytes | File] = field(default_factory=dict)
    """By path; whole answers as they go over the wire, or files. All other paths are 404."""
    open: int = 0
    """Requests that are being answered."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        except (asyncio.IncompleteReadError, OSError):  # who asked has gone before it did
            writer.close()
            return
        path = lines[0].split(" ")[1]
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:] if line)}
        self.requests.append((path, headers))
        self.open += 1
        with suppress(OSError):
            await self._answer(self.answers.get(path, status("404 Not Found")), headers, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        self.open -= 1

    async def _answer(self, what: bytes | File, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        if isinstance(what, bytes):
            await self.gate.wait()
            writer.write(what)
            return
        if what.stalls_after is None:
            await self.gate.wait()
        start, body = what.answer(headers)
        if what.breaks:
            body = body[: what.breaks.pop(0)]
        writer.write(start)
        writer.write(body[: what.stalls_after])
        await writer.drain()
        if what.stalls_after is not None:
            await self.gate.wait()
            writer.write(body[what.stalls_after :])


def status(line: str) -> bytes:
    """An empty answer, such as ``404 Not Found``."""
    return head(line, 0)


def answer(content: bytes, *, length: int | None = None) -> bytes:
    return head("200 OK", len(content) if length is None else length) + content


def redirect(target: str) -> bytes:
    return head("302 Found", 0, f"location: {target}\r\n")


@asynccontextmanager
async def serving() -> AsyncIterator[Site]:
    site = Site()
    site.gate.set()
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    site.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    site.answers |= {"/app.zip": answer(CONTENT), "/large.zip": File(LARGE)}
    async with server:
        yield site
        site.gate.set()
        await eventually(lambda: not site.open)
