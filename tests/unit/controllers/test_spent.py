"""A copy that has gone does not get its name back."""

import pytest

from apiserver.api.expansion import expand
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.task import Task
from controllers.spent import Spent
from tests.unit.controllers.test_rollout import ARTIFACT, task


def copy_of(web: Task) -> Assignment:
    return expand(web, {web.spec.entries[0].name: ARTIFACT}, [])[0]


def test_a_name_does_not_come_back_while_the_task_is_there() -> None:
    web, spent = task((1, 0), replicas=1), Spent()
    first = copy_of(web)
    assert spent.fresh(web, first) is first
    spent.note(first, first)
    assert spent.fresh(web, first) is first, "it has only changed"
    names = {first.metadata.name}
    latest = first
    for _ in range(5):
        spent.note(latest, None)
        latest = spent.fresh(web, copy_of(web))
        assert latest == spent.fresh(web, copy_of(web)), "asked for again it is the same"
        assert latest.metadata.name not in names
        names.add(latest.metadata.name)
    spent.forget(web, None)
    assert spent.fresh(web, first) is first


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controllers.spent.MAX_TASKS", 2)
    web, spent = task((1, 0), replicas=1), Spent()
    known = (web.metadata.model_copy(update={"uid": f"u{number}"}) for number in range(3))
    tasks = [web.model_copy(update={"metadata": metadata}) for metadata in known]
    for one in tasks:
        spent.note(copy_of(one), None)
    returned = [spent.fresh(one, copy_of(one)) == copy_of(one) for one in tasks]
    assert returned == [True, False, False], "the first has been forgotten"
