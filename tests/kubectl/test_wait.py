"""``kubectl wait``."""

from pathlib import Path

import pytest

from tests.kubectl.program import version, why_not
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


@pytest.mark.skipif(why_not() == "" and version() < (1, 31), reason="--for=create is newer")
def test_creation(room: Room, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with room.kubectl.running("wait", "task/late", "--for=create", "--timeout=45s", out=out) as waiting:
        room.create("late")
        assert waiting.wait(50) == 0
    assert out.read_text() == "task.plum.dev/late condition met\n"


def test_deletion(room: Room, tmp_path: Path) -> None:
    out = tmp_path / "out"
    room.create("late")
    with room.kubectl.running("wait", "task/late", "--for=delete", "--timeout=45s", out=out) as waiting:
        room.kubectl("delete", "task", "late", "--wait=false")
        assert waiting.wait(50) == 0
    assert out.read_text() in ("", "task.plum.dev/late condition met\n")
