"""Pods that end, once or again and again: what kubectl shows of them, and their logs."""

from tests.e2e.cluster import wait_for
from tests.kubectl.room import Room


def only(room: Room, task: str) -> str:
    (copy,) = wait_for("a copy", lambda: room.copies(task))
    return str(copy["metadata"]["name"])


def test_a_crash_loop(room: Room) -> None:
    kubectl = room.kubectl
    room.create("crash", replicas=1, startCmd="echo began; exit 3")
    name = only(room, "crash")
    wait_for("a crash loop", lambda: "CrashLoopBackOff" in kubectl("get", "pod", name))
    assert kubectl("get", "pods", "--field-selector", "status.phase=Running", "-o", "name") == f"pod/{name}\n"
    wait_for("its log", lambda: kubectl.run("logs", name).stdout == "began\n")
    wait_for("its previous log", lambda: kubectl.run("logs", name, "--previous").stdout == "began\n")
    text = wait_for("its events", lambda: found if "BackOff " in (found := kubectl("describe", "pod", name)) else "")
    for words in ("Controlled By:  Task/crash", "Exit Code:    3", "plum-agent"):
        assert words in text


def test_a_run_that_ended_keeps_the_time_of_its_start(room: Room) -> None:
    room.create("again", replicas=1, startCmd="[ -e before ] && exec sleep 1000; touch before; exit 3")
    name = only(room, "again")
    wait_for("its second run", lambda: "Running   1" in room.kubectl("get", "pod", name))
    text = room.kubectl("describe", "pod", name)
    assert "Last State:     Terminated" in text
    assert "0001" not in text


def test_a_job_is_over_and_so_is_its_log(room: Room) -> None:
    kubectl = room.kubectl
    room.create("job", replicas=1, restartPolicy="Never", startCmd="echo done")
    name = only(room, "job")
    kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{name}", "--timeout=45s")
    assert kubectl("get", "pod", name, "--no-headers").split()[1:4] == ["0/1", "Completed", "0"]
    assert kubectl("logs", "--follow", "-l", "plum.dev/task=job") == "done\n"
    assert kubectl("get", "po", "--field-selector", "status.phase=Succeeded", "-o", "name") == f"pod/{name}\n"


def test_what_has_not_begun_has_no_log(room: Room) -> None:
    room.create("idle", replicas=1, artifactUrl="/artifacts/none-1-abcdef.zip")
    name = only(room, "idle")
    wait_for("the reason", lambda: "ArtifactNotFound" in room.kubectl("get", "pod", name))
    said = room.kubectl.refused("logs", name)
    assert f'container "main" in pod "{name}" is waiting to start: ArtifactNotFound' in said
