"""Arguments read by pure functions: pairs, durations, flags, what is scaled, what is awaited."""

from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from plumctl.awaited import AtPath, BadCondition, Existence, OfType, read_awaited
from plumctl.durations import read_seconds
from plumctl.flags import Command, dry_run_option
from plumctl.pairs import BadPairs, Pairs, split
from plumctl.scaling import CannotScale, Scaled, read_scaled, scale_patch


def test_pairs_come_behind_the_objects() -> None:
    objects, pairs = split(["task", "web", "a=b=c", "d-", "e="], "label")
    assert objects == ["task", "web"]
    assert pairs == Pairs({"a": "b=c", "e": ""}, ("d",))
    assert pairs.patch() == {"a": "b=c", "e": "", "d": None}
    assert split(["task", "=a", "-"], "label") == (["task", "=a", "-"], Pairs({}))
    for arguments in (["a=b", "task/x"], ["task/x", "a=b", "a-"]):
        with pytest.raises(BadPairs):
            split(arguments, "label")


TEXTS = st.sampled_from("abc")


@given(st.dictionaries(TEXTS, TEXTS), st.dictionaries(TEXTS, TEXTS), st.sets(TEXTS))
def test_pairs_do_what_a_merge_patch_does(before: dict[str, str], to_set: dict[str, str], gone: set[str]) -> None:
    pairs = Pairs(to_set, tuple(gone - set(to_set)))
    merged = {key: value for key, value in {**before, **pairs.patch()}.items() if value is not None}
    assert pairs.applied(before) == merged
    assert all(before[key] != to_set[key] for key in pairs.overwritten(before))
    assert set(pairs.absent(before)) == set(pairs.to_remove) - set(before)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("1m30s", 90), ("1.5h", 5400), ("250ms", 0.25), ("-1s", -1), ("0", 0), ("5", 5), (".5", 0.5)],
)
def test_durations(text: str, seconds: float) -> None:
    assert read_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "1d", "1 s", "one", "1s1", "--1s", "9" * 20])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        read_seconds(text)


@click.command(cls=Command)
@click.argument("rest", nargs=-1)
@click.option("--watch/--no-watch", default=True)
@click.option("--all", "everything", is_flag=True)
@dry_run_option
def flagged(**found: Any) -> None:
    print(found)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ("x", {"rest": ("x",), "watch": True, "everything": False, "dry_run": "none"}),
        ("--watch=false --all=true", {"watch": False, "everything": True}),
        ("--watch=TRUE --all=false", {"watch": True, "everything": False}),
        ("--dry-run x", {"dry_run": "server", "rest": ("x",)}),
        ("--dry-run=client x", {"dry_run": "client"}),
        ("-- --dry-run --all=true", {"rest": ("--dry-run", "--all=true"), "everything": False}),
    ],
)
def test_flags_as_kubectl_takes_them(arguments: str, found: dict[str, Any]) -> None:
    told = CliRunner().invoke(flagged, arguments.split())
    assert all(f"{name!r}: {value!r}" in told.stdout for name, value in found.items()), told.output


@pytest.mark.parametrize("arguments", ["--dry-run=maybe", "--all=perhaps"])
def test_flags_that_are_none(arguments: str) -> None:
    assert CliRunner().invoke(flagged, arguments.split()).exit_code == 2


def body(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": "7"}, "spec": {"entries": list(entries)}}


MAIN, API = {"name": "main", "replicas": 2}, {"name": "api"}


def test_what_is_scaled() -> None:
    assert read_scaled(["task", "a", "b"], 3) == [Scaled("task/a", {"": 3}), Scaled("task/b", {"": 3})]
    assert read_scaled(["task/a/x=1", "task/a/y=2", "tk/b=0"], None) == [
        Scaled("task/a", {"x": 1, "y": 2}),
        Scaled("tk/b", {"": 0}),
    ]


@pytest.mark.parametrize(
    ("what", "replicas", "fault"),
    [
        ([], 3, "say what"),
        (["task"], 3, "name the task"),
        (["task/a"], None, "say how many"),
        (["task/a=3"], 4, "not both"),
        (["task/a=x"], None, "between 0 and 10000"),
        (["task/a=10001"], None, "between 0 and 10000"),
        (["task/a=-1"], None, "between 0 and 10000"),
        (["task/a/=1"], None, "write task/NAME or task/NAME/ENTRY"),
        (["task/a/b/c=1"], None, "write task/NAME"),
        (["task/a=1", "task/a=2"], None, "named twice"),
    ],
)
def test_what_cannot_be_scaled(what: list[str], replicas: int | None, fault: str) -> None:
    with pytest.raises(CannotScale, match=fault):
        read_scaled(what, replicas)


def test_the_patch_names_the_entry_that_it_changes() -> None:
    assert scale_patch(body(MAIN, API), Scaled("task/a", {"api": 4})) == [
        {"op": "test", "path": "/spec/entries/1/name", "value": "api"},
        {"op": "add", "path": "/spec/entries/1/replicas", "value": 4},
    ]
    assert scale_patch(body(MAIN), Scaled("task/a", {"": 0}), 2, "7")[:3] == [
        {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
        {"op": "test", "path": "/spec/entries/0/name", "value": "main"},
        {"op": "test", "path": "/spec/entries/0/replicas", "value": 2},
    ]
    assert {"op": "test", "path": "/metadata/resourceVersion", "value": "7"} in scale_patch(
        body(API), Scaled("task/a", {"": 4}), 1
    )


@pytest.mark.parametrize(
    ("entries", "scaled", "current", "version", "fault"),
    [
        ((MAIN, API), {"": 1}, -1, "", "has 2 entries: main, api; name the one to scale, for example task/a/main=1"),
        ((MAIN, API), {"web": 1}, -1, "", "has no entry 'web'; it has main, api"),
        (({"name": "main", "nodeReplicas": {"n": 1}},), {"": 1}, -1, "", "nodeReplicas"),
        ((MAIN,), {"": 1}, 3, "", "Expected replicas to be 3, was 2"),
        ((MAIN,), {"": 1}, -1, "6", "Expected resource version to be 6, was 7"),
    ],
)
def test_what_scale_refuses(entries: Any, scaled: dict[str, int], current: int, version: str, fault: str) -> None:
    with pytest.raises(CannotScale, match=fault):
        scale_patch(body(*entries), Scaled("task/a", scaled), current, version)


def test_what_is_awaited() -> None:
    assert read_awaited("delete") == Existence(is_there=False)
    assert read_awaited("create") == Existence(is_there=True)
    assert read_awaited("condition=Ready") == OfType("Ready")
    assert read_awaited("condition=Ready=False") == OfType("Ready", "False")
    for text, path, value in (
        ("jsonpath={.a}", {"a": 1}, None),
        ("jsonpath={.a}=1", {"a": 1}, "1"),
        ("jsonpath=.a=true", {"a": True}, "true"),
        ("jsonpath={.a[?(@.b=='c')].d}='x y'", {"a": [{"b": "c", "d": "x y"}]}, "x y"),
    ):
        found = read_awaited(text)
        assert isinstance(found, AtPath)
        assert (found.value, found.holds(path)) == (value, True)
        assert not found.holds({})


@pytest.mark.parametrize("text", ["", "ready", "delete=now", "jsonpath={.a", "jsonpath={.a}=", "jsonpath={.a}=b=c"])
def test_what_cannot_be_awaited(text: str) -> None:
    with pytest.raises(BadCondition):
        read_awaited(text)


@pytest.mark.parametrize(
    ("condition", "generation", "holds"),
    [
        ({"type": "ready", "status": "true"}, 1, True),
        ({"type": "Ready", "status": "False"}, 1, False),
        ({"type": "Ready", "status": "True", "observedGeneration": 1}, 2, False),
        ({"type": "Ready", "status": "True", "observedGeneration": 2}, 2, True),
        ({"type": "Placed", "status": "True"}, 1, False),
    ],
)
def test_conditions_of_an_earlier_spec_do_not_count(condition: Any, generation: int, holds: bool) -> None:
    found = {"metadata": {"generation": generation}, "status": {"conditions": [condition]}}
    assert OfType("Ready").holds(found) is holds
