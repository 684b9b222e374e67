"""A whole agent in a test: its node's folder, a server in memory, a runtime, and a way to end it."""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from agent.agent import MANAGER, PATIENCE_SECONDS, Agent, Parts
from agent.artifacts import Artifacts
from agent.folders import Folders
from agent.host import Host
from agent.node import Machine, Registration
from agent.ports import PortRange
from agent.preparations import ArchivePreparer
from agent.runtime import Runtime
from agent.statuses import Answer, Send
from agent.usage.reports import Send as SendUsage
from apiserver.api.errors import ApiError, NotFound, ServiceUnavailable
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.reports import StatusOf
from apiserver.client.interface import Client
from apiserver.client.testing import MemoryClient, MemoryCluster
from tests.unit.agent.archives import archive
from tests.unit.agent.objects import NODE, assignment

META = "name=web\nversion=1.2\nservice=orders:http:8080\n"
ARCHIVE = archive({"start.sh": "echo started; exec sleep 1000", "meta.ini": META})
SHA = hashlib.sha256(ARCHIVE).hexdigest()
FOREVER = "sleep 1000"


@dataclass
class Site:
    """One node and its server, over any number of agents that come and go."""

    folders: Folders
    runtime: Runtime
    cluster: MemoryCluster = field(default_factory=lambda: MemoryCluster(seed=uuid.uuid4().int))
    """Its uids are not those of another test's: real processes are told apart by them."""

    @property
    def user(self) -> MemoryClient:
        return self.cluster.client("user")

    async def create(self, name: str, *, command: str = FOREVER, sha256: str = SHA, **parts: Any) -> Assignment:
        template = {"artifactUrl": f"/artifacts/sha256/{sha256}", "sha256": sha256, "startCmd": command}
        return await self.user.create(assignment(name, template=template | parts.pop("template", {}), **parts))

    async def get(self, name: str) -> Assignment:
        return await self.user.get(Assignment, name)

    async def patch(self, name: str, change: dict[str, Any]) -> None:
        await self.user.patch(Assignment, name, change)

    async def reaches(self, name: str, phase: str, *, but: Callable[[Assignment], bool] | None = None) -> Assignment:
        """Wait until the assignment's status has the phase, and fulfils ``but``."""
        async with asyncio.timeout(10):
            while True:
                with suppress(ServiceUnavailable):
                    one = await self.get(name)
                    if one.status.phase == phase and (but is None or but(one)):
                        return one
                await asyncio.sleep(0.005)

    async def vanishes(self, name: str) -> None:
        """Wait until the assignment is gone."""
        async with asyncio.timeout(10):
            while True:
                try:
                    await self.get(name)
                except NotFound:
                    return
                await asyncio.sleep(0.005)

    @asynccontextmanager
    async def agent(
        self, *, patience: float = PATIENCE_SECONDS, send_usage: SendUsage | None = None
    ) -> AsyncIterator["Running"]:
        """An agent that runs during the block, and is then drained if it has not ended."""
        async with httpx.AsyncClient(base_url="http://127.0.0.1:1") as server:
            preparer = ArchivePreparer(Artifacts(self.folders.cache, server))
            machine = Machine(NODE, "agent-1", "10.0.0.1", "boot", "1", "30000-30999", "2", "1Ki")
            client = self.cluster.client(MANAGER)
            parts = Parts(
                client,
                self.folders,
                self.runtime,
                preparer,
                Registration(client, machine),
                one_by_one(client),
                send_usage,
            )
            host = Host(NODE, "http://server", "10.0.0.1", PortRange(30000, 30999))
            running = Running(asyncio.Event(), asyncio.get_running_loop().create_future())
            agent = Agent(host, parts, patience=patience)
            running.task = asyncio.create_task(agent.run(running.end, running=running.began.set))
            try:
                yield running
                await running.finish()
            finally:
                running.task.cancel()
                await asyncio.gather(running.task, return_exceptions=True)
                preparer.close()


def one_by_one(client: Client) -> Send:
    """Sends statuses as they are written singly."""

    async def write(one: StatusOf) -> Answer:
        body = {"metadata": {"uid": one.uid}, "status": one.status}
        try:
            return await client.apply(Assignment, one.name, body, namespace=one.namespace, subresource="status")
        except ApiError as error:
            return error

    async def send(statuses: Sequence[StatusOf]) -> list[Answer]:
        return [await write(one) for one in statuses]

    return send


@dataclass
class Running:
    """One run of an agent."""

    began: asyncio.Event
    end: asyncio.Future[bool]
    task: asyncio.Task[bool] = field(init=False)

    async def finish(self, *, drain: bool = True) -> None:
        """A planned end: of everything, or of the agent alone."""
        if not self.end.done():
            self.end.set_result(drain)
        async with asyncio.timeout(20):
            await self.task

    async def kill(self) -> None:
        """As near to kill -9 as a task comes: nothing is written, nothing is stopped."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.task = asyncio.create_task(asyncio.sleep(0, False))


def site(root: Path, runtime: Runtime) -> Site:
    """A node with an empty folder but for the archive in its cache."""
    folders = Folders(root)
    with folders.locked():
        (folders.cache / f"{SHA}.zip").write_bytes(ARCHIVE)
    return Site(folders, runtime)
