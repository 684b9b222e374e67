"""Fleet, apps and kills put together, and the comparison at the end."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.e2e.cluster import wait_for
from tests.fleet import running_fleet
from tests.soak.agents import changed
from tests.soak.agents.bystanders import Bystanders
from tests.soak.agents.cast import Cast
from tests.soak.agents.downloads import serving
from tests.soak.agents.judge import Case, Verdict, judge
from tests.soak.agents.kills import Kills, kill
from tests.soak.agents.ledgers import Ledger, inhabitants, is_alive
from tests.soak.agents.logfiles import Found, examine
from tests.soak.agents.reports import Reports

SETTLE_SECONDS = 90.0
LOOKS, PAUSE = 6, 0.5
"""At a log in which something may be moved just now."""


@dataclass
class Stage:
    """Made by ``playing``."""

    cast: Cast
    kills: Kills
    reports: Reports
    bystanders: Bystanders
    rng: random.Random

    def settle(self) -> None:
        """Wait until everything that was asked for has come about, and the server has been told."""
        for task in self.cast.tasks[1:]:
            wait_for(f"{task} has started", partial(self._has_started, task), SETTLE_SECONDS)
        for name in self.cast.names():
            if self.cast.behaviour(name).stays:
                wait_for(f"{name} runs and is told to", partial(self._is_settled, name), SETTLE_SECONDS)

    def _is_settled(self, name: str) -> bool:
        status = self.reports.latest.get(name, {}).get("status", {})
        pid = self.cast.ledger(name).runs[-1].life.pid
        return self.cast.is_content(name) and status.get("phase") == "Running" and status.get("pid") == pid

    def _has_started(self, task: str) -> bool:
        return any(name.startswith(f"{task}-") for name in self.cast.names())

    def stop(self) -> None:
        """Ask all apps to end, and wait until the server is told that they have."""
        self.cast.stop()
        names = self.cast.names()
        wait_for("all end", lambda: all(self.reports.phase(name) == "Stopped" for name in names), SETTLE_SECONDS)

    def verdict(self) -> Verdict:
        """Compare all stories, once everything has been stopped."""
        verdict = Verdict()
        for name in self.cast.names():
            judge(self._case(name), verdict)
        verdict.wrong_ends += self.reports.unclear
        verdict.orphans += self.cast.alive()
        verdict.foreign_signals += self.bystanders.faults()
        return verdict

    def _case(self, name: str) -> Case:
        cast, ledger = self.cast, self.cast.ledger(name)
        shimless = frozenset(n for n, run in enumerate(ledger.runs) if run.folder in self.kills.shimless[name])
        logs = _logs(ledger) if cast.behaviour(name).command.startswith("writer") else {}
        restarts = self.reports.latest[name].get("status", {}).get("restarts", 0)
        reported = self.reports.ends(name)
        unheard = self.kills.agent.log.read_text().count(f"/{name}: the server was not told")
        self.kills.counts += Counter(
            {
                "starts": len(ledger.runs),
                "ends told": len(reported),
                "reports not answered": unheard,
                "restarts asked for": cast.requests[name],
                "lines": sum(found.lines for found in logs.values()),
                "segments": sum(found.segments for found in logs.values()),
            }
        )
        asked = cast.requests[name]
        return Case(name, cast.behaviour(name), ledger, reported, restarts, asked, unheard, shimless, logs)

    def delete(self) -> None:
        """Delete all tasks and wait until nothing of them is left, here or on the server."""
        self.cast.delete()
        wait_for("all assignments are gone", lambda: not self.reports.latest, SETTLE_SECONDS)
        wait_for("all folders are gone", lambda: not list(self.cast.instances.iterdir()), SETTLE_SECONDS)

    def summary(self, verdict: Verdict) -> str:
        """Two lines for the reader of a long run."""
        counts = {"apps": len(self.cast.names()), "pids recycled": self.bystanders.recycled} | self.kills.counts
        return ", ".join(f"{value} {name}" for name, value in counts.items()) + "\n" + verdict.counts()

    def sweep(self) -> None:
        """End whatever is left."""
        lives = [life.pid for life in self.cast.lives() if is_alive(life)]
        for pid in [*(pid for pid, _ in self.cast.shims()), *lives, *inhabitants(self.cast.instances)]:
            kill(pid)
        self.bystanders.close()


def _logs(ledger: Ledger) -> dict[int, Found]:
    """The logs of a writer's runs, as far as they are kept, by the place of the run."""
    return {number: _at_rest(run.folder) for number, run in enumerate(ledger.runs) if run.folder.exists()}


def _at_rest(folder: Path) -> Found:
    """A look at a log while nothing is moved in it, or the last of some looks."""
    found = examine(folder)
    for _ in range(LOOKS - 1):
        if not found.faults:
            break
        time.sleep(PAUSE)
        found = examine(folder)
    return found


@contextmanager
def playing(directory: Path, *, seed: int, apps: int) -> Iterator[Stage]:
    """All apps running under an agent; at the end, whatever comes, nothing is left."""
    rng = random.Random(seed)
    with (
        running_fleet(directory, "--port-range", "22000-22400") as fleet,
        serving() as downloads,
        fleet.http() as http,
        fleet.http() as watching,
    ):
        fleet.agent.module = changed.__name__
        fleet.agent.environ |= changed.environ(0)
        cast = Cast(fleet, http, downloads, rng)
        bystanders = Bystanders(directory / "bystanders")
        kills = Kills(fleet.agent, fleet.data, cast, bystanders, rng)
        stage = Stage(cast, kills, Reports(watching), bystanders, rng)
        try:
            fleet.agent.start()
            cast.start(apps)
            bystanders.add()
            yield stage
        finally:
            fleet.agent.end()
            stage.sweep()
            stage.reports.close()
