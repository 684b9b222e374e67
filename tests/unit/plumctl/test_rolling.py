"""Where a rollout stands."""

from typing import Any

import pytest

from apiserver.api.kinds.assignment import RESTARTED_AT
from plumctl.rolling import UNSEEN, RolloutFailed, Standing, by_copies, standing


def task(*, restarted: str = "", state: str = "Running", generation: int = 2, **status: Any) -> dict[str, Any]:
    entries = [{"name": "main", "replicas": 2}, {"name": "node", "nodeReplicas": {"a": 1}}]
    metadata: dict[str, Any] = {"name": "web", "generation": generation}
    if restarted:
        metadata["annotations"] = {RESTARTED_AT: restarted}
    return {
        "metadata": metadata,
        "spec": {"state": state, "entries": entries},
        "status": {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3} | status,
    }


def copy(
    *, ready: bool = True, restarted: str = "", phase: str = "Running", policy: str = "Always", **meta: Any
) -> Any:
    return {
        "metadata": meta,
        "spec": {"template": {"restartPolicy": policy} | ({"restartedAt": restarted} if restarted else {})},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


COUNTED = Standing("Waiting for rollout to finish: 3 of 3 updated copies are available...", is_counted=True)
WAITING = "Waiting for rollout to finish: "


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (task(generation=3), UNSEEN),
        (task(updatedReplicas=1), f"{WAITING}1 out of 3 new copies have been updated..."),
        (task(replicas=4), f"{WAITING}1 old copies are pending termination..."),
        (task(replicas=5, updatedReplicas=5), f"{WAITING}2 copies too many are pending termination..."),
        (task(readyReplicas=1), f"{WAITING}1 of 3 updated copies are available..."),
    ],
)
def test_by_its_status(body: dict[str, Any], text: str) -> None:
    assert standing(body).text == text


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (task(state="Stopped"), 'task "web" is stopped; plumctl start task/web starts it'),
        (
            task(conditions=[{"type": "Progressing", "status": "False", "reason": "X", "message": "no app"}]),
            'task "web" cannot be rolled out: no app',
        ),
        (
            task(conditions=[{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]),
            'task "web" exceeded its progress deadline',
        ),
    ],
)
def test_what_comes_to_no_end(body: dict[str, Any], fault: str) -> None:
    with pytest.raises(RolloutFailed, match=fault):
        standing(body)


def test_by_its_copies() -> None:
    done = Standing('task "web" successfully rolled out', is_done=True)
    assert by_copies(task(), [copy()] * 3, COUNTED) == done
    assert by_copies(task(), [copy()] * 3 + [copy(deletionTimestamp="x")], COUNTED) == done
    job = copy(ready=False, phase="Exited", policy="OnFailure")
    assert by_copies(task(), [copy(), copy(), job], COUNTED) == done
    assert by_copies(task(), [copy(), copy(), copy(ready=False)], COUNTED) == COUNTED
    assert by_copies(task(), [copy()] * 2, COUNTED).text == UNSEEN
    assert by_copies(task(restarted="t"), [copy()] * 3, COUNTED).text == UNSEEN
    assert by_copies(task(restarted="t"), [copy(restarted="t")] * 3, COUNTED) == done
