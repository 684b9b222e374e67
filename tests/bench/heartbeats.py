"""Heartbeats: the agents of a large fleet renew their leases, each over its own connection."""

import selectors
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson

from apiserver.api.meta import format_micro_time
from tests.bench.load import Client, clock, exchange_all, quiet_memory, send_all
from tests.bench.processes import Server, plum
from tests.bench.requests import http
from tests.bench.table import Row, Scale, megabytes, milliseconds

NODES = 5_000
PERIOD = 10.0
"""Seconds between two renewals of one lease."""

WARM_TURNS, TURNS = 0.5, 2.0
"""Parts of a period before measuring, and measured."""

IDLE_SECONDS = 2.0
APPLY = "application/apply-patch+yaml"
QUERY = "?fieldManager=plum-agent&force=true"
_NOW = b"9999-99-99T99:99:99.999999Z"
"""Where the time of a renewal goes: as long as it is, because the request already tells its length."""


def run(folder: Path, scale: Scale) -> Iterator[Row]:
    count = scale.count(NODES)
    names = [f"node{number:05d}" for number in range(count)]
    with plum(folder) as server, ExitStack() as stack:
        renewals = _register(server, names)
        clients = [stack.enter_context(Client(server.address)) for _ in names]
        beat(server, clients, renewals, period=PERIOD * WARM_TURNS, seconds=PERIOD * WARM_TURNS)
        idle = _idle(server, min(IDLE_SECONDS, scale.seconds))
        found = beat(server, clients, renewals, period=PERIOD, seconds=PERIOD * TURNS * min(1.0, scale.seconds / 3))
        memory = server.memory()
    yield Row(f"CPU with {count:,} leases and connections, nobody renewing", f"{idle:.1%} of a core")
    rate = len(found.latencies) / found.seconds
    what = f"CPU with {count:,} leases renewed every {PERIOD:.0f} s: {rate:,.0f}/s"
    yield Row(what, f"{found.cpu:.1%} of a core", f"{found.cpu / rate * 1e6:,.0f} us a renewal", "< 15 % of a core")
    yield Row("renewal, from when it was due to its reply", milliseconds(found.latencies))
    yield Row("server memory", megabytes(memory))


@dataclass
class Beats:
    """What the renewals of some time came to."""

    latencies: list[float] = field(default_factory=list)
    cpu: float = 0.0
    """The server's share of a core."""
    seconds: float = 0.0


def beat(
    server: Server, clients: Sequence[Client], renewals: Sequence[bytes], *, period: float, seconds: float
) -> Beats:
    """Renew each lease once a period, evenly spread, for that long."""
    found = Beats()
    with selectors.DefaultSelector() as selector, quiet_memory():
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
        used, began = server.cpu(), clock()
        total = round(seconds / period * len(clients))
        sent = 0
        while len(found.latencies) < total:
            while sent < total and (due := began + sent * period / len(clients)) <= clock():
                _renew(clients[sent % len(clients)], renewals[sent % len(clients)], due)
                sent += 1
            pause = began + sent * period / len(clients) - clock() if sent < total else 1.0
            for key, _ in selector.select(max(0.0, pause)):
                _take(key.data, found)
        found.seconds = clock() - began
        found.cpu = (server.cpu() - used) / found.seconds
    return found


def _renew(client: Client, renewal: bytes, due: float) -> None:
    client.send(renewal.replace(_NOW, _now().encode()))
    client.sent = due  # a late start is the server's doing, too: it is on the other end of every delay


def _take(client: Client, found: Beats) -> None:
    if status := client.receive():
        if status != 200:
            raise AssertionError(client.reply)
        found.latencies.append(clock() - client.sent)


def _idle(server: Server, seconds: float) -> float:
    used, began = server.cpu(), clock()
    time.sleep(seconds)
    return (server.cpu() - used) / (clock() - began)


def _register(server: Server, names: Sequence[str]) -> list[bytes]:
    """As an agent does it: the Node, then its lease. The requests that renew them."""
    uids = {}
    for reply in exchange_all(server.address, (_node(name) for name in names)):
        metadata = orjson.loads(reply.partition(b"\r\n\r\n")[2])["metadata"]
        uids[metadata["name"]] = metadata["uid"]
    renewals = [_lease(name, uids[name]) for name in names]
    send_all(server.address, (renewal.replace(_NOW, _now().encode()) for renewal in renewals))
    return renewals


def _node(name: str) -> bytes:
    body = {"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": name}}
    return http("PATCH", f"/apis/plum.dev/v1/nodes/{name}{QUERY}", orjson.dumps(body), APPLY)


def _lease(name: str, uid: str) -> bytes:
    owner = {"apiVersion": "plum.dev/v1", "kind": "Node", "name": name, "uid": uid}
    spec = {"holderIdentity": f"agent-{name}", "leaseDurationSeconds": 15, "renewTime": _NOW.decode()}
    body = {
        "metadata": {"ownerReferences": [owner], "name": name},
        "spec": spec,
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
    }
    path = f"/apis/coordination.k8s.io/v1/namespaces/plum-node-lease/leases/{name}{QUERY}"
    return http("PATCH", path, orjson.dumps(body), APPLY)


def _now() -> str:
    return format_micro_time(datetime.now(UTC))
