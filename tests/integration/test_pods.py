"""Pods over HTTP: everything that can be asked of assignments, in the form and the words of pods."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.channels import ASSIGNMENTS, NODES, assignment
from tests.integration.test_resources import MERGE, TABLE, expect

PODS = "/api/v1/namespaces/default/pods"
METRICS = "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods"


def create(http: httpx.Client, name: str, *, node: str = "nodeA", policy: str = "Always", task: str = "web") -> str:
    """An assignment; its uid."""
    body = assignment(name, node)
    body["metadata"]["labels"] = {"plum.dev/task": task}
    body["spec"]["template"]["restartPolicy"] = policy
    made = http.post(ASSIGNMENTS, json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["metadata"]["uid"])


def tell(http: httpx.Client, name: str, **status: Any) -> str:
    """What an agent would; the version with it."""
    answer = http.patch(f"{ASSIGNMENTS}/{name}/status", json={"status": status}, headers=MERGE)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["metadata"]["resourceVersion"])


def names(http: httpx.Client, **query: str) -> list[str]:
    answer = http.get(PODS, params=query)
    assert answer.status_code == 200, answer.text
    return [pod["metadata"]["name"] for pod in answer.json()["items"]]


@contextmanager
def watching(http: httpx.Client, **params: str) -> Iterator[Iterator[dict[str, Any]]]:
    query = {"watch": "true", "timeoutSeconds": "20"} | params
    with http.stream("GET", PODS, params=query, headers=TABLE if params.get("table") else {}) as response:
        assert response.status_code == 200
        yield (json.loads(line) for line in response.iter_lines())


def test_a_pod_is_its_assignment_in_another_form(http: httpx.Client) -> None:
    uid = create(http, "p1")
    version = tell(http, "p1", phase="Running", pid=7)
    pod, stored = (http.get(f"{path}/p1").json() for path in (PODS, ASSIGNMENTS))
    assert (pod["kind"], pod["apiVersion"], pod["status"]["phase"]) == ("Pod", "v1", "Running")
    assert (pod["metadata"]["uid"], pod["metadata"]["resourceVersion"]) == (uid, version)
    assert pod["metadata"]["labels"] == stored["metadata"]["labels"]
    (row,) = http.get(f"{PODS}/p1", headers=TABLE).json()["rows"]
    assert row["cells"][:4] == ["p1", "0/1", "Running", "0"]
    before = {"resourceVersion": str(int(version) - 1), "resourceVersionMatch": "Exact"}
    assert http.get(f"{PODS}/p1", params=before).json()["status"]["phase"] == "Pending"


def test_lists_are_paged_and_selected(http: httpx.Client) -> None:
    for number, node in enumerate(("nodeL", "nodeL", "nodeM")):
        create(http, f"p2-{number}", node=node, task="two")
    tell(http, "p2-1", phase="Running")
    labels = {"labelSelector": "plum.dev/task=two"}
    first = http.get(PODS, params=labels | {"limit": "2"}).json()
    rest = http.get(PODS, params=labels | {"limit": "2", "continue": first["metadata"]["continue"]}).json()
    assert first["kind"] == "PodList"
    assert [pod["metadata"]["name"] for page in (first, rest) for pod in page["items"]] == ["p2-0", "p2-1", "p2-2"]
    assert first["metadata"]["resourceVersion"] == rest["metadata"]["resourceVersion"]
    for selector, found in (
        ("spec.nodeName=nodeL", ["p2-0", "p2-1"]),
        ("spec.nodeName=nodeL,status.phase=Running", ["p2-1"]),
        ("spec.nodeName=nodeL,status.phase!=Running", ["p2-0"]),
        ("metadata.name=p2-2", ["p2-2"]),
        ("metadata.namespace=elsewhere", []),
        ("spec.restartPolicy=Never", []),
    ):
        assert names(http, **labels, fieldSelector=selector) == found, selector
    expect(
        http.get(PODS, params={"fieldSelector": "spec.taskName=web"}), 400, "BadRequest", "not supported: spec.taskName"
    )
    assert len(http.get("/api/v1/pods", params=labels, headers=TABLE).json()["rows"]) == 3


def test_phases_are_selected_by_what_is_shown(http: httpx.Client) -> None:
    create(http, "p3-job", policy="Never", task="three")
    create(http, "p3-web", policy="Always", task="three")
    for name in ("p3-job", "p3-web"):
        tell(http, name, phase="Failed", exitCode=1)
    labels = {"labelSelector": "plum.dev/task=three"}
    assert names(http, **labels, fieldSelector="status.phase=Failed") == ["p3-job"]
    assert names(http, **labels, fieldSelector="status.phase=Running") == ["p3-web"]


def test_a_watch_tells_of_pods_entering_and_leaving(http: httpx.Client) -> None:
    create(http, "p4", policy="Never")
    start = tell(http, "p4", phase="Preparing")
    selector = {"fieldSelector": "metadata.name=p4,status.phase=Running"}
    with watching(http, resourceVersion=start, **selector) as events:
        running = tell(http, "p4", phase="Running")
        tell(http, "p4", phase="Stopping")
        tell(http, "p4", phase="Exited", exitCode=0)
        found = [next(events) for _ in range(3)]
    assert [event["type"] for event in found] == ["ADDED", "MODIFIED", "DELETED"]
    assert [event["object"]["status"]["phase"] for event in found] == ["Running", "Running", "Succeeded"]
    with watching(http, resourceVersion=running, **selector) as events:
        assert [next(events) for _ in range(2)] == found[1:]
    polled = http.get(PODS, params={"watch": "poll", "resourceVersion": start, **selector}).json()
    assert [one["object"]["kind"] for one in polled["items"]] == ["Pod"] * 3


def test_watches_have_tables_and_bookmarks_of_pods(http: httpx.Client) -> None:
    create(http, "p5")
    with watching(http, fieldSelector="metadata.name=p5", table="1") as events:
        tell(http, "p5", phase="Running")
        first, second = next(events), next(events)
    assert [column["name"] for column in first["object"]["columnDefinitions"]][:5] == [
        "Name", "Ready", "Status", "Restarts", "Age"
    ]  # fmt: skip
    assert second["object"]["columnDefinitions"] == []
    assert second["object"]["rows"][0]["cells"][2] == "Running"
    listed = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    with watching(http, fieldSelector="metadata.name=p5", **listed) as events:
        assert next(events)["type"] == "ADDED"
        assert (mark := next(events)["object"])["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert (mark["kind"], mark["apiVersion"]) == ("Pod", "v1")


def test_deleting_a_pod_deletes_the_assignment(http: httpx.Client) -> None:
    uid = create(http, "p6")
    other = http.request("DELETE", f"{PODS}/p6", json={"preconditions": {"uid": "other"}})
    expect(other, 409, "Conflict", 'pods "p6": Precondition failed: UID')
    assert http.request("DELETE", f"{PODS}/p6", json={"dryRun": ["All"]}).json()["kind"] == "Pod"
    assert "deletionTimestamp" not in http.get(f"{ASSIGNMENTS}/p6").json()["metadata"]
    http.patch(f"{ASSIGNMENTS}/p6", json={"metadata": {"finalizers": ["plum.dev/stopped"]}}, headers=MERGE)
    body = {"propagationPolicy": "Foreground", "preconditions": {"uid": uid}}
    gone = http.request("DELETE", f"{PODS}/p6", json=body).json()
    assert (gone["kind"], gone["metadata"]["uid"]) == ("Pod", uid)
    assert "foregroundDeletion" in gone["metadata"]["finalizers"]
    assert http.get(f"{ASSIGNMENTS}/p6").json()["metadata"]["deletionTimestamp"]
    http.patch(f"{ASSIGNMENTS}/p6", json={"metadata": {"finalizers": None}}, headers=MERGE)
    expect(http.get(f"{PODS}/p6"), 404, "NotFound", 'pods "p6" not found')
    expect(http.delete(f"{PODS}/p6"), 404, "NotFound", 'pods "p6" not found')


def test_many_pods_are_deleted_at_once(http: httpx.Client) -> None:
    for name in ("p7-a", "p7-b"):
        create(http, name, task="seven", node="nodeS")
    answer = http.delete(PODS, params={"labelSelector": "plum.dev/task=seven", "fieldSelector": "spec.nodeName=nodeS"})
    assert answer.json()["kind"] == "PodList"
    assert [pod["kind"] for pod in answer.json()["items"]] == ["Pod", "Pod"]
    assert names(http, labelSelector="plum.dev/task=seven") == []


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "/p1"), ("PATCH", "/p1")])
def test_pods_are_not_written(http: httpx.Client, method: str, path: str) -> None:
    answer = http.request(method, f"{PODS}{path}", json={}, headers=MERGE if method == "PATCH" else {})
    expect(answer, 405, "MethodNotAllowed", "edit the task (kubectl edit task NAME)")


def test_places_that_are_not_there(http: httpx.Client) -> None:
    for path in (
        "/api/v1/pods/p1",
        f"{PODS}/p1/eviction",
        f"{PODS}/p1/log/x",
        "/apis/apps/v1/pods",
        f"{METRICS}/p1/log",
    ):
        expect(http.get(path), 404, "NotFound", "could not find the requested resource")


def test_what_leads_into_processes_says_where_to_go(http: httpx.Client) -> None:
    expect(http.post(f"{PODS}/p1/exec"), 404, "NotFound", "pods/exec is not served: nothing leads into a process")


def test_events_about_assignments_are_found_by_their_pods(http: httpx.Client) -> None:
    uid = create(http, "p8")
    about = {"apiVersion": "plum.dev/v1", "kind": "Assignment", "namespace": "default", "name": "p8", "uid": uid}
    event = {"metadata": {"name": "p8.1"}, "involvedObject": about, "reason": "Started", "message": "started"}
    assert http.post("/api/v1/namespaces/default/events", json=event).status_code == 201
    selector = f"involvedObject.kind=Pod,involvedObject.name=p8,involvedObject.uid={uid}"
    found = http.get("/api/v1/namespaces/default/events", params={"fieldSelector": selector}).json()["items"]
    assert [one["reason"] for one in found] == ["Started"]


def test_discovery_lists_views_after_what_is_stored(http: httpx.Client) -> None:
    core = {one["name"]: one for one in http.get("/api/v1").json()["resources"]}
    assert core["pods"]["shortNames"] == ["po"]
    assert (core["pods/log"]["kind"], core["pods/log"]["verbs"]) == ("Pod", ["get"])
    assert list(core)[-2:] == ["pods", "pods/log"]
    groups = [group["name"] for group in http.get("/apis").json()["groups"]]
    assert groups[0] == "plum.dev"
    assert {"metrics.k8s.io", "authorization.k8s.io", "authentication.k8s.io"} <= set(groups)
    accept = {"accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
    (item,) = http.get("/api", headers=accept).json()["items"]
    pods = item["versions"][0]["resources"][-1]
    assert (pods["resource"], pods["responseKind"]["kind"]) == ("pods", "Pod")
    assert [below["subresource"] for below in pods["subresources"]] == ["log"]


def test_a_log_is_refused_in_the_words_of_a_cluster(http: httpx.Client) -> None:
    create(http, "p9", node="nodeQ")
    create(http, "p9-unplaced", node="")
    log = f"{PODS}/p9/log"
    expect(http.get(f"{PODS}/nobody/log"), 404, "NotFound", 'pods "nobody" not found')
    expect(http.get(f"{PODS}/p9-unplaced/log"), 400, "BadRequest", "pod p9-unplaced does not have a host assigned")
    expect(http.get(log), 400, "BadRequest", 'container "main" in pod "p9" is waiting to start: ContainerCreating')
    tell(http, "p9", phase="Running", startedAt="2026-01-01T00:00:00Z")
    expect(http.get(log, params={"container": "side"}), 400, "BadRequest", "container side is not valid for pod p9")
    previous = 'previous terminated container "main" in pod "p9" not found'
    expect(http.get(log, params={"previous": "true"}), 400, "BadRequest", previous)
    expect(http.get(log, params={"tailLines": "-1"}), 400, "BadRequest", "tailLines")
    expect(http.get(log, params={"container": "main"}), 503, "ServiceUnavailable", "nodeQ")
    expect(http.post(log), 405, "MethodNotAllowed", "does not allow POST")


def test_metrics_are_those_that_agents_report(http: httpx.Client) -> None:
    uid = create(http, "p10", node="nodeU", task="ten")
    create(http, "p10-quiet", node="nodeU", task="ten")
    http.post(NODES, json={"metadata": {"name": "nodeU"}})
    one = {"namespace": "default", "name": "p10", "uid": uid, "cpu": 0.25, "memoryBytes": 3 << 20}
    quiet = {
        "namespace": "default",
        "name": "p10-quiet",
        "uid": http.get(f"{PODS}/p10-quiet").json()["metadata"]["uid"],
    }
    report = {"windowSeconds": 15.0, "node": {}, "instances": [one, quiet]}
    assert http.put(f"{NODES}/nodeU/usage", json=report).status_code == 204

    (found,) = http.get(METRICS, params={"labelSelector": "plum.dev/task=ten"}).json()["items"]
    assert found == http.get(f"{METRICS}/p10").json()
    assert (found["kind"], found["window"]) == ("PodMetrics", "15.000s")
    assert found["containers"] == [{"name": "main", "usage": {"cpu": "250000000n", "memory": "3072Ki"}}]
    everywhere = http.get("/apis/metrics.k8s.io/v1beta1/pods", params={"fieldSelector": "metadata.name=p10"}).json()
    assert (everywhere["kind"], len(everywhere["items"])) == ("PodMetricsList", 1)
    assert http.get(METRICS, headers=TABLE).json()["rows"][0]["cells"] == ["p10", "250000000n", "3072Ki", "15.000s"]
    expect(http.get(METRICS, params={"watch": "true"}), 405, "MethodNotAllowed", "does not allow watches")
    expect(http.get(f"{METRICS}/p10-quiet"), 404, "NotFound", 'pods.metrics.k8s.io "default/p10-quiet" not found')
    expect(http.delete(METRICS), 405, "MethodNotAllowed", "does not allow DELETE")


@pytest.mark.skipif(
    not shutil.which("kubectl") and not os.environ.get("PLUM_REQUIRE_KUBECTL"), reason="kubectl is not installed"
)
def test_kubectl_top(http: httpx.Client, server: str, tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    http.post(NODES, json={"metadata": {"name": "nodeT"}})
    instances = [
        {"namespace": "default", "name": name, "uid": create(http, name, node="nodeT", task="top"), "cpu": cpu}
        for name, cpu in (("p11-a", 0.25), ("p11-b", 1.5))
    ]
    report = {"windowSeconds": 15.0, "node": {}, "instances": [one | {"memoryBytes": 64 << 20} for one in instances]}
    assert http.put(f"{NODES}/nodeT/usage", json=report).status_code == 204
    command = [
        "kubectl",
        "-s",
        server,
        "top",
        "pod",
        "-l",
        "plum.dev/task=top",
        "--containers",
        "--sum",
        "--sort-by=cpu",
    ]
    found = subprocess.run(command, env=environ, capture_output=True, timeout=60, check=True)
    rows = [line.split() for line in found.stdout.decode().splitlines()]
    assert rows[0] == ["POD", "NAME", "CPU(cores)", "MEMORY(bytes)"]
    assert rows[1:3] == [["p11-b", "main", "1500m", "64Mi"], ["p11-a", "main", "250m", "64Mi"]]
    assert rows[-1] == ["1750m", "128Mi"]
