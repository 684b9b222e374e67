import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from agent import node
from agent.node import Machine, Registration, capacity
from apiserver.api.conditions import find
from apiserver.api.errors import Conflict, ServiceUnavailable
from apiserver.api.kinds.lease import Lease
from apiserver.api.kinds.node import NODE_LEASES, Node
from apiserver.client.testing import MemoryCluster
from tests.background import background

MACHINE = Machine("nodeA", "agent-1", "10.0.0.1", "boot", "1.2", "20000-29999", "2", "64Ki")


@asynccontextmanager
async def registering(cluster: MemoryCluster) -> AsyncIterator[Registration]:
    registration = Registration(cluster.client("plum-agent"), MACHINE)
    async with background(registration.run()):
        yield registration


async def test_registration_waits_for_the_server() -> None:
    cluster = MemoryCluster()
    cluster.fail_next(2, ServiceUnavailable("starting"))
    async with registering(cluster) as registration, asyncio.timeout(5):
        await registration.registered.wait()
    assert (await cluster.client("user").get(Node, "nodeA")).status.capacity is not None


async def test_what_people_and_controllers_set_stays() -> None:
    cluster = MemoryCluster()
    user, controller = cluster.client("user"), cluster.client("node-controller")
    await user.apply(Node, "nodeA", {"metadata": {"labels": {"zone": "a"}}, "spec": {"unschedulable": True}})
    ready = {"type": "Ready", "status": "True", "reason": "LeaseHeld"}
    await controller.apply(Node, "nodeA", {"status": {"conditions": [ready]}}, subresource="status")
    async with registering(cluster) as registration, asyncio.timeout(5):
        await registration.registered.wait()
    found = await user.get(Node, "nodeA")
    assert found.spec.unschedulable
    assert found.metadata.labels == {"zone": "a"}
    assert [condition.type for condition in found.status.conditions] == ["Ready"]
    assert found.status.agent is not None
    assert found.status.agent.version == "1.2"


async def test_a_lease_is_one_a_node_and_survives_agents() -> None:
    cluster = MemoryCluster()
    for _ in range(2):
        async with registering(cluster) as registration, asyncio.timeout(5):
            await registration.registered.wait()
    leases = (await cluster.client("user").list(Lease, namespace=NODE_LEASES)).items
    assert [lease.metadata.name for lease in leases] == ["nodeA"]


async def test_a_server_that_has_lost_the_node_is_told_of_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "RENEW_SECONDS", 0.01)
    cluster = MemoryCluster()
    user = cluster.client("user")
    async with registering(cluster) as registration, asyncio.timeout(5):
        await registration.registered.wait()
        await user.delete(Node, "nodeA")
        await user.delete(Lease, "nodeA", namespace=NODE_LEASES)
        while not (await user.list(Node)).items:
            await asyncio.sleep(0.01)


async def test_a_lease_that_is_given_back_is_nobodys_and_is_not_renewed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "RENEW_SECONDS", 0.01)
    cluster = MemoryCluster()
    user = cluster.client("user")
    async with registering(cluster) as registration, asyncio.timeout(5):
        await registration.registered.wait()
        await registration.announce_drain()
        draining = find((await user.get(Node, "nodeA")).status.conditions, "Draining")
        assert draining
        assert (draining.status, draining.reason) == ("True", "AgentDraining")
        await registration.give_back()
        before = await user.get(Lease, "nodeA", namespace=NODE_LEASES)
        await asyncio.sleep(0.05)
        assert await user.get(Lease, "nodeA", namespace=NODE_LEASES) == before
    assert before.spec.holder_identity == ""
    assert [owner.kind for owner in before.metadata.owner_references] == ["Node"], "it still goes with its node"
    drained = find((await user.get(Node, "nodeA")).status.conditions, "Draining")
    assert drained
    assert (drained.status, drained.reason) == ("False", "Drained")


async def test_a_new_agent_takes_back_what_the_drained_one_has_said() -> None:
    cluster = MemoryCluster()
    for _ in range(2):
        async with registering(cluster) as registration, asyncio.timeout(5):
            await registration.registered.wait()
            found = await cluster.client("user").get(Node, "nodeA")
            await registration.announce_drain()
        assert found.status.conditions == ()


async def test_a_lease_that_another_has_got_meanwhile_is_not_given_back() -> None:
    cluster = MemoryCluster()
    user = cluster.client("user")
    async with registering(cluster) as registration, asyncio.timeout(5):
        await registration.registered.wait()
        await user.patch(Lease, "nodeA", {"spec": {"holderIdentity": "agent-2"}}, namespace=NODE_LEASES)
        await registration.give_back()
    assert (await user.get(Lease, "nodeA", namespace=NODE_LEASES)).spec.holder_identity == "agent-2"


async def test_neither_waits_for_a_server_that_is_away() -> None:
    cluster = MemoryCluster()
    async with registering(cluster) as registration, asyncio.timeout(5):
        await registration.registered.wait()
        cluster.fail_next(1000, ServiceUnavailable("away"))
        await registration.announce_drain()
        await registration.give_back()
        cluster.recover()
    lease = await cluster.client("user").get(Lease, "nodeA", namespace=NODE_LEASES)
    assert lease.spec.holder_identity == "agent-1", "it ends with its term"


async def test_whoever_loses_the_lease_says_so_and_knows_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(node, "RENEW_SECONDS", 0.01)
    cluster = MemoryCluster()
    async with registering(cluster) as registration, asyncio.timeout(5):
        await registration.registered.wait()
        cluster.fail_next(1, ServiceUnavailable("away"))
        cluster.fail_next(3, Conflict("the lease of node nodeA is held by another agent (agent-2)"))
        await registration.superseded.wait()
        assert not registration.registered.is_set()
        await registration.registered.wait()
        assert not registration.superseded.is_set()
    told = [message for message in caplog.messages if "held by another agent" in message]
    assert len(told) == 1
    assert "nothing is started or stopped here, and what runs goes on" in told[0]


def test_capacity_is_in_quantities() -> None:
    cpu, memory = capacity()
    assert int(cpu) >= 1
    assert memory.endswith("Ki")
