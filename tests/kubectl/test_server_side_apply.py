"""Managers that share objects by kubectl: conflicts, force, shared lists, and the ways between the two applies."""

import json
import subprocess
import sys
from typing import Any

from tests.kubectl.program import Json, Kubectl

SERVER_SIDE = ("apply", "--server-side", "-f", "-")
MAIN = '.spec.entries[name="main"]'
ELSEWHERE = "http://elsewhere.example/x.zip"
HINT = "Please review the fields above--they currently have other managers."


def task(name: str, *entries: Json, **metadata: Any) -> Json:
    listed = [{"name": "main", "artifactUrl": ELSEWHERE} | entry for entry in entries or ({},)]
    head = {"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": {"name": name, "namespace": "default"} | metadata}
    return head | {"spec": {"entries": listed}}


def managers(alone: Kubectl, name: str) -> dict[tuple[str, str, str], Json]:
    """The entries of managedFields, by manager, operation and subresource."""
    found = alone.json("get", f"task/{name}", "--show-managed-fields")["metadata"]["managedFields"]
    return {(one["manager"], one["operation"], one.get("subresource", "")): one["fieldsV1"] for one in found}


def main_of(fields: Json) -> Json:
    found: Json = fields["f:spec"]["f:entries"]['k:{"name":"main"}']
    return found


def test_two_managers_meet(alone: Kubectl) -> None:
    first = task("met", {"replicas": 1, "startCmd": "run", "env": [{"name": "A", "value": "1"}]})
    other = task("met", {"replicas": 5, "startCmd": "go", "env": [{"name": "B", "value": "1"}]}, labels={"b": "1"})
    assert alone(*SERVER_SIDE, stdin=first) == "task.plum.dev/met serverside-applied\n"
    as_ops = (*SERVER_SIDE, "--field-manager=ops")
    said = alone.refused(*as_ops, stdin=other)
    where = f"- {MAIN}.replicas\n- {MAIN}.startCmd"
    assert f'error: Apply failed with 2 conflicts: conflicts with "kubectl":\n{where}\n{HINT}' in said
    assert alone(*as_ops, "--force-conflicts", stdin=other) == "task.plum.dev/met serverside-applied\n"
    shared = alone.json("get", "task/met")["spec"]["entries"][0]
    assert (shared["replicas"], shared["startCmd"], [one["name"] for one in shared["env"]]) == (5, "go", ["A", "B"])
    one = alone.refused(*SERVER_SIDE, stdin=task("met", {"replicas": 1}))
    assert f'error: Apply failed with 1 conflict: conflict with "ops": {MAIN}.replicas' in one
    alone("patch", "task/met", "--type=json", "-p", json.dumps([{"op": "remove", "path": "/metadata/labels"}]))
    alone("label", "task/met", "b=2")
    late = alone.refused(*as_ops, stdin=other)
    assert 'conflict with "kubectl-label" using plum.dev/v1 at 20' in late
    alone(*as_ops, "--force-conflicts", stdin=task("met"))
    left = alone.json("get", "task/met")["spec"]["entries"][0]
    assert [one["name"] for one in left["env"]] == ["A"]
    assert "replicas" not in left


def test_from_client_side_to_server_side_and_back(alone: Kubectl) -> None:
    variables = [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]
    first = task("moved", {"replicas": 1, "env": variables})
    assert alone("apply", "-f", "-", stdin=first).endswith("created\n")
    assert alone.run("diff", "-f", "-", stdin=first).returncode == 0
    alone(*SERVER_SIDE, stdin=task("moved", {"replicas": 2, "env": variables[:1]}))
    found = alone.json("get", "task/moved")
    entry = found["spec"]["entries"][0]
    assert (entry["replicas"], entry["env"]) == (2, variables[:1])
    books = managers(alone, "moved")
    assert {key[:2] for key in books} == {("kubectl", "Apply"), ("kubectl-last-applied", "Apply")}
    alone(*SERVER_SIDE, stdin=task("moved"))
    assert "replicas" not in alone.json("get", "task/moved")["spec"]["entries"][0]
    annotations = alone.json("get", "task/moved")["metadata"]["annotations"]
    noted = json.loads(annotations["kubectl.kubernetes.io/last-applied-configuration"])
    assert noted["spec"] == {"entries": [{"name": "main", "artifactUrl": ELSEWHERE}]}
    before = alone.json("get", "task/moved")
    alone("apply", "-f", "-", stdin=task("moved"))  # the client compares lists as they are, with their defaults
    assert alone.json("get", "task/moved") == before


def test_nothing_differs_after_an_apply(alone: Kubectl) -> None:
    body = task("same", {"replicas": 2, "env": [{"name": "A", "value": "1"}]}, labels={"a": "1"})
    alone(*SERVER_SIDE, stdin=body)
    version = alone.json("get", "task/same")["metadata"]["resourceVersion"]
    assert alone.run("diff", "--server-side", "-f", "-", stdin=body).returncode == 0
    alone(*SERVER_SIDE, stdin=body)
    assert alone.json("get", "task/same")["metadata"]["resourceVersion"] == version
    more = alone.run("diff", "--server-side", "-f", "-", stdin=task("same", {"replicas": 3}))
    assert (more.returncode, "-    replicas: 2" in more.stdout, "+    replicas: 3" in more.stdout) == (1, True, True)


def test_the_status_has_managers_of_its_own(alone: Kubectl) -> None:
    alone(*SERVER_SIDE, stdin=task("told"))
    head = task("told")
    told = {key: head[key] for key in ("apiVersion", "kind", "metadata")} | {"status": {"operator": {"phase": "Up"}}}
    alone(*SERVER_SIDE, "--subresource=status", "--field-manager=op", stdin=told)
    books = managers(alone, "told")
    assert books["op", "Apply", "status"] == {"f:status": {"f:operator": {"f:phase": {}}}}
    assert "f:artifactUrl" in main_of(books["kubectl", "Apply", ""])
    down = told | {"status": {"operator": {"phase": "Down"}}}
    said = alone.refused(*SERVER_SIDE, "--subresource=status", "--field-manager=other", stdin=down)
    assert 'conflict with "op" with subresource "status": .status.operator.phase' in said


def test_what_is_no_longer_among_the_manifests_is_pruned(alone: Kubectl) -> None:
    prune = ("apply", "-l", "pruned=yes", "--prune", "--prune-allowlist=plum.dev/v1/Task", "-f", "-")
    assert alone(*prune, stdin=task("one", labels={"pruned": "yes"})) == "task.plum.dev/one created\n"
    said = alone(*prune, stdin=task("two", labels={"pruned": "yes"}))
    assert said == "task.plum.dev/two created\ntask.plum.dev/one pruned\n"


def test_plumctl_and_kubectl_side_by_side(alone: Kubectl) -> None:
    alone(*SERVER_SIDE, stdin=task("both", {"replicas": 1}, labels={"k": "1"}))
    same = plumctl(alone, task("both", {"replicas": 1}, labels={"p": "1"}))
    assert (same.returncode, same.stdout) == (0, "task/both configured\n")
    books = managers(alone, "both")
    assert "f:replicas" in main_of(books["kubectl", "Apply", ""])
    assert "f:replicas" in main_of(books["plumctl", "Apply", ""])
    other = plumctl(alone, task("both", {"replicas": 2}))
    assert other.returncode == 1
    assert f'conflict with "kubectl": {MAIN}.replicas' in other.stderr
    alone(*SERVER_SIDE, stdin=task("both"))
    found = alone.json("get", "task/both")
    assert (found["spec"]["entries"][0]["replicas"], found["metadata"]["labels"]) == (1, {"p": "1"})


def plumctl(alone: Kubectl, body: Json) -> "subprocess.CompletedProcess[str]":
    """Apply by plumctl, whether it works or not."""
    command = [sys.executable, "-m", "plumctl", "apply", "-f", "-"]
    environ = alone.environ | {"PLUM_SERVER": alone.options[1]}
    return subprocess.run(
        command, env=environ, input=json.dumps(body), capture_output=True, text=True, timeout=60, check=False
    )
