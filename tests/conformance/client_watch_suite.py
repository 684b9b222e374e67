"""What every client promises of watches."""

import asyncio
from contextlib import aclosing

import pytest

from apiserver.api.errors import Expired
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.task import Task
from apiserver.api.meta import Body
from apiserver.client.informer import Informer
from tests.conformance.client_world import World, assignment, change_a_lot, config, task, told, watched


class WatchSuite:
    """Subclasses provide a fixture ``world``."""

    async def test_a_watch_tells_each_change_once_and_in_order(self, world: World) -> None:
        client = world.client("alice")
        start = await client.list(Task, namespace=world.namespace)
        await change_a_lot(client, world)
        events = await watched(client, world, start.resource_version, 4)
        assert [told(event) for event in events] == ["ADDED a", "ADDED b", "MODIFIED a", "DELETED a"]
        versions = [int(event.resource_version) for event in events]
        assert versions == sorted(set(versions))
        for event in events:
            assert event.object
            assert event.object.metadata.resource_version == event.resource_version

    async def test_a_watch_sees_changes_made_while_it_is_open(self, world: World) -> None:
        client = world.client("alice")
        start = await client.list(Task, namespace=world.namespace)
        watching = asyncio.create_task(watched(client, world, start.resource_version, 4))
        await change_a_lot(client, world)
        assert [told(event) for event in await watching] == ["ADDED a", "ADDED b", "MODIFIED a", "DELETED a"]

    async def test_a_watch_resumes_after_any_version(self, world: World) -> None:
        client = world.client("alice")
        start = await client.list(Task, namespace=world.namespace)
        await change_a_lot(client, world)
        events = await watched(client, world, start.resource_version, 4)
        for seen in range(1, 4):
            rest = await watched(client, world, events[seen - 1].resource_version, 4 - seen)
            assert rest == events[seen:]

    async def test_entering_a_selection_is_added_and_leaving_it_deleted(self, world: World) -> None:
        client = world.client("alice")
        await client.create(task(world, "a", tier="db"))
        start = await client.list(Task, namespace=world.namespace)
        for tier in ("web", "web2", "web", None):
            patch: Body = {"metadata": {"labels": {"tier": tier}}}
            await client.patch(Task, "a", patch, namespace=world.namespace)
        await client.delete(Task, "a", namespace=world.namespace)
        await client.create(task(world, "z", tier="web"))
        events = await watched(client, world, start.resource_version, 5, labels="tier=web")
        assert [told(event) for event in events] == ["ADDED a", "DELETED a", "ADDED a", "DELETED a", "ADDED z"]

    async def test_field_selectors_follow_transitions_too(self, world: World) -> None:
        client = world.client("alice")
        start = await client.list(Assignment, namespace=world.namespace)
        await client.create(assignment(world, "a", ""))
        await client.create(assignment(world, "b", "n2"))
        await client.patch(Assignment, "a", {"spec": {"nodeName": "n1"}}, namespace=world.namespace)
        stream = client.watch(
            Assignment,
            resource_version=start.resource_version,
            namespace=world.namespace,
            fields="spec.nodeName=n1",
        )
        async with aclosing(stream), asyncio.timeout(10):
            event = await anext(stream)
        assert told(event) == "ADDED a"

    async def test_a_write_that_changes_nothing_is_not_told(self, world: World) -> None:
        client = world.client("alice")
        start = await client.list(Task, namespace=world.namespace)
        for _ in range(3):
            await client.apply(Task, "a", config(), namespace=world.namespace)
        await client.create(task(world, "b"))
        events = await watched(client, world, start.resource_version, 2)
        assert [told(event) for event in events] == ["ADDED a", "ADDED b"]

    async def test_a_watch_ends_by_itself(self, world: World) -> None:
        client = world.client("alice")
        start = await client.list(Task, namespace=world.namespace)
        stream = client.watch(Task, resource_version=start.resource_version, namespace=world.namespace, timeout=1)
        async with asyncio.timeout(10):
            assert [event async for event in stream if event.type != "BOOKMARK"] == []

    async def test_a_forgotten_version_is_expired(self, world: World) -> None:
        client = world.client("alice")
        await client.create(task(world, "a"))
        await client.create(task(world, "b"))
        start = await client.list(Task, namespace=world.namespace, limit=1)
        await world.forget_history()
        with pytest.raises(Expired):
            await watched(client, world, start.resource_version, 1)
        with pytest.raises(Expired):
            await client.list(Task, namespace=world.namespace, limit=1, continue_token=start.continue_token)

    async def test_an_informer_ends_with_what_the_server_has(self, world: World) -> None:
        client = world.client("alice")
        informer = Informer(client, Task, namespace=world.namespace, page_size=2)
        for number in range(5):
            await client.create(task(world, f"t{number}"))
        running = asyncio.create_task(informer.run())
        try:
            await change_a_lot(client, world)
            await client.delete(Task, "t3", namespace=world.namespace)
            last = await client.create(task(world, "last"))
            await informer.wait_for_version(last.metadata.resource_version or "", timeout=10)
            page = await client.list(Task, namespace=world.namespace)
            assert sorted(informer.items(), key=lambda item: item.key) == list(page.items)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
