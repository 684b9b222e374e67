"""The scale of a task: what it shows, what a write makes of the task, and who owns the count then."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.api.errors import Conflict, Invalid
from apiserver.api.kinds.task import TASKS
from apiserver.api.machinery import scale, writes
from apiserver.api.meta import Body

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MANAGERS = st.sampled_from(["ann", "bob", "hpa"])


def context(manager: str, seconds: int = 0) -> writes.Context:
    return writes.Context(NOW + timedelta(seconds=seconds), manager, lambda: "uid")


def task(*entries: dict[str, Any], manager: str = "ann") -> Body:
    spec = {"entries": [{"artifactUrl": "/x"} | entry for entry in entries or ({},)]}
    body = {"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": {"name": "t", "namespace": "n"}, "spec": spec}
    stored = writes.create(TASKS, body, context(manager))
    return dict(stored, metadata=stored["metadata"] | {"resourceVersion": "7"})


def wanting(replicas: int | None, **metadata: Any) -> Body:
    spec = {} if replicas is None else {"replicas": replicas}
    head = {"apiVersion": "autoscaling/v1", "kind": "Scale"}
    return {**head, "metadata": {"name": "t", "namespace": "n"} | metadata, "spec": spec}


def owners(body: Body) -> dict[tuple[str, str, str], Any]:
    """Who owns the count: manager, operation and subresource."""
    found = {}
    for entry in body["metadata"]["managedFields"]:
        items = entry["fieldsV1"].get("f:spec", {}).get("f:entries", {})
        if "f:replicas" in items.get('k:{"name":"main"}', {}):
            found[entry["manager"], entry["operation"], entry.get("subresource", "")] = entry["apiVersion"]
    return found


def test_it_shows_the_count_of_the_only_entry() -> None:
    body = task({"replicas": 3}) | {"status": {"replicas": 2}}
    found = scale.view(TASKS, body)
    assert (found["apiVersion"], found["kind"]) == ("autoscaling/v1", "Scale")
    assert (found["spec"], found["status"]["replicas"]) == ({"replicas": 3}, 2)
    assert found["status"]["selector"] == "plum.dev/task=t,plum.dev/entry=main"
    assert found["metadata"] == {
        "name": "t",
        "namespace": "n",
        "uid": "uid",
        "resourceVersion": "7",
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    assert scale.view(TASKS, task())["spec"] == {"replicas": 1}


@pytest.mark.parametrize(
    ("entries", "field", "way"),
    [
        (({"name": "api"}, {"name": "worker"}), "spec.entries", "plumctl scale task/t/api=3"),
        (({"nodeReplicas": {"edge": 2}},), "spec.entries[0].nodeReplicas", "spec.entries[0].nodeReplicas.edge"),
    ],
)
def test_without_one_count_there_is_a_way_to_go(entries: Any, field: str, way: str) -> None:
    body = task(*entries)
    uses: list[Callable[[], Body]] = [
        lambda: scale.view(TASKS, body),
        lambda: scale.update(TASKS, body, wanting(2), context("bob")),
        lambda: scale.apply(TASKS, body, wanting(2), context("bob"), force=True),
    ]
    for use in uses:
        with pytest.raises(Invalid) as refused:
            use()
        assert way in refused.value.message
        assert refused.value.details.causes[0].field == field


def test_who_scales_owns_the_count_and_nothing_else() -> None:
    old = task({"replicas": 1, "startCmd": "x"})
    assert owners(old) == {("ann", "Update", ""): "plum.dev/v1"}
    new = scale.update(TASKS, old, wanting(4), context("kubectl", 5))
    assert new["spec"]["entries"][0] == old["spec"]["entries"][0] | {"replicas": 4}
    assert new["metadata"]["generation"] == 2
    assert owners(new) == {("kubectl", "Update", "scale"): "plum.dev/v1"}
    assert {entry["manager"] for entry in new["metadata"]["managedFields"]} == {"ann", "kubectl"}
    again = scale.update(TASKS, new, wanting(4), context("kubectl", 9))
    assert writes.same(new, again)


def test_a_count_that_is_not_given_is_none() -> None:
    assert (
        scale.update(TASKS, task({"replicas": 2}), wanting(None), context("bob"))["spec"]["entries"][0]["replicas"] == 0
    )
    same = task()
    assert scale.update(TASKS, same, wanting(1), context("bob")) is same


def test_apply_conflicts_is_forced_and_lets_go() -> None:
    old = scale.update(TASKS, task({"replicas": 1}), wanting(2), context("kubectl"))
    with pytest.raises(Conflict) as refused:
        scale.apply(TASKS, old, wanting(5), context("hpa"), force=False)
    assert refused.value.details.causes[0].field == ".spec.replicas"
    assert 'conflict with "kubectl"' in refused.value.message
    forced = scale.apply(TASKS, old, wanting(5), context("hpa"), force=True)
    assert forced["spec"]["entries"][0]["replicas"] == 5
    assert owners(forced) == {("hpa", "Apply", "scale"): "plum.dev/v1"}
    shared = scale.apply(TASKS, forced, wanting(5), context("bob"), force=False)
    assert set(owners(shared)) == {("hpa", "Apply", "scale"), ("bob", "Apply", "scale")}
    left = scale.apply(TASKS, shared, wanting(None), context("hpa"), force=False)
    assert set(owners(left)) == {("bob", "Apply", "scale")}
    nobody = scale.apply(TASKS, left, wanting(None), context("bob"), force=False)
    assert nobody["spec"]["entries"][0]["replicas"] == 5, "a count that nobody applies any more stays"
    assert owners(nobody) == {}


def test_what_is_nobodys_can_be_taken() -> None:
    taken = scale.apply(TASKS, task(), wanting(3), context("hpa"), force=False)
    assert taken["spec"]["entries"][0]["replicas"] == 3
    assert owners(taken) == {("hpa", "Apply", "scale"): "plum.dev/v1"}
    books = [entry for entry in taken["metadata"]["managedFields"] if entry["manager"] == "ann"]
    assert len(books) == 1


def test_a_repeated_apply_with_another_count_stays_an_apply() -> None:
    once = scale.apply(TASKS, task({"replicas": 1}), wanting(2), context("hpa"), force=True)
    twice = scale.apply(TASKS, once, wanting(3), context("hpa"), force=False)
    assert owners(twice) == {("hpa", "Apply", "scale"): "plum.dev/v1"}
    assert twice["spec"]["entries"][0]["replicas"] == 3


@pytest.mark.parametrize("metadata", [{"resourceVersion": "6"}, {"uid": "other"}])
def test_another_version_or_object_is_a_conflict(metadata: dict[str, str]) -> None:
    with pytest.raises(Conflict):
        scale.update(TASKS, task(), wanting(2, **metadata), context("bob"))
    with pytest.raises(Conflict):
        scale.apply(TASKS, task(), wanting(2, **metadata), context("bob"), force=True)


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["update", "apply", "main"]), MANAGERS, st.integers(0, 4)), min_size=1, max_size=8
    )
)
def test_the_count_is_the_last_one_and_someone_owns_it(steps: list[tuple[str, str, int]]) -> None:
    body = task({"replicas": 1, "startCmd": "x"})
    for second, (how, manager, replicas) in enumerate(steps):
        ctx = context(manager, second)
        if how == "update":
            body = scale.update(TASKS, body, wanting(replicas), ctx)
        elif how == "apply":
            body = scale.apply(TASKS, body, wanting(replicas), ctx, force=True)
        else:
            entry = body["spec"]["entries"][0] | {"replicas": replicas}
            body = writes.update(TASKS, body, dict(body, spec=dict(body["spec"], entries=[entry])), ctx)
        entry = body["spec"]["entries"][0]
        assert (entry["replicas"], entry["startCmd"]) == (replicas, "x")
        found = owners(body)
        assert found
        if how == "apply":
            assert (manager, "Apply", "scale") in found
        assert scale.view(TASKS, body)["spec"]["replicas"] == replicas
