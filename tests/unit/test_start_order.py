"""What ``dependsOn`` may say, and what is told of what it may not."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.api.expansion import Artifact, template_hash, template_of
from apiserver.api.kinds.task import TASKS, Entry
from apiserver.api.start_order import causes, cycle

NAMES = "abcd"
ARTIFACT = Artifact("/x", "a" * 64)


def entries(**depends_on: list[str]) -> list[dict[str, Any]]:
    return [{"name": name, "dependsOn": wanted} for name, wanted in depends_on.items()]


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        (entries(a=["b"], b=["c"], c=["b"]), "spec.entries[1].dependsOn", "would never start: b -> c -> b; leave one"),
        (entries(a=["a"]), "spec.entries[0].dependsOn", "a -> a"),
        (entries(a=[], b=["a", "x"]), "spec.entries[1].dependsOn[1]", '"x": the task has no entry of that name; it'),
        (entries(a=[], b=["a", "a"]), "spec.entries[1].dependsOn[1]", 'Duplicate value: "a"'),
    ],
)
def test_what_cannot_be_is_refused(given: list[dict[str, Any]], field: str, message: str) -> None:
    (cause,) = causes(given)
    assert cause.field == field
    assert message in cause.message


def test_any_order_without_a_ring_is_fine() -> None:
    assert [*causes(entries(web=["db", "cache"], cache=["db"], db=[]))] == []


def test_the_kind_asks() -> None:
    assert TASKS.rules is not None
    body = {"spec": {"entries": entries(a=["b"], b=["a"])}}
    assert [cause.field for cause in TASKS.rules(body, None)] == ["spec.entries[0].dependsOn"]


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES)), max_size=4))
def test_a_cycle_is_found_where_there_is_one(edges: dict[str, list[str]]) -> None:
    found = cycle(edges)
    for before, after in pairwise(found):
        assert after in edges[before]
    assert found[:1] == found[-1:]
    left = {name: {*wanted} for name, wanted in edges.items()}
    while free := [name for name, wanted in left.items() if not wanted & left.keys()]:
        for name in free:
            del left[name]
    assert bool(left) == bool(found)


def test_what_depends_on_nothing_has_the_template_that_it_had() -> None:
    entry = Entry.model_validate({"name": "web", "artifactUrl": "/x"})
    template = template_of(entry, ARTIFACT, "")
    assert "dependsOn" not in template.model_dump(by_alias=True)
    assert template_hash(template) == "ac51f3d71b8a595e"
    ordered = entry.model_copy(update={"depends_on": ("db",)})
    assert template_of(ordered, ARTIFACT, "").depends_on == ("db",)
