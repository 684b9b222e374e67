"""Plum as a holder of processes: one agent, driven through the API, with its archive in the cache."""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.bench.accounts import children, commands, sleepers
from tests.bench.holders import end_all, until, until_gone
from tests.fleet import MERGE, NODE, Fleet, running_fleet
from tests.v1.archives import zipped


class Plum:
    """An agent with one task at a time, of as many copies as are asked for."""

    name, argument, period = "Plum", "1000023", 15.0

    def __init__(self, fleet: Fleet, http: httpx.Client) -> None:
        self._fleet, self._http, self._tasks, self._count = fleet, http, 0, 0
        raw = zipped({"readme.txt": "It only sleeps.\n"})
        self._app = {"artifactUrl": f"/artifacts/sha256/{hashlib.sha256(raw).hexdigest()}"}
        http.put(f"{fleet.url}{self._app['artifactUrl']}", content=raw).raise_for_status()
        app = {"apiVersion": "plum.dev/v1", "kind": "App", "metadata": {"name": "sleeper"}}
        spec = {"name": "sleeper", "version": "1", "sha256": hashlib.sha256(raw).hexdigest(), "sizeBytes": len(raw)}
        http.post("/apps", json=app | {"spec": spec}).raise_for_status()

    def run(self, count: int) -> float:
        self._tasks, self._count = self._tasks + 1, count
        entry = {"app": {"name": "sleeper", "version": "1"}, "startCmd": f"exec sleep {self.argument}"}
        spec = {"entries": [entry | {"nodeReplicas": {NODE: count}}]}
        task = {"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": {"name": self._task}, "spec": spec}
        with self._watching() as phases:
            began = time.monotonic()
            self._http.post("/tasks", json=task).raise_for_status()
            _all_in(phases, "Running", count)
            return time.monotonic() - began

    def stop(self) -> float:
        with self._watching() as phases:
            began = time.monotonic()
            stopped = {"spec": {"state": "Stopped"}}
            self._http.patch(f"/tasks/{self._task}", json=stopped, headers=MERGE).raise_for_status()
            _all_in(phases, "Stopped", self._count)
            took = time.monotonic() - began
        until_gone(self.argument)
        self._http.delete(f"/tasks/{self._task}").raise_for_status()
        until(lambda: not self._assignments(), "the task is gone")
        return took

    def own(self) -> Sequence[int]:
        """The agent, its children, and whatever else has to do with its folder, but shims and apps."""
        agent, others = self._fleet.agent.pid, {*self.shims(), *sleepers(self.argument)}
        ours = {pid for pid, words in commands() if any(str(self._fleet.data) in word for word in words)}
        return sorted({agent, *children(agent), *ours} - others)

    def helpers(self) -> Sequence[int]:
        """The agent's own processes beside itself."""
        return [pid for pid in self.own() if pid != self._fleet.agent.pid]

    def shims(self) -> Sequence[int]:
        claims = self._fleet.data.glob("instances/*/runs/*/claim")
        found = {int(claim.read_text().split()[0]) for claim in claims}
        return sorted(pid for pid in found if Path(f"/proc/{pid}").exists())

    def kill(self) -> None:
        self._fleet.agent.kill()

    def revive(self) -> None:
        self._fleet.agent.start()
        until(lambda: len(self.managed()) == self._count, "all apps run")

    def managed(self) -> set[int]:
        statuses = [item.get("status", {}) for item in self._assignments()]
        return {status["pid"] for status in statuses if status.get("phase") == "Running"}

    @property
    def _task(self) -> str:
        return f"bench-{self._tasks}"

    def _assignments(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._http.get("/assignments").raise_for_status().json()["items"]
        return found

    @contextmanager
    def _watching(self) -> Iterator[Iterator[tuple[str, str]]]:
        """Names and phases of the task's assignments, as they change from now on."""
        version = self._http.get("/assignments", params={"limit": "1"}).json()["metadata"]["resourceVersion"]
        query = {"watch": "true", "resourceVersion": version, "labelSelector": f"plum.dev/task={self._task}"}
        with self._http.stream("GET", "/assignments", params=query) as response:
            events = (json.loads(line)["object"] for line in response.iter_lines() if line)
            yield ((event["metadata"]["name"], event.get("status", {}).get("phase", "")) for event in events)


def _all_in(phases: Iterator[tuple[str, str]], phase: str, count: int) -> None:
    """Wait until so many are in the phase."""
    found: set[str] = set()
    for name, now in phases:
        found = found | {name} if now == phase else found - {name}
        if len(found) == count:
            return
    raise ConnectionError("the watch has ended")


@contextmanager
def plum(folder: Path) -> Iterator[Plum]:
    """An agent without apps."""
    with running_fleet(folder, "--port-range", "21000-21999") as fleet, fleet.http() as http:
        fleet.agent.start()
        holder = Plum(fleet, http)
        try:
            yield holder
        finally:
            end_all((*holder.shims(), *sleepers(holder.argument)))
