"""``kubectl get`` in all its forms, and watching."""

import json
import re
from itertools import count
from pathlib import Path

import pytest

from tests.e2e.cluster import wait_for
from tests.kubectl.room import Room


@pytest.fixture
def two(room: Room) -> Room:
    """With the tasks ``one`` (tier=front) and ``two`` (tier=back)."""
    room.create("one", labels={"tier": "front"})
    room.create("two", labels={"tier": "back"})
    return room


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_tables(two: Room) -> None:
    kubectl, space = two.kubectl, two.namespace
    assert rows(kubectl("get", "tasks"))[0] == ["NAME", "STATE", "READY", "UP-TO-DATE", "AGE"]
    assert [row[:4] for row in rows(kubectl("get", "tk", "--no-headers"))] == [
        ["one", "Running", "0/0", "0"],
        ["two", "Running", "0/0", "0"],
    ]
    assert rows(kubectl("get", "task", "one", "-o", "wide"))[0][-2:] == ["APPS", "SELECTOR"]
    everywhere = rows(kubectl("get", "tasks.plum.dev", "--all-namespaces"))
    assert everywhere[0][:2] == ["NAMESPACE", "NAME"]
    assert [space, "one"] in [row[:2] for row in everywhere]
    assert rows(kubectl("get", "tasks", "-L", "tier"))[1][-1] == "front"
    assert rows(kubectl("get", "tasks", "--show-labels"))[2][-1] == "tier=back"
    assert [row[0] for row in rows(kubectl("get", "tasks", "--no-headers", "--sort-by", ".metadata.labels.tier"))] == [
        "two",
        "one",
    ]


def test_selections(two: Room) -> None:
    kubectl = two.kubectl
    for chosen, names in (
        (("-l", "tier=front"), "one"),
        (("-l", "tier!=front"), "two"),
        (("-l", "tier in (front,back)"), "one two"),
        (("--field-selector", "metadata.name=two"), "two"),
        (("--chunk-size", "1"), "one two"),
    ):
        assert kubectl("get", "tasks", *chosen, "-o", "jsonpath={.items[*].metadata.name}") == names
    assert kubectl("get", "task/one", "task/two", "-o", "name") == "task.plum.dev/one\ntask.plum.dev/two\n"
    assert "field label not supported" in kubectl.refused("get", "tasks", "--field-selector", "spec.nope=1")


def test_outputs(two: Room) -> None:
    kubectl = two.kubectl
    found = kubectl.json("get", "task", "one")
    assert (found["apiVersion"], found["kind"], found["metadata"]["name"]) == ("plum.dev/v1", "Task", "one")
    assert kubectl.json("get", "tasks")["kind"] == "List"
    assert "\nkind: Task\n" in kubectl("get", "task", "one", "-o", "yaml")
    assert kubectl("get", "tasks", "-o", "name") == "task.plum.dev/one\ntask.plum.dev/two\n"
    columns = "custom-columns=WHO:.metadata.name,TIER:.metadata.labels.tier"
    assert rows(kubectl("get", "tasks", "-o", columns)) == [["WHO", "TIER"], ["one", "front"], ["two", "back"]]
    assert kubectl("get", "task", "one", "-o", "go-template={{.spec.state}}") == "Running"
    assert json.loads(kubectl("get", "--raw", two.path("tasks", "one")))["metadata"]["uid"] == found["metadata"]["uid"]


def test_what_is_not_there(room: Room) -> None:
    kubectl = room.kubectl
    said = kubectl.refused("get", "task", "none")
    assert said == 'Error from server (NotFound): tasks.plum.dev "none" not found\n'
    assert kubectl("get", "task", "none", "--ignore-not-found") == ""
    assert "the server doesn't have a resource type" in kubectl.refused("get", "nonsense")
    empty = kubectl.run("get", "tasks")
    assert (empty.returncode, empty.stderr) == (0, f"No resources found in {room.namespace} namespace.\n")


def test_several_kinds_and_categories(two: Room) -> None:
    text = two.kubectl("get", "tasks,nodes,ns")
    for row in ("task.plum.dev/one ", "node.plum.dev/nodeA ", "namespace/default "):
        assert f"\n{row}" in text
    assert "task.plum.dev/one" in two.kubectl("get", "all")


def test_watching(room: Room, tmp_path: Path) -> None:
    kubectl, out = room.kubectl, tmp_path / "out"
    room.create("seen")
    with kubectl.running("get", "tasks", "--watch", "--output-watch-events", out=out):
        wait_for("what there is", lambda: "seen" in out.read_text())
        kubectl("patch", "task", "seen", "--type=merge", "-p", '{"spec":{"state":"Stopped"}}')
        wait_for("a change", lambda: re.search(r"MODIFIED +seen +Stopped", out.read_text()))
        room.create("later")
        wait_for("a new one", lambda: re.search(r"ADDED +later +Running", out.read_text()))
        kubectl("delete", "task", "later", "--wait=false")
        wait_for("its end", lambda: re.search(r"DELETED +later", out.read_text()))
    assert out.read_text().count("EVENT") == 1  # columns come with the first frame alone


def test_watching_one_object(room: Room, tmp_path: Path) -> None:
    """The first event of such a watch is swallowed by kubectl, which has shown the object already."""
    out = tmp_path / "out"
    room.create("single")
    path = "jsonpath={.metadata.labels.step} "
    steps = count()

    def is_watching() -> bool:
        """Whether a change is told; one that comes before the watch has begun is in what is swallowed."""
        room.kubectl("label", "task", "single", f"step=early-{next(steps)}", "--overwrite")
        return "early" in out.read_text()

    with room.kubectl.running("get", "task", "single", "-w", "-o", path, out=out):
        wait_for("the watch", is_watching)
        for step in ("a", "b"):
            room.kubectl("label", "task", "single", f"step={step}", "--overwrite")
            wait_for(f"step {step}", lambda step=step: f" {step} " in out.read_text())  # type: ignore[misc]


def test_a_watch_ends_when_its_time_is_up(room: Room) -> None:
    assert room.kubectl("get", "tasks", "--watch-only", "--request-timeout=1s") == ""
