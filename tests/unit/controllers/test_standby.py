"""Two managers over one cluster: one acts, and what is left undone the next one finds."""

import asyncio

from apiserver.api.errors import NotFound
from apiserver.api.kinds.lease import Lease, LeaseSpec
from apiserver.api.kinds.namespace import SYSTEM
from apiserver.client.testing import MemoryCluster
from controllers.manager import LEASE, Manager
from controllers.metrics import Metrics
from tests.unit.controllers.world import World

ENTRY = {"name": "main", "app": {"name": "web", "version": "1"}}


class Managers:
    """A world and the managers that run on it."""

    def __init__(self) -> None:
        self.cluster = MemoryCluster()
        self.world = World(self.cluster)
        self.running: dict[str, asyncio.Task[None]] = {}
        self.metrics: dict[str, Metrics] = {}

    async def start(self, name: str) -> None:
        synced = asyncio.Event()
        self.metrics[name] = Metrics()
        manager = Manager(self.cluster.client, identity=name, metrics=self.metrics[name])
        self.running[name] = asyncio.create_task(manager.run(synced.set))
        await asyncio.wait_for(synced.wait(), 5)

    async def end(self, name: str) -> None:
        task = self.running.pop(name)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def metric(self, manager: str, series: str, **labels: str) -> float | None:
        return self.metrics[manager].register.get_sample_value(series, labels)

    async def spec(self) -> LeaseSpec:
        try:
            return (await self.world.client.get(Lease, LEASE, namespace=SYSTEM)).spec
        except NotFound:
            return LeaseSpec()

    async def leads(self, name: str) -> int:
        async def does() -> bool:
            return (await self.spec()).holder_identity == name

        await self.world.until(does)
        return (await self.spec()).lease_transitions or 0

    async def scale(self, replicas: int) -> None:
        await self.world.apply_task(entries=[ENTRY | {"replicas": replicas}])

    async def has_copies(self, count: int) -> None:
        async def has() -> bool:
            return len(await self.world.live()) == count

        await self.world.until(has)


async def test_a_standby_sees_all_and_does_nothing_until_it_leads() -> None:
    managers = Managers()
    await managers.world.push("web", "1", "1")
    try:
        await managers.start("a")
        assert await managers.leads("a") == 1
        await managers.start("b")
        await managers.scale(2)
        await managers.has_copies(2)

        def seen() -> float | None:
            return managers.metric("b", "plum_informer_objects", resource="assignments")

        async def b_has_seen() -> bool:
            return seen() == 2

        await managers.world.until(b_has_seen)
        assert managers.metric("b", "workqueue_adds_total", name="tasks") is None
        await managers.end("a")
        assert await managers.leads("b") == 2
        await managers.scale(3)
        await managers.has_copies(3)
    finally:
        for name in list(managers.running):
            await managers.end(name)


async def test_a_manager_that_loses_the_lead_stops_and_later_finds_what_it_missed() -> None:
    managers = Managers()
    await managers.world.push("web", "1", "1")
    try:
        await managers.start("a")
        await managers.leads("a")
        await managers.scale(1)
        await managers.has_copies(1)
        taken = {"holderIdentity": "someone else", "leaseTransitions": 5}
        await managers.world.client.patch(Lease, LEASE, {"spec": taken}, namespace=SYSTEM)
        # Whatever it still tries under its old token is refused: nothing happens until it leads again.
        await managers.scale(2)
        assert await managers.leads("a") == 6
        await managers.has_copies(2)
        versions = [int(copy.metadata.resource_version or 0) for copy in await managers.world.copies()]
        retaken = next(
            change.version
            for change in managers.cluster.history
            if change.after["kind"] == "Lease" and change.after["spec"].get("leaseTransitions") == 6
        )
        assert max(versions) > retaken
        assert managers.metric("a", "plum_leader", name=LEASE) == 1
        assert managers.metric("a", "plum_leader_transitions_total", name=LEASE) == 3
        assert managers.metric("a", "plum_informer_lists_total", resource="tasks") == 1
    finally:
        for name in list(managers.running):
            await managers.end(name)
