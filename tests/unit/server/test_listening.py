"""A socket with TLS: bounded handshakes and farewells, replies that arrive whole, peers that are known."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from apiserver.server import listening
from apiserver.server.listening import HttpServer, listen
from apiserver.server.tls import NewestContext, TlsFiles
from plumctl.certificates import Wanted
from tests.background import background
from tests.certificates import TestAuthority

LARGE = 4_000_000


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Says who asks, or much, or goes on until nobody takes it."""
    if scope["path"] == "/endless":
        await endless(scope, send)
        return
    peer = scope.get("plum_peer")
    body = b"x" * LARGE if scope["path"] == "/large" else f"{scope['scheme']} {peer and peer.name}".encode()
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


cut_off = asyncio.Event()


async def endless(scope: Scope, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    with contextlib.suppress(TimeoutError):
        while True:
            async with asyncio.timeout(0.3):
                await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
    scope["plum_abort"]()
    cut_off.set()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TestAuthority:
    return TestAuthority(tmp_path_factory.mktemp("tls"))


@asynccontextmanager
async def serving(authority: TestAuthority | None) -> AsyncIterator[int]:
    """A server; its port."""
    context = None
    if authority is not None:
        files = authority.server()
        context = NewestContext.of(TlsFiles(files.certificate, files.key, authority.file))
    server = HttpServer(app, context)
    listener = listen("127.0.0.1", 0)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await server.until_started(task)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task


async def ask(port: int, context: ssl.SSLContext | None, path: str = "/") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        reply = await asyncio.wait_for(reader.read(), 10)
        return reply.partition(b"\r\n\r\n")[2]
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def test_peers_are_known_and_without_tls_there_are_none(authority: TestAuthority) -> None:
    async with serving(authority) as port:
        assert await ask(port, authority.context(authority.client("ann", "dev"))) == b"https ann"
        assert await ask(port, authority.context()) == b"https None"
    async with serving(None) as port:
        assert await ask(port, None) == b"http None"


@pytest.mark.parametrize("which", ["another authority", "expired", "a server's"])
async def test_certificates_that_do_not_count_end_the_handshake(
    authority: TestAuthority, tmp_path: Path, which: str
) -> None:
    if which == "another authority":
        client = TestAuthority(tmp_path).client("ann")
    elif which == "expired":
        client = authority.issue("expired", Wanted("ann"), age=timedelta(days=400))
    else:
        client = authority.server("not-a-client")
    async with serving(authority) as port:
        reply = b""
        with contextlib.suppress(OSError):  # with TLS 1.3 the client hears of it when it reads, or sees an end
            reply = await ask(port, authority.context(client))
        assert reply == b""
        assert await ask(port, authority.context()) == b"https None", "others are served"


async def test_old_versions_and_no_tls_at_all_are_refused(authority: TestAuthority) -> None:
    async with serving(authority) as port:
        assert await ask(port, None) == b""
        context = authority.context()
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(OSError):  # noqa: PT011 - which one depends on how OpenSSL was built
            await ask(port, context)
        context = authority.context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        assert await ask(port, context) == b"https None"


async def test_slow_handshakes_hold_nobody_up_and_end(
    authority: TestAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "HANDSHAKE_SECONDS", 0.5)
    async with serving(authority) as port:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        for _, writer in silent[:10]:
            writer.write(b"\x16\x03\x01\x02\x00\x01")  # how a handshake begins
        assert await ask(port, authority.context()) == b"https None"
        for reader, writer in silent:
            assert await asyncio.wait_for(reader.read(), 10) == b""
            writer.close()


async def test_a_slow_reader_gets_all_of_a_last_reply(
    authority: TestAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than a farewell may take."""
    monkeypatch.setattr(listening, "FAREWELL_SECONDS", 0.1)
    async with serving(authority) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=authority.context(), limit=2**16)
        writer.write(b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        found = await reader.readuntil(b"\r\n\r\n")
        size = 0
        for pause in (0.2, 0.2, 0.2, 0):
            await asyncio.sleep(pause)
            size += len(await reader.readexactly(100_000))
        size += len(await asyncio.wait_for(reader.read(), 10))
        assert (size, found[:12]) == (LARGE, b"HTTP/1.1 200")
        writer.close()


async def test_a_client_that_takes_nothing_is_noticed_and_cut_off(authority: TestAuthority) -> None:
    async with serving(authority) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=authority.context(), limit=2**16)
        writer.write(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        async with asyncio.timeout(10):
            await cut_off.wait()
        with contextlib.suppress(OSError):
            while await asyncio.wait_for(reader.read(2**20), 10):
                pass
        writer.close()


async def test_clients_that_rest_do_not_hold_up_the_end(
    authority: TestAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "FAREWELL_SECONDS", 0.2)
    sides: list[Any] = []
    async with serving(authority) as port:
        for _ in range(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=authority.context())
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            await reader.readuntil(b"https None")
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            sides.append(writer)
        ended = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - ended < listening.SHUTDOWN_SECONDS
    for writer in sides:
        writer.transport.abort()


async def test_many_at_once(authority: TestAuthority) -> None:
    async with serving(authority) as port, background(ask(port, authority.context(), "/large")):
        context = authority.context()
        assert {*await asyncio.gather(*(ask(port, context) for _ in range(30)))} == {b"https None"}
