"""What was changed in an editor, as a patch."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.api.machinery.patches import merge_patch
from plumctl.editing import (
    BadEdit,
    as_edited,
    as_file,
    changed_meanwhile,
    difference,
    read_edited,
    without_comments,
)

BODY: dict[str, Any] = {
    "apiVersion": "plum.dev/v1",
    "kind": "Task",
    "metadata": {"name": "x", "namespace": "default", "managedFields": [{}]},
    "spec": {"entries": [{"name": "main", "startCmd": "a\n# no comment\nb"}]},
}

VALUES = st.recursive(
    st.booleans() | st.integers(0, 2) | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


@settings(max_examples=100)
@given(OBJECTS, OBJECTS)
def test_the_patch_makes_the_one_of_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    patch = difference(before, after)
    assert merge_patch(before, patch) == after
    assert (patch == {}) == (before == after and repr(before) == repr(after)) or before == after


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_what_is_not_changed_reads_as_it_was(form: Any) -> None:
    text = as_file(as_edited(BODY, form), ["spec: no"])
    assert "# spec: no\n" in text
    found = read_edited(without_comments(text), BODY)
    assert found == {key: value for key, value in BODY.items() if key != "metadata"} | {
        "metadata": {"name": "x", "namespace": "default"}
    }


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [", "not YAML"),
        ("a: 1\n---\nb: 2", "the file must hold one object, not 2"),
        ("a: 1", "metadata: Required value"),
        ("metadata: {name: x, name: x}", "metadata.name is written twice"),
        ("apiVersion: plum.dev/v1\nkind: Task\nmetadata: {name: y, namespace: default}", "name was changed"),
    ],
)
def test_what_cannot_be_sent(text: str, fault: str) -> None:
    with pytest.raises(BadEdit, match=fault):
        read_edited(text, BODY)


def test_who_changed_the_same_fields_is_seen() -> None:
    original = {"a": {"b": 1, "c": [1]}, "d": 2}
    assert changed_meanwhile({"a": {"b": 5}}, original, {"a": {"b": 1, "c": [2]}}) == []
    assert changed_meanwhile({"a": {"b": 5, "c": [3]}}, original, {"a": {"b": 1, "c": [2]}}) == ["a.c"]
    assert changed_meanwhile({"d": None, "e": 1}, original, {"e": 3}) == ["d", "e"]
