"""What get shows: paths, columns, order, labels; and the folders that diff compares."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from plumctl.jsonpath import BadPath, Finder
from plumctl.ordering import in_order
from plumctl.printers import TablePrinter
from tests.unit.plumctl.conftest import Ctl
from tests.unit.plumctl.test_change_commands import entry, made, refused, task

TABLE: dict[str, Any] = {
    "columnDefinitions": [{"name": "Name"}, {"name": "Age"}],
    "rows": [
        {"cells": ["a", "1m"], "object": {"metadata": {"labels": {"x.io/tier": "web", "b": "c"}}}},
        {"cells": ["b", "2m"], "object": {"metadata": {}}},
    ],
}


def test_labels_are_columns() -> None:
    printer = TablePrinter(label_columns=["x.io/tier", "none"], show_labels=True)
    assert printer.lines(TABLE) == [
        "NAME   AGE   TIER   NONE   LABELS",
        "a      1m    web           b=c,x.io/tier=web",
        "b      2m                  <none>",
    ]


def test_without_headings() -> None:
    printer = TablePrinter(headers=False)
    assert printer.lines(TABLE) == ["a     1m", "b     2m"]
    assert printer.lines(TABLE) == ["a     1m", "b     2m"]


@pytest.mark.parametrize(
    ("values", "order"),
    [
        ([10, 9, 2.5], [2.5, 9, 10]),
        (["web-10", "web-9", "api"], ["api", "web-9", "web-10"]),
        (["1Gi", "2Mi", "100Ki"], ["100Ki", "2Mi", "1Gi"]),
        (["2026-01-02T00:00:00Z", "2025-12-31T00:00:00Z"], ["2025-12-31T00:00:00Z", "2026-01-02T00:00:00Z"]),
        ([3, None, "x"], [None, 3, "x"]),
        ([True, False], [False, True]),
    ],
)
def test_order(values: list[Any], order: list[Any]) -> None:
    found = in_order([{"a": value} for value in values], Finder(".a"), ".a")
    assert [item["a"] for item in found] == order


def test_what_nothing_has_gives_no_order() -> None:
    assert in_order([], Finder(".a"), ".a") == []
    assert in_order([{"a": 1}, {}], Finder("a"), "a") == [{}, {"a": 1}]
    with pytest.raises(BadPath, match=r"couldn't find any field with path '\.b'"):
        in_order([{"a": 1}], Finder(".b"), ".b")


def test_get_by_paths(ctl: Ctl, tmp_path: Path) -> None:
    made(ctl, "pathed-a", entry(replicas=3), suite="paths")
    made(ctl, "pathed-b", entry(replicas=1), suite="paths")
    chosen = ("get", "tasks", "-l", "suite=paths")
    assert ctl(*chosen, "-o", "jsonpath={.items[*].metadata.name}").stdout == "pathed-a pathed-b"
    by_size = ("--sort-by", ".spec.entries[0].replicas")
    assert ctl(*chosen, *by_size, "-o", "name").stdout.split() == ["task.plum.dev/pathed-b", "task.plum.dev/pathed-a"]
    assert [line.split()[0] for line in ctl(*chosen, *by_size).stdout.splitlines()] == ["NAME", "pathed-b", "pathed-a"]
    columns = "custom-columns=WHO:.metadata.name,MANY:.spec.entries[*].replicas,NOT:.a"
    assert ctl(*chosen, "-o", columns).stdout.splitlines()[1].split() == ["pathed-a", "3", "<none>"]
    (tmp_path / "columns").write_text("WHO MANY\n.metadata.name .spec.entries[0].replicas\n")
    found = ctl(*chosen, "--no-headers", "-o", f"custom-columns-file={tmp_path / 'columns'}").stdout
    assert [line.split() for line in found.splitlines()] == [["pathed-a", "3"], ["pathed-b", "1"]]
    (tmp_path / "path").write_text("{.kind}")
    assert ctl("get", "task/pathed-a", "-o", f"jsonpath-file={tmp_path / 'path'}").stdout == "Task"
    assert json.loads(ctl(*chosen, "-o", "jsonpath-as-json={.items[*].metadata.name}").stdout) == [
        "pathed-a",
        "pathed-b",
    ]
    assert ctl("get", "task/none", "--ignore-not-found").output == ""
    assert "suite=paths" in ctl(*chosen, "--show-labels").stdout
    assert ctl(*chosen, "-L", "suite,none").stdout.splitlines()[0].split()[-2:] == ["SUITE", "NONE"]


@pytest.mark.parametrize(
    ("options", "fault", "code"),
    [
        (("-o", "jsonpath={.a"), "unclosed action", 2),
        (("-o", "jsonpath="), "no template given", 2),
        (("-o", "jsonpath-file=/none"), "No such file", 2),
        (("-o", "custom-columns=A"), "expected <header>:<json-path-expr>", 2),
        (("-o", "custom-columns="), "no custom columns given", 2),
        (("-o", "go-template={{.x}}"), "use jsonpath= or custom-columns=", 2),
        (("-o", "xml"), "unknown output, there are table, wide, yaml", 2),
        (("-o", "jsonpath={.items[99]}"), "array index out of bounds", 1),
        (("--sort-by", "{"), "unexpected path string", 1),
        (("--sort-by", ".a", "-w"), "drop --sort-by", 2),
    ],
)
def test_what_get_refuses(ctl: Ctl, options: tuple[str, ...], fault: str, code: int) -> None:
    refused(ctl("get", "tasks", *options), fault, code=code)


def test_diff(ctl: Ctl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    body = task("compared", entry(replicas=1), a="b")
    new = ctl("diff", "-f", "-", stdin=body)
    assert new.exit_code == 1
    assert "+  name: compared\n" in new.stdout
    assert "/plum.dev.v1.Task.default.compared" in new.stdout
    assert ctl("get", "task/compared").exit_code == 1
    made(ctl, "compared", entry(replicas=1), a="b")
    same = ctl("diff", "-f", "-", "--server-side", stdin=body)
    assert (same.exit_code, same.output) == (0, "")
    assert "managedFields" not in ctl("diff", "-f", "-", stdin=task("compared", a="c")).stdout
    coming = '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"to-come"}}\n---\n'
    coming += body.replace('"name": "compared"', '"namespace": "to-come", "name": "there"')
    assert "+++" in ctl("diff", "-f", "-", stdin=coming).stdout
    taken = ctl("apply", "-f", "-", "--field-manager=other", "--force-conflicts", stdin=task("compared", a="d"))
    assert taken.exit_code == 0
    refused(ctl("diff", "-f", "-", stdin=body), "--force-conflicts takes them over", code=2)
    assert ctl("diff", "-f", "-", "--force-conflicts", stdin=body).exit_code == 1
    refused(ctl("diff", "-f", "/none"), "no such file", code=2)
    refused(ctl("diff", "-f", "-", "--server", "http://127.0.0.1:1", stdin=body), "cannot reach", code=2)


@pytest.mark.parametrize(("variable", "code"), [("PLUM_EXTERNAL_DIFF", 0), ("KUBECTL_EXTERNAL_DIFF", 1)])
def test_diff_by_another_program(
    ctl: Ctl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, code: int
) -> None:
    script = tmp_path / "compare.py"
    script.write_text(
        "import pathlib, sys\n"
        "name = next(pathlib.Path(sys.argv[3]).iterdir()).name\n"
        f"pathlib.Path({str(tmp_path / 'told')!r}).write_text(sys.argv[1] + name)\n"
        f"sys.exit({code})\n"
    )
    monkeypatch.setenv(variable, f"{sys.executable} {script} 'a b'")
    assert ctl("diff", "-f", "-", stdin=task("compared-elsewhere")).exit_code == code
    assert (tmp_path / "told").read_text() == "a bplum.dev.v1.Task.default.compared-elsewhere"


def test_diff_whose_program_fails(ctl: Ctl, monkeypatch: pytest.MonkeyPatch) -> None:
    for program, fault in (("/none/there", "cannot run"), (f"{sys.executable} -c 'raise SystemExit(7)'", "code 7")):
        monkeypatch.setenv("KUBECTL_EXTERNAL_DIFF", program)
        refused(ctl("diff", "-f", "-", stdin=task("x")), fault, code=2)
