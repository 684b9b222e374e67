"""Nodes of the original agent over the in-memory cluster: who owns what, and what is timed."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from apiserver.api import conditions
from apiserver.api.errors import Conflict
from apiserver.api.kinds.assignment import REPORTED, STOPPED_FINALIZER, Assignment
from apiserver.api.kinds.lease import Lease
from apiserver.api.kinds.node import Node
from apiserver.api.meta import Body, Resource
from apiserver.client.events import EventRecorder
from apiserver.client.informer import Informer
from apiserver.client.testing import MemoryCluster
from controllers.nodelifecycle import BY_NODE, MANAGER, NodeReconciler
from tests.unit.controllers.world import World

NODE = ("", "nodeA")


def versions(found: Iterable[Resource]) -> set[tuple[str, str | None]]:
    return {(one.metadata.name, one.metadata.resource_version) for one in found}


class Site:
    """One node of the original agent, its reconciler, and clocks that the test sets."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self.cluster = cluster
        self.world = World(cluster)
        self.client = cluster.client("test")
        self.wall = datetime(2026, 1, 1, tzinfo=UTC)
        self.seconds = 0.0
        controller = cluster.client(MANAGER)
        self.nodes = Informer(controller, Node)
        self.leases = Informer(controller, Lease)
        self.assignments = Informer(controller, Assignment, indexes={BY_NODE: lambda copy: [copy.spec.node_name]})
        self.reconciler = NodeReconciler(
            controller,
            self.nodes,
            self.leases,
            self.assignments,
            events=EventRecorder(controller, MANAGER),
            now=lambda: self.wall,
            monotonic=lambda: self.seconds,
        )

    async def step(self) -> float | None:
        """Reconcile over caches that have seen everything; when it wants to be called again."""
        for kind, informer in ((Node, self.nodes), (Lease, self.leases), (Assignment, self.assignments)):
            await self.world.until(partial(self._has_seen_all, kind, informer))
        return (await self.reconciler.reconcile(NODE)).requeue_after

    async def _has_seen_all(self, kind: type[Any], informer: Informer[Any]) -> bool:
        there = (await self.client.list(kind)).items
        return versions(there) == versions(informer.items())

    async def add_copy(self, name: str = "web-main-1") -> None:
        meta: Body = {"name": name, "namespace": "default", "finalizers": [STOPPED_FINALIZER]}
        template = {"artifactUrl": "/x", "sha256": "0" * 64}
        spec = {"taskName": "web", "entry": "main", "nodeName": "nodeA", "template": template, "templateHash": "h"}
        body = {"apiVersion": "plum.dev/v1", "kind": "Assignment", "metadata": meta, "spec": spec}
        await self.client.create(Assignment.from_body(body))

    async def copy(self, name: str = "web-main-1") -> Assignment:
        return await self.client.get(Assignment, name, namespace="default")

    async def report(self, phase: str, healthy: bool, how: str) -> None:
        """As the views of the original's API write what its agent reports."""
        ready = "True" if healthy else "False"
        status = {
            "phase": phase,
            "conditions": [
                {"type": REPORTED, "status": ready, "reason": phase},
                {"type": "Ready", "status": ready, "reason": phase},
            ],
        }
        writer = self.cluster.client("plum-v1")
        write: Any = writer.apply if how == "apply" else writer.patch
        await write(Assignment, "web-main-1", {"status": status}, namespace="default", subresource="status")

    async def told(self) -> tuple[str | None, str, str, str, str]:
        """Phase, reason, message; status and message of Ready."""
        status = (await self.copy()).status
        ready = conditions.find(status.conditions, "Ready")
        return (
            status.phase,
            status.reason,
            status.message,
            ready.status if ready else "",
            ready.message if ready else "",
        )


@asynccontextmanager
async def site(agent: str = "v1") -> AsyncIterator[Site]:
    made = Site(MemoryCluster())
    await made.world.add_node("nodeA")
    await made.client.patch(Node, "nodeA", {"status": {"agent": {"name": agent}}}, subresource="status")
    jobs = [asyncio.create_task(informer.run()) for informer in (made.nodes, made.leases, made.assignments)]
    try:
        for informer in (made.nodes, made.leases, made.assignments):
            await asyncio.wait_for(informer.has_synced.wait(), 5)
        await made.step()
        yield made
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)


SILENT = ("Unknown", "NodeSilent", "node nodeA is silent", "Unknown", "node nodeA is silent")


@pytest.mark.parametrize("how", ["apply", "patch"])
async def test_what_was_said_last_holds_again_and_the_next_report_counts(how: str) -> None:
    async with site() as made:
        await made.add_copy()
        for phase, healthy in (("Running", True), ("Running", False), ("Failed", False), ("Running", True)):
            said = (phase, "", "", "True" if healthy else "False", "")
            await made.report(phase, healthy, how)
            assert await made.told() == said
            await made.world.set_lease("nodeA", "Expired")
            await made.step()
            assert await made.told() == SILENT
            await made.world.set_lease("nodeA", "Held")
            await made.step()
            assert await made.told() == said
            assert await made.step() is None


@pytest.mark.parametrize("how", ["apply", "patch"])
async def test_a_report_from_a_silent_node_loses_the_marks_of_its_silence(how: str) -> None:
    async with site() as made:
        await made.add_copy()
        await made.report("Running", True, how)
        await made.world.set_lease("nodeA", "Expired")
        await made.step()
        await made.report("Stopped", False, how)
        await made.world.set_lease("nodeA", "Held")
        await made.step()
        assert await made.told() == ("Stopped", "", "", "False", "")


@pytest.mark.parametrize("how", ["apply", "patch"])
async def test_a_copy_of_which_nothing_was_reported_goes_back_to_no_phase(how: str) -> None:
    async with site() as made:
        await made.add_copy()
        status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        await made.client.apply(Assignment, "web-main-1", {"status": status}, namespace="default", subresource="status")
        await made.world.set_lease("nodeA", "Expired")
        await made.step()
        assert await made.told() == SILENT
        await made.world.set_lease("nodeA", "Held")
        await made.step()
        assert await made.told() == (None, "", "", "Unknown", "")
        assert await made.step() is None
        await made.report("Running", True, how)
        assert await made.told() == ("Running", "", "", "True", "")


async def lost(*args: Any) -> int:
    raise Conflict("it has changed")


async def test_a_restoration_that_lost_a_race_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with site() as made:
        await made.add_copy()
        await made.report("Running", True, "apply")
        await made.world.set_lease("nodeA", "Expired")
        await made.step()
        await made.world.set_lease("nodeA", "Held")
        with monkeypatch.context() as patched:
            patched.setattr(NodeReconciler, "_restore", lost)
            assert await made.step() is not None
        assert await made.told() == SILENT
        await made.step()
        assert await made.told() == ("Running", "", "", "True", "")


@pytest.mark.parametrize(("phase", "seconds"), [("", 15.0), ("Running", 60.0), ("Stopped", 0.0), ("Failed", 0.0)])
async def test_what_is_deleted_goes_when_its_end_is_reported_or_its_time_is_up(phase: str, seconds: float) -> None:
    async with site() as made:
        await made.add_copy()
        if phase:
            await made.report(phase, False, "apply")
        await made.client.delete(Assignment, "web-main-1", namespace="default")
        if seconds:
            assert await made.step() == seconds
            made.seconds += seconds - 1
            made.wall = datetime(2027, 1, 1, tzinfo=UTC)
            assert await made.step() == 1.0
            assert not await made.world.is_gone(Assignment, "web-main-1")
            made.seconds += 1
        await made.step()
        assert await made.world.is_gone(Assignment, "web-main-1")


async def test_a_report_of_the_end_is_enough() -> None:
    async with site() as made:
        await made.add_copy()
        await made.report("Running", True, "apply")
        await made.client.delete(Assignment, "web-main-1", namespace="default")
        await made.step()
        await made.report("Stopped", False, "apply")
        await made.step()
        assert await made.world.is_gone(Assignment, "web-main-1")


async def test_what_is_deleted_on_a_silent_node_goes_at_once() -> None:
    async with site() as made:
        await made.add_copy()
        await made.report("Running", True, "apply")
        await made.world.set_lease("nodeA", "Expired")
        await made.step()
        await made.client.delete(Assignment, "web-main-1", namespace="default")
        await made.step()
        assert await made.world.is_gone(Assignment, "web-main-1")


async def test_our_own_agents_are_waited_for() -> None:
    async with site(agent="plum") as made:
        await made.add_copy()
        await made.report("Stopped", False, "apply")
        await made.client.delete(Assignment, "web-main-1", namespace="default")
        made.seconds += 1000
        assert await made.step() is None
        await made.world.set_lease("nodeA", "Expired")
        made.seconds += 1000
        assert (await made.step() or 0) > 0
        assert not await made.world.is_gone(Assignment, "web-main-1")
