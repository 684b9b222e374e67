"""Which revision to go back to, and what stays as it is today."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.api.kinds.task import COUNTS, TASKS, rolled_out
from apiserver.api.meta import Body
from apiserver.api.rollback import NoRollback, Revision, choose, is_rolled_out, rolled_back, template


def task(*entries: Body, **spec: Any) -> Body:
    return {"metadata": {"name": "t"}, "spec": {"state": "Running", "entries": list(entries)} | spec}


def entry(name: str = "main", cmd: str = "a", **counts: Any) -> Body:
    return {"name": name, "startCmd": cmd} | counts


def revision(number: int, *entries: Body, **spec: Any) -> Revision:
    return Revision(number, task(*entries, **spec)["spec"])


KEPT = [revision(5, entry(cmd="b", replicas=2)), revision(3, entry(cmd="a")), revision(1, entry(cmd="b"))]


@pytest.mark.parametrize(("cmd", "number", "chosen"), [("b", 0, 3), ("a", 0, 5), ("c", 0, 5), ("b", 1, 1), ("b", 5, 5)])
def test_which_one(cmd: str, number: int, chosen: int) -> None:
    assert choose(TASKS, task(entry(cmd=cmd, replicas=7)), KEPT, number).number == chosen


def test_nothing_to_go_back_to() -> None:
    with pytest.raises(NoRollback, match='no rollout history found for task "t"'):
        choose(TASKS, task(entry(cmd="b")), KEPT[:1])
    with pytest.raises(NoRollback, match="unable to find specified revision 4 in history"):
        choose(TASKS, task(entry(cmd="b")), KEPT, 4)


def test_counts_and_state_stay_as_they_are_today() -> None:
    present = task(entry(cmd="bad", nodeReplicas={"n": 2}), entry("new", replicas=9), state="Stopped")
    kept = revision(1, entry(replicas=1), entry("gone", replicas=4), strategy={"maxSurge": 2})
    assert rolled_back(present, kept) == {
        "state": "Stopped",
        "entries": [entry(nodeReplicas={"n": 2}), entry("gone", replicas=4)],
        "strategy": {"maxSurge": 2},
    }


def test_a_count_that_is_not_given_today_is_not_brought_back() -> None:
    assert rolled_back(task(entry()), revision(1, entry(replicas=3)))["entries"] == [entry()]


COUNTED = st.fixed_dictionaries({}, optional={"replicas": st.integers(0, 9)}) | st.fixed_dictionaries(
    {"nodeReplicas": st.dictionaries(st.sampled_from("nm"), st.integers(1, 3), min_size=1)}
)
ENTRIES = st.lists(
    st.builds(
        lambda name, cmd, counts: entry(name, cmd, **counts), st.sampled_from("xyz"), st.sampled_from("ab"), COUNTED
    ),
    min_size=1,
    unique_by=lambda one: one["name"],
)
TASKS_OF = st.builds(
    lambda entries, state: task(*entries, state=state), ENTRIES, st.sampled_from(["Running", "Stopped"])
)


@settings(max_examples=150, deadline=None)
@given(TASKS_OF, TASKS_OF)
def test_laws(present: Body, past: Body) -> None:
    before = orjson.dumps([present, past])
    kept = Revision(1, past["spec"])
    after = dict(present, spec=rolled_back(present, kept))
    assert orjson.dumps([present, past]) == before, "the arguments were touched"
    assert is_rolled_out(TASKS, after, kept)
    assert rolled_out(after) == rolled_out(past)
    assert template(after["spec"]) == template(past["spec"])
    assert after["spec"]["state"] == present["spec"]["state"]
    today = {one["name"]: one for one in present["spec"]["entries"]}
    then = {one["name"]: one for one in past["spec"]["entries"]}
    for one in after["spec"]["entries"]:
        source = today.get(one["name"], then[one["name"]])
        assert [one.get(key) for key in COUNTS] == [source.get(key) for key in COUNTS]
    # And back again: entries that both have, are as they were.
    again = rolled_back(after, Revision(2, present["spec"]))
    assert {one["name"]: one for one in again["entries"]} == today
