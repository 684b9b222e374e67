"""A load generator that costs little: HTTP/1.1 on raw streams, one connection a client."""

import asyncio
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import orjson


class Connection:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, url: str) -> "Connection":
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def request(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """One request and its whole reply, which must have a content-length."""
        raw = b"" if body is None else orjson.dumps(body)
        head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        head += f"content-length: {len(raw)}"
        self._writer.write(head.encode() + b"\r\n\r\n" + raw)
        reply = await self._reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in reply.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return int(reply[9:12]), await self._reader.readexactly(length)

    def close(self) -> None:
        self._writer.close()


async def hammer(url: str, path: str, bodies: Iterator[object], *, clients: int, seconds: float) -> float:
    """POSTs per second that were acknowledged with 201, from that many clients for that long."""
    end = time.monotonic() + seconds
    counts = await asyncio.gather(*(_client(url, path, bodies, end) for _ in range(clients)))
    return sum(counts) / seconds


async def _client(url: str, path: str, bodies: Iterator[object], end: float) -> int:
    connection = await Connection.open(url)
    done = 0
    while time.monotonic() < end:
        status, reply = await connection.request("POST", path, next(bodies))
        assert status == 201, reply
        done += 1
    connection.close()
    return done


def rate(step: Callable[[], object], seconds: float) -> float:
    """How often a second the step can be done."""
    began = time.monotonic()
    done = 0
    while (elapsed := time.monotonic() - began) < seconds:
        step()
        done += 1
    return done / elapsed
