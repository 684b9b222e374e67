"""Server-side apply and the book-keeping of field managers, Kubernetes' rules.

A manager owns the leaves it applied last. Applying a leaf with another value than its owners gave it is a
conflict, unless forced; with the same value it is shared. A leaf that its manager no longer applies goes,
if nobody else owns it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from apiserver.api.errors import Cause, Conflict, Details
from apiserver.api.machinery.fieldsets import (
    ITSELF,
    FieldSet,
    Leaves,
    Path,
    dotted,
    from_fields_v1,
    leaves,
    merge,
    remove,
    to_fields_v1,
)
from apiserver.api.meta import Body, format_time
from apiserver.api.schema import Schema
from apiserver.api.scheme import Kind

_ABSENT = object()


class _Owner(NamedTuple):
    """The key of an entry of managedFields."""

    manager: str
    operation: str
    api_version: str
    subresource: str


class _Entry(NamedTuple):
    fields: FieldSet
    time: str


_Entries = dict[_Owner, _Entry]


def apply(
    kind: Kind,
    live: Body | None,
    config: Body,
    *,
    manager: str,
    force: bool,
    subresource: str,
    now: datetime,
) -> Body:
    """The object with ``config`` applied and managedFields brought up to date. Raises Conflict with a cause
    a field. A repeated apply gives an identical object."""
    config = _door(config, subresource)
    wanted = leaves(kind.schema, config)
    owner = _Owner(manager, "Apply", kind.api_version, subresource)
    entries = _read(live)
    have = leaves(kind.schema, live) if live is not None else {}
    conflicts = _conflicts(wanted, have, entries, owner)
    if conflicts and not force:
        raise _conflict(kind, config, conflicts)
    lost = {path for path, _ in conflicts}
    before = entries.get(owner, _Entry(frozenset(), ""))
    entries = {
        other: _Entry(entry.fields - lost, entry.time) if entry.fields & lost else entry
        for other, entry in entries.items()
        if other != owner
    }
    entries[owner] = _renewed(before, frozenset(wanted), now)
    merged = merge(kind.schema, live, config) if live is not None else config
    dropped = before.fields - frozenset(wanted)
    return _with_entries(_dropped(kind.schema, merged, dropped, entries), entries)


def record_update(kind: Kind, old: Body | None, new: Body, *, manager: str, subresource: str, now: datetime) -> Body:
    """``new`` with managedFields for a write that is no apply: what it changed is now this manager's.

    A client that sets managedFields itself is taken at its word; ``[]`` and ``[{}]`` reset them.
    """
    given = new["metadata"].get("managedFields") or []
    stored = (old or {"metadata": {}})["metadata"].get("managedFields") or []
    if given != stored:
        return _with_entries(new, {} if given in ([], [{}]) else _read(new))
    have = leaves(kind.schema, old) if old is not None else {}
    want = leaves(kind.schema, new)
    changed = frozenset(path for path, value in want.items() if have.get(path, _ABSENT) != value)
    removed = have.keys() - want.keys()
    if not changed and not removed:
        return new
    owner = _Owner(manager, "Update", kind.api_version, subresource)
    entries = {
        other: entry if other == owner else _Entry(entry.fields - changed, entry.time)
        for other, entry in _read(old).items()
    }
    entries = {other: _Entry(entry.fields - removed, entry.time) for other, entry in entries.items()}
    if changed:
        mine = entries.get(owner, _Entry(frozenset(), ""))
        entries[owner] = _renewed(mine, mine.fields | changed, now)
    return _with_entries(new, entries)


def _door(config: Body, subresource: str) -> Body:
    """What counts of an applied object: its status, or everything else."""
    if subresource != "status":
        return {key: value for key, value in config.items() if key != "status"}
    identity = ("name", "namespace", "resourceVersion", "uid")
    metadata = {key: config["metadata"][key] for key in identity if key in config["metadata"]}
    kept = {key: config[key] for key in ("apiVersion", "kind") if key in config}
    return kept | {"metadata": metadata, "status": config.get("status") or {}}


def _conflicts(wanted: Leaves, have: Leaves, entries: _Entries, owner: _Owner) -> list[tuple[Path, _Owner]]:
    found = []
    for path, value in wanted.items():
        if have.get(path, _ABSENT) in (_ABSENT, value):
            continue
        found += [(path, other) for other, entry in entries.items() if other != owner and path in entry.fields]
    return found


def _conflict(kind: Kind, config: Body, conflicts: list[tuple[Path, _Owner]]) -> Conflict:
    causes = [
        Cause(dotted(path), f'conflict with "{other.manager}" using {other.api_version}', "FieldManagerConflict")
        for path, other in conflicts
    ]
    count = f"{len(causes)} conflict{'s' if len(causes) > 1 else ''}"
    listed = ", ".join(f"{cause.message}: {cause.field}" for cause in causes[:20])
    name = str(config["metadata"].get("name", ""))
    details = Details(name=name, group=kind.group, kind=kind.plural, causes=causes)
    return Conflict(f"Apply failed with {count}: {listed}", details=details)


def _dropped(schema: Schema, body: Body, dropped: Iterable[Path], entries: _Entries) -> Body:
    """``body`` without the leaves that nobody owns any more, and without the structs and items that held them
    and are nobody's now, so that defaults stored inside do not linger."""
    owned: set[Path] = set().union(*(entry.fields for entry in entries.values()))
    prefixes = {path[:length] for path in owned for length in range(1, len(path) + 1)}
    for path in sorted(dropped):
        # An item that others have a part in stays, and so do the keys that tell it apart.
        if path not in owned and not (path[:-1] in prefixes and _is_key(path)):
            body = remove(schema, body, _outermost(schema, path, prefixes))
    return body


def _is_key(path: Path) -> bool:
    """Whether a leaf is a key of its list map's item."""
    return len(path) > 1 and path[-2].startswith("k:") and path[-1][2:] in orjson.loads(path[-2][2:])


def _outermost(schema: Schema, path: Path, owned_prefixes: set[Path]) -> Path:
    """The longest way up from a dropped leaf that nobody else has a part in; maps stay, their keys may be
    somebody's who is not recorded."""
    if path[-1] == ITSELF:
        path = path[:-1]
    best = path
    for length in range(len(path) - 1, 1, -1):
        prefix = path[:length]
        if prefix in owned_prefixes or not _is_whole(schema, prefix):
            break
        best = prefix
    # An item that others still own stays; only its own "." ownership ends.
    return (*best, ITSELF) if best in owned_prefixes else best


def _is_whole(schema: Schema, prefix: Path) -> bool:
    """Whether a prefix is a struct or an item of a list map below spec or status."""
    place: Schema | None = schema
    for part in prefix:
        if place is None:
            return False
        place = place.fields.get(part[2:]) if part.startswith("f:") and place.type == "object" else place.items
    return prefix[0] != "f:metadata" and place is not None and place.type == "object"


def _renewed(entry: _Entry, fields: FieldSet, now: datetime) -> _Entry:
    return entry if entry.fields == fields and entry.time else _Entry(fields, format_time(now))


def _read(body: Body | None) -> _Entries:
    found: _Entries = {}
    for entry in (body or {"metadata": {}})["metadata"].get("managedFields") or ():
        owner = _Owner(
            str(entry.get("manager", "")),
            str(entry.get("operation", "Update")),
            str(entry.get("apiVersion", "")),
            str(entry.get("subresource", "")),
        )
        found[owner] = _Entry(from_fields_v1(entry.get("fieldsV1") or {}), str(entry.get("time", "")))
    return found


def _with_entries(body: Body, entries: _Entries) -> Body:
    listed: list[dict[str, Any]] = []
    for owner, entry in sorted(entries.items(), key=lambda item: (item[0].operation, item[1].time, item[0])):
        if not entry.fields:
            continue
        made: dict[str, Any] = {"manager": owner.manager, "operation": owner.operation}
        made |= {"apiVersion": owner.api_version} if owner.api_version else {}
        made |= {"time": entry.time} if entry.time else {}
        made |= {"fieldsType": "FieldsV1", "fieldsV1": to_fields_v1(entry.fields)}
        listed.append(made | ({"subresource": owner.subresource} if owner.subresource else {}))
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    return dict(body, metadata=metadata | ({"managedFields": listed} if listed else {}))
