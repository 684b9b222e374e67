"""Leases of registered endpoints: a heartbeat is no write, silence is one, and one only."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from apiserver.api.kinds.endpoint import ENDPOINTS
from apiserver.api.meta import Body
from apiserver.server.endpoint_health import tell
from apiserver.server.endpoint_leases import AT_ONCE, EndpointLeases
from apiserver.server.leases import ACTOR, NodeLeases
from apiserver.server.registry import Registry
from apiserver.server.store.decisions import Put, Remove
from apiserver.server.store.memory import MemoryEngine
from apiserver.server.store.snapshot import Slot
from tests.stores import NOW, running


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def endpoint(name: str, *, lease: int | None = 10) -> Body:
    spec: dict[str, Any] = {"service": "orders", "ip": "10.0.0.1", "port": 80, "protocol": "http"}
    metadata = {"name": name, "namespace": "default", "uid": f"u-{name}", "creationTimestamp": "2026-01-01T00:00:00Z"}
    body = {
        "apiVersion": "plum.dev/v1",
        "kind": "Endpoint",
        "metadata": metadata | {"generation": 1},
        "spec": spec | ({"leaseSeconds": lease} if lease else {}),
        "status": {"healthy": True, "reason": "Registered"},
    }
    return body


class World:
    def __init__(self, registry: Registry, clock: Clock) -> None:
        self.registry, self.clock = registry, clock
        self.leases = EndpointLeases(registry, monotonic=clock, clock=lambda: NOW)

    def slot(self, name: str) -> Slot:
        found = self.registry.store.get(ENDPOINTS, "default", name)
        assert found
        return found

    def told(self, name: str) -> tuple[bool, str]:
        status = self.slot(name).parse()["status"]
        return status["healthy"], status["reason"]


@asynccontextmanager
async def world(*bodies: Body) -> AsyncIterator[World]:
    clock = Clock()
    async with running(MemoryEngine()) as store:
        await store.write(lambda view: [Put(ENDPOINTS, one) for one in bodies])
        leases = NodeLeases(store, monotonic=clock, clock=lambda: NOW)
        registry = Registry(store, leases, {}, clock=lambda: NOW, new_uid=lambda: "new", rng=random.Random(1))
        yield World(registry, clock)


async def test_who_is_silent_expires_once_and_who_is_heard_does_not() -> None:
    async with world(endpoint("silent"), endpoint("heard"), endpoint("static", lease=None)) as found:
        await found.leases.expire()
        found.clock.seconds = 9
        found.leases.heard([found.slot("heard").key])
        version = found.registry.store.version
        found.clock.seconds = 11
        await found.leases.expire()
        await found.leases.expire()
        assert found.told("silent") == (False, "Expired")
        assert (found.told("heard"), found.told("static")) == ((True, "Registered"), (True, "Registered"))
        assert found.registry.store.version == version + 1
        assert found.leases.last_seen(found.slot("heard")) == "2026-01-02T03:04:05.000000Z"


async def test_a_new_server_gives_everyone_a_fresh_term() -> None:
    async with world(endpoint("one")) as found:
        found.clock.seconds = 1000
        await found.leases.expire()
        found.clock.seconds = 1009
        await found.leases.expire()
        assert found.told("one") == (True, "Registered")


async def test_time_in_which_nobody_could_be_heard_does_not_count() -> None:
    async with world(endpoint("one")) as found:
        await found.leases.expire()
        found.clock.seconds = 60
        found.leases.forgive(55)
        await found.leases.expire()
        assert found.told("one") == (True, "Registered")


async def test_who_comes_back_has_a_new_term() -> None:
    async with world(endpoint("one")) as found:
        await found.leases.expire()
        found.clock.seconds = 11
        await found.leases.expire()
        body = found.slot("one").parse()
        await found.registry.transact(lambda txn: tell(txn, body, expired=False, last_seen=""), ACTOR)
        found.leases.heard([found.slot("one").key])
        await found.leases.expire()
        assert found.told("one") == (True, "Registered")
        found.clock.seconds = 22
        await found.leases.expire()
        assert found.told("one") == (False, "Expired")


async def test_who_takes_the_name_of_one_that_is_gone_has_a_term_of_its_own() -> None:
    async with world(endpoint("one")) as found:
        await found.leases.expire()
        found.clock.seconds = 8
        gone, new = found.slot("one").parse(), endpoint("one")
        new["metadata"]["uid"] = "u-another"
        await found.registry.store.write(lambda view: [Remove(ENDPOINTS, gone)])
        await found.registry.store.write(lambda view: [Put(ENDPOINTS, new)])
        found.clock.seconds = 11
        await found.leases.expire()
        assert found.told("one") == (True, "Registered")
        found.clock.seconds = 22
        await found.leases.expire()
        assert found.told("one") == (False, "Expired")


async def test_what_comes_later_has_a_term_and_what_goes_or_gives_its_lease_up_has_none() -> None:
    async with world(endpoint("gone"), endpoint("without")) as found:
        await found.leases.expire()
        found.clock.seconds = 5
        gone = found.slot("gone").parse()
        changes: list[Put | Remove] = [Remove(ENDPOINTS, gone), Put(ENDPOINTS, endpoint("without", lease=None))]
        await found.registry.store.write(lambda view: [*changes, Put(ENDPOINTS, endpoint("later"))])
        await found.leases.expire()
        found.clock.seconds = 14
        await found.leases.expire()
        assert [found.told(name)[1] for name in ("without", "later")] == ["Registered", "Registered"]
        found.clock.seconds = 16
        await found.leases.expire()
        assert [found.told(name)[1] for name in ("without", "later")] == ["Registered", "Expired"]


async def test_leases_are_seen_although_the_log_no_longer_tells_how_they_came() -> None:
    async with world(endpoint("one")) as found:
        await found.leases.expire()
        await found.registry.store.write(lambda view: [Put(ENDPOINTS, endpoint("two"))])
        found.registry.store.cache.floor = found.registry.store.version
        await found.leases.expire()
        found.clock.seconds = 11
        await found.leases.expire()
        assert [found.told(name)[1] for name in ("one", "two")] == ["Expired", "Expired"]


async def test_many_that_fall_silent_together_expire_in_several_commits() -> None:
    names = [f"e{number}" for number in range(2 * AT_ONCE + 1)]
    async with world(*map(endpoint, names)) as found:
        await found.leases.expire()
        found.clock.seconds = 11
        version = found.registry.store.version
        await found.leases.expire()
        assert {found.told(name) for name in names} == {(False, "Expired")}
        assert found.registry.store.version == version + 3
