"""Server-side apply and the book-keeping of field managers, Kubernetes' rules.

A manager owns the leaves it applied last. Applying a leaf with another value than its owners gave it is a
conflict, unless forced; with the same value it is shared. A leaf that its manager no longer applies goes,
if nobody else owns it. Status and the rest are two doors, each with its own books.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from apiserver.api.errors import Invalid
from apiserver.api.machinery.conflicts import Contested, conflict
from apiserver.api.machinery.decode import validate
from apiserver.api.machinery.fieldsets import (
    ABSENT,
    ITSELF,
    UNOWNED,
    FieldSet,
    Leaves,
    Path,
    at_path,
    leaves,
)
from apiserver.api.machinery.last_applied import KUBECTL, noted, still_applied
from apiserver.api.machinery.managers import (
    BEFORE_APPLY,
    NOTHING,
    Entries,
    Entry,
    Owner,
    capped,
    read,
    read_given,
    with_entries,
)
from apiserver.api.machinery.merging import merge, remove
from apiserver.api.meta import Body, format_time
from apiserver.api.schema import Schema
from apiserver.api.scheme import Kind


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
    seen = _door(kind, config, subresource)
    wanted = leaves(kind.schema, seen)
    owner = Owner(manager, "Apply", kind.api_version, subresource)
    if live is None:
        return with_entries(seen, {owner: Entry(frozenset(wanted), format_time(now))})
    had = leaves(kind.schema, _door(kind, live, subresource))
    entries = read(live) or _before_first_apply(kind, had, subresource, now)
    before = entries.pop(owner, NOTHING)
    other = {path for path, value in wanted.items() if (value if path not in had else _is_other(value, had[path]))}
    other |= _reshaped(kind.schema, wanted, had, other)
    merged = merge(kind.schema, live, _without_identity(seen))
    contested = _contested(kind, merged, had, other, entries)
    if contested and not force:
        _check_conflicts(kind, live, had, contested, manager, entries)
    entries = _disowned(entries, {path for path, _ in contested})
    entries[owner] = _renewed(before, frozenset(wanted), now, changed=bool(other))
    dropped = {path for path in before.fields if path not in wanted and _goes_through(kind, path, subresource)}
    items = _dropped_items(dropped, entries)
    entries = _disowned(entries, items)
    applied = _without_orphans(kind.schema, merged, dropped, items, entries)
    if manager == KUBECTL and not subresource:
        applied = noted(applied, config)
    return with_entries(applied, entries)


def record_update(kind: Kind, old: Body | None, new: Body, *, manager: str, subresource: str, now: datetime) -> Body:
    """``new`` with managedFields for a write that is no apply: what it changed is now this manager's. Raises Invalid.

    A client that sets managedFields itself changes the books first, then the object; ``[]`` and ``[{}]`` reset them.
    ``new`` is whole: where the client left managedFields out, the caller has put the stored ones back.
    """
    given = new["metadata"].get("managedFields") or []
    stored = old["metadata"].get("managedFields") or [] if old is not None else []
    had = leaves(kind.schema, _door(kind, old, subresource)) if old is not None else {}
    has = leaves(kind.schema, _door(kind, new, subresource))
    changed = {path for path, value in has.items() if _is_other(value, had.get(path, ABSENT))} if had else set(has)
    gone = _gone(had, has)
    if given == stored and not changed and not gone:
        return new
    entries = read_given(kind, new) if given != stored and old is not None else read(old)
    owner = Owner(manager, "Update", kind.api_version, subresource)
    entries = _disowned(entries, changed | gone)
    if changed:
        mine = entries.get(owner, NOTHING)
        entries[owner] = Entry(mine.fields | changed, format_time(now))
    return with_entries(new, capped(entries))


def _before_first_apply(kind: Kind, had: Leaves, subresource: str, now: datetime) -> Entries:
    """The books of an object that has none: what it holds was somebody's, and is not taken without asking."""
    owner = Owner(BEFORE_APPLY, "Update", kind.api_version, subresource)
    return {owner: Entry(frozenset(had), format_time(now))} if had else {}


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


def _reshaped(schema: Schema, wanted: Leaves, had: Leaves, other: set[Path]) -> set[Path]:
    """The live leaves whose place is taken by a value of another shape: a map where a text was, or the reverse. Only
    what no model describes can change so."""
    odd = [path for path in other if path not in had and at_path(schema, path).type == "any"]
    return {
        leaf
        for path in odd
        for leaf in had
        if (leaf == path[: len(leaf)] and had[leaf] != {}) or (path == leaf[: len(path)] and wanted[path] != {})
    }


def _gone(had: Leaves, has: Leaves) -> set[Path]:
    """The leaves that are no longer there; an empty container that was filled still is."""
    gone = had.keys() - has.keys()
    filled = {path for path in gone if not had[path]}
    return gone - (filled & _prefixes(has)) if filled else gone


def _prefixes(paths: Iterable[Path]) -> set[Path]:
    return {path[:length] for path in paths for length in range(1, len(path) + 1)}


def _contested(kind: Kind, merged: Body, had: Leaves, other: set[Path], entries: Entries) -> list[Contested]:
    """The leaves whose other owners gave them another value. Absent and empty are the same, and so are two spellings
    of one value, such as the number of a port as a text: where there seems to be a conflict, that is looked at."""
    found = [(path, owner) for owner, entry in entries.items() for path in sorted(entry.fields & other)]
    if not found:
        return found
    try:
        has = leaves(kind.schema, validate(kind, merged))
    except Invalid:
        return found
    return [
        (path, owner)
        for path, owner in found
        if has.get(path, ABSENT) is not had.get(path, ABSENT)
        and _is_other(has.get(path, ABSENT), had.get(path, ABSENT))
    ]


def _check_conflicts(
    kind: Kind, live: Body, had: Leaves, contested: list[Contested], manager: str, entries: Entries
) -> None:
    """Raise Conflict, unless all of it is what a client-side apply by the same tool has set."""
    excused: FieldSet = still_applied(kind, live, had) if manager == KUBECTL else frozenset()
    left = [(path, owner) for path, owner in contested if path not in excused]
    if left:
        raise conflict(kind, str(live["metadata"].get("name", "")), left, entries)


def _dropped_items(dropped: Collection[Path], entries: Entries) -> set[Path]:
    """The list items that nobody has any more, as their own leaves. They go whole, with what other programs wrote
    into them: who applied an item can take it away again."""
    return {
        path for path in dropped if path[-1] == ITSELF and not any(path in entry.fields for entry in entries.values())
    }


def _without_orphans(schema: Schema, body: Body, dropped: Collection[Path], items: set[Path], entries: Entries) -> Body:
    """``body`` without the dropped items, without the other dropped leaves that nobody owns any more, and without
    the structs that held them and are nobody's now, so that defaults stored inside do not linger."""
    if not dropped:
        return body
    owned = _prefixes(path for entry in entries.values() for path in entry.fields)
    orphans = {_outermost(schema, path, owned) for path in dropped if path not in owned}
    # An item that others have keeps the keys that tell it apart.
    going = {path for path in orphans if not _is_identity(schema, path)} | {path[:-1] for path in items}
    return remove(schema, body, going, kept=owned)


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


def _disowned(entries: Entries, lost: set[Path]) -> Entries:
    """The entries without the lost leaves, and without what was inside a lost item."""
    if not lost:
        return dict(entries)
    items = {path[:-1] for path in lost if path[-1] == ITSELF}
    return {owner: Entry(_outside(entry.fields, lost, items), entry.time) for owner, entry in entries.items()}


def _outside(fields: FieldSet, lost: set[Path], items: set[Path]) -> FieldSet:
    left = fields if fields.isdisjoint(lost) else fields - lost
    if not items:
        return left
    return frozenset(path for path in left if not any(path[:length] in items for length in range(1, len(path))))


def _renewed(entry: Entry, fields: FieldSet, now: datetime, *, changed: bool) -> Entry:
    """The entry with these fields; its time is that of the last write that changed something."""
    is_same = entry.fields == fields and entry.time and not changed
    return entry if is_same else Entry(fields, format_time(now))
