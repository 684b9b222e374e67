"""Sets of field paths, and their ``FieldsV1`` form (Kubernetes' managedFields).

A path is a tuple of FieldsV1 keys: ``f:spec``, ``k:{"name":"main"}`` for an item of a list map, ``v:"x"`` for
a member of a set. An item of a list map also has the leaf ``.``: the item itself.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import orjson

from apiserver.api.machinery.documents import MAX_DEPTH
from apiserver.api.meta import Body
from apiserver.api.schema import INT_OR_STRING, UNKNOWN, Schema

Path = tuple[str, ...]
FieldSet = frozenset[Path]
Leaves = dict[Path, Any]

ABSENT = object()
"""What is not there; None is a value of JSON."""

ITSELF = "."
UNOWNED = frozenset(
    ("f:metadata", f"f:{name}")
    for name in (
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "generateName",
        "selfLink",
    )
) | {("f:apiVersion",), ("f:kind",), ("f:metadata",)}
"""What no manager owns: identity, and what the server decides."""

MAX_STEPS = 1_000_000
"""The keys of all paths of one tree together: a small tree can be deep, and a deep one has long paths."""

_FEW = 1024
"""Paths, or bytes, up to which a conversion is remembered: hardly an object has more, and what has is not shared."""

_SHORT = 256
"""Characters of a key up to which its spelling is remembered."""

_CHARACTERS = 64 * 1024
"""Characters of all paths of a set up to which its nested form is."""

_CONTAINERS = (dict, list)
_LONGEST_NUMBER = 19
_UNKEYED = (dict, list, type(None))
"""What tells no item of a list from another."""


def leaves(schema: Schema, body: Body) -> Leaves:
    """The leaves that managers can own, with their values.

    Structs and maps are granular, also those that the schema does not know; lists are one leaf, unless the schema
    says how their items are told apart. What it calls atomic is one leaf. An item of a list map itself has the value
    ``{}``, an atomic one all of it. Empty containers are leaves.
    """
    found: Leaves = {}
    for key, value in body.items():
        _walk(schema.fields.get(key, UNKNOWN), value, (f"f:{key}",), found)
    for path in UNOWNED:
        found.pop(path, None)
    return found


def _walk(schema: Schema, value: Any, path: Path, found: Leaves) -> None:
    if not value or not isinstance(value, _CONTAINERS) or schema.atomic:
        found[path] = value
    elif isinstance(value, dict) and schema.granular:
        for key, item in value.items():
            inner = (*path, f"f:{key}")
            if isinstance(item, _CONTAINERS):
                _walk(below(schema, key), item, inner, found)
            else:
                found[inner] = item
    elif isinstance(value, list) and schema.is_set:
        for item in value:
            found[(*path, member_key(item))] = item
    elif isinstance(value, list) and (keyed := items_by_key(schema, value)):
        inside = schema.items or UNKNOWN
        for key, item in keyed.items():
            found[(*path, key, ITSELF)] = item if inside.atomic else {}
            if not inside.atomic:
                _walk(inside, item, (*path, key), found)
    else:
        found[path] = value


def below(schema: Schema, key: str) -> Schema:
    """The schema of a struct's field or a map's value."""
    return schema.fields.get(key, UNKNOWN) if schema.type == "object" else schema.items or UNKNOWN


def at_path(schema: Schema, path: Path) -> Schema:
    """The schema of what a path names; one that leads nowhere ends at a schema of type ``any``."""
    for key in path:
        schema = below(schema, key[2:]) if key.startswith("f:") else schema.items or UNKNOWN
    return schema


def items_by_key(schema: Schema, items: Sequence[Any]) -> dict[str, dict[str, Any]] | None:
    """The items of a list map by their path keys. None where they cannot be told apart (no list map, a key
    that is missing, no scalar or there twice): then the list is one value, and validation names the fault."""
    if not schema.keys:
        return None
    keyed: dict[str, dict[str, Any]] = {}
    for item in items:
        key = item_key(schema, item)
        if key is None:
            return None
        keyed[key] = item
    return keyed if len(keyed) == len(items) else None


def item_key(schema: Schema, item: Any) -> str | None:
    """The path key of a list map's item; a key that is left out has its default, and a number that may also be a
    text is the number. None where a key is missing or no scalar."""
    if not isinstance(item, dict):
        return None
    keys = {key: item.get(key) for key in schema.keys}
    if schema.spells_keys and schema.items:
        keys = {key: _key_value(schema.items.fields.get(key, UNKNOWN), value) for key, value in keys.items()}
    return None if any(isinstance(value, _UNKEYED) for value in keys.values()) else _item_key(keys)


def _key_value(schema: Schema, value: Any) -> Any:
    if value is None:
        return schema.default
    if schema.format == INT_OR_STRING and isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value) if len(value) < _LONGEST_NUMBER else value
    return value


def _item_key(keys: dict[str, Any]) -> str:
    return f"k:{orjson.dumps(keys, option=orjson.OPT_SORT_KEYS).decode()}"


def member_key(item: Any) -> str:
    """The path key of a set's member."""
    return f"v:{orjson.dumps(item).decode()}"


def to_fields_v1(fields: FieldSet) -> dict[str, Any]:
    """The nested form, in a stable order. Many objects have the same: it is shared, and may not be changed."""
    try:
        return _to_tree(fields) if len(fields) <= _FEW else _tree(fields)
    except _Large:
        return _tree(fields)


def _tree(fields: FieldSet) -> dict[str, Any]:
    root: dict[str, Any] = {}
    nodes: dict[Path, dict[str, Any]] = {(): root}
    ordered = sorted(fields)
    for path in ordered:
        _node(nodes, path)
    for path in ordered:
        if nodes[path]:
            nodes[path][ITSELF] = {}
    return root


class _Large(Exception):
    """Too much to be remembered."""


@lru_cache(maxsize=256)
def _to_tree(fields: FieldSet) -> dict[str, Any]:
    """The tree of a set that is small in every way. Raises _Large, which is not remembered."""
    if sum(len(key) for path in fields for key in path) > _CHARACTERS:
        raise _Large
    return _tree(fields)


def _node(nodes: dict[Path, dict[str, Any]], path: Path) -> dict[str, Any]:
    if path not in nodes:
        nodes[path] = _node(nodes, path[:-1]).setdefault(path[-1], {})
    return nodes[path]


def from_fields_v1(fields: dict[str, Any]) -> FieldSet:
    """The paths of the nested form. Raises ValueError on what is no such form, or too large a one."""
    raw = orjson.dumps(fields)
    return _from_raw(raw) if len(raw) <= _FEW * 16 else _from_text(raw)


def _from_text(raw: bytes) -> FieldSet:
    return frozenset(_paths(orjson.loads(raw)))


_from_raw = lru_cache(maxsize=256)(_from_text)


def _paths(root: Any) -> Iterator[Path]:
    """By an explicit stack: the work is that of the tree's nodes, however deep they are."""
    stack: list[tuple[Path, Any]] = [((), root)]
    steps = 0
    while stack:
        path, node = stack.pop()
        steps += len(path)
        if not isinstance(node, dict) or len(path) > MAX_DEPTH:
            raise _nonsense(path)
        if steps > MAX_STEPS:
            raise ValueError("its paths are too many or too long")
        if path and (not node or ITSELF in node):
            yield (*path, ITSELF) if path[-1].startswith("k:") else path
        for key, inner in node.items():
            canonical = _canonical(key)
            if canonical is None or (key == ITSELF and (inner != {} or not path)):
                raise _nonsense((*path, key))
            if key != ITSELF:
                stack.append(((*path, canonical), inner))


def _canonical(key: str) -> str | None:
    """A FieldsV1 key as we would write it, or None where it is none."""
    return _known(key) if len(key) <= _SHORT else _spelled(key)


def _spelled(key: str) -> str | None:
    if key == ITSELF or key.startswith("f:"):
        return key
    try:
        value = orjson.loads(key[2:])
    except orjson.JSONDecodeError:
        return None
    if key.startswith("v:"):
        return member_key(value)
    has_scalars = isinstance(value, dict) and not any(isinstance(v, _UNKEYED) for v in value.values())
    return _item_key(value) if key.startswith("k:") and value and has_scalars else None


_known = lru_cache(maxsize=4096)(_spelled)


def _nonsense(path: Path) -> ValueError:
    return ValueError(f"it is not a tree of field paths at {' '.join(path)[:200]!r}")


def dotted(path: Path) -> str:
    """As Kubernetes prints it: ``.spec.entries[name="main"].replicas``."""
    text = ""
    for part in path:
        if part.startswith("f:"):
            text += f".{part[2:]}"
        elif part.startswith("k:"):
            keys = orjson.loads(part[2:])
            text += "[" + ",".join(f"{key}={orjson.dumps(value).decode()}" for key, value in keys.items()) + "]"
        elif part != ITSELF:
            text += f"[={part[2:]}]"
    return text
