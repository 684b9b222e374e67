"""Managers that share objects by kubectl: conflicts, force, shared lists, and the ways between the two applies."""

import json
from typing import Any

from tests.e2e.cluster import wait_for
from tests.kubectl.program import Json
from tests.kubectl.room import Room

SERVER_SIDE = ("apply", "--server-side", "-f", "-")
MAIN = '.spec.entries[name="main"]'
HINT = "Please review the fields above--they currently have other managers."


def task(room: Room, name: str, entry: Json | None = None, **metadata: Any) -> Json:
    """A manifest of a task that is stopped, so that nothing happens to it."""
    source = {"name": "main", "artifactUrl": f"/artifacts/sha256/{room.stage.digest}"}
    head = {"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": {"name": name} | metadata}
    return head | {"spec": {"state": "Stopped", "entries": [source | (entry or {})]}}


def managers(room: Room, name: str) -> dict[tuple[str, str, str], Json]:
    """The entries of managedFields, by manager, operation and subresource, but for those of controllers."""
    body = room.kubectl.json("get", f"task/{name}", "--show-managed-fields")
    entries = [one for one in body["metadata"]["managedFields"] if not one["manager"].startswith("plum-")]
    return {(one["manager"], one["operation"], one.get("subresource", "")): one["fieldsV1"] for one in entries}


def main_of(fields: Json) -> Json:
    found: Json = fields["f:spec"]["f:entries"]['k:{"name":"main"}']
    return found


def test_two_managers_meet(room: Room) -> None:
    kubectl = room.kubectl
    first = task(room, "met", {"replicas": 1, "startCmd": "run", "env": [{"name": "A", "value": "1"}]})
    other = task(
        room, "met", {"replicas": 5, "startCmd": "go", "env": [{"name": "B", "value": "1"}]}, labels={"b": "1"}
    )
    assert kubectl(*SERVER_SIDE, stdin=first) == "task.plum.dev/met serverside-applied\n"
    as_ops = (*SERVER_SIDE, "--field-manager=ops")
    said = kubectl.refused(*as_ops, stdin=other)
    where = f"- {MAIN}.replicas\n- {MAIN}.startCmd"
    assert f'error: Apply failed with 2 conflicts: conflicts with "kubectl":\n{where}\n{HINT}' in said
    assert kubectl(*as_ops, "--force-conflicts", stdin=other) == "task.plum.dev/met serverside-applied\n"
    shared = room.get("tasks", "met")["spec"]["entries"][0]
    assert (shared["replicas"], shared["startCmd"], [one["name"] for one in shared["env"]]) == (5, "go", ["A", "B"])
    one = kubectl.refused(*SERVER_SIDE, stdin=task(room, "met", {"replicas": 1}))
    assert f'error: Apply failed with 1 conflict: conflict with "ops": {MAIN}.replicas' in one
    kubectl("patch", "task/met", "--type=json", "-p", json.dumps([{"op": "remove", "path": "/metadata/labels"}]))
    kubectl("label", "task/met", "b=2")
    late = kubectl.refused(*as_ops, stdin=other)
    assert 'conflict with "kubectl-label" using plum.dev/v1 at 20' in late
    kubectl(*as_ops, "--force-conflicts", stdin=task(room, "met"))
    left = room.get("tasks", "met")["spec"]["entries"][0]
    assert [one["name"] for one in left["env"]] == ["A"]
    assert "replicas" not in left


def test_from_client_side_to_server_side_and_back(room: Room) -> None:
    kubectl = room.kubectl
    variables = [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]
    first = task(room, "moved", {"replicas": 1, "env": variables})
    assert kubectl("apply", "-f", "-", stdin=first).endswith("created\n")
    assert kubectl.run("diff", "-f", "-", stdin=first).returncode == 0
    kubectl(*SERVER_SIDE, stdin=task(room, "moved", {"replicas": 2, "env": variables[:1]}))
    found = room.get("tasks", "moved")
    entry = found["spec"]["entries"][0]
    assert (entry["replicas"], entry["env"]) == (2, variables[:1])
    books = managers(room, "moved")
    assert {key[:2] for key in books} == {("kubectl", "Apply"), ("kubectl-last-applied", "Apply")}
    kubectl(*SERVER_SIDE, stdin=task(room, "moved"))
    assert "replicas" not in room.get("tasks", "moved")["spec"]["entries"][0]
    annotations = room.get("tasks", "moved")["metadata"]["annotations"]
    noted = json.loads(annotations["kubectl.kubernetes.io/last-applied-configuration"])
    assert noted["spec"] == task(room, "moved")["spec"]
    before = room.get("tasks", "moved")["metadata"]
    kubectl("apply", "-f", "-", stdin=task(room, "moved"))  # the client compares lists as they are, with their defaults
    after = room.get("tasks", "moved")["metadata"]
    assert (after["generation"], after["annotations"]) == (before["generation"], before["annotations"])


def test_nothing_differs_after_an_apply(room: Room) -> None:
    kubectl = room.kubectl
    body = task(room, "same", {"replicas": 0, "env": [{"name": "A", "value": "1"}]}, labels={"a": "1"})
    kubectl(*SERVER_SIDE, stdin=body)
    seen = wait_for("a status", lambda: is_seen(room, "same"))
    assert kubectl.run("diff", "--server-side", "-f", "-", stdin=body).returncode == 0
    kubectl(*SERVER_SIDE, stdin=body)
    assert is_seen(room, "same") == seen
    more = kubectl.run("diff", "--server-side", "-f", "-", stdin=task(room, "same", {"replicas": 3}))
    assert (more.returncode, "-    replicas: 0" in more.stdout, "+    replicas: 3" in more.stdout) == (1, True, True)


def is_seen(room: Room, name: str) -> Json | None:
    """The task, once its controller has said of it what there is to say."""
    body = room.get("tasks", name)
    status = body.get("status", {})
    told = {one["type"] for one in status.get("conditions", ())} >= {"Available", "Progressing"}
    return body if told and status["observedGeneration"] == body["metadata"]["generation"] else None


def test_the_status_has_managers_of_its_own(room: Room) -> None:
    kubectl = room.kubectl
    kubectl(*SERVER_SIDE, stdin=task(room, "told"))
    head = task(room, "told")
    told = {key: head[key] for key in ("apiVersion", "kind", "metadata")} | {"status": {"operator": {"phase": "Up"}}}
    kubectl(*SERVER_SIDE, "--subresource=status", "--field-manager=op", stdin=told)
    books = managers(room, "told")
    assert books["op", "Apply", "status"] == {"f:status": {"f:operator": {"f:phase": {}}}}
    assert "f:artifactUrl" in main_of(books["kubectl", "Apply", ""])
    down = told | {"status": {"operator": {"phase": "Down"}}}
    said = kubectl.refused(*SERVER_SIDE, "--subresource=status", "--field-manager=other", stdin=down)
    assert 'conflict with "op" with subresource "status": .status.operator.phase' in said


def test_what_is_no_longer_among_the_manifests_is_pruned(room: Room) -> None:
    kubectl = room.kubectl
    prune = ("apply", "-l", "pruned=yes", "--prune", "--prune-allowlist=plum.dev/v1/Task", "-f", "-")
    assert kubectl(*prune, stdin=task(room, "one", labels={"pruned": "yes"})) == "task.plum.dev/one created\n"
    said = kubectl(*prune, stdin=task(room, "two", labels={"pruned": "yes"}))
    assert said == "task.plum.dev/two created\ntask.plum.dev/one pruned\n"


def test_plumctl_and_kubectl_side_by_side(room: Room) -> None:
    room.kubectl(*SERVER_SIDE, stdin=task(room, "both", {"replicas": 0}, labels={"k": "1"}))
    apply = ("apply", "--namespace", room.namespace, "-f", "-")
    same = json.dumps(task(room, "both", {"replicas": 0}, labels={"p": "1"})).encode()
    assert room.stage.cluster.plumctl(*apply, stdin=same) == "task/both configured\n"
    books = managers(room, "both")
    assert "f:replicas" in main_of(books["kubectl", "Apply", ""])
    assert "f:replicas" in main_of(books["plumctl", "Apply", ""])
    other = json.dumps(task(room, "both", {"replicas": 2})).encode()
    said = room.stage.cluster.plumctl(*apply, code=1, stdin=other)
    assert f'conflict with "kubectl": {MAIN}.replicas' in said
    room.kubectl(*SERVER_SIDE, stdin=task(room, "both"))
    found = room.get("tasks", "both")
    assert (found["spec"]["entries"][0]["replicas"], found["metadata"]["labels"]) == (0, {"p": "1"})
