"""Bytes to objects: JSON and YAML, with duplicate keys found and bounded against hostile documents."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from apiserver.api.errors import BadRequest
from apiserver.api.meta import Body

MAX_BYTES = 3 * 1024 * 1024
"""The largest document, of a request or a file."""

MAX_DEPTH = 64
MAX_NODES = 100_000
"""Nodes of a YAML document after its aliases are expanded."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """One object as read. ``duplicates`` are the dotted paths of keys given twice; ``line`` counts from 1."""

    body: Body
    duplicates: tuple[str, ...] = ()
    line: int = 1


class _Pairs(dict[str, Any]):
    """A JSON object that remembers which of its keys came twice."""

    twice: tuple[str, ...] = ()


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    keys = [key for key, _ in pairs]
    marked = _Pairs(made)
    marked.twice = tuple(dict.fromkeys(key for key in keys if keys.count(key) > 1))
    return marked


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def read_json(raw: bytes) -> Document:
    """Read an object. Raises BadRequest that says where it cannot be read."""
    value = read_json_value(raw)
    if not isinstance(value, dict):
        raise BadRequest("the body must be a JSON object")
    return Document(value, tuple(_duplicates(value, "")))


def read_json_value(raw: bytes) -> Any:
    """Read any JSON value. Raises BadRequest; also for what no store should hold: nesting deeper than
    64, integers past 64 bit, NaN, lone surrogates."""
    if len(raw) > MAX_BYTES:
        raise BadRequest(f"the document is over the limit of {MAX_BYTES} bytes")
    try:
        text = raw.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_constant)
        _check_value(value, 0)
    except RecursionError:
        raise BadRequest(f"the body is nested deeper than {MAX_DEPTH}") from None
    except json.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8 at byte {error.start}") from None
    except ValueError as error:
        raise BadRequest(f"the body is not acceptable JSON: {error}") from None
    return value


def _check_value(value: Any, depth: int) -> None:
    if isinstance(value, dict):
        if depth >= MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH}")
        for key, item in value.items():
            _check_text(key)
            _check_value(item, depth + 1)
    elif isinstance(value, list):
        if depth >= MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH}")
        for item in value:
            _check_value(item, depth + 1)
    elif isinstance(value, str):
        _check_text(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number is too large")
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("an integer does not fit 64 bits")


def _check_text(text: str) -> None:
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("a text has a lone surrogate")


def _duplicates(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value, _Pairs):
            yield from (f"{path}.{key}".lstrip(".") for key in value.twice)
        for key, item in value.items():
            if isinstance(item, dict | list):
                yield from _duplicates(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _duplicates(item, f"{path}[{index}]")


def read_yaml(raw: bytes | str, *, source: str = "") -> list[Document]:
    """Read all documents of a YAML stream, empty ones left out; JSON is YAML too.

    Aliases and merge keys work within the bound on nodes; no tag constructs anything, and timestamps stay
    texts. Raises BadRequest that names ``source``, the document and the line.
    """
    where = f"{source}: " if source else ""
    if len(raw) > MAX_BYTES:
        raise BadRequest(f"{where}the document is over the limit of {MAX_BYTES} bytes")
    found: list[Document] = []
    number = 0
    try:
        for node in yaml.compose_all(raw, Loader=_Loader):
            number += 1
            document = _Reader().document(node)
            if document is not None:
                found.append(document)
    except _Refused as error:
        raise BadRequest(f"{where}document {number}, line {error.line}: {error}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise BadRequest(f"{where}document {number + 1}{line}: not YAML: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadRequest(f"{where}not YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise BadRequest(f"{where}document {number + 1}: nested deeper than {MAX_DEPTH}") from None
    return found


class _Refused(Exception):
    """What YAML allows and we do not."""

    def __init__(self, message: str, node: yaml.Node) -> None:
        super().__init__(message)
        self.line = node.start_mark.line + 1


_CONTAINERS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class _Reader:
    """One walk over a composed document."""

    def __init__(self) -> None:
        self._nodes = 0
        self._duplicates: list[str] = []
        self._scalars = yaml.SafeLoader("")

    def document(self, node: yaml.Node) -> Document | None:
        """The object, or None where the document is empty."""
        value = self._value(node, "", 0)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise _Refused("a document must be a mapping (apiVersion, kind, metadata, spec)", node)
        return Document(value, tuple(self._duplicates), node.start_mark.line + 1)

    def _value(self, node: yaml.Node, path: str, depth: int) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _Refused(f"more than {MAX_NODES} values once its aliases are expanded", node)
        if depth > MAX_DEPTH:
            raise _Refused(f"nested deeper than {MAX_DEPTH}, or an alias contains itself", node)
        if isinstance(node, yaml.CollectionNode) and node.tag not in _CONTAINERS:
            raise _Refused(f"the tag {node.tag} is not supported", node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: str, depth: int) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                sources = value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                for source in sources:
                    if not isinstance(source, yaml.MappingNode):
                        raise _Refused("<< must merge a mapping", source)
                    merged = self._value(source, path, depth + 1) | merged
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise _Refused("a key must be a text", key_node)
            key = str(key_node.value)
            inner = f"{path}.{key}".lstrip(".")
            if key in own:
                self._duplicates.append(inner)
            own[key] = self._value(value_node, inner, depth + 1)
        return merged | own

    def _scalar(self, node: yaml.Node) -> Any:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        text = str(node.value)
        if kind in ("str", "timestamp", "value"):
            return text
        if kind == "null":
            return None
        if kind not in ("bool", "int", "float"):
            raise _Refused(f"the tag {node.tag} is not supported", node)
        try:
            value = self._scalars.construct_object(node)
            _check_value(value, 0)
        except (ValueError, OverflowError, yaml.YAMLError) as error:
            raise _Refused(f"{text[:40]!r}: {error}", node) from None
        return value
