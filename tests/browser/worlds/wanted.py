"""What people want of a large fleet: machines, apps and tasks, drawn by a seed. Pure."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.browser.worlds import names
from tests.browser.worlds.door import Json, task_body

LOST, CORDONED, DRAINING, NEW = "lost", "cordoned", "draining", "new"
SPECIAL = {5: LOST, 11: CORDONED, 17: DRAINING, 29: CORDONED}
"""The nodes that are not simply well, by number."""

EXPORTER_PORT = 9100


@dataclass(frozen=True)
class Machine:
    """A node."""

    name: str
    number: int
    role: str
    zone: str
    state: str = ""
    cpus: int = 16
    memory: int = 64

    @property
    def ip(self) -> str:
        """Its address."""
        return f"10.{20 + self.number % 4}.{self.number // 4}.{10 + self.number}"


@dataclass(frozen=True)
class Program:
    """An app and its versions, oldest first."""

    name: str
    what: str
    versions: tuple[str, ...]


@dataclass(frozen=True)
class Size:
    """How much of everything there is."""

    tasks: int = 300
    nodes: int = 40
    apps: int = 60
    copies: float = 1.0
    """How many copies a task has, as a multiple of what such tasks have."""


def machines(size: Size) -> list[Machine]:
    """The nodes."""
    sizes = {"web": (8, 32), "work": (16, 64), "mem": (32, 256)}
    return [
        Machine(name, number, role, zone, SPECIAL.get(number, "") if size.nodes > 29 else "", *sizes[role])
        for number, (name, role, zone) in enumerate(names.nodes(size.nodes))
    ]


def programs(rng: random.Random, size: Size) -> list[Program]:
    """The apps."""
    return [
        Program(name, what, tuple(names.versions(rng, rng.choice((1, 2, 2, 3, 4)))))
        for name, what in names.programs(rng, size.apps)
    ]


def tasks(rng: random.Random, size: Size, apps: Sequence[Program]) -> list[Json]:
    """The tasks, an exporter on every node among them."""
    by_name = {app.name: app for app in apps}
    drawn = list(names.tasks(rng, [(app.name, app.what) for app in apps], size.tasks - 1))
    return [_exporter(size, apps[0]), *(_task(rng, size, by_name[app], name, what) for name, app, what in drawn)]


def _exporter(size: Size, app: Program) -> Json:
    entry: Json = {
        "name": "main",
        "app": {"name": app.name, "version": app.versions[-1]},
        "startCmd": "./exporter --all",
        "nodeReplicas": {machine.name: 1 for machine in machines(size)},
        "ports": [{"name": "metrics", "port": EXPORTER_PORT}],
    }
    return task_body("node-exporter", entry, labels={"team": "platform", "tier": "infra"})


def _task(rng: random.Random, size: Size, app: Program, name: str, what: str) -> Json:
    version = app.versions[-1] if rng.random() < 0.8 else rng.choice(app.versions)
    team = name.partition("-")[0]
    reference = {"name": app.name, "version": version}
    make = {"web": _web, "worker": _worker, "batch": _batch}[what]
    entries = make(rng, size, name, reference)
    labels = {"team": team, "tier": what, "env": "canary" if name.endswith("-canary") else "production"}
    return task_body(name, *entries, state="Stopped" if rng.random() < 0.045 else "Running", labels=labels)


def _count(rng: random.Random, size: Size, weights: Mapping[int, int]) -> int:
    drawn = rng.choices(list(weights), list(weights.values()))[0]
    return max(1, round(drawn * size.copies))


def _web(rng: random.Random, size: Size, name: str, app: Json) -> list[Json]:
    entry: Json = {
        "name": "main",
        "app": app,
        "replicas": _count(rng, size, {2: 5, 3: 6, 4: 4, 6: 2, 8: 2, 12: 1}),
        "labels": {"tier": "web"},
        "ports": [{"name": "http"}, {"name": "metrics"}],
        "services": [{"name": name, "port": "http", "protocol": rng.choice(("http", "http", "grpc"))}],
        "env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "POOL_SIZE", "value": str(rng.choice((8, 16, 32)))}],
        "probes": {
            "readiness": {"httpGet": {"port": "http", "path": "/ready"}, "periodSeconds": 5},
            "liveness": {"httpGet": {"port": "http", "path": "/healthz"}, "failureThreshold": 5},
        },
    }
    if rng.random() < 0.2:
        cron: Json = {"name": "cron", "app": app, "startCmd": "./cron.sh --quiet", "dependsOn": ["main"]}
        return [entry, cron]
    return [entry]


def _worker(rng: random.Random, size: Size, name: str, app: Json) -> list[Json]:
    entry: Json = {
        "name": "main",
        "app": app,
        "replicas": _count(rng, size, {1: 5, 2: 6, 4: 4, 6: 2, 10: 2, 16: 1}),
        "env": [{"name": "QUEUE", "value": name.replace("-", ".")}],
        "terminationGracePeriodSeconds": rng.choice((5, 30, 120)),
    }
    if rng.random() < 0.15:
        entry["name"] = "consumer"
        return [entry, {"name": "producer", "app": app, "startCmd": "./produce.sh"}]
    return [entry]


def _batch(rng: random.Random, size: Size, name: str, app: Json) -> list[Json]:
    entry: Json = {
        "name": "main",
        "app": app,
        "replicas": _count(rng, size, {1: 6, 2: 2}),
        "restartPolicy": rng.choice(("OnFailure", "Never")),
        "startCmd": "./run.sh --since yesterday",
    }
    return [entry]
