"""kill -9 of an agent, of what it has started for itself, and of shims."""

import os
import random
import signal
import time
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path

from tests.bench.accounts import children, commands
from tests.fleet import Program
from tests.soak.agents import changed
from tests.soak.agents.bystanders import Bystanders
from tests.soak.agents.cast import Cast
from tests.soak.agents.ledgers import is_alive

AWAY = (0.0, 0.0, 0.2, 1.2)
"""Seconds without an agent, one of them."""

RECYCLED_AT_ONCE, RECYCLED = 2, 12


class Kills:
    """What was done to one agent and its shims."""

    def __init__(self, agent: Program, data: Path, cast: Cast, bystanders: Bystanders, rng: random.Random) -> None:
        self.agent, self.counts = agent, Counter[str]()
        self.shimless: dict[str, set[Path]] = defaultdict(set)
        """The runs whose shim was killed, by app."""
        self._data, self._cast, self._bystanders, self._rng = data, cast, bystanders, rng

    def agent_dies(self, *, other_version: bool, helpers: bool) -> None:
        """kill -9, of its helpers too or not; then a while without an agent; then the next one. Before another version
        it may also be asked to end, as an upgrade would."""
        doomed = self.helpers() if helpers else []
        if other_version and self._rng.random() < 0.5:
            self.agent.end()
            self.counts["asked to end"] += 1
        else:
            self.agent.kill()
            self.counts["kills"] += 1
        for pid in doomed:
            kill(pid)
        time.sleep(self._rng.choice(AWAY))
        self._recycle()
        if other_version:
            self.counts["replaced"] += 1
            self.agent.environ |= changed.environ(self.counts["replaced"])
        self.agent.start()

    def helpers(self) -> list[int]:
        """What the agent has started for itself: its children, and programs that know its folder."""
        others = {pid for pid, _ in self._cast.shims()} | {life.pid for life in self._cast.lives()} | {self.agent.pid}
        known = {pid for pid, words in commands() if any(str(self._data) in word for word in words)}
        return sorted({*known, *children(self.agent.pid)} - others)

    def shims_die(self, count: int) -> None:
        """kill -9 of the shims of some running apps."""
        running = {folder: pid for pid, folder in self._cast.shims() if self._runs(folder)}
        for folder in self._rng.sample(sorted(running), min(count, len(running))):
            self.shimless[_app(folder)].add(folder)
            kill(running[folder])
            self.counts["shims killed"] += 1

    def _runs(self, folder: Path) -> bool:
        """Whether a run's process has begun, and is not about to end by itself."""
        runs = self._cast.ledger(_app(folder)).runs
        return bool(runs) and runs[-1].folder == folder and runs[-1].end is None and is_alive(runs[-1].life)

    def _recycle(self) -> None:
        """While nobody looks, pids of apps that have just ended become those of bystanders."""
        last = [run for name in self._cast.names() for run in self._cast.ledger(name).runs[-1:]]
        pids = [run.life.pid for run in last if run.end and not is_alive(run.life)]
        for pid in self._rng.sample(pids, min(RECYCLED_AT_ONCE, len(pids))):
            if self._bystanders.recycled < RECYCLED:
                self._bystanders.take(pid)


def _app(folder: Path) -> str:
    """Whose run it is."""
    return folder.parents[1].name.removeprefix("default.")


def kill(pid: int) -> None:
    """kill -9, if it is there."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
