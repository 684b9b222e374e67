"""``-o`` as kubectl has it: names, JSON, YAML, JSONPath and custom columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from apiserver.api.meta import Body
from plumctl.cli import Failure
from plumctl.jsonpath import BadPath, Finder, Template, as_text
from plumctl.printers import as_json, as_yaml, cell, columns

MAX_FILE = 256 * 1024
"""Bytes of a file that holds a template."""

NONE = "<none>"
_WITH_TEXT = ("jsonpath", "jsonpath-as-json", "custom-columns")


@dataclass(frozen=True)
class Output:
    """A form of output, and what it needs. ``form`` is empty where a command says what it has done."""

    form: str = ""
    template: Template | None = None
    columns: tuple[tuple[str, Finder], ...] = ()

    @property
    def is_table(self) -> bool:
        """Whether the server makes it."""
        return self.form in ("", "table", "wide")

    def text(self, body: Any, *, headers: bool = True) -> str:
        """One object, or a List, with the line's end if it has one. Raises BadPath."""
        match self.form:
            case "name":
                return "".join(f"{resource_name(item)}\n" for item in items_of(body))
            case "json":
                return f"{as_json(body)}\n"
            case "yaml":
                return f"{as_yaml(body)}\n"
            case "custom-columns":
                return "".join(f"{line}\n" for line in self._columns(items_of(body), headers=headers))
            case "jsonpath-as-json":
                return f"{as_json([value for values in self._template.json(body) for value in values])}\n"
            case _:
                return self._template.render(body)

    @property
    def _template(self) -> Template:
        assert self.template is not None
        return self.template

    def _columns(self, items: Sequence[Body], *, headers: bool) -> list[str]:
        rows = [
            [cell(",".join(map(as_text, finder.find(item))) or NONE) for _, finder in self.columns] for item in items
        ]
        return columns([[name for name, _ in self.columns], *rows] if headers else rows)

    def show(self, body: Any, *, headers: bool = True) -> None:
        """Print it. Raises Failure where a path does not fit."""
        try:
            click.echo(self.text(body, headers=headers), nl=False)
        except BadPath as error:
            raise Failure(f"executing {self.form}: {error}") from error


def items_of(body: Any) -> list[Body]:
    """The objects of a List, or the one object."""
    return list(body["items"]) if body.get("kind") == "List" else [body]


def resource_name(item: Body) -> str:
    """``task.plum.dev/hello``, which kubectl and plumctl take."""
    group = str(item["apiVersion"]).rpartition("/")[0]
    kind = str(item["kind"]).lower()
    return f"{kind}.{group}/{item['metadata']['name']}" if group else f"{kind}/{item['metadata']['name']}"


class OutputType(click.ParamType[Output]):
    """The value of ``-o``; ``plain`` are the forms without a text of their own that the command has."""

    name = "form"

    def __init__(self, *plain: str) -> None:
        self._plain = plain or ("name", "json", "yaml")

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Output:
        """See click."""
        if isinstance(value, Output):
            return value
        try:
            return self._read(str(value))
        except (BadPath, OSError) as error:
            self.fail(f"{str(value)[:60]}: {error}", param, ctx)

    def _read(self, value: str) -> Output:
        form, equals, text = value.partition("=")
        if form.startswith(("go-template", "template")):
            raise BadPath("Go's templates are not understood; use jsonpath= or custom-columns=")
        if form.removesuffix("-file") in _WITH_TEXT and form.endswith("-file"):
            form, text = form.removesuffix("-file"), _of_file(text)
            text = text if form == "jsonpath" else _joined(text)
        if form == "custom-columns":
            return Output(form, columns=_read_columns(text))
        if form in _WITH_TEXT:
            if not text:
                raise BadPath(f"template format specified but no template given: write {form}='{{.metadata.name}}'")
            return Output(form, Template(text))
        if equals or form not in (*self._plain, ""):
            raise BadPath(f"unknown output, there are {', '.join((*self._plain, *(f'{one}=…' for one in _WITH_TEXT)))}")
        return Output(form)


def _of_file(name: str) -> str:
    with Path(name).open("rb") as file:
        raw = file.read(MAX_FILE + 1)
    if len(raw) > MAX_FILE:
        raise BadPath(f"{name} has more than {MAX_FILE} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BadPath(f"{name} is not UTF-8: {error.reason}") from None


def _joined(text: str) -> str:
    """A file of columns: a line of headings, a line of paths."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if len(lines) != 2 or len(lines[0]) != len(lines[1]):
        raise BadPath("write two lines, headings and paths, with as many of the ones as of the others")
    return ",".join(f"{name}:{path}" for name, path in zip(*lines, strict=True))


def _read_columns(text: str) -> tuple[tuple[str, Finder], ...]:
    if not text:
        raise BadPath("custom-columns format specified but no custom columns given")
    found = []
    for part in text.split(","):
        name, colon, path = part.partition(":")
        if not colon or not name:
            raise BadPath(f"unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>")
        found.append((name, Finder(path)))
    return tuple(found)
