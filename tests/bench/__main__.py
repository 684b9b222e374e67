"""``make bench``: the facts so far."""

import asyncio
import itertools
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.bench.load import hammer, rate
from tests.e2e.cluster import running_cluster
from tests.servers import start_apiserver

ASSIGNMENTS = "/apis/plum.dev/v1/namespaces/default/assignments"
TASKS = "/apis/plum.dev/v1/namespaces/default/tasks"
SECONDS = 4.0


def assignment(number: int) -> dict[str, Any]:
    """A realistic assignment of about 1.4 KB as stored."""
    name = f"web-main-{number:08d}"
    template = {
        "artifactUrl": "/artifacts/sha256/" + "a" * 64,
        "sha256": "a" * 64,
        "appName": "web",
        "appVersion": "1.0.0",
        "startCmd": "exec ./serve --verbose",
        "env": [{"name": f"SETTING_{n}", "value": "some value"} for n in range(4)],
        "ports": [{"name": "http"}],
    }
    spec = {"taskName": "web", "entry": "main", "ordinal": number, "nodeName": f"node{number % 100}"}
    return {
        "apiVersion": "plum.dev/v1",
        "kind": "Assignment",
        "metadata": {"name": name, "labels": {"plum.dev/task": "web", "plum.dev/entry": "main"}},
        "spec": spec | {"template": template, "templateHash": "abcdefgh"},
    }


def numbered() -> Iterator[dict[str, Any]]:
    return (assignment(number) for number in itertools.count())


def raw_commits(folder: Path) -> float:
    """Commits a second of plain sqlite3 with the same durability: two rows of the same size."""
    database = sqlite3.connect(folder / "raw.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        database.execute(f"pragma {pragma}")
    database.execute("create table objects (id integer primary key, name text unique, body blob)")
    database.execute("create table events (id integer primary key, body blob)")
    numbers = itertools.count()
    body = os.urandom(1400)

    def commit() -> None:
        database.execute("begin immediate")
        database.execute("insert into objects (name, body) values (?, ?)", (str(next(numbers)), body))
        database.execute("insert into events (body) values (?)", (body,))
        database.execute("commit")

    found = rate(commit, 2.0)
    database.close()
    return found


def creates(folder: Path) -> list[tuple[str, str, str]]:
    rows = []
    raw = raw_commits(folder)
    rows.append(("raw sqlite3 commits/s, synchronous=FULL, 1 writer", f"{raw:,.0f}", "1.00"))
    with start_apiserver(folder / "creates") as url:
        bodies: Iterator[object] = numbered()
        for clients in (1, 16):
            found = asyncio.run(hammer(url, ASSIGNMENTS, bodies, clients=clients, seconds=SECONDS))
            rows.append((f"durable creates/s, {clients} clients", f"{found:,.0f}", f"{found / raw:.2f}"))
    return rows


def memory(folder: Path) -> list[tuple[str, str, str]]:
    with start_apiserver(folder / "memory") as url:
        process = psutil.Process(_server_pid(url))
        empty = process.memory_info().rss
        with client(url) as http:
            for number in range(10_000):
                http.post(ASSIGNMENTS, json=assignment(number)).raise_for_status()
        full = process.memory_info().rss
        body = len(httpx.get(f"{url}{ASSIGNMENTS}/web-main-00000001", trust_env=False).content)
    mega = 1 << 20
    return [
        ("server memory, empty", f"{empty / mega:.0f} MiB", ""),
        ("server memory, 10,000 assignments", f"{full / mega:.0f} MiB", f"{(full - empty) / 10_000 / body:.1f}"),
    ]


def _server_pid(url: str) -> int:
    port = int(url.rpartition(":")[2])
    for child in psutil.Process().children(recursive=True):
        if any(found.laddr and found.laddr.port == port for found in child.net_connections("tcp")):
            return child.pid
    raise LookupError(url)


def spawn_rate() -> float:
    """Seconds that starting a shell and a program takes without Plum."""

    def spawn() -> None:
        subprocess.run(["/bin/sh", "-c", "true"], check=True, start_new_session=True)

    return 1 / rate(spawn, 1.0)


def post_to_running(folder: Path) -> list[tuple[str, str, str]]:
    raw = spawn_rate()
    app = Path("manifests/hello/app")
    with running_cluster(folder / "cluster", nodes=2) as cluster:
        pushed = [sys.executable, "-m", "plumctl", "--server", cluster.url, "app", "push", str(app)]
        subprocess.run(pushed, check=True, capture_output=True)
        with client(cluster.url) as watching, client(cluster.url) as posting:
            taken = [_one_task(watching, posting, number) for number in range(21)]
    median = statistics.median(taken[1:])  # the first one fetches the artifact
    return [
        ("/bin/sh spawned and ended, without Plum", f"{raw * 1000:.1f} ms", "1.0"),
        ("POST of a task to its Running event, median of 20", f"{median * 1000:.0f} ms", f"{median / raw:.0f}"),
    ]


def client(url: str) -> httpx.Client:
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


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [*creates(folder), *post_to_running(folder), *memory(folder)]
    width = max(len(what) for what, _, _ in rows)
    print(f"{'what':<{width}}  {'figure':>12}  {'ratio':>6}")
    for what, figure, ratio in rows:
        print(f"{what:<{width}}  {figure:>12}  {ratio:>6}")
    print("ratio: to the raw figure above it in its group; memory: bytes held a byte of object")


if __name__ == "__main__":
    main()
