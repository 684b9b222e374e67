"""``kubectl describe`` and events."""

import re
from pathlib import Path

from tests.e2e.cluster import wait_for
from tests.kubectl.room import Room


def test_describe_shows_fields_and_events(room: Room) -> None:
    room.create("web", replicas=1)
    (copy,) = room.running("web", 1)
    text = wait_for("the event", lambda: told(room.kubectl("describe", "task", "web"), "created 1 assignment"))
    for line in (r"Name: +web", rf"Namespace: +{room.namespace}", r"Kind: +Task", r"  State: +Running"):
        assert re.search(line, text)
    started = wait_for("the start", lambda: told(room.kubectl("describe", "asg", copy["metadata"]["name"]), "Started"))
    assert re.search(r"Normal +Started +\S+ +plum-agent", started)
    assert re.search(r"Kind: +Node", room.kubectl("describe", "node", "nodeA"))
    assert re.search(r"Status: +Active", room.kubectl("describe", "ns", room.namespace))


def told(text: str, word: str) -> str:
    """The text if it has the word."""
    return text if word in text else ""


def test_events(room: Room, tmp_path: Path) -> None:
    kubectl, out = room.kubectl, tmp_path / "out"
    with kubectl.running("events", "--watch", out=out):
        room.create("web", replicas=1)
        wait_for("the event", lambda: "created 1 assignment" in out.read_text())
    chosen = kubectl("events", "--for", "task/web", "--no-headers").split(maxsplit=4)
    assert chosen[1:] == ["Normal", "Created", "Task/web", "created 1 assignment\n"]
    assert "Task/web" in kubectl("events", "--types", "Normal", "-A")
    for selector in ("involvedObject.name=web,involvedObject.kind=Task", "reason=Created", "type=Normal"):
        assert "task/web" in kubectl("get", "events", "--field-selector", selector)
    assert kubectl("get", "events", "--field-selector", "reason=None", "-o", "name") == ""
    assert "task/web" in kubectl("get", "events", "--sort-by", ".lastTimestamp")


def test_an_event_of_somebody_else(room: Room) -> None:
    about = {"apiVersion": "plum.dev/v1", "kind": "Task", "name": "web", "namespace": room.namespace}
    body = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": "web."},
        "involvedObject": about,
        "reason": "Noted",
        "message": "by an operator",
        "type": "Warning",
        "reportingComponent": "operator",
        "lastTimestamp": "2026-01-02T15:04:05Z",
    }
    room.kubectl("create", "-f", "-", stdin=body)
    assert "by an operator" in room.kubectl("events", "--for", "task/web", "--types=Warning")
