"""Tables, YAML, JSON, names: everything that is printed as data."""

import unicodedata
from collections.abc import Sequence
from typing import Any

import click
import orjson
import yaml

from apiserver.api.meta import Body

GAP = "   "
NARROWEST = 3
"""Columns are no narrower, as with kubectl."""


class _Dumper(yaml.SafeDumper):
    """Blocks for texts of several lines, list items under their key's column as kubectl prints them."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    plain = all(char.isprintable() or char == "\n" for char in value)
    style = '"' if not plain else "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(body: Any) -> str:
    """A body as YAML, keys in their own order, non-ASCII as it is."""
    return str(yaml.dump(body, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**16)).removesuffix("\n")


def as_json(body: Any) -> str:
    """A body as indented JSON."""
    return orjson.dumps(body, option=orjson.OPT_INDENT_2).decode()


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as aligned lines; wide characters count as two."""
    if not rows:
        return []
    widths = [max(NARROWEST, *(_width(row[index]) for row in rows)) for index in range(len(rows[0]))]
    return [
        GAP.join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def cell(value: Any) -> str:
    """A table's cell: control characters could drive the terminal and are shown as ``?``."""
    if value is None:
        return ""
    text = str(value)
    return "".join(char if char.isprintable() else "?" for char in text)


class TablePrinter:
    """Tables as the server makes them. The header is printed once, its widths are kept for later rows."""

    def __init__(
        self,
        *,
        wide: bool = False,
        namespaces: bool = False,
        kinds: bool = False,
        headers: bool = True,
        label_columns: Sequence[str] = (),
        show_labels: bool = False,
    ) -> None:
        """``kinds``: names with the kind before them; ``label_columns``: labels that have a column of their own."""
        self._wide, self._namespaces, self._kinds = wide, namespaces, kinds
        self._headers, self._label_columns, self._show_labels = headers, label_columns, show_labels
        self._shown: list[int] = []
        self._header: list[str] = []
        self._widths: list[int] = []

    def lines(self, table: Body, kind: str = "") -> list[str]:
        """The table's lines, with a header if there was none yet."""
        definitions = table.get("columnDefinitions") or []
        if definitions and not self._header:
            self._shown = [i for i, found in enumerate(definitions) if self._wide or not found.get("priority")]
            self._header = [str(definitions[i]["name"]).upper() for i in self._shown]
            if self._namespaces:
                self._header.insert(0, "NAMESPACE")
            self._header += [label.rpartition("/")[2].upper() for label in self._label_columns]
            self._header += ["LABELS"] if self._show_labels else []
        rows = [self._row(row, kind) for row in table.get("rows") or []]
        if not rows:
            return []
        first = not self._widths
        both = [self._header, *rows] if self._headers else rows
        found = [max(NARROWEST, *(_width(row[index]) for row in both)) for index in range(len(self._header))]
        self._widths = found if first else [max(old, new) for old, new in zip(self._widths, found, strict=True)]
        return [self._line(row) for row in (both if first else rows)]

    def _row(self, row: Body, kind: str) -> list[str]:
        cells = [cell(row["cells"][index]) for index in self._shown]
        if self._kinds and cells:
            cells[0] = f"{kind}/{cells[0]}"
        if self._namespaces:
            cells.insert(0, cell(row.get("object", {}).get("metadata", {}).get("namespace", "")))
        return cells + (self._labels(row) if self._label_columns or self._show_labels else [])

    def _labels(self, row: Body) -> list[str]:
        labels = row.get("object", {}).get("metadata", {}).get("labels") or {}
        cells = [cell(labels.get(name, "")) for name in self._label_columns]
        every = ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "<none>"
        return cells + ([cell(every)] if self._show_labels else [])

    def _line(self, row: Sequence[str]) -> str:
        padded = (text + " " * (width - _width(text)) for text, width in zip(row, self._widths, strict=True))
        return GAP.join(padded).rstrip()


def show(lines: Sequence[str]) -> None:
    """Print data."""
    for line in lines:
        click.echo(line)
