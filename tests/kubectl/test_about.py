"""What kubectl asks about the server itself, and what it cannot do here."""

import pytest

from tests.kubectl.program import Kubectl, version
from tests.kubectl.room import Room


def test_version(kubectl: Kubectl) -> None:
    found = kubectl.json("version")
    assert found["serverVersion"]["gitVersion"].startswith("v1.32.")
    assert "plum" in found["serverVersion"]["gitVersion"]
    if abs(version()[1] - 32) <= 1:
        assert kubectl.run("version").stderr == ""  # no word about a skew of versions


def test_what_there_is(kubectl: Kubectl) -> None:
    rows = {
        line.split()[0]: line.split() for line in kubectl("api-resources", "--no-headers", "-o", "wide").splitlines()
    }
    assert rows["tasks"][1:5] == ["tk", "plum.dev/v1", "true", "Task"]
    assert rows["tasks"][-2:] == ["create,delete,deletecollection,get,list,patch,update,watch", "all"]
    assert rows["nodes"][2:5] == ["plum.dev/v1", "false", "Node"]
    assert rows["events"][1:5] == ["ev", "v1", "true", "Event"]
    assert "tasks.plum.dev\n" in kubectl("api-resources", "--api-group=plum.dev", "--namespaced", "-o", "name")
    assert {"coordination.k8s.io/v1", "plum.dev/v1", "v1"} <= set(kubectl("api-versions").split())


TASK, NODE = 'no kind "Task" is registered', 'no kind "Node" is registered'
NO_PATH = "the server could not find the requested resource"
PATCH = '{"spec":{"state":"Stopped"}}'
REFUSED = {
    "patch task/x -p …": (("patch", "task/x", "-p", PATCH), "strategic-merge-patch+json is not supported"),
    "rollout status task/x": ((), TASK),
    "rollout restart task/x": ((), TASK),
    "rollout undo task/x": ((), TASK),
    "logs task/x": ((), TASK),
    "set env task/x a=b": ((), TASK),
    "expose task x --port=80": ((), TASK),
    "drain nodeA": ((), NODE),
    "cordon nodeA": ((), NODE),
    "taint node nodeA a=b:NoSchedule": ((), NODE),
    "top node": ((), NO_PATH),
    "cluster-info": ((), 'no kind "ServiceList" is registered'),
    "get tasks --as=bob": ((), 'cannot impersonate resource "users"'),
    "autoscale task x --max=3": ((), "could not find"),
    "get deployments": ((), "the server doesn't have a resource type"),
    "create deployment x --image=y": ((), NO_PATH),
    "run y --image=z": ((), "a pod shows an assignment, which its task makes: edit the task"),
    "exec p -- ls": ((), "pods/exec is not served"),
    "attach p": ((), "pods/attach is not served"),
    "cp /etc/hosts p:/tmp": ((), "pods/exec is not served"),
    "port-forward p 8080": ((), "pods/portforward is not served"),
    "debug p --image=z": ((), "ephemeral containers are disabled"),
}
"""What the page about kubectl says cannot work: the commands where they are not the text itself, and their words."""


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_work_says_so(room: Room, text: str) -> None:
    """Of a task and a pod that are there: it is not their absence that kubectl complains of."""
    room.create("x")
    room.still("p", "nowhere")
    command, words = REFUSED[text]
    assert words in room.kubectl.refused(*(command or text.split()))
