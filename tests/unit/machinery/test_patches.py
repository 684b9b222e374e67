"""Merge patch and JSON patch by their specifications' own examples, and what comes of nonsense."""

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.api.errors import ApiError, BadRequest, Invalid
from apiserver.api.machinery.patches import json_patch, merge_patch


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_rfc_7386(target: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]) -> None:
    assert merge_patch(target, patch) == result


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "q"}], {"baz": "q", "foo": "bar"}),
        ({"foo": ["a", "c"]}, [{"op": "add", "path": "/foo/1", "value": "b"}], {"foo": ["a", "b", "c"]}),
        ({"baz": "q", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
        ({"foo": ["a", "b", "c"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["a", "c"]}),
        ({"baz": "q"}, [{"op": "replace", "path": "/baz", "value": "boo"}], {"baz": "boo"}),
        (
            {"f": {"b": 1}, "q": {"c": 2}},
            [{"op": "move", "from": "/f/b", "path": "/q/t"}],
            {"f": {}, "q": {"c": 2, "t": 1}},
        ),
        ({"foo": [1, 2, 3]}, [{"op": "move", "from": "/foo/0", "path": "/foo/2"}], {"foo": [2, 3, 1]}),
        ({"foo": ["b"]}, [{"op": "add", "path": "/foo/-", "value": ["c"]}], {"foo": ["b", ["c"]]}),
        ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
        ({"a/b": 1}, [{"op": "remove", "path": "/a~1b"}], {}),
    ],
)
def test_rfc_6902(target: dict[str, Any], patch: list[Any], result: dict[str, Any]) -> None:
    before = repr(target)
    assert json_patch(target, patch) == result
    assert repr(target) == before


@pytest.mark.parametrize(
    ("patch", "error"),
    [
        ({}, BadRequest),
        ([1], BadRequest),
        ([{"op": "nope", "path": "/a"}], BadRequest),
        ([{"op": "add", "value": 1}], BadRequest),
        ([{"op": "add", "path": "/a"}], BadRequest),
        ([{"op": "test", "path": "/a", "value": 2}], Invalid),
        ([{"op": "remove", "path": "/b"}], Invalid),
        ([{"op": "add", "path": "/a/b/c", "value": 1}], Invalid),
        ([{"op": "replace", "path": "", "value": 1}], Invalid),
        ([{"op": "add", "path": "/a", "value": 1}] * 10_001, BadRequest),
        ([{"op": "add", "path": "/a", "value": ["x"]}] + [{"op": "copy", "from": "/a", "path": "/a/-"}] * 40, Invalid),
        ([{"op": "copy", "from": "", "path": "/a"}] * 400, Invalid),
    ],
)
def test_refusals(patch: Any, error: type[ApiError]) -> None:
    with pytest.raises(error):
        json_patch({"a": 1, "x": "y" * 1000}, patch)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "-", "0"]), inner, max_size=3)
    ),
    max_leaves=8,
)
PATHS = st.lists(st.sampled_from(["a", "b", "0", "1", "-", "~0", "~", ""]), max_size=3).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "x"]) | VALUES},
    optional={"path": PATHS | VALUES, "from": PATHS | VALUES, "value": VALUES},
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from("ab"), VALUES), st.lists(OPERATIONS, max_size=4) | VALUES)
def test_only_api_errors_come_out(target: dict[str, Any], patch: Any) -> None:
    for change in (json_patch, merge_patch):
        with contextlib.suppress(ApiError):
            assert isinstance(change(target, patch), dict)
