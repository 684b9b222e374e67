"""kill -9 of the agent in the middle of everything, and its replacement by another version: the apps notice nothing.

``make soak`` runs it longer: PLUM_SOAK_APPS apps, PLUM_SOAK_AGENT_KILLS kills, PLUM_SOAK_REPLACED of them followed by
an agent of another version; PLUM_SOAK_SEED draws other moments.
"""

import os
from pathlib import Path

import pytest

from tests.soak.agents.moments import MOMENTS
from tests.soak.agents.stage import Stage, playing

APPS = int(os.environ.get("PLUM_SOAK_APPS", "24"))
KILLS = int(os.environ.get("PLUM_SOAK_AGENT_KILLS", str(len(MOMENTS))))
REPLACED = int(os.environ.get("PLUM_SOAK_REPLACED", "2"))
SEED = int(os.environ.get("PLUM_SOAK_SEED", "1"))


@pytest.mark.parametrize("shims", [False, True], ids=["agents", "shims too"])
def test_kills_of_agents_do_nothing_to_apps(tmp_path: Path, shims: bool) -> None:
    with playing(tmp_path, seed=SEED, apps=APPS) as stage:
        replaced = set(stage.rng.sample(range(KILLS), min(REPLACED, KILLS)))
        for number in range(KILLS):
            MOMENTS[number % len(MOMENTS)](stage)
            if shims:
                stage.kill_shims(2)
            stage.kill_agent(other_version=number in replaced, helpers=stage.rng.random() < 0.5)
        finish(stage)


def finish(stage: Stage) -> None:
    """Stop everything, compare everything, delete everything."""
    stage.settle()
    stage.stop_apps()
    verdict = stage.verdict()
    print(f"\n{stage.summary(verdict)}")
    assert not verdict.faults(), "\n".join(verdict.faults())
    stage.delete_apps()
    assert stage.orphans() == []
