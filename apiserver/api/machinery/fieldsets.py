"""Sets of field paths, and their ``FieldsV1`` form (Kubernetes' managedFields).

A path is a tuple of FieldsV1 keys: ``f:spec``, ``k:{"name":"main"}`` for an item of a list map, ``v:"x"`` for
a member of a set. An item of a list map also has the leaf ``.``: the item itself.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any, cast

import orjson

from apiserver.api.errors import BadRequest
from apiserver.api.machinery.documents import MAX_DEPTH
from apiserver.api.meta import Body
from apiserver.api.schema import Schema

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

_ATOMIC = Schema("any")
_CONTAINERS = (dict, list)
_UNKEYED = (dict, list, type(None))
"""What tells no item of a list from another."""


def leaves(schema: Schema, body: Body) -> Leaves:
    """The leaves that managers can own, with their values.

    Structs and maps are granular. Lists are one leaf, unless the schema says how their items are told apart.
    An item of a list map itself has the value ``{}``. Empty containers are leaves; so is what the schema does not know.
    """
    found: Leaves = {}
    for key, value in body.items():
        _walk(schema.fields.get(key, _ATOMIC), value, (f"f:{key}",), found)
    for path in UNOWNED:
        found.pop(path, None)
    return found


def _walk(schema: Schema, value: Any, path: Path, found: Leaves) -> None:
    if not value or not isinstance(value, _CONTAINERS):
        found[path] = value
    elif isinstance(value, dict) and schema.type in ("object", "map"):
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
        for key, item in keyed.items():
            found[(*path, key, ITSELF)] = {}
            _walk(schema.items or _ATOMIC, item, (*path, key), found)
    else:
        found[path] = value


def below(schema: Schema, key: str) -> Schema:
    """The schema of a struct's field or a map's value."""
    return schema.fields.get(key, _ATOMIC) if schema.type == "object" else schema.items or _ATOMIC


def at_path(schema: Schema, path: Path) -> Schema:
    """The schema of what a path names; one that leads nowhere ends at a schema of type ``any``."""
    for key in path:
        schema = below(schema, key[2:]) if key.startswith("f:") else schema.items or _ATOMIC
    return schema


def items_by_key(schema: Schema, items: Sequence[Any]) -> dict[str, dict[str, Any]] | None:
    """The items of a list map by their path keys. None where they cannot be told apart (no list map, a key
    that is missing, no scalar or there twice): then the list is one value, and validation names the fault."""
    if not schema.keys:
        return None
    keyed: dict[str, dict[str, Any]] = {}
    for item in items:
        keys = {key: item.get(key) for key in schema.keys} if isinstance(item, dict) else {"": None}
        if any(isinstance(value, _UNKEYED) for value in keys.values()):
            return None
        keyed[_item_key(keys)] = item
    return keyed if len(keyed) == len(items) else None


def _item_key(keys: dict[str, Any]) -> str:
    return f"k:{orjson.dumps(keys, option=orjson.OPT_SORT_KEYS).decode()}"


def member_key(item: Any) -> str:
    """The path key of a set's member."""
    return f"v:{orjson.dumps(item).decode()}"


@lru_cache(maxsize=256)
def to_fields_v1(fields: FieldSet) -> dict[str, Any]:
    """The nested form, in a stable order. Many objects have the same: it is shared, and may not be changed."""
    root: dict[str, Any] = {}
    nodes: dict[Path, dict[str, Any]] = {(): root}
    ordered = sorted(fields)
    for path in ordered:
        _node(nodes, path)
    for path in ordered:
        if nodes[path]:
            nodes[path][ITSELF] = {}
    return root


def _node(nodes: dict[Path, dict[str, Any]], path: Path) -> dict[str, Any]:
    if path not in nodes:
        nodes[path] = _node(nodes, path[:-1]).setdefault(path[-1], {})
    return nodes[path]


def from_fields_v1(fields: dict[str, Any]) -> FieldSet:
    """The paths of the nested form. Raises BadRequest on what is no such form."""
    return _from_raw(orjson.dumps(fields))


@lru_cache(maxsize=256)
def _from_raw(raw: bytes) -> FieldSet:
    return frozenset(_paths(orjson.loads(raw), ()))


def _paths(node: Any, path: Path) -> Iterator[Path]:
    if not isinstance(node, dict) or len(path) > MAX_DEPTH:
        raise _nonsense(path)
    if path and (not node or ITSELF in node):
        yield (*path, ITSELF) if path[-1].startswith("k:") else path
    for key, inner in node.items():
        canonical = _canonical(key)
        if canonical is None or (key == ITSELF and (inner != {} or not path)):
            raise _nonsense((*path, key))
        if key != ITSELF:
            yield from _paths(inner, (*path, canonical))


@lru_cache(maxsize=4096)
def _canonical(key: str) -> str | None:
    """A FieldsV1 key as we would write it, or None where it is none."""
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


def _nonsense(path: Path) -> BadRequest:
    place = " ".join(path)[:200]
    return BadRequest(f"metadata.managedFields: fieldsV1 is not a tree of field paths at {place!r}")


def dotted(path: Path) -> str:
    """As Kubernetes prints it: ``.spec.entries[name="main"].replicas``."""
    text = ""
    for part in path:
        if part.startswith("f:"):
            text += f".{part[2:]}"
        elif part.startswith("k:"):
            keys = orjson.loads(part[2:])
            text += "[" + ",".join(f"{key}={orjson.dumps(value).decode()}" for key, value in keys.items()) + "]"
        else:
            text += f"[={part[2:]}]"
    return text


def remove(schema: Schema, body: Body, paths: Collection[Path], *, kept: Collection[Path]) -> Body:
    """A copy of ``body`` without what the paths name. Containers that this empties go too, but for those in
    ``kept``; paths that lead nowhere are no matter."""
    return cast(Body, _without(schema, body, to_fields_v1(frozenset(paths)), (), kept))


def _without(schema: Schema, value: Any, tree: dict[str, Any], path: Path, kept: Collection[Path]) -> Any:
    """``value`` without the branches of a FieldsV1 tree, or ABSENT where nothing is left."""
    if path and (not tree or ITSELF in tree):
        return ABSENT
    parts = _parts(schema, value)
    left: dict[str, Any] = {}
    for key, part in parts.items():
        kept_part = part
        if key in tree:
            kept_part = _without(at_path(schema, (key,)), part, tree[key], (*path, key), kept)
        if kept_part is not ABSENT:
            left[key] = kept_part
    if len(left) == len(parts) and all(left[key] is parts[key] for key in tree.keys() & parts.keys()):
        return value
    if path and not left and path not in kept:
        return ABSENT
    return {key[2:]: part for key, part in left.items()} if isinstance(value, dict) else list(left.values())


def _parts(schema: Schema, value: Any) -> dict[str, Any]:
    """What a container holds, by path keys; nothing where it is one value."""
    if isinstance(value, dict):
        return {f"f:{key}": part for key, part in value.items()}
    if isinstance(value, list) and schema.is_set:
        return {member_key(item): item for item in value}
    return (items_by_key(schema, value) or {}) if isinstance(value, list) else {}


def merge(schema: Schema, live: Any, config: Any) -> Any:
    """``config`` laid over ``live``: structs and maps by key, list maps by their items' keys, sets joined, the
    rest whole. Items that both have stay in their places; new ones follow in the order of ``config``.

    Unchanged parts are shared with the arguments, which stay as they are.
    """
    if isinstance(live, dict) and isinstance(config, dict) and schema.type in ("object", "map"):
        made = dict(live)
        for key, value in config.items():
            made[key] = merge(below(schema, key), live[key], value) if key in live else value
        return made
    if not isinstance(live, list) or not isinstance(config, list):
        return config
    if schema.is_set:
        return list({member_key(item): item for item in (*live, *config)}.values())
    old, new = items_by_key(schema, live), items_by_key(schema, config)
    if old is None or new is None:
        return config
    items = {key: merge(schema.items or _ATOMIC, item, new[key]) if key in new else item for key, item in old.items()}
    return list((items | {key: item for key, item in new.items() if key not in old}).values())
