"""What people do with pods, done by the real kubectl on what Plum runs."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster, running_cluster, wait_for

pytestmark = pytest.mark.skipif(
    not shutil.which("kubectl") and not os.environ.get("PLUM_REQUIRE_KUBECTL"), reason="kubectl is not installed"
)
START = """\
#!/bin/sh
echo "began as $MODE"
case "$MODE" in crash) exit 3 ;; job) exit 0 ;; esac
exec sleep 1000
"""
TASKS = """\
apiVersion: plum.dev/v1
kind: Task
metadata: {name: web}
spec:
  entries:
  - {name: main, app: {name: talk, version: "1"}, replicas: 2, env: [{name: MODE, value: web}]}
---
apiVersion: plum.dev/v1
kind: Task
metadata: {name: ends}
spec:
  entries:
  - {name: crash, app: {name: talk, version: "1"}, env: [{name: MODE, value: crash}]}
  - {name: job, app: {name: talk, version: "1"}, restartPolicy: Never, env: [{name: MODE, value: job}]}
"""


def test_what_people_do_with_pods(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "start.sh").write_text(START)
    (app / "start.sh").chmod(0o755)
    (app / "meta.ini").write_text("name=talk\nversion=1\n")
    with running_cluster(tmp_path / "data", nodes=1) as cluster:
        cluster.plumctl("app", "push", str(app))
        cluster.plumctl("apply", "-f", "-", stdin=TASKS.encode())
        look(cluster)
        read_logs(cluster)
        follow_to_the_end(cluster, tmp_path)
        delete_while_watching(cluster, tmp_path)


def refused(cluster: Cluster, *args: str) -> str:
    """Run kubectl, which must fail; standard error."""
    found = subprocess.run(["kubectl", *args], env=cluster.environ, capture_output=True, timeout=60, check=False)
    assert found.returncode == 1, (args, found.stdout)
    return found.stderr.decode()


def pods(cluster: Cluster, selector: str) -> list[str]:
    return cluster.kubectl("get", "pods", "-l", selector, "-o", "name").split()


def background(cluster: Cluster, path: Path, *args: str) -> "subprocess.Popen[bytes]":
    with path.open("wb") as out:
        return subprocess.Popen(["kubectl", *args], env=cluster.environ, stdout=out, stderr=subprocess.STDOUT)


def look(cluster: Cluster) -> None:
    cluster.running("web", 2)
    cluster.kubectl("wait", "--for=condition=Ready", "pod", "-l", "plum.dev/task=web", "--timeout=30s")
    cluster.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod", "-l", "plum.dev/entry=job")
    wait_for("a crash loop", lambda: "CrashLoopBackOff" in cluster.kubectl("get", "po", "-l", "plum.dev/entry=crash"))
    head, *rows = cluster.kubectl("get", "pods", "-o", "wide", "--sort-by=.metadata.name").splitlines()
    assert head.split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    assert [row.split()[1:3] for row in rows][1:] == [["0/1", "Completed"], ["1/1", "Running"], ["1/1", "Running"]]
    assert [row.split()[-1] for row in rows] == ["nodeA"] * 4
    running = cluster.kubectl("get", "pods", "--field-selector", "status.phase=Succeeded", "-o", "name")
    assert running.startswith("pod/ends-job-")
    text = cluster.kubectl("describe", "pod", "-l", "plum.dev/entry=crash")
    for words in ("Controlled By:  Task/ends", "Exit Code:    3", "BackOff", "plum-agent", "Image:         talk:1"):
        assert words in text


def read_logs(cluster: Cluster) -> None:
    cluster.running("web", 2)
    first, second = pods(cluster, "plum.dev/task=web")
    found = cluster.kubectl("logs", "-l", "plum.dev/task=web", "--prefix", "--all-containers", "--tail=1")
    assert sorted(found.splitlines()) == sorted(f"[{pod}/main] began as web" for pod in (first, second))
    assert cluster.kubectl("logs", "-f", "-l", "plum.dev/entry=job") == "began as job\n"
    (crash,) = pods(cluster, "plum.dev/entry=crash")
    wait_for("a second run", lambda: "began as crash" in cluster.kubectl("logs", crash, "--previous"))
    assert cluster.kubectl("logs", first, "--limit-bytes=5", "--since=1h") == "began"
    assert 'previous terminated container "main"' in refused(cluster, "logs", first, "--previous")
    assert "not valid for pod" in refused(cluster, "logs", first, "-c", "side")
    assert "maximum allowed concurrency is 1" in refused(
        cluster, "logs", "-f", "-l", "plum.dev/task=web", "--max-log-requests=1"
    )


def follow_to_the_end(cluster: Cluster, directory: Path) -> None:
    (copy, _) = cluster.running("web", 2)
    name, path = copy["metadata"]["name"], directory / "followed"
    following = background(cluster, path, "logs", "-f", name)
    try:
        wait_for("its first line", lambda: path.read_text() == "began as web\n")
        os.kill(copy["status"]["pid"], signal.SIGKILL)
        assert following.wait(30) == 0
    finally:
        following.kill()
        following.wait(5)
    assert path.read_text() == "began as web\n"
    wait_for("a restart", lambda: " 1 (" in cluster.kubectl("get", "pod", name))
    wait_for("its log", lambda: cluster.kubectl("logs", name, "--previous") == "began as web\n")


def delete_while_watching(cluster: Cluster, directory: Path) -> None:
    cluster.running("web", 2)
    before, path = pods(cluster, "plum.dev/task=web"), directory / "watched"
    watch = background(
        cluster, path, "get", "pods", "-w", "--output-watch-events", "--no-headers", "-l", "plum.dev/task=web"
    )
    try:
        wait_for("the list", lambda: path.read_text().count("ADDED") == 2)
        name = before[0].removeprefix("pod/")
        assert cluster.kubectl("delete", before[0]) == f'pod "{name}" deleted\n'
        wait_for("the watch", lambda: f"DELETED    {name}" in path.read_text() and path.read_text().count("ADDED") >= 3)
    finally:
        watch.kill()
        watch.wait(5)
    cluster.running("web", 2)
    assert before[1] in pods(cluster, "plum.dev/task=web")
    assert f'pods "{name}" not found' in refused(cluster, "get", "pod", name) or name in before[0]
    assert "edit the task" in refused(cluster, "label", before[1], "a=b")
