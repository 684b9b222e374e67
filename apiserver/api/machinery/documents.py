"""Bytes to objects: JSON, with duplicate keys found and bounded against hostile documents.

``yaml_documents`` does the same for YAML.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from apiserver.api.errors import BadRequest
from apiserver.api.meta import Body

MAX_BYTES = 3 * 1024 * 1024
"""The largest document, of a request or a file; also the most text that YAML aliases may expand to."""

MAX_DEPTH = 64
"""How deep objects and lists may nest."""

MAX_DUPLICATES = 100
"""How many duplicate keys are named; a document has none or few."""

_LONGEST_PATH = 500


@dataclass(frozen=True)
class Document:
    """One object as read. ``duplicates`` are the dotted paths of keys given twice, the first hundred of them;
    ``line`` counts from 1."""

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
    marked = _Pairs(made)
    marked.twice = tuple(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
    return marked


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def read_json(raw: bytes) -> Document:
    """Read an object. Raises BadRequest that says where it cannot be read."""
    plain = _read_plain(raw)
    if isinstance(plain, dict):
        return Document(plain)
    value = read_json_value(raw)
    if not isinstance(value, dict):
        raise BadRequest("the body must be a JSON object")
    return Document(value, tuple(islice(_duplicates(value, ()), MAX_DUPLICATES)))


def read_json_value(raw: bytes) -> Any:
    """Read any JSON value. Raises BadRequest; also for what no store should hold: nesting deeper than
    64, integers past 64 bit, NaN, lone surrogates."""
    if len(raw) > MAX_BYTES:
        raise BadRequest(f"the document is over the limit of {MAX_BYTES} bytes")
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_no_constant)
        check_value(value)
    except RecursionError:
        raise BadRequest(f"the body is nested deeper than {MAX_DEPTH}") from None
    except json.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8 at byte {error.start}") from None
    except ValueError as error:
        raise BadRequest(f"the body is not acceptable JSON: {error}") from None
    return value


def _read_plain(raw: bytes) -> Any:
    """What nearly all documents are, in a third of the time: plain JSON without faults or duplicate keys. None
    where there is any doubt.

    A key that came twice is dropped by the parser, and with it a colon: those in the text, one a key and
    whatever is in texts, are then more than those in the value. Escapes by number could hide some.
    """
    if len(raw) > MAX_BYTES or b"\\u" in raw:
        return None
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    colons, level = raw.count(b":"), [value]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                colons -= item.count(":")
            elif isinstance(item, dict):
                colons -= len(item) + sum(key.count(":") for key in item if ":" in key)
                below += item.values()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, float) or (item is not None and not -(2**63) <= item < 2**63):
                return None
        if not below:
            return value if colons == 0 else None
        level = below
    return None


def check_value(value: Any) -> None:
    """Raise ValueError where a decoded value is what no store should hold (see ``read_json_value``)."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                for key in item:
                    _check_text(key)
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            else:
                _check_scalar(item)
        if not below:
            return
        level = below
    if any(isinstance(item, dict | list) for item in level):
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    for item in level:
        _check_scalar(item)


def _check_scalar(value: Any) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a number is too large")
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("an integer does not fit 64 bits")


def _check_text(text: str) -> None:
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("a text has a lone surrogate")


Steps = tuple[str | int, ...]
"""A place as keys and indexes. It becomes a text only where it is told: keys are as long as a client likes."""


def _duplicates(value: Any, steps: Steps) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value, _Pairs):
            yield from (dotted_path((*steps, key)) for key in value.twice)
        for key, item in value.items():
            if isinstance(item, dict | list):
                yield from _duplicates(item, (*steps, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict | list):
                yield from _duplicates(item, (*steps, index))


def dotted_path(steps: Iterable[str | int]) -> str:
    """``spec.entries[0].name``, cut where it is too long to show."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step[:_LONGEST_PATH]}" for step in steps)
    return text.removeprefix(".")[:_LONGEST_PATH]
