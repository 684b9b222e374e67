"""A whole cluster: from the POST of a task to its running process, beside starting one without Plum."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import httpx

from tests.bench.load import rate
from tests.bench.requests import ASSIGNMENTS
from tests.bench.table import Row, Scale, milliseconds
from tests.e2e.cluster import running_cluster

TASKS = "/apis/plum.dev/v1/namespaces/default/tasks"
APP = Path("manifests/hello/app")
COUNT = 20


def run(folder: Path, scale: Scale) -> Iterator[Row]:
    raw = 1 / rate(_spawn, 1.0)
    count = max(5, scale.count(COUNT))
    with running_cluster(folder, nodes=2) as cluster:
        pushed = [sys.executable, "-m", "plumctl", "--server", cluster.url, "app", "push", str(APP)]
        subprocess.run(pushed, check=True, capture_output=True)
        with _client(cluster.url) as watching, _client(cluster.url) as posting:
            taken = [_one_task(watching, posting, number) for number in range(count + 1)][1:]  # the first fetches
    yield Row("/bin/sh spawned and ended, without Plum", f"{raw * 1000:.1f} ms")
    yield Row(f"POST of a task to its Running event, {count} times", milliseconds(taken), f"{median(taken) / raw:.0f}")


def _spawn() -> None:
    subprocess.run(["/bin/sh", "-c", "true"], check=True, start_new_session=True)


def _client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, trust_env=False, timeout=60)


def _one_task(watching: httpx.Client, posting: httpx.Client, number: int) -> float:
    name = f"bench-{number}"
    entry = {"app": {"name": "hello", "version": "1.0.0"}, "startCmd": "exec sleep 1000", "nodeReplicas": {"nodeA": 1}}
    body = {"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": {"name": name}, "spec": {"entries": [entry]}}
    version = posting.get(ASSIGNMENTS, params={"limit": "1"}).json()["metadata"]["resourceVersion"]
    query = {"watch": "true", "resourceVersion": version, "labelSelector": f"plum.dev/task={name}"}
    with watching.stream("GET", ASSIGNMENTS, params=query) as response:
        began = time.monotonic()
        posting.post(TASKS, json=body).raise_for_status()
        for line in response.iter_lines():
            if '"phase":"Running"' in line:
                return time.monotonic() - began
    raise TimeoutError(name)
