"""``kubectl scale`` and everything else that goes through ``--subresource=scale``."""

from pathlib import Path

from tests.kubectl.room import Room


def test_scale_in_all_its_ways(room: Room, tmp_path: Path) -> None:
    kubectl, scale = room.kubectl, ("scale", "task/web")
    manifest = room.create("web", replicas=1)
    assert kubectl(*scale, "--replicas=0") == "task.plum.dev/web scaled\n"
    assert room.entry("web")["replicas"] == 0
    assert kubectl(*scale, "--replicas=2", "--current-replicas=0") == "task.plum.dev/web scaled\n"
    room.running("web", 2)
    said = kubectl.refused(*scale, "--replicas=3", "--current-replicas=9")
    assert said == "error: Expected replicas to be 9, was 2\n"
    assert "Expected resource version to be 1" in kubectl.refused(*scale, "--replicas=3", "--resource-version=1")
    version = room.get("tasks", "web")["metadata"]["resourceVersion"]
    kubectl(*scale, "--replicas=1", f"--resource-version={version}")
    assert kubectl(*scale, "--replicas=0", "--dry-run=server") == "task.plum.dev/web scaled (server dry run)\n"
    assert kubectl("scale", "-f", room.file(tmp_path / "web.yaml", manifest), "--replicas=1").endswith("scaled\n")
    assert room.entry("web")["replicas"] == 1


def test_the_subresource(room: Room) -> None:
    kubectl = room.kubectl
    room.create("web", replicas=1)
    room.running("web", 1)
    below = ("task", "web", "--subresource=scale")
    assert kubectl("get", *below).split()[:7] == ["NAME", "DESIRED", "AVAILABLE", "AGE", "web", "1", "1"]
    assert kubectl("get", *below, "-o", "jsonpath={.status.selector}") == "plum.dev/task=web,plum.dev/entry=main"
    found = kubectl(
        "get", "assignments", "-l", kubectl("get", *below, "-o", "jsonpath={.status.selector}"), "-o", "name"
    )
    assert len(found.split()) == 1
    kubectl("patch", *below, "--type=merge", "-p", '{"spec":{"replicas":2}}')
    kubectl("patch", *below, "--type=json", "-p", '[{"op":"replace","path":"/spec/replicas","value":0}]')
    assert room.entry("web")["replicas"] == 0
    assert "spec.replicas" in kubectl.refused("patch", *below, "--type=merge", "-p", '{"spec":{"replicas":-1}}')
    owners = [one for one in room.get("tasks", "web")["metadata"]["managedFields"] if one.get("subresource") == "scale"]
    assert [(one["manager"], one["operation"]) for one in owners] == [("kubectl-patch", "Update")]


def test_several_counts_have_a_way_of_their_own(room: Room) -> None:
    manifest = room.task("two")
    manifest["spec"]["entries"].append(manifest["spec"]["entries"][0] | {"name": "other"})
    room.stage.http.post(room.path("tasks"), json=manifest).raise_for_status()
    said = room.kubectl.refused("scale", "task/two", "--replicas=2")
    assert "2 entries (main, other)" in said
    assert "plumctl scale task/two/main=3" in said
