"""What goes wrong most often, each as a task of its own. A lost node is one too: its agent is killed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser.worlds import apps
from tests.browser.worlds.door import MERGE, Door, Json, node_body, task_body
from tests.e2e.cluster import processes_of, wait_for
from tests.fleet import AGENT, Program

CROWDED_PORT = 19_443
"""A fixed number, asked for by more copies than there are nodes."""

SEARCH = apps.shop("3.0.1", "search")


@dataclass(frozen=True)
class Fault:
    """A task that cannot work, and the words of the sentence that says why."""

    task: str
    body: Callable[[Door], Json]
    sentence: str
    """A part of what the server or the agent says of it."""


def _crash_loop(door: Door) -> Json:
    return task_body("thumbnails", {"name": "main", "app": apps.broken().reference}, labels={"team": "media"})


def _no_artifact(door: Door) -> Json:
    address = f"{str(door.http.base_url).rstrip('/')}/artifacts/invoices_3.2.0_0badcafe.zip"
    return task_body("invoices", {"name": "main", "artifactUrl": address}, labels={"team": "finance"})


def _never_ready(door: Door) -> Json:
    entry: Json = {
        "name": "main",
        "app": SEARCH.reference,
        "env": [{"name": "READY", "value": "no"}],
        "ports": [{"name": "http"}],
        "probes": {"readiness": {"httpGet": {"port": "http", "path": "/ready"}, "periodSeconds": 2}},
    }
    return task_body("search", entry, labels={"team": "search"})


def _no_room(door: Door) -> Json:
    nodes = len(door.items("nodes"))
    entry: Json = {
        "name": "main",
        "app": apps.pipeline().reference,
        "replicas": nodes + 1,
        "ports": [{"name": "tls", "port": CROWDED_PORT}],
    }
    return task_body("edge-proxy", entry, labels={"team": "platform"})


CRASH_LOOP = Fault("thumbnails", _crash_loop, "exited with code 3")
NO_ARTIFACT = Fault("invoices", _no_artifact, "404")
NEVER_READY = Fault("search", _never_ready, "answered 503")
NO_ROOM = Fault("edge-proxy", _no_room, f"no ready node has port {CROWDED_PORT} free")
FAULTS = (CRASH_LOOP, NO_ARTIFACT, NEVER_READY, NO_ROOM)


def push(door: Door, package: apps.Package) -> None:
    """Upload it."""
    door.push(package.name, package.version, package.archive)


def fill(door: Door, faults: tuple[Fault, ...] = FAULTS) -> None:
    """Push what they need and create what is not there yet."""
    for package in (apps.broken(), apps.pipeline(), SEARCH):
        push(door, package)
    for fault in faults:
        if door.get("tasks", fault.task) is None:
            door.create("tasks", fault.body(door))


LOST_NODE = "nodeZ"
LOST = Fault("forecast", lambda door: _forecast(), f"node {LOST_NODE} is silent")


@contextmanager
def lost_node(door: Door, directory: Path) -> Iterator[None]:
    """One more node, with a task on it, whose agent is killed once the task runs. Its lease, which would take 15 s
    to expire, is shortened then."""
    directory.mkdir(parents=True)
    server = str(door.http.base_url).rstrip("/")
    flags = ["--server", server, "--node", LOST_NODE, "--data-dir", str(directory / LOST_NODE), "--ip", "127.0.0.1"]
    agent = Program([*flags, "--port-range", "28000-28099"], directory / "agent.log", AGENT)
    # Cordoned, so that what other faults have no room for does not come here.
    door.create("nodes", node_body(LOST_NODE, unschedulable=True))
    try:
        agent.start()
        push(door, apps.pipeline())
        door.create("tasks", LOST.body(door))
        wait_for("a copy on the node", lambda: door.items("assignments", fieldSelector=_RUNS_THERE))
        agent.kill()
        door.http.patch(LEASE, json={"spec": {"leaseDurationSeconds": 1}}, headers=MERGE).raise_for_status()
        yield
    finally:
        agent.end()
        for found in processes_of(directory):
            found.kill()


LEASE = f"/apis/coordination.k8s.io/v1/namespaces/plum-node-lease/leases/{LOST_NODE}"
_RUNS_THERE = f"spec.nodeName={LOST_NODE},status.phase=Running"


def _forecast() -> Json:
    entry: Json = {"name": "main", "app": apps.pipeline().reference, "nodeReplicas": {LOST_NODE: 1}}
    return task_body("forecast", entry, labels={"team": "data"})
