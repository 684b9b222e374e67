"""Manifests: create, apply, diff, replace, edit, prune, dry runs."""

import json
from pathlib import Path

from tests.kubectl.room import Room


def test_apply_is_created_then_configured_then_unchanged(room: Room, tmp_path: Path) -> None:
    kubectl = room.kubectl
    service = {"apiVersion": "plum.dev/v1", "kind": "Service", "metadata": {"name": "shop"}, "spec": {}}
    path = room.file(tmp_path / "all.yaml", room.task("web"), service)
    assert kubectl("apply", "-f", path) == "task.plum.dev/web created\nservice.plum.dev/shop created\n"
    version = room.get("tasks", "web")["metadata"]["generation"]
    again = kubectl("apply", "-f", path).splitlines()
    assert again[1] == "service.plum.dev/shop unchanged"
    assert room.get("tasks", "web")["metadata"]["generation"] == version
    assert kubectl.run("diff", "-f", path).returncode == 0
    room.file(tmp_path / "all.yaml", room.task("web", replicas=0, labels={"changed": "once"}), service)
    changed = kubectl.run("diff", "-f", path)
    assert (changed.returncode, "+    changed: once" in changed.stdout) == (1, True)
    assert kubectl("apply", "-f", path).startswith("task.plum.dev/web configured\n")
    assert kubectl("apply", "view-last-applied", "task/web").count("changed: once") == 1


def test_what_left_the_manifest_leaves_the_object(room: Room) -> None:
    kubectl = room.kubectl
    kubectl("apply", "-f", "-", stdin=room.task("web", labels={"a": "1", "b": "2"}))
    kubectl("label", "task", "web", "c=3")
    kubectl("apply", "-f", "-", stdin=room.task("web", labels={"a": "1"}))
    assert room.get("tasks", "web")["metadata"]["labels"] == {"a": "1", "c": "3"}


def test_a_namespace_can_be_applied_again(room: Room) -> None:
    """kubectl knows this kind by itself, and sends strategic patches."""
    for colour in ("red", "blue"):
        metadata = {"name": room.namespace, "labels": {"is": colour}}
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        room.kubectl("apply", "-f", "-", stdin=body)
        assert room.kubectl("get", "ns", room.namespace, "-L", "is").split()[-1] == colour


def test_server_side(room: Room) -> None:
    kubectl = room.kubectl
    mine = ("apply", "--server-side", "--field-manager=mine", "-f", "-")
    assert kubectl(*mine, stdin=room.task("web")) == "task.plum.dev/web serverside-applied\n"
    other = ("apply", "--server-side", "--field-manager=other", "-f", "-")
    said = kubectl.refused(*other, stdin=room.task("web", replicas=3))
    assert 'conflict with "mine"' in said
    assert '.spec.entries[name="main"].replicas' in said
    kubectl(*other, "--force-conflicts", stdin=room.task("web", replicas=3))
    assert room.entry("web")["replicas"] == 3
    assert {"mine", "other"} <= {one["manager"] for one in room.get("tasks", "web")["metadata"]["managedFields"]}


def test_create_replace_and_force(room: Room) -> None:
    kubectl = room.kubectl
    manifest = room.create("web")
    assert "already exists" in kubectl.refused("create", "-f", "-", stdin=manifest)
    assert kubectl("replace", "-f", "-", stdin=room.task("web", replicas=2)) == "task.plum.dev/web replaced\n"
    assert room.entry("web")["replicas"] == 2
    assert 'tasks.plum.dev "none" not found' in kubectl.refused("replace", "-f", "-", stdin=room.task("none"))
    before = room.get("tasks", "web")["metadata"]["uid"]
    assert "replaced" in kubectl("replace", "--force", "-f", "-", stdin=manifest)
    assert room.get("tasks", "web")["metadata"]["uid"] != before
    nameless = dict(manifest, metadata={"generateName": "made-"})
    assert kubectl("create", "-f", "-", "-o", "name", stdin=nameless).startswith("task.plum.dev/made-")


def test_a_stale_version_is_a_conflict(room: Room) -> None:
    room.create("web")
    stale = room.get("tasks", "web")
    room.kubectl("label", "task", "web", "a=b")
    said = room.kubectl.refused("replace", "-f", "-", stdin=stale)
    assert "the object has been modified; please apply your changes to the latest version" in said


def test_edit(room: Room) -> None:
    kubectl = room.kubectl
    room.create("web")
    assert kubectl("edit", "task", "web", EDITOR="sed -i s/replicas:.0/replicas:\\ 2/") == "task.plum.dev/web edited\n"
    assert room.entry("web")["replicas"] == 2
    unchanged = kubectl.run("edit", "task", "web", EDITOR="true")
    assert (unchanged.returncode, unchanged.stderr) == (0, "Edit cancelled, no changes made.\n")
    refused = kubectl.refused("edit", "task", "web", EDITOR="sed -i s/replicas:.2/replicas:\\ -2/")
    assert 'tasks.plum.dev "web" is invalid' in refused


def test_dry_runs_store_nothing(room: Room) -> None:
    kubectl = room.kubectl
    for verb in ("create", "apply"):
        assert kubectl(verb, "-f", "-", "--dry-run=server", stdin=room.task("web")) == (
            "task.plum.dev/web created (server dry run)\n"
        )
    assert kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", stdin=room.task("web")) == (
        "task.plum.dev/web serverside-applied (server dry run)\n"
    )
    assert kubectl("get", "tasks", "-o", "name") == ""


def test_invalid_objects_are_refused_with_all_their_faults(room: Room) -> None:
    said = room.kubectl.refused("apply", "-f", "-", stdin=room.task("web", replicas=-1, restartPolicy="Sometimes"))
    assert 'The Task "web" is invalid' in said
    assert "spec.entries[0].replicas: Invalid value: -1" in said
    assert 'spec.entries[0].restartPolicy: Unsupported value: "Sometimes"' in said


def test_prune(room: Room, tmp_path: Path) -> None:
    kubectl, labels = room.kubectl, {"set": "mine"}
    path = room.file(tmp_path / "all.yaml", room.task("kept", labels=labels), room.task("dropped", labels=labels))
    prune = ("--prune", "-l", "set=mine", "--prune-allowlist=plum.dev/v1/Task")
    kubectl("apply", "-f", path, *prune)
    room.create("stranger")
    room.file(tmp_path / "all.yaml", room.task("kept", labels=labels))
    assert "task.plum.dev/dropped pruned\n" in kubectl("apply", "-f", path, *prune)
    assert kubectl("get", "tasks", "-o", "name") == "task.plum.dev/kept\ntask.plum.dev/stranger\n"


def test_kustomizations(room: Room, tmp_path: Path) -> None:
    room.file(tmp_path / "task.yaml", room.task("web"))
    (tmp_path / "kustomization.yaml").write_text("resources: [task.yaml]\nnamePrefix: my-\n")
    assert room.kubectl("apply", "-k", str(tmp_path)) == "task.plum.dev/my-web created\n"


def test_lists(room: Room) -> None:
    items = [room.task("one"), room.task("two")]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    assert room.kubectl("apply", "-f", "-", stdin=listed) == "task.plum.dev/one created\ntask.plum.dev/two created\n"
    found = room.kubectl("get", "tasks", "-o", "yaml")
    assert room.kubectl("replace", "-f", "-", stdin=found) == "task.plum.dev/one replaced\ntask.plum.dev/two replaced\n"
