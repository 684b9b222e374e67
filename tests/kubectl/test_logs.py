"""``kubectl logs``."""

import os
import signal
from pathlib import Path

from tests.e2e.cluster import wait_for
from tests.kubectl.room import Room

TALK = 'echo "began on $PLUM_NODE"; echo second >&2; exec sleep 1000'


def test_logs_of_one_and_of_many(room: Room) -> None:
    kubectl = room.kubectl
    room.create("web", replicas=2, startCmd=TALK)
    first, second = (copy["metadata"]["name"] for copy in room.running("web", 2))
    wait_for("its log", lambda: kubectl("logs", first).count("\n") == 2)
    assert kubectl("logs", f"pod/{first}", "--tail=1") == "second\n"
    assert kubectl("logs", first, "-c", "main", "--since=1h").startswith("began on node")
    assert kubectl("logs", first, "--limit-bytes=5") == "began"
    assert kubectl("logs", first, "--timestamps").split("Z ")[1].startswith("began on node")
    together = kubectl("logs", "-l", "plum.dev/task=web", "--prefix", "--all-containers", "--tail=1")
    assert sorted(together.splitlines()) == sorted(f"[pod/{name}/main] second" for name in (first, second))
    assert "not valid for pod" in kubectl.refused("logs", first, "-c", "side")
    assert 'previous terminated container "main"' in kubectl.refused("logs", first, "--previous")
    assert 'pods "none" not found' in kubectl.refused("logs", "none")
    many = ("logs", "-f", "-l", "plum.dev/task=web", "--max-log-requests=1")
    assert "maximum allowed concurrency is 1" in kubectl.refused(*many)


def test_following_ends_with_the_process(room: Room, tmp_path: Path) -> None:
    room.create("web", replicas=1, startCmd=TALK)
    (copy,) = room.running("web", 1)
    name, out = copy["metadata"]["name"], tmp_path / "out"
    with room.kubectl.running("logs", "--follow", name, out=out) as following:
        wait_for("what there is", lambda: "second" in out.read_text())
        os.kill(copy["status"]["pid"], signal.SIGKILL)
        assert following.wait(45) == 0
    wait_for("the log before", lambda: "second" in room.kubectl.run("logs", name, "--previous").stdout)
