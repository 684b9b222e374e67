"""kubectl's dialect of JSONPath: a template with ``{…}`` in it, read into nodes. Pure.

The dialect is not RFC 9535: there are ``{range …}{end}``, texts between the braces, ``\\.`` in names, and ``$`` is the
present object, as ``@`` is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

MAX_TEMPLATE = 64 * 1024
"""Characters of a template."""

MAX_DEPTH = 16
"""How deep ranges, filters and unions may nest, each in the other."""

_SLICE = re.compile(r"(-?\d{0,9})(:-?\d{0,9})?(:-?\d{0,9})?")
_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?")
_OPERATOR = re.compile(r"==|!=|<=|>=|<|>")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_END_OF_NAME = frozenset(".,[]$@{} \n\t\r")


class BadPath(ValueError):
    """What is wrong with a path or a template."""


@dataclass(frozen=True)
class Literal:
    """A value that is written down, printed as it is."""

    value: str | int | float | bool


@dataclass(frozen=True)
class Field:
    """A member of an object."""

    name: str


@dataclass(frozen=True)
class Index:
    """One item of a list; negative ones count from its end."""

    at: int


@dataclass(frozen=True)
class Slice:
    """Some items of a list."""

    start: int | None = None
    stop: int | None = None
    step: int | None = None


@dataclass(frozen=True)
class Wildcard:
    """All items of a list, or all values of an object."""


@dataclass(frozen=True)
class Recursive:
    """A value and all that is in it, however deep."""


@dataclass(frozen=True)
class Filter:
    """The items for which the comparison holds; without an operator, for which ``left`` finds something."""

    left: "Path | Literal"
    operator: str = ""
    right: "Path | Literal" = Literal(True)


@dataclass(frozen=True)
class Union:
    """What each of several steps finds, one after the other."""

    steps: tuple["Step", ...]


Step = Field | Index | Slice | Wildcard | Recursive | Filter | Union


@dataclass(frozen=True)
class Path:
    """Steps from the present object on."""

    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Range:
    """A template for each of the values that a path finds."""

    path: Path
    body: tuple["Node", ...]


Node = Literal | Path | Range


def parse(template: str) -> tuple[Node, ...]:
    """Read a template. Raises BadPath."""
    if len(template) > MAX_TEMPLATE:
        raise BadPath(f"the template has {len(template)} characters, at most {MAX_TEMPLATE} are read")
    pieces = _pieces(template)
    nodes = tuple(_nodes(pieces, 0))
    if next(pieces, None) is not None:
        raise BadPath("{end} without {range …}")
    return nodes


Piece = tuple[bool, str]
"""Whether it stood in braces, and the text."""


def _pieces(template: str) -> Iterator[Piece]:
    at = 0
    while at < len(template):
        opened = template.find("{", at)
        if opened != at:
            stop = len(template) if opened < 0 else opened
            yield False, template[at:stop]
            at = stop
            continue
        stop = _closing(template, opened + 1, "{}")
        if stop < 0:
            raise BadPath(f"unclosed action: {template[opened : opened + 40]!r} has no '}}'")
        yield True, _trimmed(template[opened + 1 : stop])
        at = stop + 1


def _trimmed(text: str) -> str:
    """The text without the blanks at its ends, but for one that a backslash makes part of a name."""
    bare = text.strip()
    escapes = len(bare) - len(bare.rstrip("\\"))
    return bare + text.lstrip()[len(bare) : len(bare) + 1] if escapes % 2 else bare


def _closing(text: str, at: int, pair: str) -> int:
    """Where the bracket that was opened before ``at`` is closed, quoted texts left out; -1 if it is not."""
    depth = 1
    while at < len(text):
        char = text[at]
        if char in "'\"":
            quoted = _QUOTED.match(text, at)
            if quoted is None:
                return -1
            at = quoted.end()
            continue
        depth += (char == pair[0]) - (char == pair[1])
        if depth == 0:
            return at
        at += 2 if char == "\\" else 1
    return -1


def _nodes(pieces: Iterator[Piece], depth: int) -> Iterator[Node]:
    """The nodes up to ``{end}``, or to the end of the template."""
    if depth > MAX_DEPTH:
        raise BadPath(f"ranges are nested deeper than {MAX_DEPTH}")
    for in_braces, text in pieces:
        if not in_braces:
            yield Literal(text)
        elif text == "end":
            if depth == 0:
                raise BadPath("{end} without {range …}")
            return
        elif re.match(r"range\b", text):
            path = _operand(_trimmed(text[len("range") :]), depth)
            if not isinstance(path, Path):
                raise BadPath(f"range needs a path, not {text!r}")
            yield Range(path, tuple(_nodes(pieces, depth + 1)))
        else:
            yield _operand(text, depth)
    if depth:
        raise BadPath("unclosed {range …}: it needs an {end}")


def _operand(text: str, depth: int) -> Path | Literal:
    """What stands in braces or beside an operator: a path, or a literal."""
    if depth > MAX_DEPTH:
        raise BadPath(f"filters and unions are nested deeper than {MAX_DEPTH}")
    if _QUOTED.fullmatch(text):
        return Literal(_unquoted(text))
    if _NUMBER.fullmatch(text):
        return Literal(float(text) if "." in text else int(text))
    if text in ("true", "false"):
        return Literal(text == "true")
    if text and text[0] not in ".[$@":
        raise BadPath(f"unrecognized identifier {text[:40]!r}: a path starts with '.', '[', '@' or '$'")
    return Path(tuple(_steps(text, depth)))


def _unquoted(text: str) -> str:
    inner = text[1:-1]
    if text[0] == "'":
        inner = inner.replace("\\'", "'").replace('"', '\\"')
    try:
        return str(orjson.loads(f'"{inner}"'.replace("\n", "\\n").replace("\t", "\\t")))
    except orjson.JSONDecodeError:
        raise BadPath(f'{text[:40]}: an unknown escape; write \\n, \\t, \\\\ or \\"') from None


def _steps(text: str, depth: int) -> Iterator[Step]:
    at = 0
    while at < len(text):
        if text[at] in "$@":
            at += 1
        elif text.startswith("..", at):
            yield Recursive()
            # ``..name`` finds the members of that name; ``..[…]`` goes on with the bracket.
            at += 2 if text.startswith("[", at + 2) else 1
        elif text[at] == ".":
            name, at = _name(text, at + 1)
            if name:
                yield Wildcard() if name == "*" else Field(name)
        elif text[at] == "[":
            stop = _closing(text, at + 1, "[]")
            if stop < 0:
                raise BadPath(f"unterminated array: {text[at : at + 40]!r} has no ']'")
            yield _bracket(_trimmed(text[at + 1 : stop]), depth)
            at = stop + 1
        else:
            raise BadPath(f"unrecognized character {text[at]!r} in {text[:40]!r}")


def _name(text: str, at: int) -> tuple[str, int]:
    """A member's name, in which ``\\`` makes the next character part of it, and where it ends."""
    found = []
    while at < len(text) and text[at] not in _END_OF_NAME:
        at += text[at] == "\\" and at + 1 < len(text)
        found.append(text[at])
        at += 1
    return "".join(found), at


def _bracket(text: str, depth: int) -> Step:
    if text == "*":
        return Wildcard()
    if text.startswith("?(") and text.endswith(")"):
        return _filter(_trimmed(text[2:-1]), depth + 1)
    parts = _split(text)
    if len(parts) > 1:
        if depth >= MAX_DEPTH:
            raise BadPath(f"filters and unions are nested deeper than {MAX_DEPTH}")
        return Union(tuple(_bracket(_trimmed(part), depth + 1) for part in parts))
    if _QUOTED.fullmatch(text):
        return Field(_unquoted(text))
    found = _SLICE.fullmatch(text)
    if found is None or not text:
        raise BadPath(f"invalid array index {text[:40]}: write a number, a slice, 'name', * or ?(@.name==value)")
    if found[2] is None:
        return Index(int(text)) if text != "-" else _no_index(text)
    numbers = [part.removeprefix(":") if part else "" for part in found.groups()]
    start, stop, step = (int(number) if number not in ("", "-") else None for number in numbers)
    if step is not None and step <= 0:
        raise BadPath(f"[{text}]: the step must be greater than 0")
    return Slice(start, stop, step)


def _no_index(text: str) -> Any:
    raise BadPath(f"invalid array index {text}")


def _split(text: str) -> list[str]:
    """The parts between commas that are not in quotes."""
    parts, at, begun = [], 0, 0
    while at < len(text):
        quoted = _QUOTED.match(text, at)
        if quoted is None and text[at] == ",":
            parts.append(text[begun:at])
            begun = at + 1
        at = quoted.end() if quoted else at + 1
    return [*parts, text[begun:]]


def _filter(text: str, depth: int) -> Filter:
    at = 0
    while at < len(text):
        if quoted := _QUOTED.match(text, at):
            at = quoted.end()
        elif text[at] == "[":
            at = max(at + 1, _closing(text, at + 1, "[]"))
        elif operator := _OPERATOR.match(text, at):
            left, right = _trimmed(text[:at]), _trimmed(text[operator.end() :])
            return Filter(_operand(left, depth), operator[0], _operand(right, depth))
        else:
            at += 1
    return Filter(_operand(text, depth))
