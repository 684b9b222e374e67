"""What is printed: tables, YAML, and the commands that need no server."""

import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from plumctl import about, targets
from plumctl.printers import TablePrinter, as_yaml, cell

TABLE = {
    "columnDefinitions": [{"name": "Name"}, {"name": "State"}, {"name": "Apps", "priority": 1}],
    "rows": [
        {"cells": ["hello", "Running", "a:1"], "object": {"metadata": {"namespace": "default"}}},
        {"cells": ["名字", None, "b:2"], "object": {"metadata": {"namespace": "n"}}},
    ],
}


def test_tables() -> None:
    assert TablePrinter().lines(TABLE) == ["NAME    STATE", "hello   Running", "名字"]
    wide = TablePrinter(wide=True, namespaces=True, kinds=True).lines(TABLE, "task")
    assert wide[0] == "NAMESPACE   NAME         STATE     APPS"
    assert wide[1] == "default     task/hello   Running   a:1"


def test_later_rows_keep_the_columns_and_have_no_header() -> None:
    printer = TablePrinter()
    printer.lines(TABLE)
    later = {"columnDefinitions": [], "rows": [{"cells": ["b", "Stopped", ""], "object": {"metadata": {}}}]}
    assert printer.lines(later) == ["b       Stopped"]
    assert printer.lines({"rows": []}) == []


def test_cells_cannot_drive_the_terminal() -> None:
    assert cell("a\x1b[2Jb\n") == "a?[2Jb?"


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=20)


@given(st.recursive(SCALARS, lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=5), x, max_size=3)))
def test_yaml_reads_back(value: object) -> None:
    assert yaml.safe_load(as_yaml(value) + "\n") == value


def test_explain() -> None:
    run = CliRunner().invoke
    text = run(about.explain, ["task.spec.entries"]).output
    assert "restartPolicy <string> (one of Always, OnFailure, Never; default Always)" in text
    missing = run(about.explain, ["task.spec.nope"])
    assert missing.exit_code == 1
    assert "task.spec has no field 'nope'; it has state, entries, strategy" in missing.output
    assert run(about.explain, ["nope"]).exit_code == 2
    assert "tasks         tk" in run(about.api_resources).output
    for shell in ("bash", "zsh", "fish"):
        assert "_PLUMCTL_COMPLETE" in run(about.completion, [shell]).output


def test_targets() -> None:
    def read(*arguments: str) -> list[str]:
        return [str(target) for target in targets.parse_targets(arguments)]

    assert read("tk", "a", "b") == ["task/a", "task/b"]
    assert read("task/a", "node/B") == ["task/a", "node/B"]
    assert read("tasks,nodes") == ["task/", "node/"]
