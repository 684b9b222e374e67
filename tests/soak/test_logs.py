"""The long forms of what is promised of logs; their short forms are beside the other tests of each part.

``PLUM_SOAK_LOGS`` says how many rounds; without it they are left out.
"""

import os
from pathlib import Path

import psutil
import pytest

from agent.logs import keeper
from apiserver.client.backoff import Backoff
from tests.e2e.test_logs import follow_many
from tests.integration.test_logs import stall
from tests.servers import running_apiserver
from tests.unit.agent.logs.test_rotator import kill_rotators

ROUNDS = int(os.environ.get("PLUM_SOAK_LOGS", "0"))

pytestmark = pytest.mark.skipif(not ROUNDS, reason="takes minutes: make soak")


async def test_rotators_are_killed_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "RETRY", Backoff(base=0.01, cap=0.02))
    await kill_rotators(tmp_path, lines=200_000 * ROUNDS, kills=150 * ROUNDS)


async def test_a_reader_stands_still_for_a_minute(tmp_path: Path) -> None:
    with running_apiserver(tmp_path / "server") as (process, url):
        await stall(psutil.Process(process.pid), url, tmp_path, seconds=60.0, size=500 * 1024 * 1024)


def test_twenty_instances_through_restarts_rotations_and_kills(tmp_path: Path) -> None:
    follow_many(tmp_path, instances=20, lines=10_000 * ROUNDS, per_run=2500, kills=6 * ROUNDS)
