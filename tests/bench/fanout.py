"""Fan-out: thousands of watchers, each of one node, while assignments are created on random nodes."""

import random
import selectors
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.load import PIECE, Address, Client, clock, quiet_memory
from tests.bench.processes import Server, plum
from tests.bench.requests import ASSIGNMENTS, create, http
from tests.bench.table import Row, Scale, megabytes, milliseconds

WATCHERS = (1_000, 5_000)
WRITERS = (1, 16)
AIM = "p99 < 5 ms"
LATE_SECONDS = 2.0
"""How long deliveries are waited for when the writers have ended."""

_MARK = b'"name":"web-main-'
_LINE_END = b"\n\r\n"
"""The end of an event's line and of its chunk."""


@dataclass
class Times:
    """When what happened to which assignment, by its number."""

    sent: dict[int, float] = field(default_factory=dict)
    replied: dict[int, float] = field(default_factory=dict)
    received: dict[int, float] = field(default_factory=dict)
    twice: int = 0

    def receive(self, number: int, now: float) -> None:
        self.twice += number in self.received
        self.received[number] = now

    @property
    def outstanding(self) -> bool:
        """Whether a reply or an event is still to come."""
        return min(len(self.replied), len(self.received)) < len(self.sent)

    def since(self, moment: dict[int, float]) -> list[float]:
        return [now - moment[number] for number, now in self.received.items() if number in moment]


class Watcher:
    """The watch of one node's assignments."""

    def __init__(self, address: Address, node: int, version: str) -> None:
        self.client = Client(address)
        self._rest = b""
        query = f"watch=true&fieldSelector=spec.nodeName%3Dnode{node:05d}&resourceVersion={version}"
        self.client.send(http("GET", f"{ASSIGNMENTS}?{query}"))

    def receive(self) -> list[int]:
        """The numbers of the assignments in the events that are whole by now."""
        data = self.client.socket.recv(PIECE)
        if not data:
            raise ConnectionError("the server has ended a watch")
        self._rest += data
        if not self._rest.endswith(_LINE_END):
            return []
        pieces, self._rest = self._rest.split(_MARK)[1:], b""
        return [int(piece[:8]) for piece in pieces]


class Writer(Client):
    """Creates one assignment after the other."""

    number = 0
    """The one under way."""


class Crowd:
    """All watchers and writers in one loop."""

    def __init__(self, server: Server, stack: ExitStack) -> None:
        self._address, self._stack = server.address, stack
        self._selector = stack.enter_context(selectors.DefaultSelector())
        self._watchers = 0
        self._number = 0

    def grow(self, count: int) -> float:
        """Have that many watchers; the seconds it took until all were served."""
        began = clock()
        version = self._version()
        for node in range(self._watchers, count):
            watcher = Watcher(self._address, node, version)
            self._stack.enter_context(watcher.client)
            self._selector.register(watcher.client.socket, selectors.EVENT_READ, watcher)
        served = self._watchers
        while served < count:  # each watch begins with its head
            ready = self._selector.select()
            for key, _ in ready:
                key.data.receive()
            served += len(ready)
        self._watchers = count
        return clock() - began

    def write(self, writers: int, seconds: float) -> Times:
        """Create assignments on random nodes for a while, and wait for their events."""
        times, rng = Times(), random.Random(writers)
        end = clock() + seconds
        with ExitStack() as stack, quiet_memory():
            for _ in range(writers):
                client = Writer(self._address)
                stack.enter_context(client)
                self._selector.register(client.socket, selectors.EVENT_READ, client)
                stack.callback(self._selector.unregister, client.socket)
                self._create(client, times, rng)
            while clock() < end + LATE_SECONDS and times.outstanding:
                for key, _ in self._selector.select(0.1):
                    self._serve(key.data, times, rng, end)
        return times

    def _serve(self, found: Writer | Watcher, times: Times, rng: random.Random, end: float) -> None:
        if isinstance(found, Watcher):
            numbers = found.receive()
            now = clock()
            for number in numbers:
                times.receive(number, now)
        elif status := found.receive():
            now = clock()
            if status != 201:
                raise AssertionError(found.reply)
            times.replied[found.number] = now
            if now < end:
                self._create(found, times, rng)

    def _create(self, client: Writer, times: Times, rng: random.Random) -> None:
        self._number += 1
        client.number = self._number
        request = create(self._number, rng.randrange(self._watchers))
        times.sent[self._number] = clock()
        client.send(request)

    def _version(self) -> str:
        with Client(self._address) as client:
            client.request(http("GET", f"{ASSIGNMENTS}?limit=1"))
            return client.reply.partition(b'"resourceVersion":"')[2].partition(b'"')[0].decode()


def run(folder: Path, scale: Scale) -> Iterator[Row]:
    with plum(folder) as server, ExitStack() as stack:
        crowd = Crowd(server, stack)
        yield Row("server memory without watchers", megabytes(server.memory()))
        for full in WATCHERS:
            count = scale.count(full)
            took = crowd.grow(count)
            yield Row(f"{count:,} watchers, each of one node, connected", f"{took:.1f} s, {megabytes(server.memory())}")
            for writers in WRITERS:
                times = crowd.write(writers, scale.seconds)
                yield from _rows(count, writers, times, scale.seconds)
        yield Row("server memory at the end", megabytes(server.memory()))


def _rows(watchers: int, writers: int, times: Times, seconds: float) -> Iterator[Row]:
    lost = len(times.sent) - len(times.received)
    wrong = f", {lost} lost" * bool(lost) + f", {times.twice} twice" * bool(times.twice)
    figure = f"{len(times.received) / seconds:,.0f}/s{wrong}"
    yield Row(f"delivered to {watchers:,} watchers, {writers} writing", figure)
    yield Row("  from the writer's request to the watcher's receipt", milliseconds(times.since(times.sent)))
    yield Row("  from the writer's reply to the watcher's receipt", milliseconds(times.since(times.replied)), "", AIM)
