"""Single steps of a rollout, as tables: what goes and what comes, for a state of the copies."""

from typing import Any

import pytest

from apiserver.api.expansion import Artifact, group, template_hash, wanted_template
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.task import Task
from controllers.rollout import plan_entry

ARTIFACT = Artifact("/x", "a" * 64)


def task(strategy: tuple[int, int], **entry: Any) -> Task:
    body: dict[str, Any] = {
        "apiVersion": "plum.dev/v1",
        "kind": "Task",
        "metadata": {"name": "web", "namespace": "default", "uid": "u1", "generation": 2},
        "spec": {
            "entries": [{"name": "main", "artifactUrl": "/x", "sha256": "a" * 64, **entry}],
            "strategy": {"maxUnavailable": strategy[0], "maxSurge": strategy[1]},
        },
    }
    return Task.from_body(body)


def copies(web: Task, text: str) -> list[Assignment]:
    """One copy a word: O(ld) or N(ew), then r(eady), s(topped) or u(nready), then ``@home``; by ordinal."""
    new = template_hash(wanted_template(web, web.spec.entries[0], ARTIFACT))
    return [_copy(ordinal, new, *word.partition("@")[::2]) for ordinal, word in enumerate(text.split())]


def _copy(ordinal: int, new: str, word: str, home: str) -> Assignment:
    spec = {
        "taskName": "web",
        "entry": "main",
        "home": home,
        "nodeName": home or "nodeA",
        "ordinal": ordinal,
        "desired": "Stopped" if word[1] == "s" else "Running",
        "template": {"artifactUrl": "/x", "sha256": "a" * 64},
        "templateHash": new if word[0] == "N" else "old",
    }
    ready = {"type": "Ready", "status": "True" if word[1] == "r" else "False"}
    body: dict[str, Any] = {
        "apiVersion": "plum.dev/v1",
        "kind": "Assignment",
        "metadata": {"name": f"{ordinal}", "namespace": "default", "uid": f"uid-{ordinal}"},
        "spec": spec,
        "status": {"phase": "Running", "conditions": [ready]},
    }
    return Assignment.from_body(body)


@pytest.mark.parametrize(
    ("strategy", "count", "present", "gone", "created"),
    [
        pytest.param((1, 0), 3, "Nr Nr Nr", "", "", id="converged"),
        pytest.param((1, 0), 3, "Or Or Or", "2", "2", id="one at a time, in its slot"),
        pytest.param((2, 0), 3, "Or Or Or", "1 2", "1 2", id="two at a time"),
        pytest.param((1, 0), 3, "Or Or Nu", "", "", id="the budget is spent"),
        pytest.param((1, 0), 3, "Or Or Nr", "1", "1", id="the budget is back"),
        pytest.param((1, 0), 3, "Or Ou Nu", "1", "1", id="an unready old one costs nothing"),
        pytest.param((1, 0), 3, "Or Os Os", "0 1 2", "0 1 2", id="stopped ones cost nothing, and ask for nothing"),
        pytest.param((1, 0), 3, "Or Or Os", "1 2", "1 2", id="a stopped one is not missed"),
        pytest.param((0, 1), 3, "Or Or Or", "", "3", id="surge first"),
        pytest.param((0, 1), 3, "Or Or Or Nu", "", "", id="wait for the surge"),
        pytest.param((0, 1), 3, "Or Or Or Nr", "2", "2", id="the surge is ready: on with the next"),
        pytest.param((0, 1), 1, "Or Nr", "0", "", id="the last old one just goes"),
        pytest.param((1, 1), 3, "Or Or Or", "2", "2 3", id="both budgets"),
        pytest.param((0, 3), 2, "Or Or", "", "2 3", id="no more surge than old ones"),
        pytest.param((1, 0), 3, "", "", "0 1 2", id="from nothing"),
        pytest.param((1, 0), 0, "Nr Or", "0 1", "", id="to nothing"),
        pytest.param((1, 0), 2, "Nr Nu Nr", "1", "", id="the worst goes first"),
        pytest.param((1, 0), 2, "Nr Nr Nr", "2", "", id="then the highest ordinal"),
        pytest.param((1, 0), 3, "Or Or Or Nu Nu", "2 4", "", id="fewer while rolling keeps two ready"),
    ],
)
def test_one_step(strategy: tuple[int, int], count: int, present: str, gone: str, created: str) -> None:
    web = task(strategy, replicas=count)
    homes = {home: members for (_, home), members in group(copies(web, present)).items()}
    step = plan_entry(web, web.spec.entries[0], ARTIFACT, homes)
    assert sorted(copy.metadata.name for copy in step.deletions) == gone.split()
    assert sorted(str(copy.spec.ordinal) for copy in step.creations) == created.split()


@pytest.mark.parametrize(
    ("counts", "present", "gone", "created"),
    [
        pytest.param({"nodeB": 1}, "Nr@nodeA", "0", "nodeB", id="a home that is no longer named"),
        pytest.param({"nodeA": 0, "nodeB": 1}, "Nr@nodeA", "0", "nodeB", id="a home that wants none"),
        pytest.param({"nodeA": 1, "nodeB": 1}, "Or@nodeA Or@nodeB", "0", "nodeA", id="one budget for all homes"),
        pytest.param({"nodeA": 1, "nodeB": 1}, "Ou@nodeA Nr@nodeB", "0", "nodeA", id="an unready one is free"),
    ],
)
def test_homes(counts: dict[str, int], present: str, gone: str, created: str) -> None:
    web = task((1, 0), nodeReplicas=counts)
    homes = {home: members for (_, home), members in group(copies(web, present)).items()}
    step = plan_entry(web, web.spec.entries[0], ARTIFACT, homes)
    assert [copy.metadata.name for copy in step.deletions] == gone.split()
    assert [copy.spec.home for copy in step.creations] == created.split()
