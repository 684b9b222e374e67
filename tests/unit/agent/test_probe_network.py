"""Probes over the network, against servers that behave in every way there is."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent import probe_network
from agent.probe_commands import Commands, Place
from agent.probe_network import MAX_HEAD, USER_AGENT, Network
from agent.probers import Probers, target
from agent.probes import Outcome
from agent.testing import FakeRuntime
from apiserver.api.kinds.probe import Probe
from tests.unit.agent.waiting import eventually

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PASSED = Outcome(True)
CUT_SHORT = "the connection was closed before the end of an answer's head"
TOO_SLOW = Outcome(False, "no answer within 0.2 s")


@pytest.fixture
def probers(tmp_path: Path) -> Iterator[Probers]:
    network = Network()
    yield Probers(network, Commands(FakeRuntime(), tmp_path))
    network.close()


def probe(**parts: Any) -> Probe:
    return Probe.model_validate(parts)


def http(port: int, **parts: Any) -> Probe:
    return probe(httpGet={"port": port, "path": "/healthz", **parts}, timeoutSeconds=10)


def hasty(probe: Probe) -> Probe:
    """With less time than one may ask for."""
    return probe.model_copy(update={"timeout_seconds": 0.2})


async def ask(probers: Probers, probe: Probe, **ports: int) -> Outcome | None:
    async with asyncio.timeout(10):
        return await probers.ask("readiness", probe, ports, Place("uid", Path("/"), {}))


@asynccontextmanager
async def server(handler: Handler, **parts: Any) -> AsyncIterator[int]:
    """A server on a port of its own; its port."""
    open_now: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        try:
            await handler(reader, writer)
            writer.close()
            await writer.wait_closed()
        except OSError:
            writer.transport.abort()  # the probe has seen enough
        finally:
            open_now.discard(writer)

    found = await asyncio.start_server(serve, parts.pop("host", "127.0.0.1"), 0, **parts)
    try:
        yield found.sockets[0].getsockname()[1]
    finally:
        found.close()
        for writer in open_now:
            writer.transport.abort()
        await asyncio.sleep(0)


def answering(*parts: bytes, repeat: int = 1) -> Handler:
    """Answers every request with these bytes, one after the other."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(repeat):
            for part in parts:
                writer.write(part)
                await writer.drain()

    return handle


def status(code: int, *headers: str, body: bytes = b"ok") -> bytes:
    lines = [f"HTTP/1.1 {code} Whatever", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def trickling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"H")
        await asyncio.sleep(0.05)


HTTP_ANSWERS = [
    pytest.param(answering(status(200)), PASSED, id="pass"),
    pytest.param(answering(status(399)), PASSED, id="the last status that passes"),
    pytest.param(answering(status(302, "Location: http://192.0.2.1/")), PASSED, id="redirect"),
    pytest.param(answering(b"HTTP/1.1 100 Continue\r\n\r\n", status(204)), PASSED, id="informational first"),
    pytest.param(answering(status(200)[:20], status(200)[20:]), PASSED, id="in pieces"),
    pytest.param(answering(b"HTTP/1.0 200 OK\r\n\r\n"), PASSED, id="HTTP/1.0"),
    pytest.param(answering(status(503)), Outcome(False, "answered 503"), id="wrong status"),
    pytest.param(answering(status(400)), Outcome(False, "answered 400"), id="the first status that fails"),
    pytest.param(closing, Outcome(False, CUT_SHORT), id="closed"),
    pytest.param(answering(status(199)), Outcome(False, CUT_SHORT), id="only informational"),
    pytest.param(answering(b"220 mail.example ESMTP\r\n"), Outcome(False, "the answer is not HTTP"), id="not HTTP"),
    pytest.param(
        answering(b"HTTP/1.1 OK\r\n\r\n"),
        Outcome(False, "the answer is not HTTP: illegal status line: bytearray(b'HTTP/1.1 OK')"),
        id="odd",
    ),
    pytest.param(
        answering(b"HTTP/1.1 200 OK\r\n", b"X: %s\r\n" % (b"x" * 1000), repeat=1000),
        Outcome(False, "the head of the answer is longer than 64 KiB"),
        id="a head that is no head",
    ),
    pytest.param(
        answering(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2 * MAX_HEAD),
        Outcome(False, "the head of the answer is longer than 64 KiB"),
        id="endless header",
    ),
    pytest.param(
        answering(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, repeat=10),
        Outcome(False, "the head of the answer is longer than 64 KiB"),
        id="endless informational answers",
    ),
]


@pytest.mark.parametrize(("handler", "outcome"), HTTP_ANSWERS)
async def test_what_an_http_probe_makes_of_an_answer(probers: Probers, handler: Handler, outcome: Outcome) -> None:
    async with server(handler) as port:
        assert await ask(probers, http(port)) == outcome


@pytest.mark.parametrize("handler", [silent, trickling])
async def test_who_is_too_slow_fails(probers: Probers, handler: Handler) -> None:
    async with server(handler) as port:
        assert await ask(probers, hasty(http(port))) == TOO_SLOW


@pytest.mark.parametrize("kind", ["httpGet", "tcpSocket"])
async def test_nobody_listens(probers: Probers, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert await ask(probers, probe(**{kind: {"port": port}})) == Outcome(False, "connection refused")


async def test_of_a_huge_body_the_head_alone_counts(probers: Probers) -> None:
    sent = 0
    over = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * MAX_HEAD)
                sent += MAX_HEAD
                await writer.drain()
        finally:
            over.set()

    async with server(handle) as port:
        assert await ask(probers, http(port)) == PASSED
        async with asyncio.timeout(10):
            await over.wait()
    assert sent < 64 * 1024 * 1024, "the rest is not read"


async def test_a_short_body_is_read_so_that_the_server_ends_in_peace(probers: Probers) -> None:
    ended: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in (b"HTTP/1.1 200 OK\r\n\r\n", b"a body", b" in parts"):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.write_eof()
        ended.append(await reader.read())

    async with server(handle) as port:
        assert await ask(probers, http(port)) == PASSED
        await eventually(lambda: ended)
    assert ended == [b""], "an end, and no reset"


async def test_a_slow_body_does_not_count_against_the_time(probers: Probers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_network, "BODY_SECONDS", 1.2)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        await reader.read()

    async with server(handle) as port:
        assert await ask(probers, probe(httpGet={"port": port}, timeoutSeconds=1)) == PASSED


async def test_who_keeps_the_connection_open_is_not_waited_for(probers: Probers) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(status(200))
        assert await reader.read() == b""
        over.set()

    over = asyncio.Event()
    async with server(handle) as port:
        assert await ask(probers, http(port)) == PASSED
        await asyncio.wait_for(over.wait(), 10)


async def test_the_request_says_what_the_probe_says(probers: Probers) -> None:
    requests: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(status(200))

    headers = [{"name": "host", "value": "shop.example"}, {"name": "Accept"}, {"name": "X-A", "value": "1"}]
    async with server(handle) as port:
        assert await ask(probers, http(port)) == PASSED
        assert await ask(probers, http(port, path="/a?b=c", httpHeaders=headers)) == PASSED
    plain, own = (request.decode().split("\r\n") for request in requests)
    assert plain[0] == "GET /healthz HTTP/1.1"
    assert {f"Host: 127.0.0.1:{port}", f"User-Agent: {USER_AGENT}", "Accept: */*", "Connection: close"} <= {*plain}
    assert own[0] == "GET /a?b=c HTTP/1.1"
    assert {"host: shop.example", "X-A: 1"} <= {*own}
    assert not any(line.startswith(("Host:", "Accept:")) for line in own)


async def test_headers_that_make_no_request_are_told(probers: Probers) -> None:
    async with server(answering(status(200))) as port:
        found = await ask(probers, http(port, httpHeaders=[{"name": "Content-Length", "value": "7"}]))
    assert found
    assert found.seen.startswith("the request cannot be made: ")


CERTIFY = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


async def test_https_does_not_verify(probers: Probers, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate", tmp_path / "key"
    subprocess.run(
        [*CERTIFY, "-days", "1", "-subj", "/CN=nobody", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with server(answering(status(200)), ssl=context) as port:
        assert await ask(probers, http(port, scheme="https")) == PASSED
        found = await ask(probers, hasty(http(port)))
        assert found
        assert not found.passed
    async with server(closing) as port:
        found = await ask(probers, hasty(http(port, scheme="https")))
        assert found
        assert not found.passed


async def test_a_tcp_probe_passes_when_a_connection_is_accepted(probers: Probers) -> None:
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read())

    async with server(handler=handle) as port:
        assert await ask(probers, probe(tcpSocket={"port": "web"}), web=port) == PASSED
        assert await ask(probers, probe(tcpSocket={"port": port, "host": "localhost"})) == PASSED
        await eventually(lambda: len(seen) == 2)
    assert seen == [b"", b""], "nothing is said, and the connection is closed"


async def test_nobody_accepts(probers: Probers) -> None:
    """A queue that is full: connections are neither accepted nor refused."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        port = full.getsockname()[1]
        assert await ask(probers, hasty(probe(tcpSocket={"port": port}))) == TOO_SLOW
        for one in waiting:
            one.close()


async def test_hosts_and_ports_that_there_are_not(probers: Probers) -> None:
    found = await ask(probers, probe(tcpSocket={"port": 80, "host": "nowhere.invalid"}, timeoutSeconds=5))
    assert found
    assert found.seen.startswith("the host is not known: ") or "no answer" in found.seen
    assert await ask(probers, probe(tcpSocket={"port": "web"})) == Outcome(False, "the instance has no port 'web'")


async def test_a_try_that_stood_still_with_the_agent_says_nothing(tmp_path: Path) -> None:
    network = Network()
    times = iter([0.0, 60.0])
    probers = Probers(network, Commands(FakeRuntime(), tmp_path), clock=lambda: next(times))
    async with server(silent) as port:
        assert await ask(probers, hasty(http(port))) is None
    network.close()


class Gate(Network):
    """Lets connections pass one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[float] = []
        self.open = asyncio.Semaphore(0)

    async def connect(self, host: str, port: int, *, within: float) -> Outcome:
        self.given.append(within)
        await self.open.acquire()
        return PASSED


async def test_who_waits_for_a_slot_is_late_and_does_not_fail(tmp_path: Path) -> None:
    gate = Gate()
    probers = Probers(gate, Commands(FakeRuntime(), tmp_path), slots=2)
    tries = [asyncio.create_task(ask(probers, probe(tcpSocket={"port": 80}, timeoutSeconds=n))) for n in (1, 2, 3)]
    await eventually(lambda: gate.given == [1, 2])
    gate.open.release()
    await eventually(lambda: gate.given == [1, 2, 3])
    assert not tries[2].done(), "its time has only begun"
    for _ in tries:
        gate.open.release()
    assert await asyncio.gather(*tries) == [PASSED] * 3
    gate.close()


def test_what_is_asked_in_words() -> None:
    assert target(http(80), {}) == "GET http://127.0.0.1:80/healthz"
    assert target(http("web", scheme="https", host="::1"), {"web": 8443}) == "GET https://[::1]:8443/healthz"  # type: ignore[arg-type]
    assert target(probe(tcpSocket={"port": 25, "host": "mail"}), {}) == "connect to mail:25"
    assert target(probe(exec={"command": ["./check", "it's"]}), {}) == """exec ./check 'it'"'"'s'"""
    assert len(target(probe(exec={"command": ["x" * 5000]}), {})) == 200
