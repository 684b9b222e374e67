"""wait and rollout status: until something is so, whatever happens to the server meanwhile."""

import json
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from plumctl.commands import cli
from tests.e2e.cluster import wait_for
from tests.servers import running_apiserver
from tests.specimens import specimens
from tests.unit.plumctl.conftest import Ctl

SECONDS = 30
LISTED = 'apiserver_request_total{code="200",resource="tasks.plum.dev",verb="list"} 1.0'
TASKS = "/apis/plum.dev/v1/namespaces/default/tasks"
ASSIGNMENTS = "/apis/plum.dev/v1/namespaces/default/assignments"
MERGE = {"content-type": "application/merge-patch+json"}

Start = Callable[..., "Future[Result]"]


@pytest.fixture
def start(ctl: Ctl) -> Iterator[Start]:
    """Run a command beside the test."""
    with ThreadPoolExecutor(1) as beside:
        yield lambda *arguments: beside.submit(ctl, *arguments)


def task(name: str, **spec: Any) -> dict[str, Any]:
    entry = {"name": "main", "artifactUrl": "http://x/y.zip", "sha256": "a" * 64, "replicas": 1}
    return {
        "apiVersion": "plum.dev/v1",
        "kind": "Task",
        "metadata": {"name": name},
        "spec": {"entries": [entry]} | spec,
    }


def post(server: str, path: str, body: Any) -> Any:
    answer = httpx.post(f"{server}{path}", json=body, trust_env=False)
    assert answer.status_code == 201, answer.text
    return answer.json()


def patch(server: str, path: str, body: Any) -> None:
    answer = httpx.patch(f"{server}{path}", content=json.dumps(body), headers=MERGE, trust_env=False)
    assert answer.status_code == 200, answer.text


def condition(kind: str, status: str, **more: Any) -> dict[str, Any]:
    """A patch with a condition of the spec as it is."""
    return {"status": {"conditions": [{"type": kind, "status": status, "observedGeneration": 1} | more]}}


def test_wait_sees_what_comes(server: str, start: Start) -> None:
    post(server, TASKS, task("comes"))
    waiting = start("wait", "task/comes", "--for=condition=Available", "--timeout=30s")
    patch(server, f"{TASKS}/comes/status", condition("Available", "False"))
    assert not waiting.done()
    patch(server, f"{TASKS}/comes/status", condition("Available", "True"))
    assert waiting.result(SECONDS).stdout == "task/comes condition met\n"
    coming = start("wait", "task/late", "--for=create", "--timeout=30s", "-o", "name")
    post(server, TASKS, task("late"))
    assert coming.result(SECONDS).stdout == "task.plum.dev/late\n"
    gone = start("wait", "tasks", "--all", "--for=delete", "--timeout=30s")
    for name in ("comes", "late"):
        httpx.delete(f"{server}{TASKS}/{name}", trust_env=False)
    assert gone.result(SECONDS).exit_code == 0


def test_wait_goes_on_after_a_kill_of_the_server(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as beside:
        with running_apiserver(tmp_path) as (process, url):
            post(url, TASKS, task("kept"))
            environment = {"PLUM_SERVER": url, "KUBECONFIG": None, "PLUM_TOKEN": None}
            arguments = ["wait", "task/kept", "--for=jsonpath={.spec.state}=Stopped", "--timeout=60s"]
            waiting = beside.submit(CliRunner().invoke, cli, arguments, env=environment)
            wait_for("its list", lambda: LISTED in httpx.get(f"{url}/metrics", trust_env=False).text)
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        address = url.removeprefix("http://")
        with running_apiserver(tmp_path, "--addr", address):
            patch(url, f"{TASKS}/kept", {"spec": {"state": "Stopped"}})
            done = waiting.result(60)
    assert done.stdout == "task/kept condition met\n"
    assert "trying again" in done.stderr


def copy(name: str) -> dict[str, Any]:
    body = specimens("a" * 64)["assignments"]
    labels = (body["metadata"].get("labels") or {}) | {"plum.dev/task": name}
    template = {key: value for key, value in body["spec"]["template"].items() if key != "restartedAt"}
    metadata = {"name": f"{name}-main-first", "labels": labels}
    spec = body["spec"] | {"taskName": name, "template": template}
    return {"apiVersion": "plum.dev/v1", "kind": "Assignment", "metadata": metadata, "spec": spec}


def test_rollout_status_waits_for_ready_copies(server: str, ctl: Ctl, start: Start) -> None:
    post(server, TASKS, task("rolled"))
    assert ctl("rollout", "status", "task/rolled", "--watch=false").stdout == (
        "Waiting for task spec update to be observed...\n"
    )
    following = start("rollout", "status", "task/rolled", "--timeout=30s")
    path = f"{TASKS}/rolled/status"
    patch(server, path, {"status": {"observedGeneration": 1}})
    made = post(server, ASSIGNMENTS, copy("rolled"))["metadata"]["name"]
    patch(server, path, {"status": {"replicas": 1, "updatedReplicas": 1}})
    patch(server, f"{ASSIGNMENTS}/{made}/status", condition("Ready", "True"))
    patch(server, path, {"status": {"readyReplicas": 1}})
    done = following.result(SECONDS)
    assert done.stdout.splitlines()[-1] == 'task "rolled" successfully rolled out'
    assert done.exit_code == 0


def test_rollout_status_is_not_taken_in_by_the_state_before_a_restart(server: str, ctl: Ctl) -> None:
    post(server, TASKS, task("again"))
    name = post(server, ASSIGNMENTS, copy("again"))["metadata"]["name"]
    patch(server, f"{ASSIGNMENTS}/{name}/status", condition("Ready", "True"))
    counts = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}
    patch(server, f"{TASKS}/again/status", {"status": counts})
    assert ctl("rollout", "status", "task/again").stdout == 'task "again" successfully rolled out\n'
    assert ctl("rollout", "restart", "tasks", "--field-selector=metadata.name=again").stdout == "task/again restarted\n"
    late = ctl("rollout", "status", "task/again", "--timeout=0.2")
    assert (late.exit_code, late.stderr) == (1, "error: timed out waiting for the condition\n")
    assert late.stdout == "Waiting for task spec update to be observed...\n"


@pytest.mark.parametrize(
    ("spec", "status", "fault"),
    [
        ({"state": "Stopped"}, {}, 'task "{}" is stopped; plumctl start task/{} starts it'),
        (
            {},
            {"observedGeneration": 1} | condition("Progressing", "False", reason="A", message="no such app")["status"],
            'task "{}" cannot be rolled out: no such app',
        ),
    ],
)
def test_rollout_status_ends_where_waiting_does_not_help(
    server: str, ctl: Ctl, spec: Any, status: Any, fault: str
) -> None:
    name = "ends-stopped" if spec else "ends-failed"
    post(server, TASKS, task(name, **spec))
    if status:
        patch(server, f"{TASKS}/{name}/status", {"status": status})
    ended = ctl("rollout", "status", f"task/{name}")
    assert (ended.exit_code, ended.stdout, ended.stderr) == (1, "", f"error: {fault.format(name, name)}\n")
    assert ctl("rollout", "status", "task/never").stderr == 'error: tasks.plum.dev "never" not found\n'
    assert ctl("rollout", "status", "ns/default").exit_code == 2
