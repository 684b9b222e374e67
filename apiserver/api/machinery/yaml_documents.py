"""Bytes to objects: YAML, with duplicate keys found and bounded against hostile documents.

Values are built from the parser's events rather than composed: the composer recurses in C, where a hundred
kilobytes of ``[`` overflow the stack and end the process.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from apiserver.api.errors import BadRequest
from apiserver.api.machinery.documents import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_DUPLICATES,
    Document,
    check_value,
    dotted_path,
    read_json,
)

MAX_NODES = 100_000
"""Values of a YAML stream after its aliases are expanded."""

_LONGEST_NUMBER = 400
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
            self._duplicates.append(dotted_path(frame.step for frame in self._frames))

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
