"""Pods: what runs, as kubectl knows it; and what they use."""

import json
import re
from pathlib import Path

import pytest

from tests.e2e.cluster import wait_for
from tests.kubectl.room import Room


@pytest.fixture
def web(room: Room) -> Room:
    """With two running copies of the task ``web``."""
    room.create("web", replicas=2)
    room.running("web", 2)
    return room


def names(room: Room) -> list[str]:
    return sorted(copy["metadata"]["name"] for copy in room.copies("web"))


def test_pods_are_shown(web: Room) -> None:
    kubectl = web.kubectl
    head, *rows = (line.split() for line in kubectl("get", "pods", "-o", "wide").splitlines())
    assert head == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    assert [row[0] for row in rows] == names(web)
    assert {(row[1], row[2], row[3], row[6]) for row in rows} == {
        ("1/1", "Running", "0", "nodeA"),
        ("1/1", "Running", "0", "nodeB"),
    }
    chosen = kubectl("get", "pods", "--field-selector", "spec.nodeName=nodeA,status.phase=Running", "-o", "name")
    assert chosen.count("pod/") == 1
    assert kubectl("get", "po", "-l", "plum.dev/task=none", "-o", "name") == ""
    assert kubectl("wait", "pods", "--all", "--for=condition=Ready", "--timeout=30s").count("condition met") == 2


def test_a_pod_is_described(web: Room) -> None:
    text = wait_for("its events", lambda: started(web.kubectl("describe", "pod", names(web)[0])))
    for line in (
        r"Controlled By: +Task/web",
        r"Node: +node[AB]/127.0.0.1",
        r"Status: +Running",
        r"  main:",
        r"  Ready +True",
    ):
        assert re.search(line, text), (line, text)


def started(text: str) -> str:
    """The text if it tells of the start."""
    return text if re.search(r"Normal +Started", text) else ""


def test_a_deleted_pod_is_replaced(web: Room, tmp_path: Path) -> None:
    kubectl, out, first = web.kubectl, tmp_path / "out", names(web)[0]
    with kubectl.running("get", "pods", "--watch", "--output-watch-events", "--no-headers", out=out):
        wait_for("what there is", lambda: out.read_text().count("ADDED") == 2)
        assert kubectl("delete", "pod", first) == f'pod "{first}" deleted\n'
        wait_for("its end", lambda: re.search(rf"DELETED +{first}", out.read_text()))
    web.running("web", 2)
    assert first not in names(web), "a name does not come back"


def test_pods_are_not_made_or_changed(web: Room) -> None:
    said = web.kubectl.refused("label", "pod", names(web)[0], "a=b")
    assert "a pod shows an assignment, which its task makes: edit the task" in said


def test_what_pods_use(room: Room) -> None:
    """As a node's agent would have reported it: that takes two of its reports."""
    http, node = room.stage.http, f"node-{room.namespace}"
    http.post(room.path("nodes"), json={"metadata": {"name": node}}).raise_for_status()
    made = room.still("busy-1", node)
    figures = {"cpu": 0.25, "memoryBytes": 64 * 1024**2, "namespace": room.namespace, "name": "busy-1"}
    report = {"node": {}, "instances": [figures | {"uid": made["metadata"]["uid"]}]}
    http.put(f"{room.path('nodes', node)}/usage", json=report).raise_for_status()
    assert room.kubectl("top", "pod", "--no-headers").split() == ["busy-1", "250m", "64Mi"]
    assert room.kubectl("top", "pod", "busy-1", "--containers", "--no-headers").split() == [
        "busy-1",
        "main",
        "250m",
        "64Mi",
    ]
    assert "busy-1" in room.kubectl("top", "pods", "-l", "plum.dev/task=busy", "--sum")
    assert room.namespace in room.kubectl("top", "pods", "-A", "--sort-by=cpu")
    listed = json.loads(room.kubectl("get", "--raw", f"/apis/metrics.k8s.io/v1beta1/namespaces/{room.namespace}/pods"))
    assert [item["metadata"]["name"] for item in listed["items"]] == ["busy-1"]
    http.delete(room.path("assignments", "busy-1"))
