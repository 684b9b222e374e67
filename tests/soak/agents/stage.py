"""Fleet and apps, and what the test does to them."""

import hashlib
import os
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from tests.bench.accounts import commands
from tests.e2e.cluster import wait_for
from tests.fleet import MERGE, NODE, Fleet, Program, running_fleet
from tests.soak.agents import changed
from tests.soak.agents.apps import BEHAVIOURS, SLOW, Behaviour, archive, shares
from tests.soak.agents.bystanders import Bystanders
from tests.soak.agents.downloads import Downloads, Slow, serving
from tests.soak.agents.judge import Case, Verdict, judge
from tests.soak.agents.ledgers import Ledger, Life, inhabitants, is_alive, read, read_all
from tests.soak.agents.logfiles import Found, examine
from tests.soak.agents.reports import Reports

CHANGED = "tests.soak.agents.changed"
"""The module of an agent of another version."""

RESTARTED_AT = "plum.dev/restartedAt"
SETTLE_SECONDS = 90.0
RECYCLED_AT_ONCE, RECYCLED = 2, 12


class Stage:
    """Made by ``playing``."""

    def __init__(self, fleet: Fleet, http: httpx.Client, reports: Reports, downloads: Downloads, seed: int) -> None:
        self.agent: Program = fleet.agent
        self.rng = random.Random(seed)
        self.instances = fleet.data / "instances"
        self.reports = reports
        self.counts: Counter[str] = Counter()
        self.shimless: dict[str, set[Path]] = defaultdict(set)
        """The runs whose shim was killed, by app."""
        self._fleet, self._http, self._downloads = fleet, http, downloads
        self._ledgers = fleet.directory / "ledgers"
        self._ledgers.mkdir()
        self._requests: Counter[str] = Counter()
        self._behaviours = {f"apps-{name}": behaviour for name, behaviour in BEHAVIOURS}
        self._tasks: list[str] = []
        self._seed = seed * 1000
        self.bystanders = Bystanders(fleet.directory / "bystanders")

    # Apps.

    def start_apps(self, count: int) -> None:
        """One task with so many copies of all behaviours; returns when all have started."""
        raw = archive()
        digest = hashlib.sha256(raw).hexdigest()
        self._http.put(f"{self._fleet.url}/artifacts/sha256/{digest}", content=raw).raise_for_status()
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
        wait_for("all apps start", lambda: len(list(self._ledgers.iterdir())) == count, SETTLE_SECONDS)

    def add_from_elsewhere(self, raw: bytes) -> Slow:
        """A task of one writer whose archive comes slowly."""
        name = f"extra-{len(self._tasks)}"
        slow = self._downloads.add(f"{name}.zip", raw)
        source = {"artifactUrl": f"{self._downloads.url}/{name}.zip", "sha256": hashlib.sha256(raw).hexdigest()}
        self._behaviours[f"{name}-slow"] = SLOW
        self._add_task(name, [SLOW.entry("slow") | source | {"env": self._env(), "nodeReplicas": {NODE: 1}}])
        return slow

    def next_seed(self) -> int:
        """For an archive like no other."""
        self._seed += 1
        return self._seed

    def _env(self) -> list[dict[str, str]]:
        return [{"name": "LEDGER", "value": str(self._ledgers)}]

    def _add_task(self, name: str, entries: Sequence[dict[str, Any]]) -> None:
        self._tasks.append(name)
        self._post("tasks", {"kind": "Task", "metadata": {"name": name}, "spec": {"entries": entries}})

    def _post(self, plural: str, body: dict[str, Any]) -> None:
        reply = self._http.post(f"/{plural}", json={"apiVersion": "plum.dev/v1"} | body)
        assert reply.status_code == 201, reply.text

    # What is known of them.

    def ledger(self, name: str) -> Ledger:
        """What an app has noted so far."""
        return read(self._ledgers / name)

    def run_folders(self, name: str) -> list[Path]:
        """The folders of an app's runs, by their number."""
        return sorted((self.instances / f"default.{name}" / "runs").glob("*"), key=lambda path: int(path.name))

    def behaviour(self, name: str) -> Behaviour:
        """What an app does: its name without the suffix says it."""
        return self._behaviours[name.rpartition("-")[0]]

    def apps(self) -> list[str]:
        """The names of all apps that have ever started."""
        return sorted(path.name for path in self._ledgers.iterdir())

    # Requests.

    def content_and_yielding(self, count: int) -> list[str]:
        """Some apps that stay, would end when asked to, and have done what was asked before."""
        staying = [name for name in self.apps() if self.behaviour(name).stays and self.behaviour(name).yields]
        return self.rng.sample([name for name in staying if self._is_content(name)], count)

    def content_and_stubborn(self) -> str:
        """An app that has done what was asked before, and will ignore the next request."""
        stubborn = [name for name in self.apps() if not self.behaviour(name).yields]
        return wait_for("a stubborn app", lambda: next(filter(self._is_content, stubborn), None))

    def request_restart(self, name: str) -> None:
        """Ask an app to restart."""
        self._requests[name] += 1
        annotations = {RESTARTED_AT: f"2026-01-01T00:00:{self._requests[name]:02}Z"}
        patch = {"metadata": {"annotations": annotations}}
        self._http.patch(f"/assignments/{name}", json=patch, headers=MERGE).raise_for_status()

    def _is_content(self, name: str) -> bool:
        """Whether an app that stays has started as often as it should and runs."""
        runs = self.ledger(name).runs
        return len(runs) == 1 + self._requests[name] and is_alive(runs[-1].life)

    # Kills.

    def kill_agent(self, *, other_version: bool, helpers: bool) -> None:
        """kill -9, with its helpers or without; then a while without an agent; then the next one."""
        doomed = self.helpers() if helpers else []
        self.agent.kill()
        for pid in doomed:
            self._kill(pid)
        self.counts["kills"] += 1
        time.sleep(self.rng.choice((0.0, 0.0, 0.2, 1.2)))
        self._recycle()
        if other_version:
            self.counts["replaced"] += 1
            self.agent.environ |= changed.environ(self.counts["replaced"])
        self.agent.start()

    def helpers(self) -> list[int]:
        """What the agent has started for itself: programs that know its folder, or its children."""
        others = {claim[0] for claim in self._claims()} | {life.pid for life in self._lives()} | {self.agent.pid}
        known = {pid for pid, words in commands() if any(str(self._fleet.data) in word for word in words)}
        with suppress(OSError):
            children = Path(f"/proc/{self.agent.pid}/task/{self.agent.pid}/children").read_text().split()
            known |= {int(pid) for pid in children}
        return sorted(known - others)

    def kill_shims(self, count: int) -> None:
        """kill -9 of the shims of some running apps."""
        running = {folder: pid for pid, folder in self._claims() if self._runs(folder)}
        for folder in self.rng.sample(sorted(running), min(count, len(running))):
            self.shimless[folder.parents[1].name.removeprefix("default.")].add(folder)
            self._kill(running[folder])
            self.counts["shims killed"] += 1

    def _runs(self, folder: Path) -> bool:
        """Whether a run's process has begun and does not end by itself at this moment."""
        name = folder.parents[1].name.removeprefix("default.")
        runs = self.ledger(name).runs
        return bool(runs) and runs[-1].folder == folder and runs[-1].end is None and is_alive(runs[-1].life)

    def _claims(self) -> Iterator[tuple[int, Path]]:
        """The shims that there are or were, and the folders of their runs."""
        for path in self.instances.glob("*/runs/*/claim"):
            with suppress(OSError, ValueError):
                pid, ticks = map(int, path.read_text().split())
                if is_alive(Life(pid, ticks)):
                    yield pid, path.parent

    def _kill(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def _lives(self) -> list[Life]:
        return [life for ledger in read_all(self._ledgers).values() for life in ledger.lives]

    def _recycle(self) -> None:
        """While nobody looks, pids of apps and shims that have just ended become those of bystanders."""
        recent = [read(self._ledgers / name).runs[-1:] for name in self.apps()]
        pids = [run.life.pid for runs in recent for run in runs if run.end and not is_alive(run.life)]
        for pid in self.rng.sample(pids, min(RECYCLED_AT_ONCE, len(pids))):
            if self.bystanders.recycled < RECYCLED:
                self.bystanders.take(pid)

    # The end.

    def settle(self) -> None:
        """Wait until everything that was asked for has come about, and the server has been told."""
        for name in self.apps():
            if self.behaviour(name).stays:
                wait_for(f"{name} runs and is told to", partial(self._is_settled, name), SETTLE_SECONDS)
        for task in self._tasks[1:]:
            wait_for(f"{task} has started", partial(self._has_started, task), SETTLE_SECONDS)

    def _is_settled(self, name: str) -> bool:
        status = self.reports.latest.get(name, {}).get("status", {})
        pid = self.ledger(name).runs[-1].life.pid
        return self._is_content(name) and status.get("phase") == "Running" and status.get("pid") == pid

    def _has_started(self, task: str) -> bool:
        return any(name.startswith(f"{task}-") for name in self.apps())

    def stop_apps(self) -> None:
        """Ask all of them to end, and wait until the server is told that they have."""
        for task in self._tasks:
            stopped = {"spec": {"state": "Stopped"}}
            self._http.patch(f"/tasks/{task}", json=stopped, headers=MERGE).raise_for_status()
        wait_for("all apps end", lambda: all(self.reports.phase(name) == "Stopped" for name in self.apps()), 120)

    def verdict(self) -> Verdict:
        """Compare all stories, once everything has been stopped."""
        verdict = Verdict()
        for name in self.apps():
            judge(self._case(name), verdict)
        verdict.wrong_ends += self.reports.unclear
        verdict.orphans += self.orphans()
        verdict.foreign_signals += self.bystanders.faults()
        return verdict

    def orphans(self) -> list[str]:
        """What is alive though it was stopped."""
        inside = [f"process {pid} in the agent's folder" for pid in inhabitants(self.instances)]
        return [f"{life}" for life in self._lives() if is_alive(life)] + inside

    def _case(self, name: str) -> Case:
        ledger = self.ledger(name)
        shimless = frozenset(n for n, run in enumerate(ledger.runs) if run.folder in self.shimless[name])
        logs = self._logs(ledger) if self.behaviour(name).command.startswith("writer") else {}
        self.counts["starts"] += len(ledger.runs)
        self.counts["requests"] += self._requests[name]
        self.counts["lines"] += sum(found.lines for found in logs.values())
        self.counts["segments"] += sum(found.segments for found in logs.values())
        restarts = self.reports.latest[name].get("status", {}).get("restarts", 0)
        reported = self.reports.ends(name)
        self.counts["ends told"] += len(reported)
        return Case(name, self.behaviour(name), ledger, reported, restarts, self._requests[name], shimless, logs)

    def _logs(self, ledger: Ledger) -> dict[int, Found]:
        """By the place of the run; a rotation that is under way is waited for."""
        return {n: wait_for_log(run.folder) for n, run in enumerate(ledger.runs) if run.folder.exists()}

    def delete_apps(self) -> None:
        """Delete all tasks and wait until nothing of them is left, here or on the server."""
        for task in self._tasks:
            self._http.delete(f"/tasks/{task}").raise_for_status()
        wait_for("all assignments are gone", lambda: not self.reports.latest, 60)
        wait_for("all folders are gone", lambda: not list(self.instances.iterdir()), 30)

    def summary(self, verdict: Verdict) -> str:
        """Two lines for the reader of a long run."""
        counts = self.counts | Counter({"apps": len(self.apps()), "pids recycled": self.bystanders.recycled})
        return ", ".join(f"{value} {name}" for name, value in counts.items()) + "\n" + verdict.counts()

    def sweep(self) -> None:
        """End whatever is left."""
        lives = [life.pid for life in self._lives() if is_alive(life)]
        for pid in [*(pid for pid, _ in self._claims()), *lives, *inhabitants(self.instances)]:
            self._kill(pid)
        self.bystanders.close()


def wait_for_log(folder: Path) -> Found:
    """A look at a log while nothing is moved in it, or the last of some looks."""
    found = examine(folder)
    for _ in range(5):
        if not found.faults:
            break
        time.sleep(0.5)
        found = examine(folder)
    return found


@contextmanager
def playing(directory: Path, *, seed: int, apps: int) -> Iterator[Stage]:
    """All apps running under an agent; at the end, whatever comes, nothing is left."""
    with (
        running_fleet(directory, "--port-range", "22000-22400") as fleet,
        serving() as downloads,
        fleet.http() as http,
        fleet.http() as watching,
    ):
        reports = Reports(watching)
        stage = Stage(fleet, http, reports, downloads, seed)
        fleet.agent.module = CHANGED
        fleet.agent.environ |= changed.environ(0)
        try:
            fleet.agent.start()
            stage.start_apps(apps)
            yield stage
        finally:
            fleet.agent.end()
            stage.sweep()
            reports.close()
