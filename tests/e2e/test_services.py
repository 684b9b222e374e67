"""Services end to end: declared in an app, derived, judged, looked up, and gone again."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.cluster import Cluster, command_of, processes_of, running_cluster, wait_for

API = "/apis/plum.dev/v1/namespaces/default"
EXAMPLES = sorted(path.parent.name for path in Path("manifests").glob("*/app") if path.parent.name != "hello")
"""All but the one that ``test_main_job`` runs."""

NAPS_META = "name=naps\nversion=2.1\nservice=naps:http:8080\nservice=Nap Admin:grpc:9090\n"
MOODS = """
import http.server, os
refused = set()

class Moods(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if self.path in refused else 200)
        self.end_headers()

    def do_POST(self):
        (refused.discard if self.path in refused else refused.add)(self.path)
        self.send_response(204)
        self.end_headers()

http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PLUM_PORT_WEB"])), Moods).serve_forever()
"""
"""Answers each path with 200, or after a POST there with 503, and after another one with 200 again."""

pytestmark = pytest.mark.xdist_group("services")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("services")) as found:
        for example in EXAMPLES:
            found.plumctl("app", "push", f"manifests/{example}/app")
        app = found.directory / "naps"
        app.mkdir()
        (app / "meta.ini").write_text(NAPS_META)
        (app / "start.sh").write_text("#!/bin/sh\nexec sleep 1000\n")
        found.plumctl("app", "push", str(app))
        moods = found.directory / "moods"
        moods.mkdir()
        (moods / "meta.ini").write_text("name=moods\nversion=1\n")
        (moods / "moods.py").write_text(MOODS)
        (moods / "start.sh").write_text("#!/bin/sh\nexec python3 moods.py\n")
        found.plumctl("app", "push", str(moods))
        yield found


@pytest.fixture
def http(cluster: Cluster) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{cluster.url}{API}", trust_env=False, timeout=10) as client:
        yield client


def start_naps(http: httpx.Client, *nodes: str) -> None:
    entry = {"app": {"name": "naps", "version": "2.1"}, "nodeReplicas": dict.fromkeys(nodes, 1)}
    body = {"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": {"name": "naps"}, "spec": {"entries": [entry]}}
    http.post("/tasks", json=body).raise_for_status()


def patch(http: httpx.Client, path: str, spec: dict[str, Any]) -> None:
    headers = {"content-type": "application/merge-patch+json"}
    http.patch(path, json={"spec": spec}, headers=headers).raise_for_status()


def endpoints(http: httpx.Client, service: str) -> list[dict[str, Any]]:
    query = {"fieldSelector": f"spec.service={service}"}
    found: list[dict[str, Any]] = http.get("/endpoints", params=query).json()["items"]
    return found


def reasons(http: httpx.Client, service: str) -> dict[str, str]:
    """Why each endpoint of a service is healthy or not, by node."""
    return {one["spec"].get("nodeName", ""): one["status"].get("reason", "") for one in endpoints(http, service)}


def until(http: httpx.Client, service: str, **expected: str) -> None:
    wait_for(f"{service}: {expected}", lambda: reasons(http, service) == expected or None)


def counts(http: httpx.Client, service: str) -> str:
    found = http.get(f"/services/{service}")
    if found.status_code == 404:
        return "gone"
    status = found.json().get("status", {})
    return f"{status.get('readyEndpoints')}/{status.get('endpoints')}"


def turns(http: httpx.Client, since: str) -> list[str]:
    """What a watch tells of the endpoints of ``naps``, without what may be too short to be seen."""
    query = {"watch": "true", "resourceVersion": since, "fieldSelector": "spec.service=naps", "timeoutSeconds": "1"}
    events = [json.loads(line) for line in http.get("/endpoints", params=query).text.splitlines()]
    told = [e["object"]["status"].get("reason", "") if e["type"] != "DELETED" else "gone" for e in events]
    told = [reason for reason in told if reason not in ("", "InstanceNotRunning", "InstanceLeaving")]
    return [after for before, after in zip(["", *told], told, strict=False) if before != after]


def test_from_meta_ini_to_an_address_and_back(cluster: Cluster, http: httpx.Client) -> None:
    since = http.get("/endpoints").json()["metadata"]["resourceVersion"]
    start_naps(http, "nodeA")
    until(http, "naps", nodeA="Ready")
    until(http, "Nap Admin", nodeA="Ready")
    (one,) = endpoints(http, "naps")
    (copy,) = http.get("/assignments").json()["items"]
    assert one["spec"] == {
        "service": "naps",
        "assignment": copy["metadata"]["name"],
        "nodeName": "nodeA",
        "ip": copy["status"]["ip"],
        "port": 8080,
        "protocol": "http",
        "version": "2.1",
    }
    wait_for("the count", lambda: counts(http, "naps") == "1/1")
    table = cluster.plumctl("get", "svc,ep", "-o", "wide")
    assert "service/naps" in table
    assert f"{copy['status']['ip']}:8080" in table

    patch(http, "/tasks/naps", {"state": "Stopped"})
    until(http, "naps", nodeA="InstanceStopped")
    wait_for("the count", lambda: counts(http, "naps") == "0/1")
    patch(http, "/tasks/naps", {"state": "Running"})
    until(http, "naps", nodeA="Ready")
    patch(http, f"/endpoints/{one['metadata']['name']}", {"healthOverride": False})
    until(http, "naps", nodeA="Overridden")
    assert not endpoints(http, "naps")[0]["status"]["healthy"]
    http.delete("/tasks/naps").raise_for_status()
    until(http, "naps")
    wait_for("no service", lambda: counts(http, "naps") == "gone")
    assert turns(http, since) == ["Ready", "InstanceStopped", "Ready", "Overridden", "gone"]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_runs_as_it_is(cluster: Cluster, http: httpx.Client, example: str) -> None:
    cluster.plumctl("apply", "-f", f"manifests/{example}")
    copies = cluster.running(example, 2)
    if example == "notes":
        began = {one["spec"]["entry"]: one["status"]["startedAt"] for one in copies}
        assert began["store"] < began["count"]
    if example == "orders":
        until(http, "orders", nodeA="Ready", nodeB="Ready")
        until(http, "shop", nodeA="Ready", nodeB="Ready")
        wait_for("the count", lambda: counts(http, "shop") == "2/2")
        for one in endpoints(http, "shop"):
            url = f"http://{one['spec']['ip']}:{one['spec']['port']}/"
            assert wait_for("an answer", lambda url=url: answer(url)) == {  # type: ignore[misc]
                "instance": one["spec"]["assignment"],
                "orders": [],
            }
    cluster.plumctl("delete", "-f", f"manifests/{example}")
    wait_for("nothing", lambda: not http.get("/endpoints").json()["items"])
    wait_for("no service", lambda: not http.get("/services").json()["items"])


def answer(url: str) -> Any:
    try:
        return httpx.get(url, trust_env=False).json()
    except httpx.TransportError:
        return None


def test_probes_take_an_endpoint_out_and_restart(cluster: Cluster, http: httpx.Client) -> None:
    often = {"periodSeconds": 1, "timeoutSeconds": 10, "failureThreshold": 1}
    probes = {name: {"httpGet": {"port": "web", "path": f"/{name}"}, **often} for name in ("readiness", "liveness")}
    probes["startup"] = {"tcpSocket": {"port": "web"}, **often, "failureThreshold": 100}
    entry = {
        "app": {"name": "moods", "version": "1"},
        "nodeReplicas": {"nodeA": 1},
        "ports": [{"name": "web"}],
        "services": [{"name": "moods", "port": "web", "protocol": "http"}],
        "probes": probes,
    }
    body = {"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": {"name": "moods"}, "spec": {"entries": [entry]}}
    http.post("/tasks", json=body).raise_for_status()
    until(http, "moods", nodeA="Ready")
    (one,) = http.get("/assignments").json()["items"]
    url = f"http://127.0.0.1:{one['status']['ports'][0]['port']}"
    httpx.post(f"{url}/readiness", trust_env=False).raise_for_status()
    until(http, "moods", nodeA="NotReady")
    name = one["metadata"]["name"]
    assert f"readiness: GET {url}/readiness: answered 503" in cluster.plumctl("describe", "assignment", name)
    assert [shown["healthy"] for shown in shown_by_v1(cluster)] == [False]
    httpx.post(f"{url}/readiness", trust_env=False).raise_for_status()
    until(http, "moods", nodeA="Ready")
    assert [shown["healthy"] for shown in shown_by_v1(cluster)] == [True]

    httpx.post(f"{url}/liveness", trust_env=False).raise_for_status()
    wait_for("a restart", lambda: http.get(f"/assignments/{name}").json()["status"]["restarts"] == 1)
    until(http, "moods", nodeA="Ready")
    events = httpx.get(f"{cluster.url}/api/v1/events", trust_env=False).json()["items"]
    told = {event["reason"]: event["message"] for event in events if event["involvedObject"]["name"] == name}
    assert told["Killing"].endswith(f"(liveness: GET {url}/liveness: answered 503)")
    assert "answered 503" in told["Unhealthy"]
    http.delete("/tasks/moods").raise_for_status()
    until(http, "moods")


def shown_by_v1(cluster: Cluster) -> list[dict[str, Any]]:
    url = f"{cluster.url}/v1/assignments"
    found: list[dict[str, Any]] = httpx.get(url, params={"nodeId": "nodeA"}, trust_env=False).json()["items"]
    return found


def test_agents_that_die_or_fall_silent(cluster: Cluster, http: httpx.Client) -> None:
    start_naps(http, "nodeA", "nodeB")
    until(http, "naps", nodeA="Ready", nodeB="Ready")
    silent, killed = agent(cluster, "nodeB"), agent(cluster, "nodeA")
    os.kill(silent, signal.SIGSTOP)
    try:
        before, pid = endpoints(http, "naps"), running(http, "nodeA")
        os.kill(killed, signal.SIGKILL)
        wait_for("another agent", lambda: agent(cluster, "nodeA") not in (0, killed))
        until(http, "naps", nodeA="Ready", nodeB="NodeSilent")
        assert running(http, "nodeA") == pid, "the app did not notice"
        assert {one["metadata"]["uid"] for one in before} == {o["metadata"]["uid"] for o in endpoints(http, "naps")}
        wait_for("the count", lambda: counts(http, "naps") == "1/2")
    finally:
        os.kill(silent, signal.SIGCONT)
    until(http, "naps", nodeA="Ready", nodeB="Ready")
    http.delete("/tasks/naps").raise_for_status()
    until(http, "naps")


def agent(cluster: Cluster, node: str) -> int:
    """The process id of a node's agent; 0 while there is none."""
    found = ((one.pid, command_of(one)) for one in processes_of(cluster.directory))
    return next((pid for pid, command in found if "agent" in command and node in command), 0)


def running(http: httpx.Client, node: str) -> int:
    """The process id of the one copy on the node."""
    (found,) = http.get("/assignments", params={"fieldSelector": f"spec.nodeName={node}"}).json()["items"]
    pid: int = found["status"]["pid"]
    return pid
