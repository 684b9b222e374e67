"""``/v1`` under the loads that the original was measured with, beside its figures; discovery beside ``/livez``."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import quote

import httpx
import orjson

from tests.bench.load import Load, busiest, hammer, row, send_all
from tests.bench.processes import Server, plum
from tests.bench.requests import http
from tests.bench.table import Row, Scale, ratios
from tests.v1.archives import app

# What the original managed, requests a second. Its p99 of creates by 16 clients was 230 ms.
ORIGINAL_CREATES = {1: 940.0, 16: 930.0}
ORIGINAL_HEARTBEATS = 1_050.0
ORIGINAL_ASSIGNMENTS = {100: 26.0, 1_000: 3.0}
"""By the number on the node, after 10,000 reports of status."""
ORIGINAL_TASKS = 11.0
"""The list of 1,000."""

CREATE_AIMS = {1: ">= 0.5 x", 16: ">= 1.5 x, p99 < 50 ms"}
CLIENTS = 16
NODES = 1_000
TASKS = 1_000
REPORTS = 10_000
ENDPOINTS = 1_000
STRATEGIES = ("random", "round_robin", "hash")
TRIVIAL = http("GET", "/livez")


@dataclass
class Measuring:
    """Loads of one server."""

    server: Server
    scale: Scale
    loads: list[Load]
    """All so far."""

    def hammer(self, requests: Iterator[bytes], clients: int = CLIENTS, answer: bytes = b"HTTP/1.1 20") -> Load:
        """One load, as long as the scale says."""
        where, seconds, cpu = self.server.address, self.scale.seconds, self.server.cpu
        load = hammer(where, requests, clients=clients, seconds=seconds, cpu=cpu, answer=answer)
        self.loads.append(load)
        return load

    def several(self, requests: Iterator[bytes], clients: int = CLIENTS, answer: bytes = b"HTTP/1.1 20") -> list[Load]:
        """One load a round."""
        return [self.hammer(requests, clients, answer) for _ in range(self.scale.rounds)]


def run(folder: Path, scale: Scale) -> Iterator[Row]:
    loads: list[Load] = []
    with plum(folder / "writes") as server:
        yield from _creates(Measuring(server, scale, loads))
        yield from _heartbeats(Measuring(server, scale, loads))
    with plum(folder / "reads") as server:
        yield from _reads(Measuring(server, scale, loads))
    with plum(folder / "services") as server:
        yield from _services(Measuring(server, scale, loads))
    yield busiest(loads)


def _beside(what: str, loads: Sequence[Load], original: float, aim: str) -> Row:
    return row(what, loads, f"{median(load.rate for load in loads) / original:.2f} x the original's", aim)


def _creates(measuring: Measuring) -> Iterator[Row]:
    url = _upload(measuring.server)
    requests = (_create(number, url, {f"node{number % NODES:05d}": 1}) for number in itertools.count())
    for clients, original in ORIGINAL_CREATES.items():
        loads = measuring.several(requests, clients, b'{"instances":["')
        yield _beside(f"POST /v1/tasks of one replica, clients: {clients}", loads, original, CREATE_AIMS[clients])


def _heartbeats(measuring: Measuring) -> Iterator[Row]:
    beats = [_heartbeat(f"node{number:05d}") for number in range(NODES)]
    send_all(measuring.server.address, iter(beats))
    loads = measuring.several(itertools.cycle(beats), answer=b'{"ttlSec":')
    what = f"POST /v1/nodes/heartbeat, {NODES:,} known nodes, clients: {CLIENTS}"
    yield _beside(what, loads, ORIGINAL_HEARTBEATS, ">= 1 x")


def _reads(measuring: Measuring) -> Iterator[Row]:
    """One task for each node that is read, and single ones until there are enough."""
    address, scale = measuring.server.address, measuring.scale
    url = _upload(measuring.server)
    sizes = {size: scale.count(size) for size in ORIGINAL_ASSIGNMENTS}
    count = scale.count(TASKS)
    singles = (_create(number, url, {"other": 1}) for number in range(len(sizes), count))
    send_all(address, (_create(number, url, {f"full{size}": sizes[size]}) for number, size in enumerate(sizes)))
    send_all(address, singles)
    instances = [name for size in sizes for name in _instances(measuring.server, f"full{size}", sizes[size])]
    send_all(address, (_report(name) for name in itertools.islice(itertools.cycle(instances), scale.count(REPORTS))))
    for size, original in ORIGINAL_ASSIGNMENTS.items():
        loads = measuring.several(itertools.repeat(http("GET", f"/v1/assignments?nodeId=full{size}")))
        what = f"GET /v1/assignments of {sizes[size]:,}, clients: {CLIENTS}"
        yield _beside(what, loads, original, ">= 20 x")
    loads = measuring.several(itertools.repeat(http("GET", "/v1/tasks")))
    yield _beside(f"GET /v1/tasks of {count:,}, clients: {CLIENTS}", loads, ORIGINAL_TASKS, ">= 20 x")


def _services(measuring: Measuring) -> Iterator[Row]:
    """Each request beside the trivial one, turn by turn; before each turn all endpoints give a sign of life."""
    count = measuring.scale.count(ENDPOINTS)
    send_all(measuring.server.address, (_register(number) for number in range(count)))
    every: Iterator[bytes] = itertools.repeat(http("GET", "/v1/discovery?service=orders"))
    asked = {f"GET /v1/discovery of {count:,}": every}
    asked |= {f"GET /v1/resolve of {count:,}, {strategy}": _resolve(strategy) for strategy in STRATEGIES}
    for what, requests in asked.items():
        trivial, loads = [], []
        for _ in range(measuring.scale.rounds):
            send_all(measuring.server.address, (_sign(number) for number in range(count)))
            trivial.append(measuring.hammer(itertools.repeat(TRIVIAL)))
            loads.append(measuring.hammer(requests))
        ratio = ratios([load.rate for load in loads], [load.rate for load in trivial])
        yield row(f"{what}, clients: {CLIENTS}", loads, f"{ratio} x /livez")


def _instances(server: Server, node: str, count: int) -> list[str]:
    """The instances of a node; there have to be so many."""
    reply = httpx.get(f"{_url(server)}/v1/assignments", params={"nodeId": node}, trust_env=False)
    found = [item["instanceId"] for item in reply.raise_for_status().json()["items"]]
    if len(found) != count:
        raise AssertionError(f"{node} has {len(found)} assignments, not {count}")
    return found


def _upload(server: Server) -> str:
    """Where an uploaded app is."""
    reply = httpx.post(f"{_url(server)}/v1/apps/upload", files={"file": app("bench")}, trust_env=False)
    found: str = reply.raise_for_status().json()["url"]
    return found


def _url(server: Server) -> str:
    return f"http://{server.address[0]}:{server.address[1]}"


def _create(number: int, url: str, replicas: dict[str, int]) -> bytes:
    entry = {"artifactUrl": url, "startCmd": "exec ./serve --verbose", "replicas": replicas}
    body = {"name": f"bench-{number:08d}", "labels": {"team": "bench"}, "entries": [entry]}
    return http("POST", "/v1/tasks", orjson.dumps(body))


def _heartbeat(node: str) -> bytes:
    body = {"nodeId": node, "ip": "10.0.0.1", "labels": {"zone": "a"}}
    return http("POST", "/v1/nodes/heartbeat", orjson.dumps(body))


def _report(instance: str) -> bytes:
    body = {"instanceId": instance, "phase": "Running", "exitCode": 0, "healthy": True, "tsUnix": 1_700_000_000}
    return http("POST", "/v1/instances/status", orjson.dumps(body))


def _register(number: int) -> bytes:
    endpoint = {"serviceName": "orders", "protocol": "http", "port": 8080, "version": "1.0.0"}
    body = {"instanceId": f"orders-{number}", "nodeId": "node", "ip": f"10.0.{number // 250}.{number % 250 + 1}"}
    return http("POST", "/v1/services/register", orjson.dumps(body | {"endpoints": [endpoint]}))


def _sign(number: int) -> bytes:
    return http("POST", "/v1/services/heartbeat", orjson.dumps({"instanceId": f"orders-{number}"}))


def _resolve(strategy: str) -> Iterator[bytes]:
    """Without end, with many keys."""
    path = f"/v1/resolve?service=orders&strategy={strategy}"
    if strategy != "hash":
        return itertools.repeat(http("GET", path))
    return itertools.cycle([http("GET", f"{path}&hashKey={quote(f'user {number}')}") for number in range(1_000)])
