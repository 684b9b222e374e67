"""Strategic merge patch: Kubernetes' own examples of it, and what nobody should send."""

from contextlib import suppress
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.api import schema
from apiserver.api.errors import BadRequest
from apiserver.api.kinds.namespace import NAMESPACES
from apiserver.api.machinery.patches import merge_patch
from apiserver.api.machinery.strategic import strategic_merge_patch
from apiserver.api.meta import Labels, Listed, ListMap, ListSet, Model


class Item(Model):
    """One."""

    name: str
    value: int = 0
    labels: Labels = {}


class Thing(Model):
    """Lists of all sorts."""

    items: Annotated[Listed[Item], ListMap("name")] = ()
    words: Annotated[Listed[str], ListSet()] = ()
    plain: Listed[str] = ()
    pairs: Annotated[Listed[Item], ListMap("name", "value")] = ()
    one: Item | None = None


THING = schema.of_model(Thing)
A, B, C = ({"name": name, "value": 1} for name in "abc")


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        ({"one": {"name": "x", "value": 1}}, {"one": {"value": 2}}, {"one": {"name": "x", "value": 2}}),
        ({"one": A}, {"one": None}, {}),
        ({"one": A}, {"one": {"$patch": "delete"}}, {}),
        ({"one": A}, {"one": {"$patch": "replace", "name": "z"}}, {"one": {"name": "z"}}),
        ({"one": A}, {"one": {"$retainKeys": ["name"], "name": "z"}}, {"one": {"name": "z"}}),
        ({"items": [A, B]}, {"items": [{"name": "b", "value": 2}, C]}, {"items": [A, {"name": "b", "value": 2}, C]}),
        ({"items": [A, B]}, {"items": [{"name": "a", "$patch": "delete"}]}, {"items": [B]}),
        ({"items": [A, B]}, {"items": [{"name": "x", "$patch": "delete"}]}, {"items": [A, B]}),
        ({"items": [A, B]}, {"items": [C, {"$patch": "replace"}]}, {"items": [C]}),
        ({"items": [A]}, {"items": [{"name": "a", "labels": {"k": "v"}}]}, {"items": [A | {"labels": {"k": "v"}}]}),
        (
            {"items": [A, B]},
            {"items": [C], "$setElementOrder/items": [{"name": "c"}, {"name": "b"}, {"name": "a"}]},
            {"items": [C, B, A]},
        ),
        ({"items": [A, B, C]}, {"$setElementOrder/items": [{"name": "c"}, {"name": "a"}]}, {"items": [C, A, B]}),
        ({"words": ["a", "b"]}, {"words": ["b", "c", "c"]}, {"words": ["a", "b", "c"]}),
        ({"words": ["a", "b"]}, {"$deleteFromPrimitiveList/words": ["a", "x"]}, {"words": ["b"]}),
        ({"words": ["a", "b"]}, {"$setElementOrder/words": ["b", "a"]}, {"words": ["b", "a"]}),
        ({"plain": ["a", "b"]}, {"plain": ["c"]}, {"plain": ["c"]}),
        ({"pairs": [A]}, {"pairs": [B]}, {"pairs": [B]}),
        (
            {},
            {"items": [A], "words": ["a"], "one": {"name": "x"}},
            {"items": [A], "words": ["a"], "one": {"name": "x"}},
        ),
        ({}, {"unknown": {"deep": [1]}}, {"unknown": {"deep": [1]}}),
    ],
)
def test_what_becomes_of_an_object(target: Any, patch: Any, expected: Any) -> None:
    before = repr((target, patch))
    assert strategic_merge_patch(THING, target, patch) == expected
    assert repr((target, patch)) == before


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ([], "must be a JSON object"),
        ({"$patch": "delete"}, "use DELETE"),
        ({"one": {"$patch": "explode"}}, r"one: \$patch must be"),
        ({"one": {"$patch": []}}, r"one: \$patch must be"),
        ({"items": [{"value": 1}]}, r"items\[0\]: must be an object with name"),
        ({"items": ["a"]}, r"items\[0\]: must be an object with name"),
        ({"$setElementOrder/items": {}}, "no directive with a list"),
        ({"$unheard": []}, "no directive with a list"),
    ],
)
def test_what_cannot_be_read_is_refused(patch: Any, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        strategic_merge_patch(THING, {"items": [A], "one": A}, patch)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
NAMES = st.sampled_from(
    ["metadata", "finalizers", "ownerReferences", "uid", "labels", "status", "conditions", "$patch", "$retainKeys",
     "$setElementOrder/finalizers", "$deleteFromPrimitiveList/finalizers", "$setElementOrder/ownerReferences"]
)  # fmt: skip
PATCHES = st.recursive(
    VALUES | st.sampled_from(["merge", "delete", "replace"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


METADATA = st.fixed_dictionaries({"metadata": st.dictionaries(NAMES, PATCHES, max_size=4)})


@given(METADATA, METADATA)
def test_whatever_is_sent_there_is_an_answer(target: Any, patch: Any) -> None:
    with suppress(BadRequest):
        strategic_merge_patch(NAMESPACES.schema, target, patch)


PLAIN = st.dictionaries(
    st.sampled_from(["a", "b", "c"]), VALUES.filter(lambda value: "$" not in str(value)), max_size=3
)


@given(PLAIN, PLAIN)
def test_without_directives_and_keys_it_is_a_merge_patch(target: Any, patch: Any) -> None:
    assert strategic_merge_patch(THING, target, patch) == merge_patch(target, patch)
