"""Flushes that fail: a write is acknowledged if it is stored, refused if it is not, and else said to be unknown.

``make soak`` runs it longer: PLUM_SOAK_ROUNDS sets how often things go wrong.
"""

import os
import random
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.soak.faulty_server import ERRORS, VARIABLE, write_faults
from tests.soak.process import FAULTY, Server
from tests.soak.scene import Scene, playing

ROUNDS = int(os.environ.get("PLUM_SOAK_ROUNDS", "4"))
FEW_WRITERS, FEW_WATCHERS = 8, 20

MIXTURES: tuple[Mapping[str, float], ...] = (
    {"commit, rolled back": 0.5, "checkpoint": 0.5},
    {"commit, stored": 0.5, "checkpoint": 0.5, "open": 0.3},
    {"commit, left open": 0.5, "begin": 0.1},
    {"statement": 0.3, "begin": 0.3},
    {"commit, rolled back": 0.2, "commit, stored": 0.2, "commit, left open": 0.2, "checkpoint": 0.8},
    dict.fromkeys(ERRORS, 0.1),
)
HOPELESS: Mapping[str, float] = {"commit, stored": 1.0, "checkpoint": 1.0}
"""Nothing is stored for certain, and nothing is found out."""


def is_cause(message: str) -> bool:
    return any(
        cause in message for cause in ("disk I/O error", "database is locked", "unable to open", "shutting down")
    )


def failures(scene: Scene) -> int:
    return scene.ledger.counts["refused"] + scene.ledger.counts["unknown"]


async def some_failures(scene: Scene, count: int) -> None:
    """Wait until so many more writes have not been acknowledged."""
    target = failures(scene) + count
    await scene.until(lambda: failures(scene) >= target)


async def test_failing_commits_lose_nothing_and_store_nothing_refused(tmp_path: Path) -> None:
    rng = random.Random(2)
    faults = tmp_path / "faults.json"
    server = Server(tmp_path / "data", log=tmp_path / "server.log", program=FAULTY, env={VARIABLE: str(faults)})
    ends = {"recovered": 0, "killed": 0, "ended": 0}
    async with playing(server, writers=FEW_WRITERS, watchers=FEW_WATCHERS, is_cause=is_cause) as scene:
        for number in range(ROUNDS):
            end = ("recovered", "killed", "recovered", "ended")[number % 4]
            write_faults(faults, HOPELESS if end == "ended" else MIXTURES[number % len(MIXTURES)])
            await some_failures(scene, rng.randint(1, 60))
            if end != "recovered":
                code = await server.end(signal.SIGTERM if end == "ended" else signal.SIGKILL)
                assert code in (3, -signal.SIGKILL), server.log_text()
            write_faults(faults, {})
            if end != "recovered":
                await server.start()
            ends[end] += 1
            await scene.some_writes(50)
    print(f"\n{scene.summary(**ends)}")


@pytest.mark.parametrize("mode", ["f", "r"], ids=["flushes fail", "read-only"])
async def test_a_disk_that_fails_loses_nothing_and_stores_nothing_refused(
    tmp_path: Path, library: Path, mode: str
) -> None:
    """The whole of SQLite runs on it, with what it does about a failing disk by itself."""
    rng = random.Random(3)
    data, control = tmp_path / "data", tmp_path / "control"
    env = {"LD_PRELOAD": str(library), "PLUM_SOAK_DIRECTORY": str(data), "PLUM_SOAK_CONTROL": str(control)}
    server = Server(data, log=tmp_path / "server.log", program=FAULTY, env=env)
    ends = {"recovered": 0, "killed": 0}
    async with playing(server, writers=FEW_WRITERS, watchers=FEW_WATCHERS, is_cause=is_cause) as scene:
        for number in range(ROUNDS // 2):
            end = ("recovered", "killed")[number % 2]
            control.write_text(mode)
            await some_failures(scene, rng.randint(1, 60))
            if end == "killed":
                await server.kill()
            control.unlink()
            if end == "killed":
                await server.start()
            ends[end] += 1
            await scene.some_writes(50)
    print(f"\n{scene.summary(**ends)}")
