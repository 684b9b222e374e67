"""What the nodes of a large fleet report of their use, again and again: the server forgets it after a minute."""

import math
import random
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.browser.worlds.door import PLUM, Door, Json, open_door

EVERY_SECONDS = 15.0
GIB = 1024**3


def report(door: Door, turn: int) -> None:
    """One report of every node that is ready."""
    by_node = defaultdict[str, list[Json]](list)
    for copy in door.items("assignments", fieldSelector="status.phase=Running"):
        by_node[copy["spec"].get("nodeName", "")].append(copy)
    for node in door.items("nodes"):
        name, status = node["metadata"]["name"], node.get("status", {})
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", ()))
        if ready and "capacity" in status:
            body = _report(name, status["capacity"], by_node[name], turn)
            door.http.put(f"{PLUM}/nodes/{name}/usage", json=body).raise_for_status()


def _report(name: str, capacity: Mapping[str, str], copies: list[Json], turn: int) -> Json:
    instances = [_instance(copy, turn) for copy in copies]
    cpus, memory = int(capacity["cpu"]), int(capacity["memory"].removesuffix("Gi")) * GIB
    rng = random.Random(name)
    busy = min(cpus * 0.97, sum(one["cpu"] for one in instances) + cpus * rng.uniform(0.03, 0.2))
    used = min(int(memory * 0.95), sum(one["memoryBytes"] for one in instances) + 2 * GIB)
    disk = 960 * GIB
    node: dict[str, Any] = {
        "cpus": cpus,
        "cpuSeconds": 1e5 + busy * turn * EVERY_SECONDS,
        "cpu": busy,
        "memoryBytes": used,
        "memoryTotalBytes": memory,
        "diskFreeBytes": int(disk * rng.uniform(0.08, 0.8)),
        "diskTotalBytes": disk,
        "load1": busy * 1.1,
        "load5": busy,
        "load15": busy * 0.9,
    }
    return {"windowSeconds": EVERY_SECONDS, "node": node, "instances": instances}


def _instance(copy: Json, turn: int) -> Json:
    meta, restarts = copy["metadata"], copy["status"].get("restarts", 0)
    rng = random.Random(meta["uid"])
    base = rng.lognormvariate(-2.2, 1.0)
    cpu = max(0.001, base * (1 + 0.3 * math.sin(turn / 5 + rng.random() * 6)))
    return {
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
        "run": restarts + 1,
        "restarts": restarts,
        "processes": rng.randint(1, 9),
        "threads": rng.randint(2, 80),
        "openFds": rng.randint(9, 400),
        "memoryBytes": int(rng.lognormvariate(18.6, 0.9)),
        "cpuSeconds": 1000 + base * turn * EVERY_SECONDS,
        "cpu": cpu,
        "readBytes": rng.randint(0, 10**9),
        "writtenBytes": rng.randint(0, 10**10),
        "readRate": rng.choice((0.0, 0.0, rng.uniform(0, 90_000))),
        "writeRate": rng.uniform(0, 400_000),
    }


@contextmanager
def reporting(url: str) -> Iterator[None]:
    """Report at once, and then every so often in the background."""
    door, over = open_door(url), threading.Event()
    report(door, 0)

    def go_on() -> None:
        turn = 1
        while not over.wait(EVERY_SECONDS):
            report(door, turn)
            turn += 1

    thread = threading.Thread(target=go_on, name="usage", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)
        door.http.close()
