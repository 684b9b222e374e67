"""History in a few words, and points in the past on the command line."""

from datetime import UTC, datetime
from typing import Any

import pytest

from apiserver.api.machinery.differences import shown
from apiserver.api.meta import Body
from plumctl.changes import one_change, rows, summary, who
from plumctl.moments import read_moment

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def item(version: int, *changes: Body, **more: Any) -> Body:
    base = {
        "version": str(version),
        "time": "2026-01-02T03:04:05Z",
        "type": "MODIFIED",
        "user": "ann",
        "manager": "ctl",
    }
    return base | {"uid": "u", "changes": list(changes)} | more


def change(path: str, **values: Any) -> Body:
    return {"path": path} | {name.rstrip("_"): value for name, value in values.items()}


COMMAND = change("spec.entries[main].startCmd", from_="a", to="b")
READY = change("status.readyReplicas", from_=0, to=1)


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (COMMAND, 'spec.entries[main].startCmd: "a" -> "b"'),
        (change("spec.replicas", to=3), "spec.replicas: none -> 3"),
        (change("metadata.labels.a", from_="x"), 'metadata.labels.a: "x" -> none'),
        (change("spec.entries[b]", to={"name": "b"}), "spec.entries[b] added"),
        (change("spec.entries[b]", from_={"name": "b"}), "spec.entries[b] removed"),
        (change("spec.entries[c]", to=shown({"name": "x" * 300})), "spec.entries[c] added"),
        (change("spec.entries", from_=["a", "b"], to=["b", "a"]), 'spec.entries: ["a","b"] -> ["b","a"]'),
        (change("a", from_=None, to="x" * 99), f'a: null -> "{"x" * 38}…'),
    ],
)
def test_one_change(told: Body, text: str) -> None:
    assert one_change(told) == text


def test_what_happened() -> None:
    several = [change(f"spec.{name}", to=1) for name in "abcde"]
    asked = change("metadata.deletionTimestamp", to="2026-01-02T03:04:05Z")
    found = rows(
        [
            item(9, type="DELETED"),
            item(8, asked, READY),
            item(7, *several, omitted=2),
            item(6),
            item(5, truncated=True),
            item(4, type="ADDED"),
        ]
    )
    assert [row.what for row in found] == [
        "deleted",
        "deletion asked for; status: readyReplicas: 0 -> 1",
        "spec.a: none -> 1, spec.b: none -> 1, spec.c: none -> 1, 4 more",
        "the owners of fields",
        "changed; what it was before is not known any more",
        "created",
    ]
    assert summary([]) == ""


def test_status_that_follows_status_is_one_line() -> None:
    seen = change("status.observedGeneration", from_=1, to=2)
    added = change("status.conditions[A]", to={"type": "A"})
    within = change("status.conditions[A].status", from_="False", to="True")
    there_and_back = [change("status.x", from_=a, to=b) for a, b in (("1", "2"), ("2", "1"))]
    found = rows(
        [
            item(9, within),
            item(8, change("status.readyReplicas", from_=1, to=2), there_and_back[1]),
            item(7, seen, added, READY, there_and_back[0]),
            item(6, COMMAND, READY),
            item(5, READY),
            item(4, READY, manager="other"),
            item(3, READY, manager="other", uid="another"),
        ]
    )
    assert [(row.version, row.what) for row in found] == [
        ("9", "status, 3 times: conditions[A] added, readyReplicas: 0 -> 2, observedGeneration: 1 -> 2"),
        ("6", 'spec.entries[main].startCmd: "a" -> "b"; status: readyReplicas: 0 -> 1'),
        ("5", "status: readyReplicas: 0 -> 1"),
        ("4", "status: readyReplicas: 0 -> 1"),
        ("3", "status: readyReplicas: 0 -> 1"),
    ]


@pytest.mark.parametrize(
    ("user", "manager", "text"),
    [
        ("ann", "ctl", "ann/ctl"),
        ("ann", "", "ann"),
        ("system:anonymous", "ctl", "ctl"),
        ("system:anonymous", "", "anonymous"),
        ("", "", "-"),
    ],
)
def test_who(user: str, manager: str, text: str) -> None:
    assert who({"user": user, "manager": manager}) == text


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("17", {"resourceVersion": "17", "resourceVersionMatch": "Exact"}),
        ("90s", {"at": "2026-01-02T11:58:30.000000Z"}),
        ("1d12h", {"at": "2026-01-01T00:00:00.000000Z"}),
        ("2026-01-01T10:00:00+02:00", {"at": "2026-01-01T08:00:00.000000Z"}),
    ],
)
def test_points_in_the_past(text: str, query: dict[str, str]) -> None:
    assert read_moment(text, NOW) == query


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "yesterday", "10 m", "1w", "999999d", "2026-01-01T10:00:00", "0001-01-01T00:00:00+14:00"]
)
def test_what_is_no_point_in_the_past(text: str) -> None:
    with pytest.raises(ValueError, match="names no point in the past: write a version"):
        read_moment(text, NOW)
