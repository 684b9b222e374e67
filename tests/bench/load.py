"""A load generator that costs little: HTTP/1.1 on sockets, ready-made requests, one request a client at a time.

It looks no further into a reply than to see its status and its end, and waits in a selector of its own: what the
generator needs, the server on the other end of each request seems to need.
"""

import gc
import selectors
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from statistics import median

from tests.bench.table import Row, milliseconds

clock = time.perf_counter
PIECE = 1 << 16
STUCK_SECONDS = 30.0
WARM_SECONDS = 0.3
FILLING_CLIENTS = 64
_LAST_CHUNK = b"\r\n0\r\n\r\n"
"""How a chunked reply ends; JSON itself has no line break of this kind."""

Address = tuple[str, int]


class Client:
    """One keep-alive connection."""

    def __init__(self, address: Address) -> None:
        self.socket = socket.create_connection(address, STUCK_SECONDS)
        self.socket.settimeout(None)  # with one, Python would ask the system before each call
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent = 0.0
        """When the request under way began."""
        self.reply = b""
        """The reply, its head included; of a long one only the beginning."""
        self.length = 0
        """Bytes of the reply so far."""
        self._status = 0
        self._whole = 0
        self._tail = b""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, request: bytes) -> None:
        """Begin a request."""
        self.sent = clock()
        self._status = self.length = 0
        self.socket.sendall(request)

    def receive(self) -> int:
        """Take what has arrived; the status when the reply is whole, 0 before."""
        data = self.socket.recv(PIECE)
        if not data:
            raise ConnectionError("the server has closed the connection")
        if not self._status:
            self._begin(data)
        elif self.length < PIECE:
            self.reply += data
        self.length += len(data)
        if self._whole:
            return self._status if self.length >= self._whole else 0
        self._tail = (self._tail + data[-len(_LAST_CHUNK) :])[-len(_LAST_CHUNK) :]
        return self._status if self._tail == _LAST_CHUNK else 0

    def request(self, request: bytes) -> int:
        """One request and its whole reply."""
        self.send(request)
        while not (status := self.receive()):
            pass
        return status

    def _begin(self, data: bytes) -> None:
        """Read the head, which always arrives in one piece here."""
        end = data.index(b"\r\n\r\n") + 4
        self._status, self._tail, self.reply = int(data[9:12]), b"", data
        place = data[:end].lower().find(b"content-length:")
        if place >= 0:
            self._whole = end + int(data[place + 15 : data.index(b"\r", place)])
        else:
            self._whole = end if self._status == 204 else 0  # which has no body; others are chunked


@dataclass
class Load:
    """What a load came to."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    busy: float = 0.0
    """The share of its core that the generator itself needed."""

    cpu: float = 0.0
    """The seconds of its processor that the server needed for one request."""

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies) / self.seconds


def hammer(
    address: Address,
    requests: Iterator[bytes],
    *,
    clients: int,
    seconds: float,
    cpu: Callable[[], float],
    answer: bytes = b"HTTP/1.1 20",
) -> Load:
    """As many requests as that many clients get through one by one; each reply has to contain ``answer``.
    ``cpu`` tells the seconds of a processor that the server has used."""
    with _connected(address, clients) as connected, quiet_memory():
        begin = clock() + WARM_SECONDS
        load = Load(seconds)
        mine, its, done = time.process_time(), cpu(), 0
        for client, now in _replies(connected, requests, until=begin + seconds):
            if answer not in client.reply:
                raise AssertionError(client.reply)
            done += 1
            if now >= begin:
                load.latencies.append(now - client.sent)
        load.busy = (time.process_time() - mine) / (seconds + WARM_SECONDS)
        load.cpu = (cpu() - its) / done
        return load


def row(what: str, loads: Sequence[Load], ratio: str = "", aim: str = "") -> Row:
    """The middle of some loads; the latencies are of all, the CPU is the server's a request."""
    latencies = [latency for load in loads for latency in load.latencies]
    rate, cpu = median(load.rate for load in loads), median(load.cpu for load in loads)
    return Row(what, f"{rate:,.0f}/s {milliseconds(latencies)}, CPU {cpu * 1e6:,.0f} us", ratio, aim)


def busiest(loads: Sequence[Load]) -> Row:
    """Whether it was the server that was measured."""
    return Row("the generator's own core was at most", f"{max(load.busy for load in loads):.0%} busy")


def send_all(address: Address, requests: Iterator[bytes]) -> None:
    """Send them all, each once, as fast as it goes."""
    for _ in exchange_all(address, requests):
        pass


def exchange_all(address: Address, requests: Iterator[bytes]) -> Iterator[bytes]:
    """Send them all, each once, as fast as it goes; their replies, in the order of arrival."""
    first = list(islice(requests, FILLING_CLIENTS))
    with _connected(address, len(first)) as connected:
        for client, _ in _replies(connected, chain(first, requests), until=float("inf")):
            if not client.reply.startswith(b"HTTP/1.1 20"):
                raise AssertionError(client.reply)
            yield client.reply


def _replies(clients: list[Client], requests: Iterator[bytes], *, until: float) -> Iterator[tuple[Client, float]]:
    """Each client as its reply becomes whole, and when; it goes on with the next request. Those under way when
    the time is up are waited for, and not told of."""
    with selectors.DefaultSelector() as selector:
        waiting = 0
        for client, request in zip(clients, requests, strict=False):
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.send(request)
            waiting += 1
        while waiting:
            for key, _ in _ready(selector):
                client = key.data
                if not client.receive():
                    continue
                now = clock()
                if now < until:
                    yield client, now
                request = next(requests, b"") if now < until else b""
                if request:
                    client.send(request)
                else:
                    waiting -= 1


def _ready(selector: selectors.BaseSelector) -> list[tuple[selectors.SelectorKey, int]]:
    ready = selector.select(STUCK_SECONDS)
    if not ready:
        raise TimeoutError(f"no reply within {STUCK_SECONDS:.0f} s")
    return ready


@contextmanager
def _connected(address: Address, count: int) -> Iterator[list[Client]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Client(address)) for _ in range(count)]


def rate(step: Callable[[], object], seconds: float) -> float:
    """How often a second the step can be done."""
    began = time.monotonic()
    done = 0
    while (elapsed := time.monotonic() - began) < seconds:
        step()
        done += 1
    return done / elapsed


@contextmanager
def quiet_memory() -> Iterator[None]:
    """No pauses for garbage in the generator, which makes none in circles."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
