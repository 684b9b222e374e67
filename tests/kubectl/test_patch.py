"""Small changes: patch, label, annotate, status."""

import pytest

from tests.kubectl.room import Room

PATCH = '{"metadata":{"labels":{"a":"b"}}}'


@pytest.fixture
def web(room: Room) -> Room:
    room.create("web")
    return room


def test_merge_patches(web: Room) -> None:
    patch = ("patch", "task", "web", "--type=merge", "-p", PATCH)
    assert web.kubectl(*patch) == "task.plum.dev/web patched\n"
    assert web.kubectl(*patch) == "task.plum.dev/web patched (no change)\n"
    assert web.get("tasks", "web")["metadata"]["labels"] == {"a": "b"}


def test_json_patches(web: Room) -> None:
    patch = ("patch", "task", "web", "--type=json", "-p")
    web.kubectl(*patch, '[{"op":"replace","path":"/spec/entries/0/replicas","value":2}]')
    assert web.entry("web")["replicas"] == 2
    said = web.kubectl.refused(*patch, '[{"op":"test","path":"/spec/state","value":"Stopped"}]')
    assert "test /spec/state" in said


def test_strategic_patches_are_refused_with_what_would_do(web: Room) -> None:
    said = web.kubectl.refused("patch", "task", "web", "-p", PATCH)
    assert "application/strategic-merge-patch+json is not supported by plum.dev/v1, Kind=Task" in said
    assert "application/merge-patch+json" in said


def test_strategic_patches_of_kinds_that_kubectl_knows(web: Room) -> None:
    assert web.kubectl("patch", "ns", web.namespace, "-p", PATCH) == f"namespace/{web.namespace} patched\n"


def test_the_status_has_a_door_of_its_own(web: Room) -> None:
    patch = ("patch", "task", "web", "--type=merge", "-p", '{"status":{"note":"mine"}}')
    web.kubectl(*patch)
    assert "note" not in web.get("tasks", "web")["status"]
    web.kubectl(*patch, "--subresource=status")
    assert web.kubectl("get", "task", "web", "--subresource=status", "-o", "jsonpath={.status.note}") == "mine"


@pytest.mark.parametrize(
    ("command", "done", "place"), [("label", "labeled", "labels"), ("annotate", "annotated", "annotations")]
)
def test_labels_and_annotations(web: Room, command: str, done: str, place: str) -> None:
    kubectl, change = web.kubectl, (command, "task", "web")
    assert kubectl(*change, "a=b") == f"task.plum.dev/web {done}\n"
    assert "--overwrite is false" in kubectl.refused(*change, "a=c")
    assert kubectl(*change, "a=c", "--overwrite") == f"task.plum.dev/web {done}\n"
    assert "a=c" in kubectl(*change, "--list")
    kubectl(command, "tasks", "--all", "d=e")
    kubectl(*change, "a-")
    assert web.get("tasks", "web")["metadata"][place] == {"d": "e"}


def test_a_label_that_is_none(web: Room) -> None:
    assert "is invalid: metadata.labels" in web.kubectl.refused(
        "patch", "task", "web", "--type=merge", "-p", '{"metadata":{"labels":{"a b":"c"}}}'
    )
