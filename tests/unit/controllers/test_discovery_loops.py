"""Endpoints and services as all loops together keep them, over the in-memory cluster."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.endpoint import Endpoint
from apiserver.api.kinds.service import DERIVED, Service
from apiserver.client.controller import Controller
from apiserver.client.informer import Informer
from apiserver.client.testing import MemoryCluster
from controllers import endpoints as loop
from controllers.endpoints import EndpointReconciler
from tests.unit.controllers.discovered import ORDERS, READY, endpoint, instance
from tests.unit.controllers.world import World, running

ADMIN = {"name": "Admin UI", "port": 30001, "protocol": "http"}


class Scene:
    """What a test does to instances, and sees of their endpoints."""

    def __init__(self, world: World) -> None:
        self.world, self.client = world, world.client

    async def add(self, name: str = "web-1", *, labels: dict[str, str] | None = None, **status: Any) -> None:
        await self.client.create(instance(name, labels=labels))
        await self.report(name, phase="Running", conditions=[READY], **status)

    async def report(self, name: str = "web-1", **status: Any) -> None:
        """As an agent: the whole of its part."""
        body = {"ip": "10.0.0.1", "ports": [{"name": "web", "port": 30001}]} | status
        agent = self.world.cluster.client("plum-agent")
        await agent.apply(Assignment, name, {"status": body}, namespace="default", subresource="status")

    async def told(self) -> set[str]:
        """Every endpoint, in short."""
        found = (await self.client.list(Endpoint)).items
        return {f"{one.spec.service}:{one.spec.port} {one.status.reason}" for one in found}

    async def counts(self) -> dict[str, str]:
        found = (await self.client.list(Service)).items
        return {one.metadata.name: f"{one.status.ready_endpoints}/{one.status.endpoints}" for one in found}

    async def until_told(self, *expected: str, counts: dict[str, str] | None = None) -> None:
        async def is_so() -> bool:
            return await self.told() == set(expected) and counts in (None, await self.counts())

        try:
            await self.world.until(is_so)
        except TimeoutError:
            raise AssertionError(f"{await self.told()}, {await self.counts()}") from None

    async def is_still(self) -> None:
        """Wait until nothing is written any more."""
        versions = [-1]

        async def is_so() -> bool:
            versions.append(self.world.cluster.version)
            await asyncio.sleep(0.05)
            return versions[-2] == versions[-1]

        await self.world.until(is_so)


async def test_what_an_instance_offers_is_found_while_it_is_ready_and_goes_with_it() -> None:
    async with running(agents=False) as world:
        scene = Scene(world)
        await scene.add(services=[ORDERS, ADMIN])
        await scene.until_told("orders:8080 Ready", "Admin UI:30001 Ready")
        (admin,) = {one.metadata.name for one in (await world.client.list(Service)).items} - {"orders"}
        await scene.until_told("orders:8080 Ready", "Admin UI:30001 Ready", counts={"orders": "1/1", admin: "1/1"})
        await scene.report(phase="Running", services=[ORDERS, ADMIN])
        await scene.until_told("orders:8080 NotReady", "Admin UI:30001 NotReady")
        await scene.report(phase="Failed")
        down = ("orders:8080 InstanceNotRunning", "Admin UI:30001 InstanceNotRunning")
        await scene.until_told(*down, counts={"orders": "0/1", admin: "0/1"})
        await scene.report(phase="Running", conditions=[READY], services=[ORDERS])
        await scene.until_told("orders:8080 Ready", counts={"orders": "1/1"})
        await scene.is_still()
        await world.client.delete(Assignment, "web-1")
        await scene.until_told(counts={})


async def test_services_select_and_let_go() -> None:
    async with running(agents=False) as world:
        scene = Scene(world)
        await scene.add("web-1", labels={"tier": "web"})
        await scene.add("web-2", labels={"tier": "db"})
        user = world.cluster.client("plumctl")
        spec = {"selector": {"tier": "web"}, "ports": [{"port": "web"}]}
        await user.apply(Service, "front", {"spec": spec}, namespace="default")
        await scene.until_told("front:30001 Ready", counts={"front": "1/1"})
        await world.client.patch(Assignment, "web-2", {"metadata": {"labels": {"tier": "web"}}})
        await scene.until_told("front:30001 Ready", counts={"front": "2/2"})
        await user.apply(Service, "front", {"spec": spec | {"ports": [{"port": 9}]}}, namespace="default")
        await scene.until_told("front:9 Ready", counts={"front": "2/2"})
        await user.apply(Service, "front", {"spec": spec | {"selector": {"tier": "none"}}}, namespace="default")
        await scene.until_told(counts={"front": "0/0"})
        await user.apply(Service, "front", {"spec": spec}, namespace="default")
        await scene.report("web-1", phase="Failed")
        await scene.until_told("front:30001 Ready", "front:30001 InstanceNotRunning", counts={"front": "1/2"})
        await world.client.delete(Service, "front")
        await scene.until_told(counts={})  # not derived from those that are down


async def test_a_derived_service_becomes_that_of_who_applies_it() -> None:
    async with running(agents=False) as world:
        scene = Scene(world)
        await scene.add(services=[ORDERS])
        await scene.until_told("orders:8080 Ready", counts={"orders": "1/1"})
        user = world.cluster.client("plumctl")
        await user.apply(Service, "orders", {"metadata": {"labels": {"team": "a"}}}, namespace="default")

        async def is_own() -> bool:
            found = await world.client.get(Service, "orders")
            return DERIVED not in found.metadata.annotations

        await world.until(is_own)
        await world.client.delete(Assignment, "web-1")
        await scene.until_told(counts={"orders": "0/0"})


async def test_what_others_registered_is_judged_and_left_as_it_is() -> None:
    async with running(agents=False) as world:
        scene = Scene(world)
        one = instance()
        guest, outside = endpoint(one, derived=False, port=9000), endpoint(derived=False, service="mail", port=25)
        for found in (guest, outside):
            fresh = found.metadata.model_copy(update={"uid": None, "resource_version": None})
            await world.client.create(found.model_copy(update={"metadata": fresh}))
        await scene.until_told("orders:9000 Registered", "mail:25 Registered", counts={"orders": "1/1", "mail": "1/1"})
        await scene.add()
        await scene.until_told("orders:9000 Ready", "mail:25 Registered")
        await world.client.patch(Endpoint, guest.metadata.name, {"spec": {"healthOverride": False}})
        await scene.until_told("orders:9000 Overridden", "mail:25 Registered")
        await world.client.patch(Endpoint, guest.metadata.name, {"spec": {"healthOverride": None}})
        await scene.until_told("orders:9000 Ready", "mail:25 Registered")
        await world.client.delete(Assignment, "web-1")
        await scene.until_told(
            "orders:9000 InstanceLeaving", "mail:25 Registered", counts={"orders": "0/1", "mail": "1/1"}
        )
        assert (await world.client.get(Endpoint, guest.metadata.name)).spec == guest.spec
        await world.client.delete(Endpoint, guest.metadata.name)
        await scene.until_told("mail:25 Registered", counts={"mail": "1/1"})


async def test_an_override_survives_what_the_controller_writes() -> None:
    async with running(agents=False) as world:
        scene = Scene(world)
        await scene.add(services=[ORDERS])
        await scene.until_told("orders:8080 Ready")
        name = (await world.client.list(Endpoint)).items[0].metadata.name
        await world.cluster.client("app").patch(Endpoint, name, {"spec": {"healthOverride": True}})
        await scene.until_told("orders:8080 Overridden")
        await world.client.patch(Assignment, "web-1", {"metadata": {"labels": {"tier": "web"}}})
        await scene.report(phase="Running", services=[ORDERS | {"version": "2"}])

        async def is_changed() -> bool:
            spec = (await world.client.get(Endpoint, name)).spec
            return (spec.version, spec.labels) == ("2", {"tier": "web"})

        await world.until(is_changed)
        found = await world.client.get(Endpoint, name)
        assert (found.spec.health_override, found.status.healthy) == (True, True)


async def test_the_loops_catch_up_after_cut_watches() -> None:
    async with running(agents=False) as world:
        scene = Scene(world)
        await scene.add(services=[ORDERS])
        await scene.until_told("orders:8080 Ready")
        world.cluster.cut_watches()
        await scene.report(phase="Running", services=[ORDERS])
        await world.client.delete(Service, "orders")
        await scene.until_told("orders:8080 NotReady", counts={"orders": "0/1"})


async def test_an_expired_endpoint_goes_by_the_clock_of_the_process() -> None:
    cluster = MemoryCluster()
    client, wall, ticks = cluster.client(loop.MANAGER), datetime(2026, 1, 1, tzinfo=UTC), [0.0]
    expired = endpoint(derived=False, leaseSeconds=30)
    fresh = expired.metadata.model_copy(update={"uid": None, "resource_version": None})
    await client.create(expired.model_copy(update={"metadata": fresh}))
    status = {"healthy": False, "reason": "Expired", "lastSeen": wall.isoformat()}
    await client.patch(Endpoint, expired.metadata.name, {"status": status}, subresource="status")
    services = Informer(client, Service, indexes={loop.BY_SELECTOR: loop.selector_of})
    indexes = {loop.BY_INSTANCE: loop.instance_of, loop.BY_SERVICE: loop.service_of}
    endpoints = Informer(client, Endpoint, indexes=indexes)
    assignments = Informer(client, Assignment, indexes={loop.BY_LABEL: loop.labels_of})
    informers = services, endpoints, assignments
    reconciler = EndpointReconciler(client, informers, now=lambda: wall + timedelta(days=9), monotonic=lambda: ticks[0])
    jobs = [asyncio.create_task(informer.run()) for informer in informers]
    try:
        for informer in informers:
            await informer.has_synced.wait()
        key = ("default", f"endpoints/{expired.metadata.name}")
        assert (await reconciler.reconcile(key)).requeue_after == 600
        ticks[0] = 400
        assert (await reconciler.reconcile(key)).requeue_after == 200
        ticks[0] = 600
        assert (await reconciler.reconcile(key)).requeue_after is None
        assert (await client.list(Endpoint)).items == ()
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)


async def test_instances_that_concern_nobody_cost_no_reconcile() -> None:
    cluster = MemoryCluster()
    client = cluster.client("test")
    services = Informer(client, Service, indexes={loop.BY_SELECTOR: loop.selector_of})
    indexes = {loop.BY_INSTANCE: loop.instance_of, loop.BY_SERVICE: loop.service_of}
    endpoints = Informer(client, Endpoint, indexes=indexes)
    assignments = Informer(client, Assignment, indexes={loop.BY_LABEL: loop.labels_of})
    asked: list[Any] = []

    class Recorder(Controller):
        def enqueue(self, key: Any) -> None:
            asked.append(key)

    loop.watch(
        Recorder("endpoints", EndpointReconciler(client, (services, endpoints, assignments))),
        (services, endpoints, assignments),
    )
    await client.create(instance("plain", labels={"tier": "db"}))
    await client.create(instance("fronted", labels={"tier": "web", "zone": "1"}))
    spec = {"selector": {"tier": "web", "zone": "1"}, "ports": [{"port": 1}]}
    await client.apply(Service, "front", {"spec": spec}, namespace="default")
    jobs = []
    try:
        for informer in (services, endpoints, assignments):
            jobs.append(asyncio.create_task(informer.run()))
            await informer.has_synced.wait()
        assert asked == [("default", "assignments/fronted")]
        asked.clear()
        counted = await client.apply(
            Service, "front", {"status": {"endpoints": 3}}, namespace="default", subresource="status"
        )
        await services.wait_for_version(counted.metadata.resource_version or 0, timeout=5)
        assert asked == []
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
