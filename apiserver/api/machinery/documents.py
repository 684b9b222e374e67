"""Bytes to objects: JSON and YAML, with duplicate keys found and bounded against hostile documents.

YAML is built from the parser's events rather than composed: the composer recurses in C, where a hundred
kilobytes of ``[`` overflow the stack and end the process.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import yaml

from apiserver.api.errors import BadRequest
from apiserver.api.meta import Body

MAX_BYTES = 3 * 1024 * 1024
"""The largest document, of a request or a file; also the most text that YAML aliases may expand to."""

MAX_DEPTH = 64
"""How deep objects and lists may nest."""

MAX_NODES = 100_000
"""Values of a YAML stream after its aliases are expanded."""

MAX_DUPLICATES = 100
"""How many duplicate keys are named; a document has none or few."""

_LONGEST_NUMBER = 400
_LONGEST_PATH = 500
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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


_Steps = tuple[str | int, ...]
"""A place as keys and indexes. It becomes a text only where it is told: keys are as long as a client likes."""


def _duplicates(value: Any, steps: _Steps) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value, _Pairs):
            yield from (_dotted((*steps, key)) for key in value.twice)
        for key, item in value.items():
            if isinstance(item, dict | list):
                yield from _duplicates(item, (*steps, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict | list):
                yield from _duplicates(item, (*steps, index))


def _dotted(steps: Iterable[str | int]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step[:_LONGEST_PATH]}" for step in steps)
    return text.removeprefix(".")[:_LONGEST_PATH]


def read_yaml(raw: bytes | str, *, source: str = "") -> list[Document]:
    """Read all documents of a YAML stream in order, empty ones left out; JSON is YAML too.

    Scalars follow YAML 1.1 as kubectl reads it: ``yes`` is true, but ``22:22`` stays a text, and so do
    timestamps. Aliases and merge keys work within bounds, and no tag constructs anything. Raises BadRequest
    that names ``source``, the document and the line.
    """
    where = f"{source}: " if source else ""
    if len(raw) > MAX_BYTES:
        raise BadRequest(f"{where}the document is over the limit of {MAX_BYTES} bytes")
    if found := _as_json(raw):
        return [found]
    builder = _Builder()
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8-sig")
        return list(builder.documents(yaml.parse(text, Loader=_Loader)))
    except _Refused as error:
        raise BadRequest(f"{where}document {builder.number}, line {error.line}: {error}") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BadRequest(f"{where}document {max(1, builder.number)}{line}: not YAML: {error.problem}") from None
    except UnicodeError as error:
        raise BadRequest(f"{where}not UTF-8: {error}") from None
    except yaml.YAMLError as error:
        raise BadRequest(f"{where}not YAML: {str(error).splitlines()[0]}") from None


def _as_json(raw: bytes | str) -> Document | None:
    """The object where the stream is plain JSON, as clients send it: read in a fifth of the time."""
    try:
        data = raw.encode() if isinstance(raw, str) else raw
        return read_json(data) if data.startswith(b"{") else None
    except (BadRequest, UnicodeEncodeError):
        return None  # the YAML reader says what is wrong, with document and line


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


class _Refused(Exception):
    """What YAML allows and we do not."""

    def __init__(self, message: str, event: yaml.Event) -> None:
        super().__init__(message)
        self.line = _line(event)


class _Anchored(NamedTuple):
    """A complete value that aliases may repeat, and what repeating it costs."""

    value: Any
    nodes: int
    characters: int
    height: int


@dataclass
class _Frame:
    """A mapping or a sequence that is being read."""

    event: yaml.CollectionStartEvent
    value: dict[str, Any] | list[Any]
    nodes: int
    characters: int
    height: int = 1
    key: str | None = None
    merges: bool = False
    """Whether the value to come is that of a merge key."""
    merged: list[dict[str, Any]] = field(default_factory=list)

    @property
    def step(self) -> str | int:
        """Where in it the parser is."""
        return len(self.value) if isinstance(self.value, list) else self.key or ""


_TAG = "tag:yaml.org,2002:"
_RESOLVER: Any = yaml.resolver.Resolver()
_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_CONSTRUCT = {
    "bool": _CONSTRUCTOR.construct_yaml_bool,
    "int": _CONSTRUCTOR.construct_yaml_int,
    "float": _CONSTRUCTOR.construct_yaml_float,
}


class _Builder:
    """Builds values from events without recursion, and stops at the first that crosses a bound."""

    def __init__(self) -> None:
        self.number = 0
        """The document that is being read, from 1."""
        self._nodes = 0
        self._characters = 0
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._duplicates: list[str] = []
        self._root: Any = None

    def documents(self, events: Iterator[yaml.Event]) -> Iterator[Document]:
        """The objects of a stream."""
        line = 1
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self.number += 1
                self._anchors, self._duplicates, self._root = {}, [], None
            elif isinstance(event, yaml.NodeEvent):
                if not self._frames:
                    line = _line(event)
                self._node(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
            elif isinstance(event, yaml.DocumentEndEvent) and self._root is not None:
                yield Document(self._root, tuple(self._duplicates), line)

    def _node(self, event: yaml.NodeEvent) -> None:
        frame = self._frames[-1] if self._frames else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is None and not frame.merges:
            self._key(frame, event)
            return
        self._spend(1, len(event.value) if isinstance(event, yaml.ScalarEvent) else 0, event)
        if isinstance(event, yaml.ScalarEvent):
            self._complete(event, _Anchored(_scalar(event), 1, len(event.value), 0))
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)

    def _spend(self, nodes: int, characters: int, event: yaml.Event) -> None:
        self._nodes += nodes
        self._characters += characters
        if self._nodes > MAX_NODES:
            raise _Refused(f"more than {MAX_NODES} values once its aliases are expanded", event)
        if self._characters > MAX_BYTES:
            raise _Refused(f"more than {MAX_BYTES} characters once its aliases are expanded", event)

    def _key(self, frame: _Frame, event: yaml.NodeEvent) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise _Refused("a key must be a text", event)
        kind = _kind(event)
        if kind == "merge":
            frame.merges = True
            return
        if kind not in _KINDS:
            raise _Refused(f"the tag {event.tag} is not supported", event)
        frame.key = event.value
        if event.value in frame.value and len(self._duplicates) < MAX_DUPLICATES:
            self._duplicates.append(_dotted(frame.step for frame in self._frames))

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", f"{_TAG}{'map' if is_mapping else 'seq'}"):
            raise _Refused(f"the tag {event.tag} is not supported", event)
        if len(self._frames) >= MAX_DEPTH:
            raise _Refused(f"nested deeper than {MAX_DEPTH}", event)
        self._anchors.pop(event.anchor or "", None)
        self._frames.append(_Frame(event, {} if is_mapping else [], self._nodes - 1, self._characters))

    def _end(self) -> None:
        frame = self._frames.pop()
        value = frame.value
        if isinstance(value, dict):
            for key, item in (pair for source in frame.merged for pair in source.items()):
                value.setdefault(key, item)
        made = _Anchored(value, self._nodes - frame.nodes, self._characters - frame.characters, frame.height)
        self._complete(frame.event, made)

    def _alias(self, event: yaml.AliasEvent) -> None:
        if any(frame.event.anchor == event.anchor for frame in self._frames):
            raise _Refused("an alias contains itself", event)
        found = self._anchors.get(event.anchor or "")
        if found is None:
            raise _Refused(f"undefined alias *{event.anchor}", event)
        if len(self._frames) + found.height > MAX_DEPTH:
            raise _Refused(f"nested deeper than {MAX_DEPTH}", event)
        self._spend(found.nodes, found.characters, event)
        self._complete(event, found._replace(value=_copied(found.value)))

    def _complete(self, event: yaml.NodeEvent, made: _Anchored) -> None:
        """Put a value where it belongs."""
        if event.anchor and not isinstance(event, yaml.AliasEvent):
            self._anchors[event.anchor] = made
        if not self._frames:
            if made.value is not None and not isinstance(made.value, dict):
                raise _Refused("a document must be a mapping (apiVersion, kind, metadata, spec)", event)
            self._root = made.value
            return
        frame = self._frames[-1]
        frame.height = max(frame.height, made.height + 1)
        if isinstance(frame.value, list):
            frame.value.append(made.value)
        elif frame.key is not None:
            frame.value[frame.key] = made.value
            frame.key = None
        else:
            frame.merged += _sources(made.value, event)
            frame.merges = False


def _sources(value: Any, event: yaml.Event) -> list[dict[str, Any]]:
    sources = value if isinstance(value, list) else [value]
    if not all(isinstance(source, dict) for source in sources):
        raise _Refused("<< must merge a mapping, or a list of mappings", event)
    return sources


def _copied(value: Any) -> Any:
    """A copy of an alias's target, so that no two places of an object are one in memory."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


_KINDS = frozenset({"str", "timestamp", "value", "null", *_CONSTRUCT})


def _kind(event: yaml.ScalarEvent) -> str:
    """What a scalar is, by its tag or its looks: ``str``, ``int``, … or, of no known kind, the whole tag."""
    tag = f"{_TAG}str" if event.tag == "!" else event.tag
    tag = tag or _RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit)
    return str(tag).removeprefix(_TAG)


def _scalar(event: yaml.ScalarEvent) -> Any:
    kind, text = _kind(event), str(event.value)
    # kubectl's parser has no numbers to the base 60; a port mapping must not become one.
    if kind in ("str", "timestamp", "value", "merge") or (kind in ("int", "float") and ":" in text):
        return text
    if kind == "null":
        return None
    if kind not in _CONSTRUCT:
        raise _Refused(f"the tag {event.tag} is not supported", event)
    try:
        if len(text) > _LONGEST_NUMBER:
            raise ValueError("a number is too large")
        value = _CONSTRUCT[kind](yaml.ScalarNode(f"{_TAG}{kind}", text))
        check_value(value)
    except LookupError:  # how the constructor says that an explicit tag does not fit
        raise _Refused(f"{text[:40]!r} is no {kind}", event) from None
    except (ValueError, OverflowError) as error:
        raise _Refused(f"{text[:40]!r}: {error}", event) from None
    return value
