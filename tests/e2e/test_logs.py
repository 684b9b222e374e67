"""What many instances write reaches who follows it, over everything that happens on the way."""

import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import httpx

from tests.e2e.cluster import Cluster, running_cluster, wait_for
from tests.e2e.test_up_crashes import child
from tests.servers import answers

START = """\
#!/bin/sh
# Numbered lines over all runs; a run ends after PER_RUN of them, with another code each.
number=$(cat count 2>/dev/null || echo 0)
while [ "$number" -lt "$LINES_WANTED" ]; do
  number=$((number + 1))
  printf '%s %s\\n' "$number" "$PADDING"
  if [ $((number % PER_RUN)) = 0 ]; then echo "$number" >count; exit $((number % 7)); fi
  [ $((number % 50)) = 0 ] && sleep 0.1
done
exec sleep 1000
"""


def follow_many(directory: Path, *, instances: int, lines: int, per_run: int, kills: int) -> None:
    """``plumctl logs -f`` of a task on three nodes: its apps restart, its logs rotate, server and agents are
    killed."""
    app = directory / "app"
    app.mkdir(parents=True)
    (app / "start.sh").write_text(START)
    (app / "start.sh").chmod(0o755)
    (app / "meta.ini").write_text("name=talk\nversion=1\n")
    environment = {"LINES_WANTED": str(lines), "PER_RUN": str(per_run), "PADDING": "." * 500}
    env = "".join(f"    - {{name: {name}, value: '{value}'}}\n" for name, value in environment.items())
    task = "apiVersion: plum.dev/v1\nkind: Task\nmetadata: {name: talk}\nspec:\n  state: Stopped\n  entries:\n"
    task += f"  - app: {{name: talk, version: '1'}}\n    replicas: {instances}\n"
    task += f"    logs: {{maxSize: 64Ki, maxFiles: 100}}\n    env:\n{env}"
    with running_cluster(directory / "data", nodes=3) as cluster:
        cluster.plumctl("app", "push", str(app))
        cluster.plumctl("apply", "-f", "-", stdin=task.encode())
        out, err = directory / "out.txt", directory / "err.txt"
        command = [sys.executable, "-m", "plumctl", "logs", "-f", "task/talk", "--prefix"]
        with out.open("wb") as told, err.open("wb") as said:
            following = subprocess.Popen(command, stdout=told, stderr=said, env=cluster.environ)
        try:
            wait_for("all streams", lambda: streams(cluster) == instances)
            cluster.plumctl("start", "task/talk")
            for number in range(kills):
                wanted = (number + 1) * lines * instances // (kills + 2)
                wait_for("lines", lambda wanted=wanted: out.read_bytes().count(b"\n") > wanted, 90)  # type: ignore[misc]
                child(cluster.process, "apiserver.server").kill()
                child(cluster.process, "agent").kill()
                wait_for("the server", lambda: answers(cluster.url))
            wait_for("all lines", lambda: out.read_bytes().count(b"\n") >= lines * instances, 90)
            check(out, cluster, instances=instances, lines=lines)
            assert any(path.name.startswith("out.log.") for path in directory.rglob("out.log.*"))
            following.send_signal(signal.SIGINT)
            assert following.wait(20) == 130
        finally:
            following.kill()
            following.wait(10)
        notes = err.read_text().splitlines()
        assert 0 < len(notes) <= 2 * kills, notes


def streams(cluster: Cluster) -> int:
    """How many logs are being followed."""
    metrics = httpx.get(f"{cluster.url}/metrics", trust_env=False).text
    return next(int(float(line.split()[1])) for line in metrics.splitlines() if line.startswith("plum_node_streams "))


def check(out: Path, cluster: Cluster, *, instances: int, lines: int) -> None:
    """Each instance's lines are there, each once, in order."""
    found = defaultdict[str, list[int]](list)
    for line in out.read_text().splitlines():
        prefix, number, _ = line.split(" ", 2)
        found[prefix].append(int(number))
    assert len(found) == instances
    for prefix, numbers in found.items():
        assert numbers == [*range(1, lines + 1)], (prefix, numbers[:5], numbers[-5:])
    placed = {one["spec"]["nodeName"] for one in cluster.assignments("talk")}
    assert len(placed) == 3


def test_following_a_task_of_twenty_loses_and_repeats_nothing(tmp_path: Path) -> None:
    follow_many(tmp_path, instances=20, lines=300, per_run=150, kills=1)
