"""What a change changed: examples, and what holds for any two objects."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.api.kinds.namespace import NAMESPACES
from apiserver.api.kinds.task import TASKS
from apiserver.api.machinery.differences import MAX_PATHS, MAX_VALUE, UNTOLD, differences, shown
from apiserver.api.machinery.fieldsets import ITSELF, Path, leaves
from apiserver.api.meta import Body


def told(old: Body, new: Body) -> list[Body]:
    return [one.to_body() for one in differences(TASKS.schema, old, new).told]


def with_entries(*entries: Body) -> Body:
    return {"spec": {"entries": list(entries)}}


A = {"name": "main", "startCmd": "a", "env": [{"name": "X", "value": "1"}]}


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        (with_entries(A), with_entries(A), []),
        (
            with_entries(A),
            with_entries(A | {"startCmd": "b"}),
            [{"path": "spec.entries[main].startCmd", "from": "a", "to": "b"}],
        ),
        (
            with_entries(A),
            with_entries(A | {"env": [{"name": "X", "value": "2"}, {"name": "Y"}]}),
            [
                {"path": "spec.entries[main].env[X].value", "from": "1", "to": "2"},
                {"path": "spec.entries[main].env[Y]", "to": {"name": "Y"}},
            ],
        ),
        (
            with_entries(A, {"name": "b", "replicas": 1}),
            with_entries(A),
            [{"path": "spec.entries[b]", "from": {"name": "b", "replicas": 1}}],
        ),
        (
            with_entries(A, {"name": "b"}),
            with_entries({"name": "b"}, A),
            [{"path": "spec.entries", "from": ["main", "b"], "to": ["b", "main"]}],
        ),
        ({}, {"spec": {"state": "Running"}}, [{"path": "spec.state", "to": "Running"}]),
        (
            {"metadata": {"labels": {"a.b/c": "1"}, "finalizers": ["x"], "resourceVersion": "1", "generation": 1}},
            {"metadata": {"labels": {"d": "1"}, "finalizers": ["x", "a.b/y"], "resourceVersion": "2", "generation": 2}},
            [
                {"path": "metadata.labels.d", "to": "1"},
                {"path": "metadata.labels[a.b/c]", "from": "1"},
                {"path": "metadata.finalizers[a.b/y]", "to": "a.b/y"},
            ],
        ),
        (
            {"status": {"operator": {"deep": [1]}, "n": 1}},
            {"status": {"operator": {"deep": [2]}, "n": True}},
            [{"path": "status.operator.deep", "from": [1], "to": [2]}, {"path": "status.n", "from": 1, "to": True}],
        ),
    ],
)
def test_what_is_told(old: Body, new: Body, changes: list[Body]) -> None:
    assert told(old, new) == changes


def test_items_that_cannot_be_told_apart_are_one_value() -> None:
    twice = with_entries({"name": "a"}, {"name": "a"})
    assert told(with_entries({"name": "a"}), twice) == [
        {"path": "spec.entries", "from": [{"name": "a"}], "to": [{"name": "a"}, {"name": "a"}]}
    ]
    assert told({"metadata": {"finalizers": ["x"]}}, {"metadata": {"finalizers": ["x", "x"]}}) == [
        {"path": "metadata.finalizers", "from": ["x"], "to": ["x", "x"]}
    ]


def test_long_values_are_cut_and_say_so() -> None:
    assert shown("x" * MAX_VALUE) == "x" * MAX_VALUE
    assert shown("x" * (MAX_VALUE + 1)) == "x" * MAX_VALUE + "… (201 characters)"
    assert shown(["x" * MAX_VALUE]) == '["' + "x" * (MAX_VALUE - 2) + "… (204 characters)"
    [change] = told({}, {"status": {"k" * 300: 1}})
    assert change["path"].endswith("… (307 characters)")


def test_at_most_so_many_paths_are_told() -> None:
    labels = {f"l{n}": "x" for n in range(MAX_PATHS + 7)}
    found = differences(NAMESPACES.schema, {}, {"metadata": {"labels": labels}})
    assert (len(found.told), found.omitted) == (MAX_PATHS, 7)


SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "b", "x" * 300])
ANY = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab."), inner, max_size=3)
)
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("abc")},
        optional={
            "startCmd": SCALARS,
            "env": st.lists(st.fixed_dictionaries({"name": st.sampled_from("XY")}, optional={"value": SCALARS})),
            "nodeReplicas": st.dictionaries(st.sampled_from(["n", "m.o"]), st.integers(0, 2)),
        },
    ),
    max_size=4,
)
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "generation": st.integers(1, 3),
        "labels": st.dictionaries(st.sampled_from(["a", "b.c/d"]), st.sampled_from("12")),
        "finalizers": st.lists(st.sampled_from(["x", "y/z"]), max_size=3),
    },
)
BODIES = st.fixed_dictionaries(
    {"metadata": METADATA},
    optional={
        "spec": st.fixed_dictionaries({}, optional={"entries": ENTRIES | ANY, "state": SCALARS}),
        "status": ANY,
    },
)


def text(path: Path) -> str:
    """A path of field sets as differences write it."""
    made = ""
    for part in path:
        value = orjson.loads(part[2:]) if part[:2] in ("k:", "v:") else part[2:]
        value = value["name"] if isinstance(value, dict) else value
        is_word = part.startswith("f:") and not set(value) & set("./")
        made += f".{value}" if is_word else f"[{value}]" if part != ITSELF else ""
    return made.removeprefix(".")


def without_noise(body: Body) -> Body:
    return body | {"metadata": {k: v for k, v in body["metadata"].items() if k not in UNTOLD["metadata"]}}


@settings(max_examples=300, deadline=None)
@given(BODIES, BODIES)
def test_laws(old: Body, new: Body) -> None:
    before = orjson.dumps([old, new])
    found = differences(TASKS.schema, old, new)
    assert orjson.dumps([old, new]) == before, "the arguments were touched"
    same = [orjson.dumps(without_noise(body), option=orjson.OPT_SORT_KEYS) for body in (old, new)]
    assert bool(found.told) == (same[0] != same[1])
    paths = [one.path for one in found.told]
    assert sorted(paths) == sorted(one.path for one in differences(TASKS.schema, new, old).told)
    assert len(set(paths)) == len(paths) <= MAX_PATHS
    assert all(len(orjson.dumps(one.to_body())) < 3 * MAX_VALUE for one in found.told)
    ours, theirs = leaves(TASKS.schema, old), leaves(TASKS.schema, new)
    for leaf in ours.keys() | theirs.keys():
        if orjson.dumps(ours.get(leaf, "none")) != orjson.dumps(theirs.get(leaf, "none")):
            where = text(leaf)
            assert any(where.startswith(path) or path.startswith(where) for path in paths), where
