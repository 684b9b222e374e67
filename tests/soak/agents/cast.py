"""The apps that play: their tasks, what they noted, and what was asked of them."""

import hashlib
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.cluster import wait_for
from tests.fleet import MERGE, NODE, Fleet
from tests.soak.agents.apps import BEHAVIOURS, SLOW, Behaviour, archive, shares
from tests.soak.agents.downloads import Downloads, Slow
from tests.soak.agents.ledgers import Ledger, Life, inhabitants, is_alive, read, read_all

RESTARTED_AT = "plum.dev/restartedAt"
START_SECONDS = 90.0
PADDING = 1200
"""Files of an archive that comes from elsewhere: its unpacking takes a moment."""


class Cast:
    """All apps of one fleet. Each is known by the name of its assignment."""

    def __init__(self, fleet: Fleet, http: httpx.Client, downloads: Downloads, rng: random.Random) -> None:
        self.instances = fleet.data / "instances"
        self.requests: Counter[str] = Counter()
        """How often each was asked to restart."""
        self.tasks: list[str] = []
        self._url, self._http, self._downloads, self._rng = fleet.url, http, downloads, rng
        self._ledgers = fleet.directory / "ledgers"
        self._ledgers.mkdir()
        self._behaviours = {f"apps-{name}": behaviour for name, behaviour in BEHAVIOURS}

    def start(self, count: int) -> None:
        """One task with so many copies of all behaviours; returns when all have started."""
        raw = archive()
        digest = hashlib.sha256(raw).hexdigest()
        self._http.put(f"{self._url}/artifacts/sha256/{digest}", content=raw).raise_for_status()
        spec = {"name": "apps", "version": "1", "sha256": digest, "sizeBytes": len(raw)}
        self._post("apps", {"kind": "App", "metadata": {"name": "apps"}, "spec": spec})
        numbers = shares(count)
        app = {"app": {"name": "apps", "version": "1"}, "env": self._env()}
        entries = [
            behaviour.entry(name) | app | {"nodeReplicas": {NODE: numbers[name]}}
            for name, behaviour in BEHAVIOURS
            if numbers[name]
        ]
        self._add_task("apps", entries)
        wait_for("all apps start", lambda: len(self.names()) == count, START_SECONDS)

    def add_from_elsewhere(self) -> Slow:
        """A task of one writer whose archive, like no other, comes slowly."""
        name = f"extra-{len(self.tasks)}"
        raw = archive(seed=self._rng.randrange(1 << 30), files=PADDING)
        slow = self._downloads.add(f"{name}.zip", raw)
        source = {"artifactUrl": f"{self._downloads.url}/{name}.zip", "sha256": hashlib.sha256(raw).hexdigest()}
        self._behaviours[f"{name}-slow"] = SLOW
        self._add_task(name, [SLOW.entry("slow") | source | {"env": self._env(), "nodeReplicas": {NODE: 1}}])
        return slow

    def _env(self) -> list[dict[str, str]]:
        return [{"name": "LEDGER", "value": str(self._ledgers)}]

    def _add_task(self, name: str, entries: Sequence[dict[str, Any]]) -> None:
        self.tasks.append(name)
        self._post("tasks", {"kind": "Task", "metadata": {"name": name}, "spec": {"entries": entries}})

    def _post(self, plural: str, body: dict[str, Any]) -> None:
        reply = self._http.post(f"/{plural}", json={"apiVersion": "plum.dev/v1"} | body)
        assert reply.status_code == 201, reply.text

    def names(self) -> list[str]:
        """All apps that have ever started."""
        return sorted(path.name for path in self._ledgers.iterdir())

    def behaviour(self, name: str) -> Behaviour:
        """What an app does: its name without the suffix says it."""
        return self._behaviours[name.rpartition("-")[0]]

    def ledger(self, name: str) -> Ledger:
        """What an app has noted so far."""
        return read(self._ledgers / name)

    def lives(self) -> list[Life]:
        """Every process that any of them has noted."""
        return [life for ledger in read_all(self._ledgers).values() for life in ledger.lives]

    def run_folders(self, name: str) -> list[Path]:
        """The folders of an app's runs, by their number."""
        return sorted((self.instances / f"default.{name}" / "runs").glob("[0-9]*"), key=lambda path: int(path.name))

    def shims(self) -> Iterator[tuple[int, Path]]:
        """The living shims, and the folders of their runs."""
        for path in self.instances.glob("*/runs/*/claim"):
            with suppress(OSError, ValueError):
                pid, ticks = map(int, path.read_text().split())
                if is_alive(Life(pid, ticks)):
                    yield pid, path.parent

    def alive(self) -> list[str]:
        """What is alive, in words."""
        noted = [f"{life}" for life in self.lives() if is_alive(life)]
        return noted + [f"process {pid} in the agent's folder" for pid in inhabitants(self.instances)]

    def content_and_yielding(self, count: int) -> list[str]:
        """Some apps that stay, would end when asked to, and have done what was asked before."""
        staying = [name for name in self.names() if self.behaviour(name).stays and self.behaviour(name).yields]
        return self._rng.sample([name for name in staying if self.is_content(name)], count)

    def content_and_stubborn(self) -> str:
        """An app that has done what was asked before, and will ignore the next request."""
        stubborn = [name for name in self.names() if not self.behaviour(name).yields]
        return wait_for("a stubborn app", lambda: next(filter(self.is_content, stubborn), None), START_SECONDS)

    def is_content(self, name: str) -> bool:
        """Whether an app that stays has started as often as it should, and runs."""
        runs = self.ledger(name).runs
        return len(runs) == 1 + self.requests[name] and is_alive(runs[-1].life)

    def request_restart(self, name: str) -> None:
        """Ask an app to restart."""
        self.requests[name] += 1
        annotations = {RESTARTED_AT: f"2026-01-01T00:00:{self.requests[name]:02}Z"}
        patch = {"metadata": {"annotations": annotations}}
        self._http.patch(f"/assignments/{name}", json=patch, headers=MERGE).raise_for_status()

    def stop(self) -> None:
        """Ask all of them to end."""
        for task in self.tasks:
            stopped = {"spec": {"state": "Stopped"}}
            self._http.patch(f"/tasks/{task}", json=stopped, headers=MERGE).raise_for_status()

    def delete(self) -> None:
        """Delete all tasks."""
        for task in self.tasks:
            self._http.delete(f"/tasks/{task}").raise_for_status()
