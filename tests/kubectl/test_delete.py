"""``kubectl delete`` and what it waits for."""

from pathlib import Path

from tests.e2e.cluster import wait_for
from tests.kubectl.room import Room


def test_by_name_file_and_selector(room: Room, tmp_path: Path) -> None:
    kubectl = room.kubectl
    for name in ("a", "b", "c", "d"):
        room.create(name, labels={"half": "first" if name in "ab" else "second"})
    assert kubectl("delete", "task", "a", "--dry-run=server") == 'task.plum.dev "a" deleted (server dry run)\n'
    assert kubectl("delete", "task", "a") == 'task.plum.dev "a" deleted\n'
    assert 'tasks.plum.dev "a" not found' in kubectl.refused("delete", "task", "a")
    assert kubectl("delete", "task", "a", "--ignore-not-found") == ""
    assert kubectl("delete", "-f", room.file(tmp_path / "b.yaml", room.task("b"))) == 'task.plum.dev "b" deleted\n'
    assert kubectl("delete", "tasks", "-l", "half=second") == 'task.plum.dev "c" deleted\ntask.plum.dev "d" deleted\n'
    assert kubectl("delete", "tasks", "--all") == "No resources found\n"


def test_processes_end_with_their_task(room: Room) -> None:
    room.create("web", replicas=2)
    room.running("web", 2)
    assert room.kubectl("delete", "task", "web", "--cascade=foreground") == 'task.plum.dev "web" deleted\n'
    assert room.copies("web") == []


def test_a_finalizer_holds_the_object_and_kubectl_waits(room: Room) -> None:
    kubectl = room.kubectl
    manifest = room.task("held")
    manifest["metadata"]["finalizers"] = ["example.com/hold"]
    kubectl("create", "-f", "-", stdin=manifest)
    assert "timed out waiting for the condition on tasks/held" in kubectl.refused(
        "delete", "task", "held", "--timeout=1s"
    )
    assert room.get("tasks", "held")["metadata"]["deletionTimestamp"]
    assert kubectl("delete", "task", "held", "--wait=false") == 'task.plum.dev "held" deleted\n'
    kubectl("patch", "task", "held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert kubectl("wait", "--for=delete", "task/held", "--timeout=10s") in ("", "task.plum.dev/held condition met\n")


def test_orphans_stay(room: Room) -> None:
    room.create("parent", replicas=1)
    (copy,) = room.running("parent", 1)
    room.kubectl("delete", "task", "parent", "--cascade=orphan")
    left = wait_for(
        "the copy without its owner",
        lambda: [c for c in room.copies("parent") if not c["metadata"].get("ownerReferences")],
    )
    assert left[0]["metadata"]["uid"] == copy["metadata"]["uid"]
    room.kubectl("delete", "assignments", "--all")


def test_orphans_are_adopted(room: Room) -> None:
    room.create("parent", replicas=2)
    before = {copy["metadata"]["uid"] for copy in room.running("parent", 2)}
    room.kubectl("delete", "task", "parent", "--cascade=orphan")
    assert {copy["metadata"]["uid"] for copy in room.copies("parent")} == before
    room.create("parent", replicas=2)
    uid = room.kubectl("get", "task", "parent", "-o", "jsonpath={.metadata.uid}")
    room.kubectl("wait", "--for=condition=Available", "task/parent", "--timeout=30s")
    copies = room.copies("parent")
    assert {copy["metadata"]["uid"] for copy in copies} == before
    assert {copy["metadata"]["ownerReferences"][0]["uid"] for copy in copies} == {uid}


def test_a_deleted_copy_is_replaced(room: Room) -> None:
    room.create("web", replicas=1)
    (copy,) = room.running("web", 1)
    room.kubectl("delete", "assignment", copy["metadata"]["name"])
    (other,) = room.running("web", 1)
    assert other["metadata"]["name"] != copy["metadata"]["name"]
