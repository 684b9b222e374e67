"""A namespace under deletion is emptied in order, whatever is in its way, and then goes."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from apiserver.api.errors import Forbidden, NotFound
from apiserver.api.kinds.app import App
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.event import Event
from apiserver.api.kinds.lease import LEASES, Lease
from apiserver.api.kinds.namespace import Namespace
from apiserver.api.kinds.task import TASKS, Task
from apiserver.api.meta import Body, Condition
from apiserver.api.scheme import SCHEME
from apiserver.client.informer import Informer
from apiserver.client.testing import MemoryClient
from controllers.namespace_plan import CONDITIONS, FAILED, HELD, REMAINING, Remains, conditions, stages
from controllers.namespaces import BUSY_SECONDS, MANAGER, MAX_DELETIONS, SOON_SECONDS, NamespaceReconciler
from tests.unit.controllers.world import World, running

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEASE: Body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
ENTRY = {"name": "main", "artifactUrl": "/x", "replicas": 2, "sha256": "a" * 64}


async def put(world: World, kind: Any, name: str, **body: Any) -> None:
    entry = SCHEME.of_model(kind)
    head: Body = {"apiVersion": entry.api_version, "kind": entry.name}
    metadata = {"name": name, "namespace": "team"} | body.pop("metadata", {})
    await world.client.create(kind.from_body(head | {"metadata": metadata} | body))


async def fill(world: World) -> None:
    """A namespace with a task that runs, an app, a lease, and the events of all that."""
    await world.add_node("nodeA")
    await world.client.create(
        Namespace.from_body({"metadata": {"name": "team"}, "apiVersion": "v1", "kind": "Namespace"})
    )
    await put(world, Task, "web", spec={"entries": [ENTRY]})
    spec = {"name": "a", "version": "1", "sha256": "a" * 64, "sizeBytes": 1}
    await put(world, App, "a-1", spec=spec)
    await put(world, Lease, "mine", spec={})

    async def is_running() -> bool:
        copies = await world.client.list(Assignment, namespace="team")
        return [copy.status.phase for copy in copies.items] == ["Running", "Running"]

    await world.until(is_running)


async def is_gone(world: World) -> bool:
    try:
        await world.client.get(Namespace, "team")
    except NotFound:
        return True
    return False


async def condition(world: World, kind: str) -> Condition | None:
    found = (await world.client.get(Namespace, "team")).status.conditions
    return next((one for one in found if one.type == kind), None)


async def test_it_is_emptied_in_order_and_goes() -> None:
    async with running() as world:
        await fill(world)
        begun = world.cluster.version
        await world.client.delete(Namespace, "team")
        await world.until(lambda: is_gone(world))
        gone = [change.kind.plural for change in world.cluster.history if change.version > begun and change.gone]
        ours = [
            plural for plural in gone if plural in ("tasks", "assignments", "apps", "leases", "events", "namespaces")
        ]
        assert ours[-1] == "namespaces"
        places = {plural: (ours.index(plural), len(ours) - 1 - ours[::-1].index(plural)) for plural in set(ours)}
        assert places["tasks"][1] < places["assignments"][0]
        assert places["assignments"][1] < min(places["apps"][0], places["leases"][0])
        assert max(places["apps"][1], places["leases"][1]) < places["events"][0]
        for kind in SCHEME:
            if kind.namespaced:
                assert not (await world.client.list(kind.model, namespace="team")).items


async def test_what_holds_it_up_is_told_and_then_it_goes() -> None:
    async with running() as world:
        await fill(world)
        world.silent = {"nodeA"}
        await world.client.delete(Namespace, "team")

        async def says_so() -> bool:
            remaining, held = await condition(world, REMAINING), await condition(world, HELD)
            return bool(remaining and held and held.status == "True" and "assignments" in remaining.message)

        await world.until(says_so)
        held = await condition(world, HELD)
        assert held
        assert "plum.dev/stopped in 2 resource instances" in held.message
        assert (await world.client.get(Namespace, "team")).status.phase == "Terminating"
        assert (await world.client.list(App, namespace="team")).items, "what an instance may need stays until it ends"
        world.silent = set()
        await world.until(lambda: is_gone(world))


async def test_more_than_one_step_deletes() -> None:
    async with running(agents=False) as world:
        await world.client.create(
            Namespace.from_body({"metadata": {"name": "team"}, "apiVersion": "v1", "kind": "Namespace"})
        )
        for number in range(MAX_DELETIONS + 50):
            await put(world, Lease, f"l-{number}", spec={})
        await world.client.delete(Namespace, "team")
        await world.until(lambda: is_gone(world), seconds=20)
        assert not (await world.client.list(Lease, namespace="team")).items


async def test_where_much_is_held_not_every_end_is_a_reason_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controllers.namespaces.PAGE_SIZE", 2)
    client = MemoryClient(manager=MANAGER)
    body: Body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}
    await client.create(Namespace.from_body(body))
    for number in range(3):
        metadata = {"name": f"l-{number}", "namespace": "team", "finalizers": ["example.com/held"]}
        await client.create(Lease.from_body(LEASE | {"metadata": metadata, "spec": {}}))
    await client.delete(Namespace, "team")
    leaving = await client.get(Namespace, "team")
    known = cast(Informer[Namespace], SimpleNamespace(get=lambda *key: leaving))
    reconciler, key = NamespaceReconciler(client, known), ("", "team")
    await reconciler.reconcile(key)
    assert reconciler.pause(key) == BUSY_SECONDS
    await client.patch(Lease, "l-0", {"metadata": {"finalizers": None}}, namespace="team")
    await reconciler.reconcile(key)
    assert reconciler.pause(key) == SOON_SECONDS


async def test_a_refused_deletion_is_told() -> None:
    async with running(agents=False) as world:
        await world.client.create(
            Namespace.from_body({"metadata": {"name": "team"}, "apiVersion": "v1", "kind": "Namespace"})
        )
        await put(world, Lease, "kept", spec={}, metadata={"finalizers": ["test/hold"]})
        await world.client.delete(Lease, "kept", namespace="team")
        await put(world, Event, "told", involvedObject={})
        await world.client.delete(Namespace, "team")

        async def is_told() -> bool:
            found = await condition(world, HELD)
            return found is not None and "test/hold in 1 resource instances" in found.message

        await world.until(is_told)
        assert (await world.client.list(Event, namespace="team")).items, "events go last"
        await world.client.patch(Lease, "kept", {"metadata": {"finalizers": None}}, namespace="team")
        await world.until(lambda: is_gone(world))


async def test_nothing_comes_into_it() -> None:
    async with running() as world:
        await fill(world)
        world.silent = {"nodeA"}
        await world.client.delete(Namespace, "team")
        with pytest.raises(Forbidden, match="terminated"):
            await put(world, Lease, "late", spec={})


def test_the_order_of_kinds() -> None:
    found = [[kind.plural for kind in stage] for stage in stages([*SCHEME])]
    assert found[:2] == [["tasks"], ["assignments"]]
    assert found[-1] == ["events"]
    assert {"apps", "services", "endpoints", "leases"} <= set(found[2])
    assert not any("nodes" in stage or "namespaces" in stage for stage in found)


def test_conditions_say_what_remains_and_keep_their_times() -> None:
    left = [
        Remains(TASKS, "a", "1", is_leaving=True, finalizers=("x/y",)),
        Remains(TASKS, "b", "2", is_leaving=False, finalizers=("x/y",)),
        Remains(LEASES, "l", "3", is_leaving=True, finalizers=()),
    ]
    made = conditions(left, ["task/b: in use"], (), now=NOW)
    assert [one.type for one in made] == [FAILED, REMAINING, HELD]
    assert {one.type for one in made} == set(CONDITIONS)
    texts = [one.message for one in made]
    assert texts[0] == "Failed to delete some content: task/b: in use"
    assert texts[1] == (
        "Some resources are remaining: leases.coordination.k8s.io has 1 resource instances, "
        "tasks.plum.dev has 2 resource instances"
    )
    assert texts[2] == "Some content in the namespace has finalizers remaining: x/y in 1 resource instances"
    later = conditions([], [], made, now=NOW.replace(year=2027))
    assert [(one.status, one.last_transition_time) for one in later] == [("False", NOW.replace(year=2027))] * 3
    assert conditions(left, ["again"], made, now=NOW.replace(year=2027))[1] == made[1]
