"""``kubectl wait``."""

from pathlib import Path

from tests.e2e.cluster import wait_for
from tests.kubectl.room import Room


def test_conditions_and_values(room: Room) -> None:
    room.create("web", replicas=1)
    wait = ("wait", "task/web", "--timeout=45s")
    assert room.kubectl(*wait, "--for=condition=Available") == "task.plum.dev/web condition met\n"
    assert room.kubectl(*wait, "--for=jsonpath={.status.readyReplicas}=1") == "task.plum.dev/web condition met\n"
    assert room.kubectl(*wait, "--for=jsonpath={.status.conditions}") == "task.plum.dev/web condition met\n"
    every = room.kubectl("wait", "assignments", "--all", "--for=condition=Ready", "--timeout=45s")
    assert every.count("condition met") == 1
    chosen = room.kubectl("wait", "assignments", "-l", "plum.dev/task=web", "--for=condition=Ready=true")
    assert chosen == every


def test_what_does_not_come(room: Room) -> None:
    room.create("web")
    said = room.kubectl.refused("wait", "task/web", "--for=condition=Nothing", "--timeout=1s")
    assert said == "error: timed out waiting for the condition on tasks/web\n"
    assert "not found" in room.kubectl.refused("wait", "task/none", "--for=condition=Available")


def test_creation_and_deletion(room: Room, tmp_path: Path) -> None:
    created, deleted = tmp_path / "created", tmp_path / "deleted"
    with room.kubectl.running("wait", "task/late", "--for=create", "--timeout=45s", out=created) as waiting:
        room.create("late")
        assert waiting.wait(50) == 0
    assert created.read_text() == "task.plum.dev/late condition met\n"
    with room.kubectl.running("wait", "task/late", "--for=delete", "--timeout=45s", out=deleted) as waiting:
        room.kubectl("delete", "task", "late", "--wait=false")
        assert waiting.wait(50) == 0
    wait_for("its word", lambda: deleted.read_text() in ("", "task.plum.dev/late condition met\n"))
