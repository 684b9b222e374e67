"""What the suites of clients are given, and what they make of it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, Protocol

from apiserver.api.kinds.assignment import Assignment, AssignmentSpec, Template
from apiserver.api.kinds.task import Entry, Task, TaskSpec
from apiserver.api.meta import Body, ObjectMeta
from apiserver.client.interface import Client, WatchEvent


class World(Protocol):
    """A server with a namespace of its own for the test."""

    namespace: str

    def client(self, manager: str) -> Client: ...

    def fenced(self, manager: str, fence: Callable[[], str]) -> Client: ...

    async def forget_history(self) -> None:
        """Make every version so far too old to watch from."""
        ...


def fenced_writes(client: Client, world: World) -> list[Callable[[], Awaitable[object]]]:
    """A write by each verb; made in order, all of them change something."""
    room, stopped = world.namespace, {"spec": {"state": "Stopped"}}
    return [
        lambda: client.create(task(world, "a")),
        lambda: client.patch(Task, "a", stopped, namespace=room),
        lambda: client.patch(Task, "a", {"status": {"replicas": 1}}, namespace=room, subresource="status"),
        lambda: client.patch(Task, "a", [{"op": "replace", "path": "/spec/state", "value": "Running"}], namespace=room),
        lambda: client.apply(Task, "a", stopped, namespace=room),
        lambda: client.delete(Task, "a", namespace=room),
    ]


async def change_a_lot(client: Client, world: World) -> None:
    await client.create(task(world, "a"))
    await client.create(task(world, "b"))
    await client.patch(Task, "a", {"spec": {"state": "Stopped"}}, namespace=world.namespace)
    await client.delete(Task, "a", namespace=world.namespace)


async def watched(client: Client, world: World, since: str, number: int, *, labels: str = "") -> list[WatchEvent[Task]]:
    """The first events after a version, without bookmarks."""
    found: list[WatchEvent[Task]] = []
    stream = client.watch(Task, resource_version=since, namespace=world.namespace, labels=labels)
    async with aclosing(stream), asyncio.timeout(10):
        async for event in stream:
            if event.type != "BOOKMARK":
                found.append(event)
            if len(found) == number:
                break
    return found


def told(event: WatchEvent[Any]) -> str:
    return f"{event.type} {event.object.metadata.name if event.object else ''}"


async def names(client: Client, world: World, *, labels: str = "", fields: str = "") -> list[str]:
    page = await client.list(Task, namespace=world.namespace, labels=labels, fields=fields)
    return [item.metadata.name for item in page.items]


def version(item: Task) -> int:
    return int(item.metadata.resource_version or 0)


def spec() -> TaskSpec:
    return TaskSpec(entries=(Entry(name="main", artifact_url="/artifacts/x", replicas=1),))


def task(world: World, name: str, *, tier: str = "", finalizers: tuple[str, ...] = ()) -> Task:
    labels = {"tier": tier} if tier else {}
    metadata = ObjectMeta(name=name, namespace=world.namespace, labels=labels, finalizers=finalizers)
    return Task(metadata=metadata, spec=spec())


def config(*, state: str = "", metadata: Body | None = None) -> Body:
    body: Body = {"spec": {"entries": [{"name": "main", "artifactUrl": "/artifacts/x", "replicas": 1}]}}
    if state:
        body["spec"]["state"] = state
    return body | ({"metadata": metadata} if metadata else {})


def assignment(world: World, name: str, node: str) -> Assignment:
    return Assignment(
        metadata=ObjectMeta(name=name, namespace=world.namespace),
        spec=AssignmentSpec(
            task_name="t",
            entry="main",
            node_name=node,
            template=Template(artifact_url="/x", sha256="0" * 64),
            template_hash="h",
        ),
    )
