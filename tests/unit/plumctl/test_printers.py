"""Tables, and what a command line is about."""

from typing import Any

import click
import pytest
import yaml

from plumctl.printers import TablePrinter, as_yaml, columns
from plumctl.targets import kind_named, parse_targets


def table(*names: str, headed: bool = True) -> dict[str, Any]:
    definitions = [{"name": "Name", "priority": 0}, {"name": "Age", "priority": 0}, {"name": "Note", "priority": 1}]
    rows = [{"cells": [name, "5s", None], "object": {"metadata": {"namespace": "n"}}} for name in names]
    return {"columnDefinitions": definitions if headed else [], "rows": rows}


def test_wide_shows_all_columns_and_the_namespace() -> None:
    lines = TablePrinter(wide=True, namespaces=True).lines(table("a"))
    assert lines == ["NAMESPACE   NAME   AGE   NOTE", "n           a      5s"]


def test_later_rows_come_without_header_and_keep_the_columns() -> None:
    printer = TablePrinter()
    assert printer.lines(table()) == []
    assert printer.lines(table("abcdef")) == ["NAME     AGE", "abcdef   5s"]
    assert printer.lines(table("b", headed=False)) == ["b        5s"]


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert TablePrinter().lines(table("a\x1b[2J"))[1].startswith("a?[2J")


def test_wide_characters_count_as_two() -> None:
    assert columns([["你", "x"], ["abc", "y"]]) == ["你    x", "abc   y"]


def test_yaml_reads_back_as_it_was() -> None:
    body = {"a": "2026-01-01T00:00:00Z", "b": "yes", "c": "line\nline\n", "d": ["1", 1, None], "e": "中"}
    assert yaml.safe_load(as_yaml(body)) == body


@pytest.mark.parametrize("name", ["task", "tasks", "tk", "Task", "tasks.plum.dev", "task.plum.dev"])
def test_a_kind_by_all_its_names(name: str) -> None:
    assert kind_named(name).plural == "tasks"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["tasks"], ["task/"]),
        (["task", "a", "b"], ["task/a", "task/b"]),
        (["task/a", "node/b"], ["task/a", "node/b"]),
        (["tasks,nodes"], ["task/", "node/"]),
    ],
)
def test_targets(arguments: list[str], found: list[str]) -> None:
    assert [str(target) for target in parse_targets(arguments)] == found


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["task/"], ["task/a/b"], ["task/a", "b"], ["task.wrong/a"]])
def test_targets_that_make_no_sense(arguments: list[str]) -> None:
    with pytest.raises(click.UsageError):
        parse_targets(arguments)
