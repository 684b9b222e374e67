"""The main job, as the README tells it: from a manifest to running processes and back."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.cluster import Cluster, command_of, processes_of, running_cluster, wait_for

HELLO = Path("manifests/hello")
pytestmark = pytest.mark.xdist_group("main job")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("main")) as found:
        found.plumctl("app", "push", str(HELLO / "app"))
        yield found


def fetch(assignment: dict[str, Any]) -> str:
    status = assignment["status"]
    with urllib.request.urlopen(f"http://{status['ip']}:{status['ports'][0]['port']}/", timeout=10) as reply:
        text: str = reply.read().decode()
    return text


def test_the_whole_way(cluster: Cluster, tmp_path: Path) -> None:
    assert cluster.plumctl("apply", "-f", str(HELLO)) == "task/hello created\n"
    assert cluster.plumctl("apply", "-f", str(HELLO)) == "task/hello unchanged\n"
    copies = cluster.running("hello", 2)
    assert {copy["spec"]["nodeName"] for copy in copies} == {"nodeA", "nodeB"}
    for copy in copies:
        wait_for("an answer", lambda copy=copy: answers(copy))  # type: ignore[misc]

    with watching(cluster) as watch:
        victim = copies[0]["metadata"]["name"]
        os.kill(copies[0]["status"]["pid"], signal.SIGKILL)
        again = wait_for("a restart", lambda: restarted(cluster, victim))
        assert again["status"]["restarts"] == 1
        assert again["status"]["ports"] == copies[0]["status"]["ports"]
        lines = wait_for("the watch", lambda: seen(watch, victim, "Running   True    1"))
    phases = [line.split()[3] for line in lines if line.startswith(victim)]
    assert phases == ["Running", "Failed", "Running"]

    changed = (
        (HELLO / "task.yaml").read_text().replace("replicas: 2", "replicas: 2\n      startCmd: exec python3 server.py")
    )
    (tmp_path / "task.yaml").write_text(changed)
    assert cluster.plumctl("apply", "-f", str(tmp_path / "task.yaml")) == "task/hello configured\n"
    wait_for("new copies", lambda: not {c["metadata"]["name"] for c in copies} & names(cluster))
    rolled = cluster.running("hello", 2)
    for copy in rolled:
        assert copy["spec"]["template"]["startCmd"] == "exec python3 server.py"
        wait_for("an answer", lambda copy=copy: answers(copy))  # type: ignore[misc]

    described = cluster.plumctl("describe", "task", "hello")
    assert "Available" in described
    assert cluster.plumctl("delete", "-f", str(HELLO)) == "task/hello deleted\n"
    assert cluster.assignments("hello") == []
    assert not [found for found in processes_of(cluster.directory) if "server.py" in " ".join(command_of(found))]


def answers(copy: dict[str, Any]) -> bool:
    try:
        return fetch(copy) == f"Hello from {copy['metadata']['name']} on {copy['spec']['nodeName']}\n"
    except OSError:
        return False


def names(cluster: Cluster) -> set[str]:
    return {copy["metadata"]["name"] for copy in cluster.assignments("hello")}


def restarted(cluster: Cluster, name: str) -> dict[str, Any] | None:
    found = cluster.get("assignments", name)
    return found if found["status"]["phase"] == "Running" and found["status"]["restarts"] == 1 else None


class Watch:
    """A running ``plumctl get assignments -w``; its output so far."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[str]:
        return self.path.read_text().splitlines()


class watching:
    """Runs the watch while the block runs."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._watch = Watch(cluster.directory / "watch.out")

    def __enter__(self) -> Watch:
        command = [sys.executable, "-m", "plumctl", "get", "assignments", "-w"]
        with self._watch.path.open("wb") as out:
            self._process = subprocess.Popen(command, env=self._cluster.environ, stdout=out, stderr=subprocess.STDOUT)
        wait_for("the first list", lambda: len(self._watch.lines()) > 1)
        return self._watch

    def __exit__(self, *error: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(15)


def seen(watch: Watch, name: str, text: str) -> list[str] | None:
    lines = watch.lines()
    return lines if any(line.startswith(name) and text in line for line in lines) else None


def sleeper(name: str, **entry: Any) -> str:
    spec = {"app": {"name": "hello", "version": "1.0.0"}, "startCmd": "exec sleep 1000"} | entry
    return json.dumps(
        {"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": {"name": name}, "spec": {"entries": [spec]}}
    )


def test_stop_start_and_restart(cluster: Cluster) -> None:
    cluster.plumctl("apply", "-f", "-", stdin=sleeper("naps", nodeReplicas={"nodeA": 2}).encode())
    first, second = cluster.running("naps", 2)
    cluster.plumctl("stop", f"assignment/{first['metadata']['name']}")
    wait_for("one stopped", lambda: sorted(phases(cluster, "naps")) == ["Running", "Stopped"])
    refused = cluster.plumctl("restart", f"assignment/{first['metadata']['name']}", code=1)
    assert "is stopped; plumctl start assignment/" in refused
    cluster.plumctl("start", "task/naps")  # which runs already: so its stopped copy is meant
    cluster.running("naps", 2)
    cluster.plumctl("stop", f"assignment/{first['metadata']['name']}")
    wait_for("one stopped", lambda: sorted(phases(cluster, "naps")) == ["Running", "Stopped"])
    cluster.plumctl("stop", "task/naps")
    wait_for("all stopped", lambda: phases(cluster, "naps") == ["Stopped", "Stopped"])
    assert not any(psutil.pid_exists(copy["status"]["pid"]) for copy in (first, second))
    cluster.plumctl("start", "task/naps")
    cluster.running("naps", 2)
    cluster.plumctl("restart", f"assignment/{first['metadata']['name']}")
    wait_for("a restart", lambda: sum(c["status"]["restarts"] for c in cluster.running("naps", 2)) == 1)
    cluster.plumctl("restart", "task/naps")
    before = {first["metadata"]["name"], second["metadata"]["name"]}
    wait_for("new copies", lambda: not before & {c["metadata"]["name"] for c in cluster.running("naps", 2)})
    cluster.plumctl("delete", "task/naps")


def phases(cluster: Cluster, task: str) -> list[str]:
    return [copy["status"].get("phase", "") for copy in cluster.assignments(task)]


def test_exits_are_told_truthfully(cluster: Cluster) -> None:
    once = sleeper("once", startCmd="exit 0", restartPolicy="Never", replicas=1)
    fails = sleeper("fails", startCmd="sleep 0.1; exit 7", replicas=1)
    cluster.plumctl("apply", "-f", "-", stdin=f"{once}\n---\n{fails}".encode())
    wait_for("the end", lambda: phases(cluster, "once") == ["Exited"])
    assert cluster.assignments("once")[0]["status"]["exitCode"] == 0
    (backing,) = wait_for("backoff", lambda: in_backoff(cluster, "fails"))
    assert backing["status"]["exitCode"] == 7
    assert backing["status"]["restarts"] >= 1
    cluster.plumctl("delete", "tasks", "once", "fails")


def in_backoff(cluster: Cluster, task: str) -> list[dict[str, Any]]:
    return [copy for copy in cluster.assignments(task) if copy["status"].get("phase") == "BackOff"]


def test_a_deleted_assignment_is_replaced(cluster: Cluster) -> None:
    cluster.plumctl("apply", "-f", "-", stdin=sleeper("again", replicas=1).encode())
    (copy,) = cluster.running("again", 1)
    cluster.plumctl("delete", f"assignment/{copy['metadata']['name']}")
    wait_for("a new one", lambda: cluster.running("again", 1)[0]["metadata"]["name"] != copy["metadata"]["name"])
    cluster.plumctl("delete", "task/again")


def test_wrong_input_changes_nothing(cluster: Cluster, tmp_path: Path) -> None:
    version = cluster.plumctl("get", "tasks", "-o", "json")
    good = sleeper("good")
    cases = {
        "unknown field": ('{"spec": {"entries": [{"startCmdd": "x"}]}}', 'unknown field "spec.entries[0].startCmdd"'),
        "type": ('{"spec": {"entries": [{"artifactUrl": "/x", "replicas": "two"}]}}', "spec.entries[0].replicas"),
        "negative": ('{"spec": {"entries": [{"artifactUrl": "/x", "replicas": -1}]}}', "spec.entries[0].replicas"),
        "both": (
            '{"spec": {"entries": [{"artifactUrl": "/x", "replicas": 1, "nodeReplicas": {"nodeA": 1}}]}}',
            "spec.entries[0]: Invalid value: give replicas",
        ),
        "artifact": (
            '{"spec": {"entries": [{"app": {"name": "none", "version": "1"}}]}}',
            "spec.entries[0].app: the server has no app none 1; upload it first: plumctl app push DIR",
        ),
        "artifact elsewhere": (
            '{"metadata": {"name": "bad", "namespace": "far"}, '
            '"spec": {"entries": [{"app": {"name": "a", "version": "1"}}]}}',
            "the server has no app a 1 in the namespace far; upload it first: plumctl app push DIR -n far",
        ),
    }
    for name, (text, message) in cases.items():
        body = {"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": {"name": "bad"}} | json.loads(text)
        path = tmp_path / f"{name}.yaml".replace(" ", "-")
        path.write_text(f"{good}\n---\n{json.dumps(body)}\n")
        error = cluster.plumctl("apply", "-f", str(path), code=1)
        assert message in error, (name, error)
        assert f"{path} (document 2, line 3)" in error, (name, error)
    long = sleeper("n" * 41)
    assert "at most 40 characters" in cluster.plumctl("apply", "-f", "-", stdin=long.encode(), code=1)
    huge = b"a: " + b"x" * (20 << 20)
    assert "over the limit" in cluster.plumctl("apply", "-f", "-", stdin=huge, code=1)
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    assert "aliases" in cluster.plumctl("apply", "-f", "-", stdin=bomb.encode(), code=1)
    assert cluster.plumctl("get", "tasks", "-o", "json") == version


def upload(cluster: Cluster, path: Path) -> None:
    """Past plumctl, as anyone with an HTTP client can."""
    raw = path.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    request = urllib.request.Request(f"{cluster.url}/artifacts/sha256/{digest}", data=raw, method="PUT")
    urllib.request.urlopen(request, timeout=10).close()
    spec = {"name": "evil", "version": "1", "sha256": digest, "sizeBytes": len(raw)}
    body = {"apiVersion": "plum.dev/v1", "kind": "App", "metadata": {"name": "evil"}, "spec": spec}
    cluster.plumctl("apply", "-f", "-", stdin=json.dumps(body).encode())


def test_a_hostile_zip_fails_with_its_reason(cluster: Cluster, tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("meta.ini", "name=evil\nversion=1\n")
        archive.writestr("start.sh", "#!/bin/sh\n")
        archive.writestr("../../escaped", "x")
    refused = cluster.plumctl("app", "push", str(path), code=1)
    assert "'../../escaped' leads out of the app's folder" in refused
    assert "app/evil" not in cluster.plumctl("get", "apps", "-o", "name")
    upload(cluster, path)
    task = sleeper("evil", app={"name": "evil", "version": "1"}, replicas=1)
    cluster.plumctl("apply", "-f", "-", stdin=task.encode())
    found = wait_for("the refusal", lambda: [c for c in cluster.assignments("evil") if c["status"].get("message")])
    assert "escaped" in found[0]["status"]["message"]
    assert not list(tmp_path.parent.rglob("escaped"))
    cluster.plumctl("delete", "task/evil")


def test_what_is_used_is_shown(cluster: Cluster) -> None:
    rows = wait_for("usage of both nodes", lambda: known(cluster.plumctl("top", "nodes", "--no-headers")))
    assert [row[0] for row in rows] == ["nodeA", "nodeB"]
    with urllib.request.urlopen(f"{cluster.url}/metrics", timeout=10) as reply:
        assert 'plum_node_memory_bytes{node="nodeB"} ' in reply.read().decode()


def known(table: str) -> list[list[str]] | None:
    """The rows, once there are figures in all of them."""
    return [line.split() for line in table.splitlines()] if "<unknown>" not in table else None


@pytest.mark.skipif(
    not shutil.which("kubectl") and not os.environ.get("PLUM_REQUIRE_KUBECTL"), reason="kubectl is not installed"
)
def test_kubectl(cluster: Cluster) -> None:
    cluster.plumctl("apply", "-f", str(HELLO))
    cluster.running("hello", 2)
    table = cluster.kubectl("get", "tasks,assignments,nodes", "-A")
    assert "task.plum.dev/hello" in table
    assert "node.plum.dev/nodeA" in table
    assert table.count("Running") >= 3
    assert "startCmd" not in cluster.kubectl("get", "task", "hello", "-o", "yaml")
    with (cluster.directory / "kubectl.out").open("wb") as out:
        watch = subprocess.Popen(["kubectl", "get", "assignments", "-w"], env=cluster.environ, stdout=out)
    try:
        path = cluster.directory / "kubectl.out"
        wait_for("kubectl's first list", lambda: path.read_text().count("hello-main-") >= 2)
        before = len(path.read_text().splitlines())
        assert 'task.plum.dev "hello" deleted' in cluster.kubectl("delete", "task", "hello")
        wait_for("kubectl's watch", lambda: len(path.read_text().splitlines()) >= before + 2)
    finally:
        watch.kill()
        watch.wait(5)
    wait_for("an empty task", lambda: cluster.assignments("hello") == [])
