"""Server-side apply against a small reference, and its laws."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.api.errors import Conflict
from apiserver.api.kinds.task import TASKS
from apiserver.api.machinery.apply import apply, record_update
from apiserver.api.machinery.fieldsets import from_fields_v1, leaves, to_fields_v1
from apiserver.api.meta import Body

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MANAGERS = ("ann", "bob", "cyd")
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


@dataclass
class Reference:
    """Who owns what, by the rules as a person would state them. Who loses a value keeps his part in the item."""

    values: Config = field(default_factory=dict)
    owners: dict[tuple[str, ...], set[tuple[str, str]]] = field(default_factory=dict)

    def apply(self, manager: str, config: Config, *, force: bool) -> bool:
        me = (manager, "Apply")
        fought = {
            path
            for path, value in config.items()
            if path in self.values and self.values[path] != value and self.owners[path] - {me}
        }
        if fought and not force:
            return False
        dropped = [path for path, owners in self.owners.items() if path not in config and me in owners]
        for path, owners in self.owners.items():
            if path in fought:
                owners.clear()
            if path in dropped:
                owners.discard(me)
        for path, value in config.items():
            self.values[path] = value
            self.owners.setdefault(path, set()).add(me)
        self._sweep(dropped)
        return True

    def update(self, manager: str, config: Config) -> None:
        for path in [path for path in self.values if path not in config]:
            del self.values[path], self.owners[path]
        for path, value in config.items():
            if self.values.get(path) != value:
                self.values[path] = value
                self.owners[path] = {(manager, "Update")}

    def _sweep(self, dropped: list[tuple[str, ...]]) -> None:
        """What is dropped and nobody owns goes, and the items around it that are nobody's either; an item stays
        while anybody owns something in it."""
        for path in [path for path in self.values if any(one[: len(path)] == path for one in dropped)]:
            inside = [other for other in self.owners if other[: len(path)] == path]
            if not any(self.owners[other] for other in inside):
                for other in inside:
                    self.values.pop(other, None)
                for other in inside:
                    self.owners.pop(other, None)


STEPS = st.lists(
    st.tuples(st.sampled_from(["apply", "force", "update"]), st.sampled_from(MANAGERS), CONFIGS), min_size=1, max_size=8
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_apply_does_what_the_reference_does(steps: list[tuple[str, str, Config]]) -> None:
    live: Body | None = None
    reference = Reference()
    for number, (what, manager, config) in enumerate(steps):
        now = NOW + timedelta(seconds=number)
        if what == "update":
            new = body_of(config)
            if live is not None and "managedFields" in live["metadata"]:
                new["metadata"]["managedFields"] = live["metadata"]["managedFields"]
            live = record_update(TASKS, live, new, manager=manager, subresource="", now=now)
            reference.update(manager, config)
        else:
            live = applied(live, reference, manager, config, force=what == "force", now=now)
        assert config_from(live) == reference.values
        assert owners_of(live) == {path: owners for path, owners in reference.owners.items() if owners}


def applied(
    live: Body | None, reference: Reference, manager: str, config: Config, *, force: bool, now: datetime
) -> Body | None:
    expected = reference.apply(manager, config, force=force)
    arguments = {"manager": manager, "force": force, "subresource": ""}
    if not expected:
        with pytest.raises(Conflict):
            apply(TASKS, live, body_of(config), now=now, **arguments)  # type: ignore[arg-type]
        return live
    result = apply(TASKS, live, body_of(config), now=now, **arguments)  # type: ignore[arg-type]
    later = now + timedelta(hours=1)
    assert apply(TASKS, result, body_of(config), now=later, **arguments) == result  # type: ignore[arg-type]
    return result


def owners_of(body: Body | None) -> dict[tuple[str, ...], set[tuple[str, str]]]:
    """Owners by our leaves, from managedFields; an item is owned by whoever owns its ``.``."""
    found: dict[tuple[str, ...], set[tuple[str, str]]] = {}
    for entry in (body or {"metadata": {}})["metadata"].get("managedFields", ()):
        for path in from_fields_v1(entry["fieldsV1"]):
            if leaf := short(path):
                found.setdefault(leaf, set()).add((entry["manager"], entry["operation"]))
    return found


def short(path: tuple[str, ...]) -> tuple[str, ...] | None:
    def name(part: str) -> str:
        return part[len('k:{"name":"') : -2]

    match path:
        case ("f:metadata", "f:labels", key):
            return ("label", key[2:])
        case ("f:spec", "f:entries", item, "."):
            return ("entry", name(item))
        case ("f:spec", "f:entries", item, "f:startCmd"):
            return ("entry", name(item), "startCmd")
        case ("f:spec", "f:entries", item, "f:env", variable, "."):
            return ("entry", name(item), "env", name(variable))
        case ("f:spec", "f:entries", item, "f:env", variable, "f:value"):
            return ("entry", name(item), "env", name(variable), "value")
        case _:
            return None


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
