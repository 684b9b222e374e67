"""Sets of field paths, and their ``FieldsV1`` form (Kubernetes' managedFields).

A path is a tuple of FieldsV1 keys: ``f:spec``, ``k:{"name":"main"}`` for an item of a list map, ``v:"x"`` for
a member of a set. An item of a list map also has the leaf ``.``: the item itself.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from apiserver.api.errors import BadRequest
from apiserver.api.meta import Body
from apiserver.api.schema import Schema

Path = tuple[str, ...]
FieldSet = frozenset[Path]
Leaves = dict[Path, Any]

ITSELF = "."
_UNOWNED_METADATA = frozenset(
    {
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
    }
)
_MAX_DEPTH = 64


def leaves(schema: Schema, body: Body) -> Leaves:
    """The leaves that managers can own, with their values. Lists are one leaf unless the schema says how
    their items are told apart; an empty map or list is a leaf."""
    found: Leaves = {}
    for key, value in body.items():
        if key == "metadata":
            owned = {name: item for name, item in value.items() if name not in _UNOWNED_METADATA}
            if owned:
                _walk(schema.fields.get(key), owned, ("f:metadata",), found)
        elif key not in ("apiVersion", "kind"):
            _walk(schema.fields.get(key), value, (f"f:{key}",), found)
    return found


def _walk(schema: Schema | None, value: Any, path: Path, found: Leaves) -> None:
    if isinstance(value, dict) and value and (schema is None or schema.type in ("object", "map")):
        for key, item in value.items():
            inner = None
            if schema is not None:
                inner = schema.fields.get(key, _ATOMIC) if schema.type == "object" else schema.items
            _walk(inner, item, (*path, f"f:{key}"), found)
    elif isinstance(value, list) and value and schema is not None and schema.keys:
        for item in value:
            place = (*path, item_key(schema, item))
            found[(*place, ITSELF)] = None
            for key, inner_value in item.items():
                inner = schema.items.fields.get(key, _ATOMIC) if schema.items else _ATOMIC
                _walk(inner, inner_value, (*place, f"f:{key}"), found)
    elif isinstance(value, list) and value and schema is not None and schema.is_set:
        for item in value:
            found[(*path, f"v:{orjson.dumps(item).decode()}")] = None
    else:
        found[path] = value


_ATOMIC = Schema("any")


def item_key(schema: Schema, item: Any) -> str:
    """The path key of a list map's item. Raises BadRequest where it lacks its key."""
    if not isinstance(item, dict) or any(key not in item for key in schema.keys):
        raise BadRequest(f"an item of a list lacks its key {', '.join(schema.keys)}")
    keyed = {key: item[key] for key in schema.keys}
    return f"k:{orjson.dumps(keyed, option=orjson.OPT_SORT_KEYS).decode()}"


def to_fields_v1(paths: FieldSet) -> dict[str, Any]:
    """The nested form, in a stable order."""
    root: dict[str, Any] = {}
    for path in sorted(paths):
        place = root
        for part in path:
            place = place.setdefault(part, {})
    return root


def from_fields_v1(fields: dict[str, Any]) -> FieldSet:
    """The paths of the nested form. Raises BadRequest on nonsense."""
    return frozenset(_paths(fields, ()))


def _paths(fields: Any, path: Path) -> Iterator[Path]:
    if not isinstance(fields, dict) or len(path) > _MAX_DEPTH:
        raise BadRequest("metadata.managedFields: fieldsV1 is not a tree of field paths")
    for key, inner in fields.items():
        if inner:
            yield from _paths(inner, (*path, key))
        else:
            yield (*path, key)


def dotted(path: Path) -> str:
    """As Kubernetes prints it: ``.spec.entries[name="main"].replicas``."""
    text = ""
    for part in path:
        if part.startswith("f:"):
            text += f".{part[2:]}"
        elif part.startswith("k:"):
            keys = orjson.loads(part[2:])
            text += "[" + ",".join(f"{key}={orjson.dumps(value).decode()}" for key, value in keys.items()) + "]"
        elif part.startswith("v:"):
            text += f"[={part[2:]}]"
    return text


def remove(schema: Schema, body: Any, path: Path) -> Any:
    """A copy of ``body`` without what the path names; what is not there is no matter. Containers that the
    removal empties go too."""
    head, rest = path[0], path[1:]
    if head == ITSELF:
        return body
    if head.startswith("f:") and isinstance(body, dict):
        key = head[2:]
        if key not in body:
            return body
        made = dict(body)
        left = remove(_inner(schema, key), body[key], rest) if rest else None
        if not rest or (left in ({}, []) and body[key] not in ({}, [])):
            del made[key]
        else:
            made[key] = left
        return made
    if isinstance(body, list):
        return list(_without(schema, body, head, rest))
    return body


def _without(schema: Schema, items: list[Any], head: str, rest: Path) -> Iterator[Any]:
    for item in items:
        if schema.keys and isinstance(item, dict) and head.startswith("k:") and item_key(schema, item) == head:
            if rest:
                yield remove(schema.items or _ATOMIC, item, rest)
        elif not (schema.is_set and head == f"v:{orjson.dumps(item).decode()}"):
            yield item


def _inner(schema: Schema, key: str) -> Schema:
    if schema.type == "object":
        return schema.fields.get(key, _ATOMIC)
    return schema.items or _ATOMIC


def merge(schema: Schema, live: Any, config: Any) -> Any:
    """``config`` laid over ``live``: structs and maps by key, list maps by their items' keys, the rest whole."""
    if isinstance(live, dict) and isinstance(config, dict) and schema.type in ("object", "map"):
        made = dict(live)
        for key, value in config.items():
            made[key] = merge(_inner(schema, key), live[key], value) if key in live else value
        return made
    if isinstance(live, list) and isinstance(config, list) and schema.keys:
        wanted = {item_key(schema, item): item for item in config}
        merged = [merge(schema.items or _ATOMIC, item, wanted.pop(item_key(schema, item), item)) for item in live]
        return merged + list(wanted.values())
    if isinstance(live, list) and isinstance(config, list) and schema.is_set:
        return live + [item for item in config if item not in live]
    return config
