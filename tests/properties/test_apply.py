"""Laws of server-side apply. What it does in every step, the model next door says."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.api.kinds.task import TASKS
from apiserver.api.machinery.apply import apply, record_update
from apiserver.api.machinery.fieldsets import from_fields_v1, leaves, to_fields_v1
from apiserver.api.meta import Body

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VALUES = st.sampled_from(["1", "2"])

Config = dict[tuple[str, ...], str]
"""Leaves: ``("label", a)``, ``("entry", x)`` for the item itself, ``("entry", x, "startCmd")``,
``("entry", x, "env", E)`` for a variable itself, and ``("entry", x, "env", E, "value")``."""


def config_of(labels: dict[str, str], entries: Mapping[str, tuple[str | None, Mapping[str, str | None]]]) -> Config:
    found: Config = {("label", key): value for key, value in labels.items()}
    for name, (command, env) in entries.items():
        found["entry", name] = name
        if command is not None:
            found["entry", name, "startCmd"] = command
        for key, value in env.items():
            found["entry", name, "env", key] = key
            if value is not None:
                found["entry", name, "env", key, "value"] = value
    return found


CONFIGS = st.builds(
    config_of,
    st.dictionaries(st.sampled_from("ab"), VALUES),
    st.dictionaries(
        st.sampled_from("xy"),
        st.tuples(st.none() | VALUES, st.dictionaries(st.sampled_from("EF"), VALUES)),
    ),
)


def body_of(config: Config) -> Body:
    """The wire object of some leaves."""
    metadata: dict[str, Any] = {"name": "t", "namespace": "default"}
    labels = {path[1]: value for path, value in config.items() if path[0] == "label"}
    entries: dict[str, dict[str, Any]] = {}
    for path, value in config.items():
        if path[0] != "entry":
            continue
        entry = entries.setdefault(path[1], {"name": path[1]})
        if path[2:3] == ("startCmd",):
            entry["startCmd"] = value
        elif len(path) == 4:
            entry.setdefault("env", []).append({"name": path[3]})
        elif len(path) == 5:
            next(item for item in entry["env"] if item["name"] == path[3])["value"] = value
    body: Body = {"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": metadata}
    if labels:
        metadata["labels"] = labels
    if entries:
        body["spec"] = {"entries": list(entries.values())}
    return body


def config_from(body: Body | None) -> Config:
    """The leaves of a wire object."""
    body = body or {"metadata": {}}
    entries = {
        entry["name"]: (entry.get("startCmd"), {e["name"]: e.get("value") for e in entry.get("env", ())})
        for entry in body.get("spec", {}).get("entries", ())
    }
    return config_of(body["metadata"].get("labels", {}), entries)


@settings(max_examples=50, deadline=None)
@given(CONFIGS)
def test_fields_v1_round_trips(config: Config) -> None:
    paths = frozenset(leaves(TASKS.schema, body_of(config)))
    assert from_fields_v1(to_fields_v1(paths)) == paths


@settings(max_examples=50, deadline=None)
@given(CONFIGS, CONFIGS)
def test_dropping_everything_removes_exactly_the_own_leaves(mine: Config, theirs: Config) -> None:
    base = apply(TASKS, None, body_of(theirs), manager="bob", force=True, subresource="", now=NOW)
    both = apply(TASKS, base, body_of(mine), manager="ann", force=True, subresource="", now=NOW)
    left = apply(TASKS, both, body_of({}), manager="ann", force=True, subresource="", now=NOW)
    kept = {path: value for path, value in theirs.items() if mine.get(path, value) == value}
    assert config_from(left) == kept


def test_resetting_managed_fields_is_honoured() -> None:
    live = apply(TASKS, None, body_of({("label", "a"): "1"}), manager="ann", force=False, subresource="", now=NOW)
    resets: list[list[Body]] = [[], [{}]]
    for reset in resets:
        new = dict(live, metadata=dict(live["metadata"], managedFields=reset))
        after = record_update(TASKS, live, new, manager="bob", subresource="", now=NOW)
        assert "managedFields" not in after["metadata"]


def test_the_status_door_sees_only_status() -> None:
    live = apply(TASKS, None, body_of({("label", "a"): "1"}), manager="ann", force=False, subresource="", now=NOW)
    config = body_of({("label", "b"): "1"}) | {"status": {"replicas": 2}}
    after = apply(TASKS, live, config, manager="bob", force=False, subresource="status", now=NOW)
    assert after["status"] == {"replicas": 2}
    assert after["metadata"]["labels"] == {"a": "1"}
    main = apply(TASKS, after, config, manager="cyd", force=False, subresource="", now=NOW)
    assert main["metadata"]["labels"] == {"a": "1", "b": "1"}
    assert main["status"] == {"replicas": 2}
