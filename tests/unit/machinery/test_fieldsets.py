"""Paths of fields: their leaves, their FieldsV1 form, merging and removing by path."""

import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.api.kinds.task import TASKS
from apiserver.api.machinery.fieldsets import dotted, from_fields_v1, leaves, to_fields_v1
from apiserver.api.machinery.merging import merge, remove
from apiserver.api.meta import Body

MAIN = ("f:spec", "f:entries", 'k:{"name":"main"}')
BODY: Body = {
    "apiVersion": "plum.dev/v1",
    "kind": "Task",
    "metadata": {"name": "t", "uid": "u", "labels": {"a.b/c": "1"}, "finalizers": ["x", "y"]},
    "spec": {"entries": [{"name": "main", "app": {"name": "a"}, "env": []}]},
    "status": {"operator": {"deep": {"er": 1}}},
}


def test_leaves() -> None:
    assert leaves(TASKS.schema, BODY) == {
        ("f:metadata", "f:labels", "f:a.b/c"): "1",
        ("f:metadata", "f:finalizers", 'v:"x"'): "x",
        ("f:metadata", "f:finalizers", 'v:"y"'): "y",
        (*MAIN, "."): {},
        (*MAIN, "f:name"): "main",
        (*MAIN, "f:app", "f:name"): "a",
        (*MAIN, "f:env"): [],
        ("f:status", "f:operator", "f:deep", "f:er"): 1,
    }


@pytest.mark.parametrize("entries", ["x", {"a": 1}, ["x"], [{}], [{"name": {}}], [{"name": "a"}, {"name": "a"}]])
def test_a_list_whose_items_cannot_be_told_apart_is_one_leaf(entries: Any) -> None:
    body: Body = {"spec": {"entries": entries}}
    assert leaves(TASKS.schema, body) == {("f:spec", "f:entries"): entries}
    assert merge(TASKS.schema, BODY, body)["spec"]["entries"] == entries


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((*MAIN, "f:replicas"), '.spec.entries[name="main"].replicas'),
        (("f:metadata", "f:finalizers", 'v:"x"'), '.metadata.finalizers[="x"]'),
        (("f:a", 'k:{"name":"x","port":80}'), '.a[name="x",port=80]'),
    ],
)
def test_dotted(path: tuple[str, ...], text: str) -> None:
    assert dotted(path) == text


def test_a_path_that_is_member_and_prefix_gets_a_dot() -> None:
    fields = frozenset({("f:a",), ("f:a", "f:b")})
    assert to_fields_v1(fields) == {"f:a": {"f:b": {}, ".": {}}}
    assert from_fields_v1(to_fields_v1(fields)) == fields


def test_keys_are_read_in_any_spelling() -> None:
    fields: Body = {"f:spec": {"f:entries": {'k:{ "name" : "main" }': {}}}}
    assert from_fields_v1(fields) == {(*MAIN, ".")}


KEYS = st.sampled_from(["f:a", "f:b", 'v:"x"', 'k:{"n":1}', 'k:{"m":"x","n":1}'])
PATHS = st.lists(KEYS, min_size=1, max_size=4).map(lambda keys: (*keys, ".") if keys[-1][0] == "k" else tuple(keys))


@settings(max_examples=100, deadline=None)
@given(st.frozensets(PATHS, max_size=8))
def test_fields_v1_round_trips(fields: frozenset[tuple[str, ...]]) -> None:
    assert from_fields_v1(to_fields_v1(fields)) == fields


def test_remove_takes_emptied_containers_along() -> None:
    label, finalizer = ("f:metadata", "f:labels", "f:a.b/c"), ("f:metadata", "f:finalizers", 'v:"x"')
    before = repr(BODY)
    left = remove(TASKS.schema, BODY, [label, finalizer, MAIN, ("f:nowhere", "f:at")], kept=())
    assert left["metadata"] == {"name": "t", "uid": "u", "finalizers": ["y"]}
    assert "spec" not in left
    kept = remove(TASKS.schema, BODY, [MAIN], kept={("f:spec",)})
    assert kept["spec"] == {}
    assert repr(BODY) == before


@pytest.mark.parametrize(
    ("live", "config", "merged"),
    [
        ("ab", "cb", "acb"),
        ("ab", "ba", "ba"),
        ("abc", "ca", "bca"),
        ("xaybz", "ba", "xybza"),
        ("ab", "cd", "abcd"),
        ("ab", "", "ab"),
        ("", "ba", "ba"),
        ("axb", "cadb", "caxdb"),
    ],
)
def test_merged_items_are_in_the_order_of_the_config(live: str, config: str, merged: str) -> None:
    def entries(names: str, **more: Any) -> Body:
        return {"spec": {"entries": [{"name": name, **more} for name in names]}}

    def finalizers(names: str) -> Body:
        return {"metadata": {"finalizers": list(names)}}

    found = merge(TASKS.schema, entries(live, replicas=1), entries(config, startCmd="x"))["spec"]["entries"]
    assert "".join(entry["name"] for entry in found) == merged
    assert all(("startCmd" in entry) == (entry["name"] in config) for entry in found)
    assert all(("replicas" in entry) == (entry["name"] in live) for entry in found)
    assert merge(TASKS.schema, finalizers(live), finalizers(config))["metadata"]["finalizers"] == list(merged)


def test_long_keys_are_not_remembered() -> None:
    """Else a client could fill the memory with keys of megabytes, none of which is asked for again."""
    long = ""
    tracemalloc.start()
    try:
        for number in range(50):
            long = f"f:{number}" + "x" * 100_000
            assert to_fields_v1(from_fields_v1({"f:metadata": {long: {}}})) == {"f:metadata": {long: {}}}
        del long
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1_000_000
