"""A network in between that holds an answer up in the middle."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Dam:
    """A proxy before a server that lets through so many bytes of answers, and then none
    until it is opened."""

    port: int = 0
    is_full: asyncio.Event = field(default_factory=asyncio.Event)
    """Nothing goes through any more, until the dam is open."""
    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    passed: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def dam(server: str, limit: int) -> AsyncIterator[Dam]:
    """A dam before the server at a URL."""
    made = Dam()
    host, _, port = server.removeprefix("http://").rpartition(":")

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
            made.passed += len(data) if answers else 0
            if answers and made.passed >= limit:
                made.is_full.set()
                await made.is_open.wait()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, downstream = await asyncio.open_connection(host, int(port))
        ways = pump(reader, downstream, answers=False), pump(upstream, writer, answers=True)
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for end in (writer, downstream):
                with suppress(OSError):
                    end.close()

    listening = await asyncio.start_server(connect, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield made
