"""The elector itself over an in-memory cluster, in virtual time."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import apiserver.api.kinds  # noqa: F401  (registers all kinds)
from apiserver.api.errors import Conflict, ServiceUnavailable
from apiserver.api.kinds.lease import Lease
from apiserver.api.kinds.namespace import SYSTEM, Namespace
from apiserver.api.meta import ObjectMeta
from apiserver.client.leader import LeaderElector, Leadership
from apiserver.client.testing import MemoryClient, MemoryCluster
from tests import virtual

Fault = Callable[[], Awaitable[None]]


async def none() -> None:
    return


class Remote(MemoryClient):
    """A client far away: what a request meets on its way to the server, and its answer on the way back."""

    def __init__(self, cluster: MemoryCluster) -> None:
        super().__init__(cluster=cluster)
        self.there: Fault = none
        self.back: Fault = none

    async def get(self, *args: Any, **options: Any) -> Any:
        return await self._travel(super().get(*args, **options))

    async def create(self, *args: Any, **options: Any) -> Any:
        return await self._travel(super().create(*args, **options))

    async def patch(self, *args: Any, **options: Any) -> Any:
        return await self._travel(super().patch(*args, **options))

    async def _travel(self, request: Coroutine[Any, Any, Any]) -> Any:
        try:
            await self.there()
        except BaseException:
            request.close()
            raise
        answer = await request
        await self.back()
        return answer


class Room:
    """One lease, those who contend for it, and who worked when."""

    def __init__(self) -> None:
        self.cluster = MemoryCluster()
        self.admin = self.cluster.client("admin")
        self.working: dict[str, Leadership] = {}
        self.told: list[tuple[str, int, float]] = []
        """Who began to work, under which token, when."""
        self.ended: dict[str, float] = {}
        self.wrong: list[str] = []
        self.clock = asyncio.get_running_loop().time

    def join(self, name: str, client: MemoryClient | None = None, work: Any = None) -> "asyncio.Task[None]":
        elector = LeaderElector(
            client or self.cluster.client(name), "lead", identity=name, clock=self.clock, rng=random.Random(name)
        )
        return asyncio.create_task(elector.run(work or (lambda leadership: self.work(name, leadership))), name=name)

    async def work(self, name: str, leadership: Leadership) -> None:
        if self.working or any(token >= leadership.token for _, token, _ in self.told):
            self.wrong.append(f"{name} begins under {leadership.token} beside {self.working} after {self.told}")
        self.working[name] = leadership
        self.told.append((name, leadership.token, self.clock()))
        try:
            await asyncio.Event().wait()
        finally:
            self.ended[name] = self.clock()
            del self.working[name]

    async def lease(self) -> Lease:
        return await self.admin.get(Lease, "lead", namespace=SYSTEM)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.01)

    async def leads(self, name: str) -> Leadership:
        await self.until(lambda: name in self.working)
        return self.working[name]


@asynccontextmanager
async def room() -> AsyncIterator[Room]:
    made, before = Room(), asyncio.all_tasks()
    try:
        yield made
        assert made.wrong == []
    finally:
        for task in asyncio.all_tasks() - before:
            task.cancel()
        await asyncio.gather(*(asyncio.all_tasks() - before), return_exceptions=True)


async def hang() -> None:
    await asyncio.Event().wait()


def fail() -> Fault:
    async def refuse() -> None:
        raise ServiceUnavailable("no server")

    return refuse


def test_the_first_leads_and_tells_it_in_the_lease() -> None:
    async def scenario() -> None:
        async with room() as world:
            world.join("a")
            leadership = await world.leads("a")
            assert (leadership, leadership.fence) == (Leadership("plum-system", "lead", 1), "plum-system/lead/1")
            spec = (await world.lease()).spec
            assert (spec.holder_identity, spec.lease_duration_seconds, spec.lease_transitions) == ("a", 3, 1)
            await asyncio.sleep(30)
            assert list(world.working) == ["a"]
            assert ((await world.lease()).spec.renew_time or 0) > (spec.renew_time or 0)  # type: ignore[operator]

    virtual.run(scenario())


def test_a_silent_leader_stops_before_the_next_one_begins() -> None:
    async def scenario() -> None:
        async with room() as world:
            remote = Remote(world.cluster)
            world.join("a", remote)
            await world.leads("a")
            world.join("b")
            await asyncio.sleep(10)
            remote.there = hang
            silent = world.clock()
            leadership = await world.leads("b")
            assert leadership.token == 2
            assert 1 <= world.ended["a"] - silent <= 2
            assert 1 <= world.clock() - world.ended["a"] <= 2
            fenced = world.cluster.client("a", fence=lambda: "plum-system/lead/1")
            with pytest.raises(Conflict, match="superseded"):
                await fenced.create(Namespace(metadata=ObjectMeta(name="late")))
            remote.there = none
            await asyncio.sleep(10)
            assert list(world.working) == ["b"]

    virtual.run(scenario())


def test_the_work_ends_at_the_deadline_though_the_renewal_cannot_be_cancelled() -> None:
    async def stubborn() -> None:
        clock = asyncio.get_running_loop().time
        end = clock() + 20
        while clock() < end:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(end - clock())

    async def scenario() -> None:
        async with room() as world:
            remote = Remote(world.cluster)
            world.join("a", remote)
            await world.leads("a")
            begun = world.told[0][2]
            remote.there = stubborn
            await world.until(lambda: "a" in world.ended)
            assert world.ended["a"] - begun == pytest.approx(2, abs=0.1)

    virtual.run(scenario())


def test_an_orderly_end_hands_over_at_once() -> None:
    async def scenario() -> None:
        async with room() as world:
            first = world.join("a")
            await world.leads("a")
            world.join("b")
            await asyncio.sleep(10)
            first.cancel()
            await asyncio.wait([first])
            assert (await world.lease()).spec.holder_identity is None
            ended = world.clock()
            assert (await world.leads("b")).token == 2
            assert world.clock() - ended < 1

    virtual.run(scenario())


def test_a_release_lets_go_of_what_a_cancelled_write_may_have_taken() -> None:
    async def scenario() -> None:
        async with room() as world:
            remote = Remote(world.cluster)
            remote.back = hang
            task = world.join("a", remote)
            await asyncio.sleep(0.5)
            remote.back = none
            assert world.working == {}
            task.cancel()
            await asyncio.wait([task])
            assert (await world.lease()).spec.holder_identity is None

    virtual.run(scenario())


def test_a_leader_whose_lease_is_taken_away_stops_and_contends_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def scenario() -> None:
        async with room() as world:
            world.join("a")
            await world.leads("a")
            spec = {"holderIdentity": "someone", "leaseTransitions": 7}
            await world.admin.patch(Lease, "lead", {"spec": spec}, namespace=SYSTEM)
            taken = world.clock()
            await world.until(lambda: "a" in world.ended)
            assert world.ended["a"] - taken < 1.5
            assert (await world.leads("a")).token == 8

    virtual.run(scenario())
    for line in (
        "plum-system/lead: leading as a, token 1",
        "plum-system/lead: held by someone, token 7",
        "plum-system/lead: the lead under token 1 is lost; the work stops",
        "plum-system/lead: leading as a, token 8",
    ):
        assert line in caplog.messages


def test_a_leader_whose_lease_is_labelled_by_people_leads_on() -> None:
    async def scenario() -> None:
        async with room() as world:
            world.join("a")
            await world.leads("a")
            for number in range(20):
                patch = {"metadata": {"labels": {"n": str(number)}}}
                await world.admin.patch(Lease, "lead", patch, namespace=SYSTEM)
                await asyncio.sleep(0.7)
            assert world.ended == {}

    virtual.run(scenario())


@pytest.mark.parametrize(("seconds", "tokens"), [(0.7, [1]), (10, [1, 2])])
def test_a_server_that_is_away(seconds: float, tokens: list[int]) -> None:
    async def scenario() -> None:
        async with room() as world:
            remote = Remote(world.cluster)
            world.join("a", remote)
            await world.leads("a")
            await asyncio.sleep(3)
            remote.there = fail()
            await asyncio.sleep(seconds)
            remote.there = none
            await asyncio.sleep(3)
            assert list(world.working) == ["a"]
            assert [token for _, token, _ in world.told] == tokens

    virtual.run(scenario())


def test_contending_waits_until_the_work_has_ended() -> None:
    async def scenario() -> None:
        async with room() as world:
            remote = Remote(world.cluster)

            async def slow(leadership: Leadership) -> None:
                try:
                    await world.work("a", leadership)
                except asyncio.CancelledError:
                    await asyncio.sleep(30)
                    raise

            world.join("a", remote, slow)
            await world.leads("a")
            remote.there = hang
            await world.until(lambda: "a" in world.ended)
            remote.there = none
            assert (await world.leads("a")).token == 2
            assert world.clock() - world.ended["a"] == pytest.approx(30, abs=0.5)

    virtual.run(scenario())


def test_run_ends_as_the_work_does() -> None:
    async def done(leadership: Leadership) -> None:
        await asyncio.sleep(5)

    async def broken(leadership: Leadership) -> None:
        raise ValueError("bug")

    async def scenario() -> None:
        async with room() as world:
            await world.join("a", work=done)
            assert (await world.lease()).spec.holder_identity is None
            with pytest.raises(ValueError, match="bug"):
                await world.join("b", work=broken)
            spec = (await world.lease()).spec
            assert (spec.holder_identity, spec.lease_transitions) == (None, 2)

    virtual.run(scenario())


@given(seed=st.integers(0, 2**32), candidates=st.integers(2, 4))
@settings(max_examples=25, deadline=None)
def test_never_two_work_at_a_time_and_one_does_when_the_network_is_well(seed: int, candidates: int) -> None:
    rng = random.Random(seed)

    async def trouble() -> None:
        await asyncio.sleep(rng.expovariate(1 / 0.02) + (rng.uniform(0, 4) if rng.random() < 0.15 else 0))
        if rng.random() < 0.1:
            raise ServiceUnavailable("lost")
        if rng.random() < 0.05:
            await hang()

    async def scenario() -> None:
        async with room() as world:
            remotes = [Remote(world.cluster) for _ in range(candidates)]
            tasks = [world.join(f"p{number}", remote) for number, remote in enumerate(remotes)]
            for remote in remotes:
                remote.there = remote.back = trouble
            for _ in range(3):
                await asyncio.sleep(rng.uniform(0, 20))
                tasks.pop(0).cancel()
                remotes.append(Remote(world.cluster))
                remotes[-1].there = remotes[-1].back = trouble
                tasks.append(world.join(f"p{len(remotes)}", remotes[-1]))
            for remote in remotes:
                remote.there = remote.back = none
            await asyncio.sleep(10)
            before = dict(world.working)
            assert len(before) == 1
            await asyncio.sleep(30)
            assert world.working == before

    virtual.run(scenario())
