"""Never two leaders at one moment of true time, whatever is late, lost or paused; one again when that stops."""

import heapq
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.api.kinds.lease import Lease, LeaseSpec
from apiserver.api.meta import Body, ObjectMeta
from apiserver.client import election
from apiserver.client.election import Look, State, Take, Timing, Wait

TIMING = Timing()
FAULTS_END = 40.0
CALM = 15.0
"""Seconds after the faults within which somebody leads again."""

START = datetime(2026, 1, 1, tzinfo=UTC)


class Refused(Exception):
    """The lease is no longer the one that was seen."""


@dataclass
class Server:
    """One lease, changed only by who has seen its last change."""

    lease: Lease | None = None
    version: int = 0
    tokens: list[int] = field(default_factory=list)

    def write(self, seen: Lease | None, spec: Body) -> Lease:
        if seen != self.lease:
            raise Refused
        before = self.lease.spec.model_dump(by_alias=True, exclude_none=True) if self.lease else {}
        self.version += 1
        self.lease = Lease(
            metadata=ObjectMeta(name="lease", resource_version=str(self.version)),
            spec=LeaseSpec.model_validate(before | spec),
        )
        if "leaseTransitions" in spec:
            self.tokens.append(spec["leaseTransitions"])
        return self.lease


class World:
    """True time, and everything that happens in its order."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.server, self.now = rng, Server(), 0.0
        self.processes: list[Process] = []
        self.terms: list[tuple[float, str, int]] = []
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, when: float, what: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (when, self._count, what))

    def run(self, until: float) -> None:
        while self._queue and self._queue[0][0] <= until:
            self.now, _, what = heapq.heappop(self._queue)
            what()
            assert len(self.leaders()) <= 1, (self.now, self.leaders())
        self.now = until

    def leaders(self) -> list[str]:
        return [process.name for process in self.processes if process.token() is not None]

    @property
    def faulty(self) -> bool:
        return self.now < FAULTS_END

    def delay(self) -> float:
        """How long a message takes: mostly little."""
        return self.rng.expovariate(1 / 0.02) + (self.rng.uniform(0, 6) if self.faulty and self.chance(0.15) else 0)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability


class Process:
    """A program that follows ``decide``, with a clock of its own, and that may stand still at any step."""

    def __init__(self, world: World, name: str, rate: float) -> None:
        self.world, self.name, self.rate = world, name, rate
        self.offset = world.rng.uniform(0, 1000)
        self.state = State()
        self.paused_until = 0.0
        self.request = 0
        self.dead = False

    def clock(self) -> float:
        return self.offset + self.world.now * self.rate

    def token(self) -> int | None:
        """What it would say now if it were asked, paused or not."""
        return None if self.dead else election.leading(self.state, self.clock(), TIMING)

    def wake(self, seconds: float, what: Callable[[], None]) -> None:
        """Go on after so many seconds of its own clock, or later if it stands still then."""

        def resume() -> None:
            if self.paused_until > self.world.now:
                self.world.at(self.paused_until, resume)
            elif not self.dead:
                what()

        self.world.at(self.world.now + seconds / self.rate, resume)

    def step(self) -> None:
        self.stumble()
        now = self.clock()
        action = election.decide(self.state, self.name, now, TIMING)
        wall = START + timedelta(seconds=round(self.world.rng.uniform(-1e6, 1e6)))
        match action:
            case Wait(seconds):
                assert seconds > 0
                self.wake(seconds, self.step)
            case Look():
                self.send(lambda: self.world.server.lease, self.on_look)
            case Take(token):
                self.send_write(self.state.lease, election.claim(self.name, token, wall, TIMING), now)
            case _:
                assert self.state.lease is not None
                self.send_write(self.state.lease, election.renewal(self.state.lease, wall), now)

    def send_write(self, seen: Lease | None, spec: Body, sent_at: float) -> None:
        server = self.world.server
        self.send(lambda: server.write(seen, spec), lambda lease: self.on_written(lease, sent_at))

    def send(self, effect: Callable[[], Lease | None], on_answer: Callable[[Lease | None], None]) -> None:
        """A request may take effect at any later time, or never; so may its answer come."""
        world = self.world
        self.request += 1
        number = self.request

        def settle(outcome: Callable[[], None]) -> None:
            if number == self.request:
                self.request += 1
                outcome()
                self.step()

        def arrive() -> None:
            try:
                lease = effect()
            except Refused:
                answer: Callable[[], None] = self.on_failure
            else:
                answer = lambda: on_answer(lease)  # noqa: E731
            if not (world.faulty and world.chance(0.1)):
                world.at(world.now + world.delay(), lambda: self.wake(0, lambda: settle(answer)))

        if not (world.faulty and world.chance(0.1)):
            world.at(world.now + world.delay(), arrive)
        self.wake(TIMING.give_up_after / 2, lambda: settle(self.on_failure))

    def on_look(self, lease: Lease | None) -> None:
        self.state = election.saw(self.state, lease, self.name, self.clock(), TIMING, pause=0.5)

    def on_written(self, lease: Lease | None, sent_at: float) -> None:
        assert lease is not None
        before = self.token()
        self.state = election.wrote(self.state, lease, sent_at, self.clock(), TIMING)
        if (token := self.token()) is not None and token != before:
            self.world.terms.append((self.world.now, self.name, token))

    def on_failure(self) -> None:
        self.state = election.missed(self.state, self.clock(), self.world.rng.uniform(0.01, 0.2))

    def stumble(self) -> None:
        world = self.world
        if world.faulty and world.chance(0.03):
            self.paused_until = world.now + world.rng.uniform(0, 10)
        if world.faulty and world.chance(0.02):
            self.end(orderly=world.chance(0.5))

    def end(self, *, orderly: bool) -> None:
        """Another process comes in its place. In an orderly end the lease is let go of, if it is still held."""
        world, server = self.world, self.world.server
        self.dead = True
        world.processes.remove(self)
        start(world, f"{self.name}'", self.rate)
        seen = server.lease
        if orderly and seen is not None and seen.spec.holder_identity == self.name:

            def release() -> None:
                with suppress(Refused):
                    server.write(seen, {"holderIdentity": None})

            world.at(world.now + world.delay(), release)


def start(world: World, name: str, rate: float) -> None:
    process = Process(world, name, rate)
    world.processes.append(process)
    process.wake(world.rng.uniform(0.0, 2.0), process.step)


@given(
    rng=st.randoms(use_true_random=False),
    rates=st.lists(st.sampled_from([0.85, 1.0, 1.15]), min_size=2, max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_at_most_one_leads_and_one_does_when_faults_stop(rng: random.Random, rates: list[float]) -> None:
    world = World(random.Random(rng.random()))
    for number, rate in enumerate(rates):
        start(world, f"p{number}", rate)
    world.run(FAULTS_END + CALM)
    tokens = [token for _, _, token in world.terms]
    assert tokens == sorted(set(tokens)), "every leadership has a token of its own, higher than those before"
    assert world.server.tokens == list(range(1, len(world.server.tokens) + 1))
    (leader,) = world.leaders()
    world.run(FAULTS_END + 3 * CALM)
    assert world.leaders() == [leader]
    assert tokens == [token for _, _, token in world.terms], "in calm nobody changes the leader"
