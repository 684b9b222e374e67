"""JSON patches that no client means: bounded, refused with an ApiError, and the target stays as it was."""

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.api.errors import ApiError, BadRequest, Invalid
from apiserver.api.machinery.patches import json_patch, merge_patch

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "/a", "~2"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["", "a", "0", "-"]), inner, max_size=3)
    ),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.sampled_from(["", "a", "0", "-"]), JSON, max_size=3)
POINTERS = st.lists(st.sampled_from(["", "a", "0", "1", "01", "-", "-1"]), max_size=4).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)
OPERATIONS = st.builds(
    lambda name, path, source, value: {"op": name, "path": path, "from": source, "value": value},
    st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
    POINTERS,
    POINTERS,
    JSON,
)


@settings(max_examples=50, deadline=None)
@given(OBJECTS, st.lists(OPERATIONS, max_size=6) | st.lists(OBJECTS | JSON, max_size=2) | JSON)
def test_nothing_but_api_errors_comes_out_and_nothing_is_touched(target: dict[str, Any], patch: Any) -> None:
    before = copy.deepcopy((target, patch))
    for change in (json_patch, merge_patch):
        with contextlib.suppress(ApiError):
            assert isinstance(change(target, patch), dict)
    assert (target, patch) == before


@settings(max_examples=50, deadline=None)
@given(OBJECTS, OBJECTS)
def test_a_merge_patch_twice_is_once(target: dict[str, Any], patch: dict[str, Any]) -> None:
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once


def nested(depth: int) -> list[dict[str, Any]]:
    """Operations that bury ``/x`` under that many objects, a level at a time."""
    level: list[dict[str, Any]] = [
        {"op": "add", "path": "/y", "value": {}},
        {"op": "move", "from": "/x", "path": "/y/c"},
        {"op": "move", "from": "/y", "path": "/x"},
    ]
    return [{"op": "add", "path": "/x", "value": {}}] + level * depth


@pytest.mark.parametrize("depth", [100, 3000])
def test_a_result_may_not_nest_deeper_than_a_body(depth: int) -> None:
    with pytest.raises(Invalid, match="nested deeper than 64"):
        json_patch({}, nested(depth))
    copied = [*nested(depth), {"op": "copy", "from": "/x", "path": "/z"}]
    with pytest.raises(Invalid):
        json_patch({}, copied)


def test_copies_are_bounded_by_what_they_add() -> None:
    target = {"a": "x" * 100_000}
    copies = [{"op": "copy", "from": "/a", "path": f"/b{n}"} for n in range(100)]
    assert len(json_patch(target, copies[:20])) == 21
    with pytest.raises(Invalid, match=r"operation 31 .* copies add more than"):
        json_patch(target, copies)
    small = {"big": "x" * 1_000_000, "a": 1}
    assert json_patch(small, [{"op": "copy", "from": "/a", "path": "/b"}] * 5000)["b"] == 1


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ({"path": "/a"}, "op must be one of add, remove"),
        ({"op": "move", "path": "/a"}, "move needs from"),
        ({"op": "add", "path": "a", "value": 1}, "path must be a JSON pointer"),
        ({"op": "copy", "path": "/a", "from": 1}, "from must be a JSON pointer"),
        ({"op": "add", "path": "/~2", "value": 1}, "path must be a JSON pointer"),
    ],
)
def test_a_malformed_operation_is_named(operation: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=f"operation 1 of the JSON patch is malformed: {words}"):
        json_patch({}, [{"op": "add", "path": "/a", "value": 1}, operation])


def test_a_failed_test_shows_no_python() -> None:
    with pytest.raises(
        Invalid, match=r"operation 0 \(test /a\) cannot be applied: the value there is another, or none"
    ):
        json_patch({"a": 1}, [{"op": "test", "path": "/a", "value": True}])
