"""What a JSONPath of kubectl's dialect finds in an object, and templates filled in with it. Pure and bounded."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from plumctl.jsonpath_parser import (
    BadPath,
    Field,
    Filter,
    Index,
    Literal,
    Node,
    Path,
    Recursive,
    Slice,
    Step,
    Union,
    Wildcard,
    parse,
)

__all__ = ["BadPath", "Finder", "Template", "as_text", "relaxed"]

MAX_VALUES = 1_000_000
"""Values that one evaluation may look at; so many characters of output count as one."""

CHARACTERS = 64

_RELAXED = re.compile(r"\{\.?([^{}]+)\}|\.?([^{}]+)")


def relaxed(text: str) -> str:
    """A path as people write it, ``spec.x``, ``.spec.x`` or ``{.spec.x}``, as a template. Raises BadPath."""
    found = _RELAXED.fullmatch(text)
    if found is None:
        raise BadPath(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'"
        )
    inner = found[1] or found[2]
    return f"{{{inner}}}" if inner[0] in "[@$" else f"{{.{inner}}}"


def as_text(value: Any) -> str:
    """A value as a template prints it: texts as they are, anything else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


class Template:
    """A template, checked, to be filled in many times. Raises BadPath when it cannot be read."""

    def __init__(self, text: str) -> None:
        self._nodes = parse(text)

    def render(self, body: Any) -> str:
        """The text for one object. Raises BadPath where the path does not fit, or finds too much."""
        return "".join(_Run().render(self._nodes, body))

    def json(self, body: Any) -> list[list[Any]]:
        """What is found, a list for each path (``-o jsonpath-as-json``). Raises BadPath."""
        run = _Run()
        return [run.find(node, body) for node in self._nodes if isinstance(node, Path)]


class Finder:
    """One path, relaxed or in braces, whose values are wanted rather than a text."""

    def __init__(self, text: str) -> None:
        nodes = parse(relaxed(text))
        if len(nodes) != 1 or not isinstance(nodes[0], Path):
            raise BadPath(f"{text!r}: write one path, for example {{.status.phase}}")
        self._path = nodes[0]

    def find(self, body: Any) -> list[Any]:
        """All that it finds; nothing where a member is missing. Raises BadPath."""
        return _Run().find(self._path, body)


class _Run:
    """One evaluation, which may look at so many values and no more."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def render(self, nodes: Iterable[Node], body: Any) -> Iterator[str]:
        for node in nodes:
            if isinstance(node, Literal):
                yield self._printed([node.value])
            elif isinstance(node, Path):
                yield self._printed(self.find(node, body))
            else:
                for item in self.find(node.path, body):
                    yield from self.render(node.body, item)

    def find(self, path: Path, body: Any) -> list[Any]:
        values = [body]
        for step in path.steps:
            values = [found for value in values for found in self._counted(self._step(step, value))]
        return values

    def _printed(self, values: Iterable[Any]) -> str:
        texts = []
        for value in values:
            texts.append(as_text(value))
            self._spend(1 + len(texts[-1]) // CHARACTERS)
        return " ".join(texts)

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise BadPath(f"the path finds too much: it looks at more than {MAX_VALUES} values")

    def _counted(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self._spend(1)
            yield value

    def _step(self, step: Step, value: Any) -> Iterable[Any]:
        match step:
            case Field(name):
                return [value[name]] if isinstance(value, dict) and name in value else []
            case Index() | Slice():
                return _items(step, value)
            case Wildcard():
                return _inside(value)
            case Recursive():
                return self._descendants(value)
            case Filter():
                return (item for item in _inside(value) if self._holds(step, item))
            case Union(steps):
                return (found for one in steps for found in self._step(one, value))

    def _descendants(self, value: Any) -> Iterator[Any]:
        left = [value]
        while left:
            found = left.pop()
            yield found
            left += reversed(_inside(found))

    def _holds(self, step: Filter, item: Any) -> bool:
        self._spend(1)
        left = self._operand(step.left, item)
        if not step.operator:
            return bool(left)
        right = self._operand(step.right, item)
        if len(left) > 1 or len(right) > 1:
            raise BadPath("can only compare one element at a time")
        return bool(left and right) and _compare(left[0], step.operator, right[0])

    def _operand(self, operand: Path | Literal, item: Any) -> list[Any]:
        return [operand.value] if isinstance(operand, Literal) else self.find(operand, item)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    return value if isinstance(value, list) else []


def _items(step: Index | Slice, value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadPath(f"{as_text(value)[:40]} is not a list")
    if isinstance(step, Slice):
        return value[step.start : step.stop : step.step]
    if not -len(value) <= step.at < len(value):
        raise BadPath(f"array index out of bounds: index {step.at}, length {len(value)}")
    return [value[step.at]]


def _compare(left: Any, operator: str, right: Any) -> bool:
    if _sort_of(left) != _sort_of(right):
        return operator == "!="
    match operator:
        case "==":
            return bool(left == right)
        case "!=":
            return bool(left != right)
        case _ if not isinstance(left, str | int | float):
            return False
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case _:
            return bool(left >= right)


def _sort_of(value: Any) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)
