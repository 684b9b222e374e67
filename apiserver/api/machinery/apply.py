"""Server-side apply and the book-keeping of field managers, Kubernetes' rules.

A manager owns the leaves it applied last. Applying a leaf with another value than its owners gave it is a
conflict, unless forced; with the same value it is shared. A leaf that its manager no longer applies goes,
if nobody else owns it. Status and the rest are two doors, each with its own books.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from apiserver.api.errors import Cause, Conflict, Details
from apiserver.api.machinery.fieldsets import (
    ABSENT,
    ITSELF,
    UNOWNED,
    FieldSet,
    Leaves,
    Path,
    at_path,
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

MAX_UPDATERS = 10
"""Entries of operation Update in one object, as in Kubernetes; older ones are merged into one entry."""

ANCIENT = "ancient-changes"
_MAX_CAUSES = 100


class _Owner(NamedTuple):
    """The key of an entry of managedFields."""

    manager: str
    operation: str
    api_version: str
    subresource: str


class _Entry(NamedTuple):
    fields: FieldSet
    time: str


_NOTHING = _Entry(frozenset(), "")
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
    config = _door(kind, config, subresource)
    wanted = leaves(kind.schema, config)
    owner = _Owner(manager, "Apply", kind.api_version, subresource)
    entries = _read(live)
    before = entries.pop(owner, _NOTHING)
    had = leaves(kind.schema, _door(kind, live, subresource)) if live is not None else {}
    contested = _contested(wanted, had, entries)
    if contested and not force:
        raise _conflict(kind, str(config["metadata"].get("name", "")), contested)
    entries = _disowned(entries, {path for path, _ in contested})
    entries[owner] = _renewed(before, frozenset(wanted), now)
    if live is None:
        return _with_entries(config, entries)
    dropped = {path for path in before.fields if path not in wanted and _goes_through(kind, path, subresource)}
    merged = merge(kind.schema, live, _without_identity(config))
    return _with_entries(_without_orphans(kind.schema, merged, dropped, entries), entries)


def record_update(kind: Kind, old: Body | None, new: Body, *, manager: str, subresource: str, now: datetime) -> Body:
    """``new`` with managedFields for a write that is no apply: what it changed is now this manager's.

    A client that sets managedFields itself is taken at its word; ``[]`` and ``[{}]`` reset them. ``new`` is
    whole: where the client left managedFields out, the caller has put the stored ones back.
    """
    given = new["metadata"].get("managedFields") or []
    stored = old["metadata"].get("managedFields") or [] if old is not None else []
    if given != stored:
        return _with_entries(new, _read(new))
    had = leaves(kind.schema, _door(kind, old, subresource)) if old is not None else {}
    has = leaves(kind.schema, _door(kind, new, subresource))
    changed = {path for path, value in has.items() if _is_other(value, had.get(path, ABSENT))} if had else set(has)
    gone = _gone(had, has)
    if not changed and not gone:
        return new
    owner = _Owner(manager, "Update", kind.api_version, subresource)
    entries = _read(old)
    mine = entries.get(owner, _NOTHING)
    entries = _disowned(entries, changed | gone)
    entries[owner] = _renewed(mine, frozenset(mine.fields - gone | changed), now)
    return _with_entries(new, _capped(entries))


def _door(kind: Kind, body: Body, subresource: str) -> Body:
    """What a write through this door is about: the status, or everything else."""
    if subresource == "status":
        named = {key: value for key, value in body["metadata"].items() if ("f:metadata", f"f:{key}") in UNOWNED}
        rest = {key: value for key, value in body.items() if key in ("apiVersion", "kind", "status")}
        return rest | {"metadata": named}
    return {key: value for key, value in body.items() if key != "status"} if kind.has_status else body


def _goes_through(kind: Kind, path: Path, subresource: str) -> bool:
    if subresource == "status":
        return path[0] == "f:status"
    return path not in UNOWNED and not (kind.has_status and path[0] == "f:status")


def _without_identity(config: Body) -> Body:
    """The config without what apply never changes, whatever it says there."""
    metadata = {key: value for key, value in config["metadata"].items() if ("f:metadata", f"f:{key}") not in UNOWNED}
    rest = {key: value for key, value in config.items() if (f"f:{key}",) not in UNOWNED}
    return rest | {"metadata": metadata}


def _is_other(value: Any, live: Any) -> bool:
    return live is ABSENT or live != value or type(live) is not type(value)


def _gone(had: Leaves, has: Leaves) -> set[Path]:
    """The leaves that are no longer there; an empty container that was filled still is."""
    gone = had.keys() - has.keys()
    filled = {path for path in gone if not had[path]}
    return gone - (filled & _prefixes(has)) if filled else gone


def _prefixes(paths: Iterable[Path]) -> set[Path]:
    return {path[:length] for path in paths for length in range(1, len(path) + 1)}


def _contested(wanted: Leaves, live: Leaves, entries: _Entries) -> list[tuple[Path, _Owner]]:
    """The leaves whose other owners gave them another value. Absent and empty are the same."""
    other = {path for path, value in wanted.items() if (value if path not in live else _is_other(value, live[path]))}
    return [(path, owner) for owner, entry in entries.items() for path in sorted(entry.fields & other)]


def _conflict(kind: Kind, name: str, contested: list[tuple[Path, _Owner]]) -> Conflict:
    causes = [Cause(dotted(path), _conflict_with(owner), "FieldManagerConflict") for path, owner in contested]
    count = f"{len(causes)} conflict{'s' if len(causes) > 1 else ''}"
    listed = ", ".join(f"{cause.message}: {cause.field}" for cause in causes[:20])
    details = Details(name=name, group=kind.group, kind=kind.plural, causes=causes[:_MAX_CAUSES])
    return Conflict(f"Apply failed with {count}: {listed}", details=details)


def _conflict_with(owner: _Owner) -> str:
    through = f' with subresource "{owner.subresource}"' if owner.subresource else ""
    return f"conflict with {orjson.dumps(owner.manager).decode()}{through} using {owner.api_version}"


def _without_orphans(schema: Schema, body: Body, dropped: Collection[Path], entries: _Entries) -> Body:
    """``body`` without the dropped leaves that nobody owns any more, and without the structs and items that
    held them and are nobody's now, so that defaults stored inside do not linger."""
    if not dropped:
        return body
    owned = _prefixes(path for entry in entries.values() for path in entry.fields)
    orphans = {_outermost(schema, path, owned) for path in dropped if path not in owned}
    # An item that others have a part in stays, and so do the keys that tell it apart.
    return remove(schema, body, [path for path in orphans if not _is_identity(schema, path)], kept=owned)


def _outermost(schema: Schema, path: Path, owned: set[Path]) -> Path:
    """The longest way up from a dropped leaf that nobody has a part in. Maps and lists stay: their keys may be
    somebody's who is not recorded. So do metadata, spec and status."""
    outermost = path
    for length in range(len(path) - 1, 1, -1):
        prefix = path[:length]
        if prefix in owned or prefix[0] == "f:metadata" or at_path(schema, prefix).type != "object":
            break
        outermost = prefix
    return outermost


def _is_identity(schema: Schema, path: Path) -> bool:
    """Whether a leaf is an item itself or one of its keys; these go with the whole item only."""
    if path[-1] == ITSELF:
        return True
    return len(path) > 2 and path[-2].startswith("k:") and path[-1][2:] in at_path(schema, path[:-2]).keys


def _disowned(entries: _Entries, lost: set[Path]) -> _Entries:
    """The entries without the lost leaves, and without what was inside a lost item."""
    if not lost:
        return dict(entries)
    return {
        owner: entry if entry.fields.isdisjoint(lost) else _Entry(_outside(entry.fields, lost), entry.time)
        for owner, entry in entries.items()
    }


def _outside(fields: FieldSet, lost: set[Path]) -> FieldSet:
    items = {path[:-1] for path in lost if path[-1] == ITSELF}
    left = fields - lost
    if not items:
        return left
    return frozenset(path for path in left if not any(path[:length] in items for length in range(1, len(path))))


def _renewed(entry: _Entry, fields: FieldSet, now: datetime) -> _Entry:
    return entry if entry.fields == fields and entry.time else _Entry(fields, format_time(now))


def _capped(entries: _Entries) -> _Entries:
    """The entries with the oldest updaters joined, so that their number does not grow with every new client."""
    updaters = sorted((entry.time, owner) for owner, entry in entries.items() if owner.operation == "Update")
    capped = dict(entries)
    for time, owner in updaters[:-MAX_UPDATERS]:
        joint = owner._replace(manager=ANCIENT)
        if owner != joint:
            fields = capped.pop(owner).fields
            capped[joint] = _Entry(capped.get(joint, _NOTHING).fields | fields, time)
    return capped


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
