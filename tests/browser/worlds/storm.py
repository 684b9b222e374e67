"""Many assignments, and many changes a second: what a busy fleet does to those who look at it."""

import random
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import orjson

from apiserver.api.meta import format_micro_time, format_time
from tests.browser.worlds import large, names
from tests.browser.worlds.ageing import DATABASE
from tests.browser.worlds.door import PLUM, Json, open_door
from tests.browser.worlds.wanted import Size
from tests.servers import running_apiserver

ASSIGNMENTS, COPIES, NODES = 5_000, 50, 50
CHANGES = 50
"""A second, all of them statuses."""

KIND = {"tasks": "tasks.plum.dev", "assignments": "assignments.plum.dev"}
_INSERT = "INSERT INTO objects (kind, namespace, name, uid, version, body) VALUES (?, ?, ?, ?, ?, ?)"


def build(directory: Path, count: int = ASSIGNMENTS) -> None:
    """A data folder with that many assignments, ``COPIES`` a task, on ``NODES`` nodes. They are copies of one that the
    server has stored, put into its database: it would take a minute to create them one by one."""
    with running_apiserver(directory) as (_, url):
        large.fill(url, size=Size(tasks=6, nodes=NODES, apps=3))
        with open_door(url) as door:
            tasks = {task["metadata"]["name"]: task for task in door.items("tasks")}
            copies = door.items("assignments")
    copy, present = next(one for one in copies if _is_model(one)), len(copies)
    model = tasks[copy["spec"]["taskName"]]
    with closing(sqlite3.connect(directory / DATABASE)) as opened, opened:
        for number in range(-((present - count) // COPIES)):
            _add(opened, model, copy, number)


def _is_model(copy: Json) -> bool:
    return bool(copy["status"].get("phase") == "Running" and copy["spec"]["taskName"] != "node-exporter")


def _add(opened: sqlite3.Connection, model: Json, copy: Json, number: int) -> None:
    name = f"load-{number:03d}"
    spec = model["spec"] | {"entries": [model["spec"]["entries"][0] | {"replicas": COPIES}]}
    entry = model["status"]["entries"][0] | {"desired": COPIES, "running": COPIES, "ready": COPIES}
    counts = {"replicas": COPIES, "readyReplicas": COPIES, "updatedReplicas": COPIES, "entries": [entry]}
    uid = f"01a00000-0000-7000-8000-{number:012d}"
    task = model | {"metadata": model["metadata"] | {"name": name, "uid": uid}, "spec": spec}
    task["status"] = model["status"] | counts | {"selector": f"plum.dev/task={name}"}
    rows = [_row("tasks", task)]
    nodes = list(names.nodes(NODES))
    for ordinal in range(COPIES):
        node = nodes[(number + ordinal) % NODES][0]
        labels = copy["metadata"]["labels"] | {"plum.dev/task": name, "plum.dev/node": node}
        owner = copy["metadata"]["ownerReferences"][0] | {"name": name, "uid": uid}
        metadata = copy["metadata"] | {
            "name": f"{name}-main-{_suffix(number, ordinal)}",
            "uid": f"01a00000-0000-7000-8000-{number:06d}{ordinal:06d}",
            "labels": labels,
            "ownerReferences": [owner],
        }
        placed = copy["spec"] | {"taskName": name, "nodeName": node, "ordinal": ordinal}
        rows.append(_row("assignments", copy | {"metadata": metadata, "spec": placed}))
    opened.executemany(_INSERT, rows)


def _row(plural: str, body: Json) -> tuple[object, ...]:
    meta = body["metadata"]
    version = int(meta["resourceVersion"])
    return KIND[plural], meta["namespace"], meta["name"], meta["uid"], version, orjson.dumps(body)


def _suffix(number: int, ordinal: int) -> str:
    """Eight letters, as names of assignments end in."""
    rng = random.Random(number * 1000 + ordinal)
    return "".join(rng.choices("abcdefghijklmnopqrstuvwxyz234567", k=8))


@dataclass
class Storm:
    """Changes of statuses, in a thread of its own, until it is over."""

    url: str
    rate: float = CHANGES
    sent: int = 0
    late: float = 0.0
    """By how many seconds it fell behind at most."""
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """A tenth of a second's changes at a time, each as an agent of some node reports them."""
        rng = random.Random(3)
        with httpx.Client(base_url=self.url, trust_env=False, timeout=30) as http:
            by_node = defaultdict[str, list[Json]](list)
            for copy in http.get(f"{PLUM}/assignments").json()["items"]:
                if copy["status"].get("pid"):
                    by_node[copy["spec"]["nodeName"]].append(copy)
            nodes, begun = sorted(by_node), time.monotonic()
            while not self._over.is_set():
                node = rng.choice(nodes)
                copies = rng.sample(by_node[node], min(len(by_node[node]), max(1, round(self.rate / 10))))
                items = [_turn(rng, copy) for copy in copies]
                path = f"{PLUM}/nodes/{node}/statuses?fieldManager=plum-agent"
                http.post(path, json={"items": items}).raise_for_status()
                self.sent += len(items)
                ahead = self.sent / self.rate - (time.monotonic() - begun)
                self.late = max(self.late, -ahead)
                self._over.wait(max(0.0, ahead))

    def end(self) -> None:
        """No more."""
        self._over.set()


def _turn(rng: random.Random, copy: Json) -> Json:
    """Its next status: mostly it goes on running, now ready and now not, and at times it crashes."""
    now = datetime.now(UTC)
    status = {key: value for key, value in copy["status"].items() if key != "conditions"}
    crashes, ready = rng.random() < 0.1, rng.random() < 0.8
    restarts = status["restarts"] = status.get("restarts", 0) + crashes
    if crashes:
        words = f"exited with code 1, {restarts + 1} times in a row; starts again after 2 s"
        status |= {"phase": "BackOff", "reason": "BackOff", "message": words, "exitCode": 1}
    else:
        status |= {"phase": "Running", "reason": "Running", "message": ""}
    up = ready and not crashes
    reason = "Running" if up else "ProbeFailed"
    condition = {"type": "Ready", "status": "True" if up else "False", "reason": reason}
    status["conditions"] = [condition | {"lastTransitionTime": format_time(now)}]
    status["reportedAt"] = format_micro_time(now)
    copy["status"] = status
    meta = copy["metadata"]
    return {"namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"], "status": status}


@contextmanager
def raging(url: str, rate: float = CHANGES) -> Iterator[Storm]:
    """A storm for as long as the block takes. A storm that has failed fails the block."""
    storm, failures = Storm(url, rate), list[BaseException]()

    def run() -> None:
        try:
            storm.run()
        except Exception as error:  # whatever it is, the test is to know of it
            failures.append(error)

    thread = threading.Thread(target=run, name="storm", daemon=True)
    thread.start()
    try:
        yield storm
    finally:
        storm.end()
        thread.join(30)
    assert not failures, failures
