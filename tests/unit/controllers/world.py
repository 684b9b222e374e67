"""All loops over an in-memory cluster, and a stand-in for the agents of every node."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import apiserver.api.kinds  # noqa: F401  (registers all kinds)
from apiserver.api.errors import ApiError, NotFound
from apiserver.api.kinds.app import App, app_object_name
from apiserver.api.kinds.assignment import STOPPED_FINALIZER, Assignment
from apiserver.api.kinds.lease import Lease
from apiserver.api.kinds.node import NODE_LEASES, Node
from apiserver.api.kinds.task import Task
from apiserver.api.meta import Body
from apiserver.client.testing import MemoryClient, MemoryCluster
from controllers.manager import Manager

SHA = {"1": "1" * 64, "2": "2" * 64}


class World:
    """What a test does and sees."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self.cluster = cluster
        self.client: MemoryClient = cluster.client("test")
        self.silent: set[str] = set()
        """Nodes whose agents do nothing."""

    async def until(self, condition: Callable[[], Awaitable[Any]], *, seconds: float = 10.0) -> None:
        """Poll until the condition holds."""
        async with asyncio.timeout(seconds):
            while not await condition():
                await asyncio.sleep(0.005)

    async def add_node(self, name: str) -> None:
        body = {"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": name}}
        node = await self.client.create(Node.from_body(body))
        owner = {"apiVersion": "plum.dev/v1", "kind": "Node", "name": name, "uid": node.metadata.uid}
        lease: Body = {"metadata": {"ownerReferences": [owner]}, "spec": {"holderIdentity": name}}
        await self.client.apply(Lease, name, lease, namespace=NODE_LEASES)
        await self.set_lease(name, "Held")

    async def set_lease(self, name: str, state: str) -> None:
        await self.client.patch(Lease, name, {"status": {"state": state}}, namespace=NODE_LEASES, subresource="status")

    async def push(self, name: str, version: str, content: str) -> None:
        digest = SHA[content]
        meta = {"name": app_object_name(name, version, digest), "namespace": "default"}
        spec = {"name": name, "version": version, "sha256": digest, "sizeBytes": 1}
        body = {"apiVersion": "plum.dev/v1", "kind": "App", "metadata": meta, "spec": spec}
        await self.client.create(App.from_body(body))

    async def apply_task(self, name: str = "web", **spec: Any) -> None:
        await self.client.apply(Task, name, {"spec": spec}, namespace="default")

    async def task(self, name: str = "web") -> Task:
        return await self.client.get(Task, name, namespace="default")

    async def copies(self) -> list[Assignment]:
        return list((await self.client.list(Assignment)).items)

    async def live(self) -> list[Assignment]:
        return [copy for copy in await self.copies() if copy.metadata.deletion_timestamp is None]

    async def is_ready(self, count: int) -> bool:
        status = (await self.task()).status
        return status.ready_replicas == status.updated_replicas == status.replicas == count

    async def is_gone(self, kind: type[Any], name: str) -> bool:
        try:
            await self.client.get(kind, name, namespace="default")
        except NotFound:
            return True
        return False

    async def play_agents(self) -> None:
        """Bring every placed copy to where it should be, on all nodes that are not silent."""
        while True:
            with suppress(ApiError):
                for copy in await self.copies():
                    if copy.spec.node_name and copy.spec.node_name not in self.silent:
                        await self._act(copy)
            await asyncio.sleep(0.005)

    async def _act(self, copy: Assignment) -> None:
        namespace, name = copy.key
        agent = self.cluster.client("plum-agent")
        if copy.metadata.deletion_timestamp is not None:
            kept = [f for f in copy.metadata.finalizers if f != STOPPED_FINALIZER]
            await agent.patch(Assignment, name, {"metadata": {"finalizers": kept}}, namespace=namespace)
            return
        phase, ready = ("Running", "True") if copy.spec.desired == "Running" else ("Stopped", "False")
        if copy.status.phase != phase:
            status = {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]}
            await agent.apply(Assignment, name, {"status": status}, namespace=namespace, subresource="status")


@asynccontextmanager
async def running(*, agents: bool = True) -> AsyncIterator[World]:
    """A cluster on which all loops run."""
    cluster = MemoryCluster()
    world = World(cluster)
    synced = asyncio.Event()
    jobs = [asyncio.create_task(Manager(cluster.client, identity="test").run(synced.set))]
    if agents:
        jobs.append(asyncio.create_task(world.play_agents()))
    try:
        await asyncio.wait_for(synced.wait(), 5)
        yield world
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
