"""Which copies are told to wait for others, as tables, and how that goes when all loops run."""

from datetime import UTC, datetime
from typing import Any

import pytest

from apiserver.api import conditions
from apiserver.api.expansion import Resolution
from apiserver.api.kinds.assignment import DEPENDENCIES_READY, Assignment
from apiserver.api.kinds.event import Event
from apiserver.api.kinds.task import Task
from controllers.dependencies import tell
from controllers.task_status import summarize
from tests.unit.controllers.world import World, running

TOLD = {"type": DEPENDENCIES_READY, "status": "True", "reason": "DependenciesReady", "message": ""}


def copy(entry: str, phase: str = "Running", *told: dict[str, Any], ready: bool = False, **spec: Any) -> Assignment:
    template = {"artifactUrl": "/x", "sha256": "a" * 64} | spec.pop("template", {})
    if entry == "web":
        template["dependsOn"] = ["db", "job"]
    return Assignment.from_body(
        {
            "apiVersion": "plum.dev/v1",
            "kind": "Assignment",
            "metadata": {"name": f"{entry}-1", "namespace": "default", "uid": f"uid-{entry}"},
            "spec": {"taskName": "t", "entry": entry, "template": template, "templateHash": "h", **spec},
            "status": {
                "phase": phase,
                "conditions": [{"type": "Ready", "status": "True" if ready else "False"}, *told],
            },
        }
    )


WEB = copy("web")
DB = copy("db", ready=True)
DONE = copy("job", "Exited", template={"restartPolicy": "OnFailure"})


@pytest.mark.parametrize(
    ("copies", "status", "message"),
    [
        pytest.param([WEB, DB, DONE], "True", "", id="ready and completed"),
        pytest.param([WEB, copy("db"), DONE], "False", "waits for db", id="not ready"),
        pytest.param([WEB, copy("db", "Unknown", ready=True), DONE], "False", "waits for db", id="nobody knows"),
        pytest.param([WEB, copy("db", ready=True, desired="Stopped"), DONE], "False", "waits for db", id="stopping"),
        pytest.param([WEB, DB, copy("job", "Exited")], "False", "waits for job", id="will start again"),
        pytest.param([WEB, DB, copy("job", "Failed")], "False", "waits for job", id="failed"),
        pytest.param([WEB, DB], "False", "waits for job (which has no copies)", id="no copies"),
        pytest.param([WEB, copy("db"), copy("job")], "False", "waits for db, job", id="both"),
        pytest.param([WEB, copy("db"), DB, DONE], "True", "", id="one of two is enough"),
        pytest.param([copy("web", "Running", TOLD), DB], "False", "waits for job (which has no copies)", id="no more"),
    ],
)
def test_what_a_copy_is_told(copies: list[Assignment], status: str, message: str) -> None:
    (fact,) = tell(copies)
    assert fact.assignment.spec.entry == "web"
    assert (fact.status, fact.message) == (status, message)


def test_what_was_told_is_not_told_again() -> None:
    assert tell([copy("web", "Running", TOLD), DB, DONE]) == []
    assert tell([DB, DONE]) == []


def test_what_has_completed_is_not_missing() -> None:
    """A task is available whose only entry is a job that has run."""
    job = {"name": "job", "artifactUrl": "/x", "restartPolicy": "OnFailure"}
    body = {"metadata": {"name": "t", "namespace": "default", "uid": "u"}, "spec": {"entries": [job]}}
    task = Task.from_body({"apiVersion": "plum.dev/v1", "kind": "Task", **body})
    for copies, expected in (([DONE], "True"), ([copy("job", "Exited")], "False"), ([copy("job", "Failed")], "False")):
        found = summarize(task, copies, Resolution(), now=datetime(2026, 1, 1, tzinfo=UTC))
        available = conditions.find(found.conditions, "Available")
        assert available is not None
        assert available.status == expected


async def told(world: World, entry: str) -> str:
    found = [
        conditions.find(c.status.conditions, DEPENDENCIES_READY) for c in await world.live() if entry == c.spec.entry
    ]
    return " ".join(f"{one.status}: {one.message}" if one else "nothing" for one in found)


async def test_the_condition_follows_the_copies_that_come_first() -> None:
    async with running() as world:
        await world.add_node("nodeA")
        await world.add_node("nodeB")
        await world.push("hello", "1.0", "1")
        world.silent = {"nodeA"}
        app = {"name": "hello", "version": "1.0"}
        await world.apply_task(
            entries=[
                {"name": "web", "app": app, "nodeReplicas": {"nodeB": 1}, "dependsOn": ["db"]},
                {"name": "db", "app": app, "nodeReplicas": {"nodeA": 1}},
            ]
        )

        async def until_told(wanted: str) -> None:
            async def is_so() -> bool:
                return await told(world, "web") == wanted

            await world.until(is_so)

        await until_told("False: waits for db")
        world.silent = set()
        await until_told("True: ")
        assert await told(world, "db") == "nothing"
        (db,) = [one for one in await world.live() if one.spec.entry == "db"]
        await world.client.patch(Assignment, db.metadata.name, {"spec": {"desired": "Stopped"}}, namespace="default")
        await until_told("False: waits for db")
        owners = {
            managed.manager
            for one in await world.live()
            for managed in one.metadata.managed_fields
            if DEPENDENCIES_READY in str(managed.fields_v1)
        }
        assert owners == {"plum-task-controller"}
        assert not [one for one in (await world.client.list(Event)).items if one.type == "Warning"]
