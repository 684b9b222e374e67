"""What a change changed, for people: paths such as ``spec.entries[main].startCmd`` with the values before and after.

Structs and maps are compared by key, list maps by their items' keys, sets by their members; an item that comes
or goes is one path, and so is any other list. What the server counts and notes for itself is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from apiserver.api.machinery.fieldsets import ABSENT, below, items_by_key, member_key
from apiserver.api.meta import Body
from apiserver.api.schema import Schema

MAX_PATHS = 100
"""Paths that are told of one change."""

MAX_VALUE = 200
"""Characters of a value that are told, in JSON unless it is a text; also of a path."""

UNTOLD: Mapping[str, frozenset[str]] = {
    "": frozenset({"apiVersion", "kind"}),
    "metadata": frozenset(
        {
            "name",
            "namespace",
            "uid",
            "generateName",
            "selfLink",
            "creationTimestamp",
            "resourceVersion",
            "generation",
            "deletionGracePeriodSeconds",
            "managedFields",
        }
    ),
}
"""What is left out, by the path above it: identity, which does not change, and the server's book-keeping."""

_ATOMIC = Schema("any")
_NO_FIELDS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Difference:
    """One path, and its value before and after; ABSENT where there was, or is, none."""

    path: str
    before: Any
    after: Any

    def to_body(self) -> Body:
        """The wire form: long values cut, ``from`` and ``to`` left out where there is none."""
        body: Body = {"path": _cut(self.path)}
        for name, value in (("from", self.before), ("to", self.after)):
            if value is not ABSENT:
                body[name] = shown(value)
        return body


@dataclass(frozen=True, slots=True)
class Differences:
    """The first paths in the order of the objects, and how many there are beyond them."""

    told: Sequence[Difference]
    omitted: int = 0


def differences(schema: Schema, old: Body, new: Body) -> Differences:
    """What distinguishes two states of an object; nothing where they are equal but for what is left out.

    Pure; the arguments stay as they are. At most ``MAX_PATHS`` paths are told.
    """
    found = _walk(schema, old, new, "")
    told = tuple(islice(found, MAX_PATHS))
    return Differences(told, sum(1 for _ in found))


def shown(value: Any) -> Any:
    """The value, or where it is long the beginning of its text and how long that is."""
    if isinstance(value, str):
        return _cut(value)
    if not isinstance(value, dict | list):
        return value
    text = orjson.dumps(value).decode()
    return value if len(text) <= MAX_VALUE else _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}… ({len(text)} characters)"


def _walk(schema: Schema, old: Any, new: Any, path: str) -> Iterator[Difference]:
    one, other = _opened(old, new), _opened(new, old)
    if isinstance(one, dict) and isinstance(other, dict):
        yield from _by_key(schema, one, other, path)
        return
    if isinstance(one, list) and isinstance(other, list):
        had, has = _items(schema, one), _items(schema, other)
        if had is not None and has is not None:
            yield from _by_item(schema, had, has, path)
            return
    if not _same(old, new):
        yield Difference(path, old, new)


def _opened(value: Any, beside: Any) -> Any:
    """What is not there is an empty container beside one that holds something, so that its contents are told."""
    return type(beside)() if value is ABSENT and isinstance(beside, dict | list) and beside else value


def _by_key(schema: Schema, old: Body, new: Body, path: str) -> Iterator[Difference]:
    untold = UNTOLD.get(path, _NO_FIELDS)
    for key in dict.fromkeys((*new, *old)):
        if key not in untold:
            yield from _walk(below(schema, key), old.get(key, ABSENT), new.get(key, ABSENT), _inside(path, key))


def _by_item(schema: Schema, old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[Difference]:
    for key in dict.fromkeys((*new, *old)):
        inner, before, after = f"{path}[{key}]", old.get(key, ABSENT), new.get(key, ABSENT)
        if before is ABSENT or after is ABSENT:
            yield Difference(inner, before, after)
        else:
            yield from _walk(schema.items or _ATOMIC, before, after, inner)
    stayed = [[key for key in one if key in other] for one, other in ((old, new), (new, old))]
    if stayed[0] != stayed[1]:
        yield Difference(path, *stayed)


def _items(schema: Schema, items: Sequence[Any]) -> dict[str, Any] | None:
    """The items by what stands in the brackets of their paths; None where the list is one value."""
    if schema.is_set:
        members = {_plain(member_key(item)[2:]): item for item in items}
        return members if len(members) == len(items) else None
    keyed = items_by_key(schema, items)
    if keyed is None:
        return None
    named = {_name_of(key): item for key, item in keyed.items()}
    return named if len(named) == len(keyed) else None


def _name_of(key: str) -> str:
    """``main``, or ``name=main,port=80`` where several keys tell the items apart."""
    keys = {name: _plain(orjson.dumps(value).decode()) for name, value in orjson.loads(key[2:]).items()}
    return next(iter(keys.values())) if len(keys) == 1 else ",".join(f"{name}={value}" for name, value in keys.items())


def _plain(text: str) -> str:
    """A scalar of JSON as it stands in brackets: a text without quotes if nothing in it could be misread."""
    inner = text[1:-1]
    return inner if text.startswith('"') and inner and not any(char in inner for char in '"\\[],=') else text


def _inside(path: str, key: str) -> str:
    if not path:
        return key
    is_word = key.replace("-", "_").isidentifier()
    return f"{path}.{key}" if is_word else f"{path}[{key}]"


def _same(old: Any, new: Any) -> bool:
    """Equal in JSON: Python takes True for 1, and 1 for 1.0."""
    if old is ABSENT or new is ABSENT:
        return old is new
    options = orjson.OPT_SORT_KEYS
    return old == new and orjson.dumps(old, option=options) == orjson.dumps(new, option=options)
