"""All loops together over the in-memory cluster: what people see of them."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from apiserver.api import conditions
from apiserver.api.errors import InternalError
from apiserver.api.kinds.assignment import ENTRY_LABEL, NODE_LABEL, RESTARTED_AT, TASK_LABEL, Assignment
from apiserver.api.kinds.event import Event
from apiserver.api.kinds.lease import Lease
from apiserver.api.kinds.node import NODE_LEASES, Node
from apiserver.api.kinds.task import Task
from tests.unit.controllers.world import SHA, World, running


def entry(version: str = "1.0", **more: Any) -> dict[str, Any]:
    return {"name": "main", "app": {"name": "hello", "version": version}, **more}


async def start(world: World, replicas: int = 2) -> None:
    for name in ("nodeA", "nodeB"):
        await world.add_node(name)
    await world.push("hello", "1.0", "1")
    await world.apply_task(entries=[entry(replicas=replicas)])
    await world.until(lambda: world.is_ready(replicas))


async def test_a_task_becomes_placed_copies_spread_over_nodes() -> None:
    async with running() as world:
        await start(world)
        copies = await world.copies()
        assert {copy.spec.node_name for copy in copies} == {"nodeA", "nodeB"}
        assert {copy.spec.ordinal for copy in copies} == {0, 1}
        for copy in copies:
            wanted = {TASK_LABEL: "web", ENTRY_LABEL: "main", NODE_LABEL: copy.spec.node_name}
            assert copy.metadata.labels == wanted
            assert copy.spec.template.sha256 == SHA["1"]
            assert copy.spec.template.artifact_url == f"/artifacts/sha256/{SHA['1']}"

        async def is_complete() -> bool:
            status = (await world.task()).status
            return all(conditions.is_true(status.conditions, kind) for kind in ("Available", "Progressing", "Placed"))

        await world.until(is_complete)
        status = (await world.task()).status
        assert status.entries[0].sha256 == SHA["1"]
        assert status.selector == "plum.dev/task=web"
        assert (status.entries[0].desired, status.entries[0].running, status.entries[0].ready) == (2, 2, 2)


async def test_copies_that_nobody_controls_are_adopted() -> None:
    async with running() as world:
        await start(world)
        before = {copy.metadata.uid for copy in await world.copies()}
        first = (await world.copies())[0].metadata.name
        await world.client.patch(Assignment, first, {"metadata": {"ownerReferences": None}}, namespace="default")

        async def is_adopted() -> bool:
            found = await world.client.get(Assignment, first, namespace="default")
            return [owner.uid for owner in found.metadata.owner_references] == [(await world.task()).metadata.uid]

        await world.until(is_adopted)
        await world.until(lambda: world.is_ready(2))
        assert {copy.metadata.uid for copy in await world.copies()} == before


async def test_a_converged_world_is_left_alone() -> None:
    async with running() as world:
        await start(world)
        settled = -1

        async def is_still() -> bool:
            nonlocal settled
            before, settled = settled, world.cluster.version
            await asyncio.sleep(0.1)
            return before == world.cluster.version

        await world.until(is_still)


async def test_a_missing_app_is_named_with_its_remedy_and_found_when_it_comes() -> None:
    async with running() as world:
        await world.add_node("nodeA")
        await world.apply_task(entries=[entry()])

        async def is_told() -> bool:
            found = conditions.find((await world.task()).status.conditions, "Progressing")
            return found is not None and found.reason == "ArtifactMissing" and "plumctl app push" in found.message

        await world.until(is_told)
        assert await world.copies() == []
        await world.push("hello", "1.0", "1")
        await world.until(lambda: world.is_ready(1))


async def test_a_newer_push_waits_for_the_next_generation() -> None:
    async with running() as world:
        await start(world, replicas=1)
        (before,) = await world.copies()
        await world.push("hello", "1.0", "2")
        await world.apply_task("other", entries=[entry(replicas=1)])

        async def uploads() -> set[tuple[str, str]]:
            return {(copy.spec.task_name, copy.spec.template.sha256) for copy in await world.live()}

        async def until_uploads(web: str) -> None:
            async def is_so() -> bool:
                return await uploads() == {("web", SHA[web]), ("other", SHA["2"])}

            await world.until(is_so)

        await until_uploads("1")
        await world.client.patch(Task, "web", {"metadata": {"labels": {"a": "b"}}}, namespace="default")
        await until_uploads("1")
        assert before.metadata.uid in {copy.metadata.uid for copy in await world.live()}
        await world.apply_task(entries=[entry(replicas=1, startCmd="./other.sh")])
        await until_uploads("2")


async def test_a_changed_command_rolls_within_the_slots() -> None:
    async with running() as world:
        await start(world)
        before = {copy.metadata.name: copy.spec.ordinal for copy in await world.copies()}
        await world.apply_task(entries=[entry(replicas=2, startCmd="./other.sh")])

        async def is_rolled() -> bool:
            copies = await world.copies()
            return len(copies) == 2 and not before.keys() & {copy.metadata.name for copy in copies}

        await world.until(is_rolled)
        await world.until(lambda: world.is_ready(2))
        for copy in await world.copies():
            assert before[copy.spec.replaces] == copy.spec.ordinal


async def test_a_restart_annotation_rolls() -> None:
    async with running() as world:
        await start(world, replicas=1)
        (before,) = await world.copies()
        patch = {"metadata": {"annotations": {RESTARTED_AT: "2026-01-01T00:00:00Z"}}}
        await world.client.patch(Task, "web", patch, namespace="default")

        async def is_new() -> bool:
            return [c.spec.replaces for c in await world.copies()] == [before.metadata.name] and await world.is_ready(1)

        await world.until(is_new)


async def test_labels_follow_the_entry_without_a_roll_and_leave_those_of_people() -> None:
    async with running() as world:
        await start(world, replicas=1)
        (before,) = await world.copies()
        await world.client.patch(
            Assignment, before.metadata.name, {"metadata": {"labels": {"mine": "x"}}}, namespace="default"
        )
        for labels in ({"tier": "web", "zone": "1"}, {"tier": "db"}):
            await world.apply_task(entries=[entry(replicas=1, labels=labels)])

            async def has_labels(labels: dict[str, str] = labels) -> bool:
                (copy,) = await world.copies()
                ours = {key: value for key, value in copy.metadata.labels.items() if not key.startswith("plum.dev/")}
                return ours == {"mine": "x", **labels}

            await world.until(has_labels)
        assert [copy.metadata.uid for copy in await world.copies()] == [before.metadata.uid]


async def test_the_latest_command_wins() -> None:
    async with running() as world:
        await start(world)

        async def desired() -> list[str]:
            return sorted(copy.spec.desired for copy in await world.live())

        async def until_desired(*wanted: str) -> None:
            async def is_so() -> bool:
                return await desired() == list(wanted)

            await world.until(is_so)

        one = (await world.copies())[0].metadata.name
        await world.client.patch(Assignment, one, {"spec": {"desired": "Stopped"}}, namespace="default")
        await world.apply_task(entries=[entry(replicas=2, startCmd="./other.sh")])
        await world.until(lambda: is_updated(world, 2))
        assert await desired() == ["Running", "Stopped"]
        await world.apply_task(state="Stopped", entries=[entry(replicas=2, startCmd="./other.sh")])
        await until_desired("Stopped", "Stopped")
        await world.apply_task(entries=[entry(replicas=2, startCmd="./other.sh")])
        await until_desired("Running", "Running")
        await world.until(lambda: world.is_ready(2))


async def is_updated(world: World, count: int) -> bool:
    task = await world.task()
    status = task.status
    current = status.observed_generation == task.metadata.generation
    return current and status.updated_replicas == status.replicas == count


async def test_a_deleted_copy_is_replaced() -> None:
    async with running() as world:
        await start(world)
        one = (await world.copies())[0].metadata.name
        world.silent = {"nodeA", "nodeB"}  # what ends before anybody looks has no successor that names it
        await world.client.delete(Assignment, one, namespace="default")

        async def has_successor() -> bool:
            return one in {copy.spec.replaces for copy in await world.copies()}

        await world.until(has_successor)
        world.silent = set()

        async def is_replaced() -> bool:
            copies = await world.copies()
            return one not in {c.metadata.name for c in copies} and one in {c.spec.replaces for c in copies}

        await world.until(is_replaced)
        await world.until(lambda: world.is_ready(2))


async def test_the_name_of_a_copy_that_went_at_once_does_not_come_back() -> None:
    """One that has ended already has nothing left to wait for."""
    async with running() as world:
        await start(world)
        names = {copy.metadata.name for copy in await world.copies()}
        for one in sorted(names):
            await world.client.patch(Assignment, one, {"metadata": {"finalizers": None}}, namespace="default")
            await world.client.delete(Assignment, one, namespace="default")

        async def are_replaced() -> bool:
            return len(found := {copy.metadata.name for copy in await world.copies()}) == 2 and not found & names

        await world.until(are_replaced)


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
async def test_a_deleted_task_takes_its_copies_along(propagation: Any) -> None:
    async with running() as world:
        await start(world)
        world.silent = {"nodeA", "nodeB"}
        await world.client.delete(Task, "web", namespace="default", propagation=propagation)

        async def are_leaving() -> bool:
            return len(await world.copies()) == 2 and not await world.live()

        await world.until(are_leaving)
        assert await world.is_gone(Task, "web") == (propagation == "Background")
        world.silent = set()

        async def is_empty() -> bool:
            return not await world.copies() and await world.is_gone(Task, "web")

        await world.until(is_empty)


async def test_an_orphaning_deletion_leaves_the_copies() -> None:
    async with running() as world:
        await start(world)
        await world.client.delete(Task, "web", namespace="default", propagation="Orphan")
        await world.until(lambda: world.is_gone(Task, "web"))
        copies = await world.copies()
        assert len(copies) == 2
        assert not any(copy.metadata.owner_references for copy in copies)


async def test_a_silent_node_is_unknown_and_so_is_what_runs_there() -> None:
    async with running() as world:
        await start(world)
        world.silent = {"nodeA"}
        await world.set_lease("nodeA", "Expired")

        async def phases() -> dict[str, Any]:
            return {copy.spec.node_name: copy.status.phase for copy in await world.copies()}

        async def is_unknown() -> bool:
            node = await world.client.get(Node, "nodeA")
            ready = conditions.find(node.status.conditions, "Ready")
            unknown = ready is not None and (ready.status, ready.reason) == ("Unknown", "LeaseExpired")
            return unknown and await phases() == {"nodeA": "Unknown", "nodeB": "Running"}

        await world.until(is_unknown)
        await world.set_lease("nodeA", "Held")
        world.silent = set()
        await world.until(lambda: world.is_ready(2))


async def test_a_node_whose_agent_ended_everything_is_not_ready_at_once() -> None:
    async with running() as world:
        await start(world)
        world.silent = {"nodeA"}
        (copy,) = [copy for copy in await world.live() if copy.spec.node_name == "nodeA"]
        agent = world.cluster.client("plum-agent")
        ended: dict[str, Any] = {
            "phase": "Stopped",
            "reason": "AgentStopped",
            "conditions": [{"type": "Ready", "status": "False"}],
        }
        await agent.apply(Assignment, copy.metadata.name, {"status": ended}, namespace="default", subresource="status")
        await world.client.patch(Lease, "nodeA", {"spec": {"holderIdentity": ""}}, namespace=NODE_LEASES)
        await world.set_lease("nodeA", "Expired")

        async def is_stopped() -> bool:
            node = await world.client.get(Node, "nodeA")
            ready = conditions.find(node.status.conditions, "Ready")
            return ready is not None and (ready.status, ready.reason) == ("False", "AgentStopped")

        await world.until(is_stopped)
        found = await world.client.get(Assignment, copy.metadata.name, namespace="default")
        assert (found.status.phase, found.status.reason) == ("Stopped", "AgentStopped"), "what the agent said stands"
        await world.client.delete(Assignment, copy.metadata.name, namespace="default")
        await world.until(lambda: world.is_gone(Assignment, copy.metadata.name))


async def test_nothing_is_placed_where_everything_is_about_to_end() -> None:
    async with running() as world:
        for name in ("nodeA", "nodeB"):
            await world.add_node(name)
        draining: dict[str, Any] = {"conditions": [{"type": "Draining", "status": "True", "reason": "AgentDraining"}]}
        await world.client.apply(Node, "nodeA", {"status": draining}, subresource="status")
        await world.push("hello", "1.0", "1")
        await world.apply_task(entries=[entry(replicas=2)])
        await world.until(lambda: world.is_ready(2))
        assert {copy.spec.node_name for copy in await world.live()} == {"nodeB"}


async def test_what_is_deleted_on_a_node_that_is_gone_goes() -> None:
    async with running() as world:
        await world.add_node("nodeA")
        await world.push("hello", "1.0", "1")
        await world.apply_task(entries=[entry(nodeReplicas={"nodeA": 1})])
        await world.until(lambda: world.is_ready(1))
        world.silent = {"nodeA"}
        await world.client.delete(Node, "nodeA")

        async def lease_is_gone() -> bool:
            return not (await world.client.list(Lease, namespace=NODE_LEASES)).items

        await world.until(lease_is_gone)
        await world.client.delete(Task, "web", namespace="default")

        async def is_empty() -> bool:
            return not await world.copies()

        await world.until(is_empty)


async def test_a_node_that_is_named_and_does_not_exist_is_told_until_it_comes() -> None:
    async with running() as world:
        await world.add_node("nodeA")
        await world.push("hello", "1.0", "1")
        world.silent = {"nodeX"}
        await world.apply_task(entries=[entry(nodeReplicas={"nodeA": 1, "nodeX": 2})])

        async def placed() -> tuple[str, str, str]:
            found = conditions.find((await world.task()).status.conditions, "Placed")
            return (found.status, found.reason, found.message) if found else ("", "", "")

        async def is_told() -> bool:
            return (await placed())[:2] == ("False", "NoSuchNode")

        await world.until(is_told)
        assert (await placed())[2] == (
            "2 of 3 copies are for nodes that do not exist: nodeX; start plum-agent with that --node, "
            "or correct nodeReplicas"
        )
        world.silent = set()
        await world.add_node("nodeX")
        await world.until(lambda: world.is_ready(3))

        async def is_placed() -> bool:
            return (await placed())[:2] == ("True", "AllPlaced")

        await world.until(is_placed)
        await world.client.delete(Node, "nodeX")
        await world.until(is_told)


async def test_copies_without_a_node_say_why_until_there_is_one() -> None:
    async with running() as world:
        await world.push("hello", "1.0", "1")
        await world.apply_task(entries=[entry(replicas=2, ports=[{"name": "http", "port": 8000}])])

        async def reasons() -> list[str]:
            found = (conditions.find(c.status.conditions, "Placed") for c in await world.copies())
            return sorted(f"{c.status} {c.reason}" if c else "" for c in found)

        async def until_reasons(*wanted: str) -> None:
            async def is_so() -> bool:
                return await reasons() == list(wanted)

            await world.until(is_so)

        await until_reasons("False NoReadyNode", "False NoReadyNode")
        await world.add_node("nodeA")
        await until_reasons("False PortTaken", "True Bound")

        async def is_told() -> bool:
            placed = conditions.find((await world.task()).status.conditions, "Placed")
            return placed is not None and placed.reason == "PortTaken" and "8000" in placed.message

        await world.until(is_told)
        await world.add_node("nodeB")
        await until_reasons("True Bound", "True Bound")
        await world.until(lambda: world.is_ready(2))


async def test_unplaced_copies_go_at_once_when_their_task_does() -> None:
    async with running() as world:
        await world.push("hello", "1.0", "1")
        await world.apply_task(entries=[entry()])

        async def is_there() -> bool:
            return len(await world.copies()) == 1

        await world.until(is_there)
        await world.client.delete(Task, "web", namespace="default", propagation="Foreground")
        await world.until(lambda: world.is_gone(Task, "web"))
        assert await world.copies() == []


async def test_the_loops_survive_a_failing_server_and_cut_watches() -> None:
    async with running() as world:
        await start(world)
        world.cluster.cut_watches()
        world.cluster.fail_next(20, InternalError("a fault"))

        async def is_applied() -> bool:
            with suppress(InternalError):
                await world.apply_task(entries=[entry(replicas=3)])
                return True
            return False

        await world.until(is_applied)
        await world.until(lambda: world.is_ready(3))


async def test_people_are_told_by_events() -> None:
    async with running() as world:
        await start(world)

        async def is_told() -> bool:
            return {"Created", "NodeReady"} <= {event.reason for event in (await world.client.list(Event)).items}

        await world.until(is_told)
