"""Copies of an entry, as ``/v1`` tells them and as it takes one away."""

from typing import Any

import pytest

from apiserver.server.v1.replicas import shown, without_one


@pytest.mark.parametrize(
    ("entry", "placed", "found"),
    [
        pytest.param({"nodeReplicas": {"b": 2, "a": 0}}, ["a"], {"b": 2, "a": 0}, id="given by node"),
        pytest.param({"replicas": 3}, ["b", "a", "b"], {"a": 1, "b": 2}, id="where the scheduler put them"),
        pytest.param({"replicas": 3}, [], {}, id="nowhere yet"),
    ],
)
def test_copies_by_node(entry: dict[str, Any], placed: list[str], found: dict[str, int]) -> None:
    assert shown(entry, placed) == found


@pytest.mark.parametrize(
    ("entry", "home", "left"),
    [
        pytest.param({"nodeReplicas": {"a": 2, "b": 1}}, "a", {"nodeReplicas": {"a": 1, "b": 1}}, id="of a home"),
        pytest.param({"nodeReplicas": {"a": 1}}, "a", {"nodeReplicas": {"a": 0}}, id="the last of the last home"),
        pytest.param({"nodeReplicas": {"a": 0}}, "a", {"nodeReplicas": {"a": 0}}, id="none is left"),
        pytest.param({"nodeReplicas": {"b": 1}}, "a", {"nodeReplicas": {"b": 1}}, id="a home that is gone"),
        pytest.param({"replicas": 2}, "", {"replicas": 1}, id="of the scheduler's"),
        pytest.param({}, "", {"replicas": 0}, id="of the default"),
        pytest.param({"replicas": 2}, "a", {"replicas": 2}, id="it was another kind of entry"),
        pytest.param({"nodeReplicas": {"a": 1}}, "", {"nodeReplicas": {"a": 1}}, id="it was the scheduler's"),
    ],
)
def test_one_copy_less(entry: dict[str, Any], home: str, left: dict[str, Any]) -> None:
    before = {"name": "main", **entry}
    assert without_one(before, home) == {"name": "main", **left}
    assert before == {"name": "main", **entry}
