"""Strategic merge patch, for the kinds that kubectl knows by itself: it sends no other for those.

A merge patch in which lists are merged as the kind's model says: items of a list map by their key, members of
a set by themselves. Directives say the rest: ``$patch``, ``$retainKeys``, ``$deleteFromPrimitiveList/<field>``
and ``$setElementOrder/<field>``. Neither the target nor the patch is touched.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import orjson

from apiserver.api.errors import BadRequest
from apiserver.api.meta import Body
from apiserver.api.schema import Schema

_ORDER, _REMOVE, _RETAIN, _PATCH = "$setElementOrder/", "$deleteFromPrimitiveList/", "$retainKeys", "$patch"
_UNKNOWN = Schema("any")
Key = Callable[[Any], Hashable]


def strategic_merge_patch(schema: Schema, target: Body, patch: Any) -> Body:
    """The patched object. Raises BadRequest that names the place when the patch cannot be read."""
    if not isinstance(patch, dict):
        raise BadRequest("a strategic merge patch must be a JSON object")
    merged = _merged(schema, target, patch, "")
    if merged is None:
        raise BadRequest("a strategic merge patch cannot delete the object: use DELETE")
    return merged


def _merged(schema: Schema, target: Any, patch: Mapping[str, Any], path: str) -> Body | None:
    """A map after the patch; None when the patch deletes it."""
    plain = {key: value for key, value in patch.items() if not key.startswith("$")}
    match patch.get(_PATCH, "merge"):
        case "delete":
            return None
        case "replace":
            return plain
        case "merge":
            pass
        case other:
            raise BadRequest(f"{path or 'patch'}: $patch must be merge, replace or delete, not {str(other)[:60]!r}")
    made = dict(target) if isinstance(target, dict) else {}
    _direct(schema, made, patch, path)
    for key, value in plain.items():
        where = f"{path}.{key}" if path else key
        merged = _value(_below(schema, key), made.get(key), value, where)
        if merged is None:
            made.pop(key, None)
        else:
            made[key] = merged
    for key, order in ((key, order) for key, order in patch.items() if key.startswith(_ORDER)):
        _sort(schema, made, key.removeprefix(_ORDER), order, path)
    return made


def _value(schema: Schema, target: Any, value: Any, path: str) -> Any:
    if isinstance(value, dict):
        return _merged(schema, target, value, path)
    if isinstance(value, list) and (key := _key(schema)):
        return _merged_list(schema, target if isinstance(target, list) else [], value, key, path)
    return value


def _below(schema: Schema, key: str) -> Schema:
    return schema.fields.get(key) or (schema.items if schema.type == "map" else None) or _UNKNOWN


def _key(schema: Schema) -> Key | None:
    """What tells the items of a list apart; None for a list that is replaced."""
    if schema.type == "array" and schema.is_set:
        return _frozen
    if schema.type == "array" and len(schema.keys) == 1:
        name = schema.keys[0]
        return lambda item: _frozen(item.get(name)) if isinstance(item, dict) else None
    return None


def _frozen(value: Any) -> bytes:
    return orjson.dumps(value)


def _merged_list(schema: Schema, target: Sequence[Any], patch: Sequence[Any], key: Key, path: str) -> list[Any]:
    if schema.is_set:
        return list({key(value): value for value in (*target, *patch)}.values())
    items = [item for item in patch if item != {_PATCH: "replace"}]
    made = {} if len(items) < len(patch) else {key(item): item for item in target}
    for index, item in enumerate(items):
        where = f"{path}[{index}]"
        if not isinstance(item, dict) or schema.keys[0] not in item:
            raise BadRequest(f"{where}: must be an object with {schema.keys[0]}, which says which item is meant")
        merged = _merged(schema.items or _UNKNOWN, made.get(key(item)), item, where)
        if merged is None:
            made.pop(key(item), None)
        else:
            made[key(item)] = merged
    return list(made.values())


def _direct(schema: Schema, made: Body, patch: Mapping[str, Any], path: str) -> None:
    """Obey the directives that take away."""
    for name, value in patch.items():
        if not name.startswith("$") or name == _PATCH:
            continue
        if not isinstance(value, list) or not name.startswith((_ORDER, _REMOVE, _RETAIN)):
            raise BadRequest(f"{path or 'patch'}: {name[:80]} is no directive with a list")
        if name == _RETAIN:
            for key in set(made) - {str(key) for key in value}:
                del made[key]
        if name.startswith(_REMOVE):
            field, gone = name.removeprefix(_REMOVE), {_frozen(item) for item in value}
            made[field] = [item for item in _list(made, field) if _frozen(item) not in gone]


def _sort(schema: Schema, made: Body, field: str, order: Any, path: str) -> None:
    """Bring a list into an order; what the order does not name stays behind what it stood behind."""
    key = _key(_below(schema, field))
    if key is None or not _list(made, field):
        return
    ranks = {key(item): rank for rank, item in enumerate(order)}
    rank, ranked = -1, []
    for item in made[field]:
        rank = ranks.get(key(item), rank)
        ranked.append((rank, key(item) not in ranks, item))
    made[field] = [item for *_, item in sorted(ranked, key=lambda one: one[:2])]


def _list(body: Body, field: str) -> list[Any]:
    found = body.get(field)
    return found if isinstance(found, list) else []
