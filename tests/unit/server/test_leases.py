"""Node leases in memory: what is remembered of them is what is stored."""

import asyncio
from typing import Any

from apiserver.api.errors import ApiError
from apiserver.api.kinds.lease import LEASES
from apiserver.api.kinds.node import NODE_LEASES
from apiserver.api.meta import Body
from apiserver.api.scheme import dig
from apiserver.server.leases import NodeLeases
from apiserver.server.store.decisions import Put
from apiserver.server.store.store import Store
from tests.stores import DISK_FULL, NOW, FaultyEngine, running


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def lease(holder: str, *, state: str = "Held", note: str = "") -> Body:
    metadata: dict[str, Any] = {"name": "nodeA", "namespace": NODE_LEASES, "uid": "u", "labels": {"note": note}}
    return {
        "metadata": metadata,
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 10},
        "status": {"state": state},
    }


def renewal(holder: str) -> Body:
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 10, "renewTime": "2026-01-02T03:04:05Z"}
    return {"metadata": {}, "spec": spec}


def stored(store: Store) -> Body:
    slot = store.get(LEASES, NODE_LEASES, "nodeA")
    assert slot
    return slot.parse()


async def test_a_held_lease_is_renewed_in_memory_and_expires_once() -> None:
    clock = Clock()
    async with running(FaultyEngine()) as store:
        await store.write(lambda view: [Put(LEASES, lease("ann"))])
        leases = NodeLeases(store, monotonic=clock, clock=lambda: NOW)
        clock.seconds = 9
        renewed = leases.renew("nodeA", renewal("ann"))
        assert renewed
        assert dig(renewed, "spec.renewTime") == "2026-01-02T03:04:05.000000Z"
        assert leases.renew("nodeA", renewal("bob")) is None, "another's claim goes through the store"
        clock.seconds = 18
        await leases.expire()
        assert (store.version, dig(stored(store), "status.state")) == (1, "Held")
        clock.seconds = 20
        await leases.expire()
        await leases.expire()
        assert (store.version, dig(stored(store), "status.state")) == (2, "Expired")
        assert leases.renew("nodeA", renewal("ann")) is None, "coming back is a transition"


async def test_what_was_not_stored_is_not_remembered() -> None:
    engine = FaultyEngine()
    async with running(engine) as store:
        await store.write(lambda view: [Put(LEASES, lease("ann", state="Expired"))])
        leases = NodeLeases(store, monotonic=Clock(), clock=lambda: NOW)
        engine.fault = DISK_FULL
        # In one batch another agent takes the lease, and the expiry looks at it.
        taken = store.write(lambda view: [Put(LEASES, lease("bob"))])
        looked = store.write(leases._expiries)
        assert all(isinstance(one, ApiError) for one in await asyncio.gather(taken, looked, return_exceptions=True))
        engine.fault = None
        await store.write(lambda view: [Put(LEASES, lease("ann", state="Expired", note="x"))])
        assert leases.renew("nodeA", renewal("bob")) is None
        slot = store.get(LEASES, NODE_LEASES, "nodeA")
        assert slot
        assert dig(leases.freshen(slot), "spec.holderIdentity") == "ann"


async def test_an_empty_holder_ends_the_term_at_once() -> None:
    async with running(FaultyEngine()) as store:
        await store.write(lambda view: [Put(LEASES, lease("ann"))])
        leases = NodeLeases(store, monotonic=Clock(), clock=lambda: NOW)
        assert leases.renew("nodeA", renewal("")) is None, "that is no renewal"
        given_back = leases.settle(lease("ann"), renewal(""), lease(""))
        assert dig(given_back, "status.state") == "Expired"
        await store.write(lambda view: [Put(LEASES, given_back)])
        leases.note("nodeA", renewal(""))
        assert not leases.is_held("nodeA")
        taken = leases.settle(given_back, renewal("bob"), lease("bob"))
        assert dig(taken, "status.state") == "Held", "whoever comes next need not wait"
