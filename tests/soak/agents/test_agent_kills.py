"""kill -9 of the agent in the middle of everything, and its replacement by another version: the apps notice nothing.

``make soak`` runs it longer: PLUM_SOAK_APPS apps, PLUM_SOAK_AGENT_KILLS kills, PLUM_SOAK_REPLACED of them followed by
an agent of another version; PLUM_SOAK_SEED draws other moments.
"""

import os
from pathlib import Path

import pytest

from tests.e2e.cluster import wait_for
from tests.soak.agents.moments import MOMENTS
from tests.soak.agents.stage import Stage, playing

APPS = int(os.environ.get("PLUM_SOAK_APPS", "24"))
KILLS = int(os.environ.get("PLUM_SOAK_AGENT_KILLS", "4"))
REPLACED = int(os.environ.get("PLUM_SOAK_REPLACED", "2"))
SEED = int(os.environ.get("PLUM_SOAK_SEED", "1"))
SHIMS_AT_ONCE = 2


@pytest.mark.parametrize("shims", [False, True], ids=["agents", "shims too"])
def test_kills_of_agents_do_nothing_to_apps(tmp_path: Path, shims: bool) -> None:
    """Where shims are killed too, how their apps ended may be unknown, and nothing else."""
    with playing(tmp_path, seed=SEED + shims, apps=APPS) as stage:
        replaced = set(stage.rng.sample(range(KILLS), min(REPLACED, KILLS)))
        first = KILLS * shims  # so that few kills, too, meet all moments
        for number in range(KILLS):
            MOMENTS[(first + number) % len(MOMENTS)](stage)
            if shims:
                stage.kills.shims_die(SHIMS_AT_ONCE)
            stage.kills.agent_dies(other_version=number in replaced, helpers=stage.rng.random() < 0.5)
        finish(stage)


def finish(stage: Stage) -> None:
    """Stop everything, compare everything, delete everything, end the agent: nothing is left."""
    stage.settle()
    stage.stop()
    verdict = stage.verdict()
    print(f"\n{stage.summary(verdict)}")
    assert not verdict.faults(), "\n".join(verdict.faults())
    stage.delete()
    assert stage.cast.alive() == []
    stage.kills.agent.end()
    wait_for("the agent's helpers end", lambda: not stage.kills.helpers())
