"""Usage over HTTP: agents put it, anybody reads it, nothing else changes."""

import gzip
from typing import Any

import httpx
import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

API = "/apis/plum.dev/v1"
ASSIGNMENTS = f"{API}/namespaces/default/assignments"


def node(http: httpx.Client, name: str) -> str:
    """Create it; the path of its usage."""
    created = http.post(f"{API}/nodes", json={"metadata": {"name": name}})
    assert created.status_code in (201, 409), created.text
    return f"{API}/nodes/{name}/usage"


def assignment(http: httpx.Client, name: str, node: str, *, task: str = "web") -> dict[str, Any]:
    """Create it; what its node reports of it."""
    template = {"artifactUrl": "/artifacts/x", "sha256": "a" * 64}
    spec = {"taskName": task, "entry": "main", "nodeName": node, "template": template, "templateHash": "h"}
    metadata = {"name": name, "labels": {"plum.dev/task": task, "plum.dev/entry": "main"}}
    created = http.post(ASSIGNMENTS, json={"metadata": metadata, "spec": spec})
    assert created.status_code == 201, created.text
    return {"namespace": "default", "name": name, "uid": created.json()["metadata"]["uid"], "cpuSeconds": 1.5}


def report(*instances: dict[str, Any], **figures: Any) -> dict[str, Any]:
    return {"windowSeconds": 15.0, "node": figures, "instances": list(instances)}


def names(http: httpx.Client, **query: Any) -> list[str]:
    answer = http.get(f"{API}/usage", params=query)
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


def test_what_an_agent_puts_can_be_read(http: httpx.Client) -> None:
    path = node(http, "told")
    one = assignment(http, "told-1", "told")
    version = http.get(ASSIGNMENTS).json()["metadata"]["resourceVersion"]
    assert http.put(path, json=report(one, cpus=4, load1=0.5)).status_code == 204
    found = http.get(path).json()
    assert (found["kind"], found["name"], found["cpus"], found["load1"]) == ("NodeUsage", "told", 4, 0.5)
    assert found["receivedAt"].endswith("Z")
    (instance,) = found["instances"]
    assert (instance["task"], instance["entry"], instance["node"]) == ("web", "main", "told")
    assert instance["cpuSeconds"] == 1.5
    assert "cpu" not in instance
    assert http.get(ASSIGNMENTS).json()["metadata"]["resourceVersion"] == version


def test_reports_may_come_compressed(http: httpx.Client) -> None:
    path = node(http, "packed")
    packed = {"content-encoding": "gzip"}
    raw = orjson.dumps(report(cpus=8))
    assert http.put(path, content=gzip.compress(raw), headers=packed).status_code == 204
    assert http.get(path).json()["cpus"] == 8
    for content, code, words in (
        (raw, 400, "not gzip"),
        (gzip.compress(raw)[:-9], 400, "ends in the middle"),
        (gzip.compress(b" " * (4 << 20)), 413, "over the limit"),
    ):
        answer = http.put(path, content=content, headers=packed)
        assert (answer.status_code, words in answer.json()["message"]) == (code, True), answer.text
    assert http.put(path, content=raw, headers={"content-encoding": "br"}).status_code == 415


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "node: Required value"),
        (report(cpus=-1), "node.cpus"),
        (report(cpus="4"), "node.cpus"),
        (2**70, "the body: Invalid value: 1180591620717411303424"),
        (report({"namespace": "default", "name": "x", "uid": ""}), "instances[0].uid"),
        (report({"namespace": "default", "uid": "u"}), "instances[0].name: Required value"),
        (report(*[{"namespace": "default", "name": "x", "uid": "u"}] * 5001), "instances"),
    ],
)
def test_a_wrong_report_is_refused_with_the_field(http: httpx.Client, body: Any, field: str) -> None:
    answer = http.put(node(http, "wrong"), json=body)
    assert answer.status_code == 422, answer.text
    assert field in answer.json()["message"]


def test_what_is_no_number_is_refused(http: httpx.Client) -> None:
    path = node(http, "wrong")
    for body in (b"", b"[]", b'{"node": {"load1": NaN}}', b'{"node": {"load1": 1e999}}'):
        assert http.put(path, content=body).status_code == 422


def test_who_has_not_reported_has_no_usage(http: httpx.Client) -> None:
    silent = http.get(node(http, "silent")).json()
    assert (silent["code"], silent["reason"]) == (404, "NotFound")
    assert "has reported no usage" in silent["message"]
    for answer in (
        http.get(f"{API}/nodes/nobody/usage"),
        http.put(f"{API}/nodes/nobody/usage", json=report()),
    ):
        assert (answer.status_code, answer.json()["message"]) == (404, 'nodes.plum.dev "nobody" not found')
    assert http.delete(f"{API}/nodes/silent/usage").status_code == 405
    assert http.post(f"{API}/usage").status_code == 405
    assert http.get(f"{API}/namespaces/default/tasks/x/usage").status_code == 404


def test_assignments_are_selected_as_in_a_list(http: httpx.Client) -> None:
    paths = {name: node(http, name) for name in ("sel-a", "sel-b")}
    ones = [assignment(http, f"sel-{n}", "sel-a", task=f"task-{n}") for n in range(3)]
    other = assignment(http, "sel-other", "sel-b", task="task-0")
    assignment(http, "sel-unknown", "sel-b")
    assert http.put(paths["sel-a"], json=report(*ones)).status_code == 204
    assert http.put(paths["sel-b"], json=report(other)).status_code == 204
    assert names(http, labelSelector="plum.dev/task=task-0") == ["sel-0", "sel-other"]
    assert names(http, fieldSelector="spec.taskName=task-2") == ["sel-2"]
    assert names(http, fieldSelector="spec.nodeName=sel-b") == ["sel-other"]
    assert names(http, fieldSelector="metadata.name=sel-1", namespace="default") == ["sel-1"]
    assert names(http, namespace="elsewhere") == []
    assert names(http, resources="nodes") == []
    assert http.get(f"{API}/usage", params={"resources": "tasks"}).status_code == 400
    assert http.get(f"{API}/usage", params={"fieldSelector": "spec.entry=x"}).status_code == 400


def test_long_lists_come_in_pages(http: httpx.Client) -> None:
    path = node(http, "paged")
    ones = [assignment(http, f"paged-{n}", "paged", task="paged") for n in range(5)]
    assert http.put(path, json=report(*ones)).status_code == 204
    query = {"fieldSelector": "spec.taskName=paged", "limit": "2"}
    found: list[str] = []
    pages = 0
    while True:
        page = http.get(f"{API}/usage", params=query).json()
        assert ("nodes" in page) == (pages == 0)
        found += [item["name"] for item in page["items"]]
        pages += 1
        if not (token := page["metadata"].get("continue")):
            break
        query["continue"] = token
    assert (found, pages) == ([f"paged-{n}" for n in range(5)], 3)


def test_discovery_and_metrics_tell_of_it(http: httpx.Client) -> None:
    resources = {found["name"]: found for found in http.get(API).json()["resources"]}
    assert resources["nodes/usage"]["verbs"] == ["get", "update"]
    assert resources["nodes/usage"]["kind"] == "NodeUsage"
    path = node(http, "measured")
    one = assignment(http, "measured-1", "measured")
    assert http.put(path, json=report(one, memoryBytes=5)).status_code == 204
    samples = {
        (sample.name, sample.labels.get("assignment") or sample.labels.get("node"))
        for family in text_string_to_metric_families(http.get("/metrics").text)
        for sample in family.samples
    }
    assert ("plum_instance_cpu_seconds_total", "measured-1") in samples
    assert ("plum_node_memory_bytes", "measured") in samples
