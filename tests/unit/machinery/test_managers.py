"""Who owns what after a write: the cases that the reference of the property test does not know."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apiserver.api.errors import Conflict, Invalid
from apiserver.api.kinds.node import NODES
from apiserver.api.kinds.task import TASKS
from apiserver.api.machinery import writes
from apiserver.api.machinery.apply import record_update
from apiserver.api.machinery.fieldsets import FieldSet, from_fields_v1
from apiserver.api.machinery.managers import ANCIENT, MAX_UPDATERS
from apiserver.api.meta import Body

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def context(manager: str, seconds: int = 0) -> writes.Context:
    return writes.Context(NOW + timedelta(seconds=seconds), manager, lambda: "uid")


def task(*entries: dict[str, Any], **metadata: Any) -> Body:
    spec = {"entries": [{"artifactUrl": "/x"} | entry for entry in entries]}
    return {"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": {"name": "t", **metadata}, "spec": spec}


def applied(old: Body | None, config: Body, manager: str, *, force: bool = False, subresource: str = "") -> Body:
    return writes.apply(TASKS, old, config, context(manager), force=force, subresource=subresource)


def scaled(old: Body, manager: str, replicas: int) -> Body:
    first, *rest = old["spec"]["entries"]
    spec = dict(old["spec"], entries=[dict(first, replicas=replicas), *rest])
    return writes.update(TASKS, old, dict(old, spec=spec), context(manager))


def owned(body: Body, manager: str) -> FieldSet:
    entries = [entry for entry in body["metadata"]["managedFields"] if entry["manager"] == manager]
    return frozenset().union(*(from_fields_v1(entry["fieldsV1"]) for entry in entries))


def test_who_creates_owns_no_status() -> None:
    live = writes.create(TASKS, task({"name": "main"}), context("ann"))
    assert {path[0] for path in owned(live, "ann")} == {"f:spec"}
    status = {"metadata": {"name": "t"}, "status": {"observedGeneration": 1}}
    after = applied(live, status, "controller", subresource="status")
    assert owned(after, "controller") == {("f:status", "f:observedGeneration")}
    assert owned(after, "ann") == owned(live, "ann")


def test_defaults_do_not_linger() -> None:
    config = task({"name": "main"})
    config["spec"]["strategy"] = {"maxUnavailable": 3}
    live = applied(None, config, "ann")
    assert live["spec"]["strategy"] == {"maxUnavailable": 3, "maxSurge": 0}
    assert applied(live, task({"name": "main"}), "ann")["spec"]["strategy"] == {"maxUnavailable": 1, "maxSurge": 0}


def test_a_dropped_item_goes_with_its_defaults() -> None:
    live = applied(None, task({"name": "main"}, {"name": "web"}), "ann")
    assert [entry["name"] for entry in applied(live, task({"name": "web"}), "ann")["spec"]["entries"]] == ["web"]


def test_an_item_that_others_have_a_part_in_keeps_its_name() -> None:
    variables = [{"name": "A", "value": "1"}]
    live = applied(None, task({"name": "main", "env": variables}), "ann")
    env = [{"name": "A", "value": "2"}]
    live = applied(live, task({"name": "main", "env": env}), "bob", force=True)
    after = applied(live, task({"name": "main"}), "ann")
    assert after["spec"]["entries"][0]["env"] == env
    live = scaled(applied(None, task({"name": "main"}, {"name": "web"}), "ann"), "scaler", 3)
    live = applied(live, {"metadata": {"name": "t"}, "spec": {"entries": [{"name": "main", "startCmd": "x"}]}}, "bob")
    with pytest.raises(Invalid, match=r"spec\.entries\[0\]: Invalid value: give exactly one of app and artifactUrl"):
        applied(live, task({"name": "web"}), "ann")


def test_who_applied_an_item_can_take_it_away_with_what_was_written_into_it() -> None:
    live = scaled(applied(None, task({"name": "main"}, {"name": "web"}), "ann"), "scaler", 3)
    after = applied(live, task({"name": "web"}), "ann")
    assert [entry["name"] for entry in after["spec"]["entries"]] == ["web"]
    assert [entry["manager"] for entry in after["metadata"]["managedFields"]] == ["ann"]


def test_empty_and_absent_are_the_same() -> None:
    live = applied(None, task({"name": "main", "startCmd": ""}), "ann")
    assert "startCmd" not in live["spec"]["entries"][0]
    assert applied(live, task({"name": "main", "startCmd": ""}), "ann") == live
    applied(live, task({"name": "main", "startCmd": ""}), "bob")
    with pytest.raises(Conflict, match="startCmd"):
        applied(live, task({"name": "main", "startCmd": "./x"}), "bob")


def test_a_conflict_names_manager_door_and_field() -> None:
    live = scaled(applied(None, task({"name": "main"}), "ann"), 'a "scaler"', 3)
    with pytest.raises(Conflict) as caught:
        applied(live, task({"name": "main", "replicas": 2}), "ann")
    where, who = (
        '.spec.entries[name="main"].replicas',
        r'conflict with "a \"scaler\"" using plum.dev/v1 at 2026-01-01T00:00:00Z',
    )
    assert caught.value.message == f"Apply failed with 1 conflict: {who}: {where}"
    assert caught.value.details.causes[0].to_body() == {
        "reason": "FieldManagerConflict",
        "message": who,
        "field": where,
    }
    forced = applied(live, task({"name": "main", "replicas": 2}), "ann", force=True)
    assert not any(entry["manager"] == 'a "scaler"' for entry in forced["metadata"]["managedFields"])


@pytest.mark.parametrize("fields", [{"f:metadata": {}}, {"f:metadata": {"f:name": {}}}, {"f:spec": {}}, {"f:kind": {}}])
def test_claims_on_what_nobody_owns_do_no_harm(fields: Body) -> None:
    live = applied(None, task({"name": "main"}, labels={"a": "1"}), "ann")
    claim = {"manager": "eve", "operation": "Apply", "apiVersion": "plum.dev/v1", "fieldsV1": fields}
    live = writes.update(
        TASKS, live, dict(live, metadata=live["metadata"] | {"managedFields": [claim]}), context("eve")
    )
    after = applied(live, task({"name": "main"}), "eve")
    assert (after["metadata"]["name"], after["kind"]) == ("t", "Task")
    assert after["metadata"]["labels"] == {"a": "1"}


@pytest.mark.parametrize(
    "fields", [{"spec": {}}, {"f:spec": 5}, {"f:spec": 0}, {".": {}}, {"f:a": {"k:no": {}}}, {"f:a": {"k:{}": {}}}]
)
def test_nonsense_in_managed_fields_is_refused(fields: Body) -> None:
    live = applied(None, task({"name": "main"}), "ann")
    claim = {"manager": "eve", "operation": "Apply", "apiVersion": "plum.dev/v1", "fieldsV1": fields}
    with pytest.raises(Invalid, match=r"managedFields\[0\]\.fieldsV1: Invalid value: it is not a tree of field paths"):
        record_update(
            TASKS,
            live,
            dict(live, metadata=live["metadata"] | {"managedFields": [claim]}),
            manager="eve",
            subresource="",
            now=NOW,
        )


def test_updaters_are_bounded() -> None:
    node: Body = {"metadata": {"name": "n", "labels": {}}}
    live = writes.create(NODES, node, context("ann"))
    count = MAX_UPDATERS + 15
    for number in range(count):
        labels = live["metadata"].get("labels", {}) | {f"l{number}": "x"}
        new = dict(live, metadata=live["metadata"] | {"labels": labels})
        live = writes.update(NODES, live, new, context(f"m{number:02}", number))
    entries = live["metadata"]["managedFields"]
    assert len(entries) == MAX_UPDATERS
    assert {entry["manager"] for entry in entries} == {ANCIENT, *(f"m{n:02}" for n in range(count - 9, count))}
    labels = {path for entry in entries for path in from_fields_v1(entry["fieldsV1"]) if "f:labels" in path}
    assert labels == {("f:metadata", "f:labels", f"f:l{number}") for number in range(count)}


def test_only_what_changed_changes_hands() -> None:
    live = scaled(applied(None, task({"name": "main", "replicas": 1, "startCmd": "x"}), "ann"), "bob", 2)
    replicas = ("f:spec", "f:entries", 'k:{"name":"main"}', "f:replicas")
    assert owned(live, "bob") == {replicas}
    assert replicas not in owned(live, "ann")
    assert (*replicas[:-1], "f:startCmd") in owned(live, "ann")
    assert scaled(live, "cyd", 2)["metadata"] == live["metadata"]


def test_who_lost_an_item_owns_nothing_inside_it() -> None:
    live = applied(None, task({"name": "main"}, {"name": "web", "startCmd": ""}), "ann")
    spec = dict(live["spec"], entries=live["spec"]["entries"][:1])
    live = writes.update(TASKS, live, dict(live, spec=spec), context("bob"))
    assert not any('k:{"name":"web"}' in path for path in owned(live, "ann"))


def test_after_a_reset_only_what_that_write_changed_is_owned() -> None:
    live = applied(None, task({"name": "main"}), "ann")
    resets: list[list[Body]] = [[], [{}]]
    for reset in resets:
        new = dict(live, metadata=live["metadata"] | {"managedFields": reset})
        assert "managedFields" not in writes.update(TASKS, live, new, context("bob"))["metadata"]
        new = dict(live, metadata=live["metadata"] | {"managedFields": reset, "labels": {"a": "1"}})
        after = writes.update(TASKS, live, new, context("bob"))
        assert [entry["manager"] for entry in after["metadata"]["managedFields"]] == ["bob"]
        assert owned(after, "bob") == {("f:metadata", "f:labels", "f:a")}


def test_faults_of_items_are_named() -> None:
    live = applied(None, task({"name": "main"}), "ann")
    for env, words in (
        ([{"value": "1"}], r"spec\.entries\[0\]\.env\[0\]\.name: Required value"),
        (["x"], r"spec\.entries\[0\]\.env\[0\]: Invalid value"),
        ([{"name": "A"}, {"name": "A"}], r"spec\.entries\[0\]\.env\[1\]\.name: Duplicate value: \"A\""),
    ):
        with pytest.raises(Invalid, match=words):
            applied(live, task({"name": "main", "env": env}), "ann")
    ready = {"type": "Ready", "status": "True"}
    with pytest.raises(Invalid, match=r"status\.conditions\[1\]\.type: Duplicate value: \"Ready\""):
        applied(live, {"metadata": {"name": "t"}, "status": {"conditions": [ready, ready]}}, "c", subresource="status")
