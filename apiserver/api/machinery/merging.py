"""Objects put together and taken apart by the rules of their schema; which lists are maps stands in the models."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast

from apiserver.api.machinery.fieldsets import (
    ABSENT,
    ITSELF,
    Path,
    at_path,
    below,
    items_by_key,
    member_key,
    to_fields_v1,
)
from apiserver.api.meta import Body
from apiserver.api.schema import UNKNOWN, Schema


def merge(schema: Schema, live: Any, config: Any) -> Any:
    """``config`` laid over ``live``: structs and maps by key, list maps by their items' keys, sets joined, the
    rest whole. Items are in the order of ``config``, with those that only ``live`` has between them where they were.

    Unchanged parts are shared with the arguments, which stay as they are.
    """
    if isinstance(live, dict) and isinstance(config, dict) and schema.granular:
        made = dict(live)
        for key, value in config.items():
            made[key] = merge(below(schema, key), live[key], value) if key in live else value
        return made
    if not isinstance(live, list) or not isinstance(config, list):
        return config
    if schema.is_set:
        had, has = ({member_key(item): item for item in items} for items in (live, config))
        return [(had | has)[key] for key in _in_order(had, has)]
    old, new = items_by_key(schema, live), items_by_key(schema, config)
    if old is None or new is None:
        return config
    items: dict[str, Any] = old | new
    for key in old.keys() & new.keys():
        items[key] = merge(schema.items or UNKNOWN, old[key], new[key])
    return [items[key] for key in _in_order(old, new)]


def _in_order(live: Iterable[str], config: Mapping[str, Any]) -> list[str]:
    """Kubernetes' order: that of ``config``; what only ``live`` has stays behind the item that it came after.
    Where the two disagree about items of both, those of ``live`` are passed over until their turn comes."""
    order: list[str] = []
    wanted = list(config)
    there = set(live)
    turns = [key for key in wanted if key in there]
    begun = taken = 0
    for key in live:
        if key not in config:
            order.append(key)
        elif taken < len(turns) and key == turns[taken]:
            end = wanted.index(key, begun) + 1
            order += wanted[begun:end]
            begun, taken = end, taken + 1
    return order + wanted[begun:]


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
