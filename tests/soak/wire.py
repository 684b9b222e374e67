"""HTTP/1.1 on raw streams: it costs little, and shows a stream that breaks as it breaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import orjson

LIMIT = 1 << 20
"""The longest line or head."""


class Broken(Exception):
    """The connection ended before the reply did."""


class Refused(Exception):
    """A stream was answered with something else than 200."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status} {body.decode(errors='replace')}")
        self.status, self.body = status, body


class Connection:
    """One keep-alive connection; after Broken it is of no more use."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def request(
        self, method: str, path: str, body: object = None, *, content: str = "application/json"
    ) -> tuple[int, bytes]:
        """One request and its whole reply. Raises Broken."""
        try:
            self._send(method, path, b"" if body is None else orjson.dumps(body), content)
            status, headers = await self._head()
            if headers.get(b"transfer-encoding") == b"chunked":
                return status, b"".join([piece async for piece in self._chunks()])
            return status, await self._reader.readexactly(int(headers.get(b"content-length", b"0")))
        except (OSError, EOFError) as error:
            raise Broken(repr(error)) from error

    async def lines(self, path: str) -> AsyncIterator[bytes]:
        """The whole lines of a chunked reply; what is left of a broken one is dropped. Raises Broken, Refused."""
        try:
            self._send("GET", path, b"", "application/json")
            status, headers = await self._head()
            if status != 200:
                raise Refused(status, await self._reader.readexactly(int(headers[b"content-length"])))
            rest = b""
            async for piece in self._chunks():
                *whole, rest = (rest + piece).split(b"\n")
                for line in whole:
                    yield line
        except (OSError, EOFError) as error:
            raise Broken(repr(error)) from error

    def _send(self, method: str, path: str, raw: bytes, content: str) -> None:
        head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\nuser-agent: soak\r\ncontent-type: {content}\r\n"
        self._writer.write(f"{head}content-length: {len(raw)}\r\n\r\n".encode() + raw)

    async def _head(self) -> tuple[int, dict[bytes, bytes]]:
        first, *others = (await self._reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        headers = dict(line.split(b": ", 1) for line in others if line)
        return int(first.split()[1]), headers

    async def _chunks(self) -> AsyncIterator[bytes]:
        """What has arrived of each chunk, at once: a break in its middle loses nothing of what came before."""
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            while size:
                piece = await self._reader.read(size)
                if not piece:
                    raise EOFError("in the middle of a chunk")
                size -= len(piece)
                yield piece
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """A connection, closed at the end. Raises Broken where nobody listens."""
    parts = urlsplit(url)
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=LIMIT)
    except OSError as error:
        raise Broken(repr(error)) from error
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def ask(url: str, path: str) -> tuple[int, bytes]:
    """One GET on a connection of its own. Raises Broken."""
    async with connected(url) as connection:
        return await connection.request("GET", path)
