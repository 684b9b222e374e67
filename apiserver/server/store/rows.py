"""Changes to rows of the SQLite tables, and back."""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlmodel import SQLModel

from apiserver.api.meta import format_micro_time
from apiserver.server.store.engine import Change, Key, Seen
from apiserver.server.store.tables import SEQUENCE_BITS, EventRow, MetaRow, ObjectRow, RevisionRow, row_id


def columns(table: type[SQLModel]) -> Sequence[Any]:
    """All columns of a table, for a Core select: rows come as tuples, not as models."""
    return list(table.__table__.columns)  # type: ignore[attr-defined]


def is_key(table: type[EventRow] | type[RevisionRow], key: Key) -> Sequence[Any]:
    """The conditions that find one object's rows."""
    return table.kind == key.kind, table.namespace == key.namespace, table.name == key.name


def version_of(identity: int) -> int:
    """The version in a row id of the log."""
    return identity >> SEQUENCE_BITS


def _insert(table: type[SQLModel], *, keys: Sequence[str] = (), skip: Sequence[str] = ()) -> str:
    """The text of an insert of one row; with ``keys`` a row that has them already is changed instead."""
    names = [column.name for column in columns(table) if column.name not in skip]
    text = f"INSERT INTO {table.__tablename__} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    if keys:
        changed = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
        text += f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changed}"
    return text


_KEY = ("kind", "namespace", "name")
_IS_KEY = "kind = ? AND namespace = ? AND name = ?"
_SET_OBJECT = _insert(ObjectRow, keys=_KEY, skip=("id",))
_DELETE_OBJECT = f"DELETE FROM objects WHERE {_IS_KEY}"
INSERT_EVENT = _insert(EventRow)
SET_META = _insert(MetaRow, keys=("key",))
_SET_REVISION = _insert(RevisionRow, keys=(*_KEY, "number"), skip=("id",))
_DELETE_REVISIONS = f"DELETE FROM revisions WHERE {_IS_KEY}"
_TRIM_REVISIONS = f"""{_DELETE_REVISIONS} AND number <=
    (SELECT number FROM revisions WHERE {_IS_KEY} ORDER BY number DESC LIMIT 1 OFFSET ?)"""


def write_objects(raw: sqlite3.Connection, changes: Sequence[Change]) -> None:
    """Bring the current state up to date: of several changes of an object the last one counts."""
    last = {change.key: change for change in changes}
    gone = [change.key for change in last.values() if change.type == "DELETED"]
    live = [(*c.key, c.uid, c.version, c.body) for c in last.values() if c.type != "DELETED"]
    if live:
        raw.executemany(_SET_OBJECT, live)
    if gone:
        raw.executemany(_DELETE_OBJECT, gone)


def write_revisions(raw: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Keep the specs that changes bring, in order, and no more of an object than they say."""
    for change in changes:
        if change.type == "DELETED":
            raw.execute(_DELETE_REVISIONS, change.key)
        elif change.revision is not None:
            kept = change.revision
            about = (kept.number, change.version, format_micro_time(change.time), change.user, change.manager)
            raw.execute(_SET_REVISION, (*change.key, *about, kept.spec))
            raw.execute(_TRIM_REVISIONS, (*change.key, *change.key, kept.kept))


def event_row(change: Change) -> tuple[Any, ...]:
    """The change as a row of the log, in the order of its columns."""
    previous = change.previous
    return (
        row_id(change.version, change.sequence),
        change.type,
        *change.key,
        change.uid,
        format_micro_time(change.time),
        change.user,
        change.manager,
        orjson.dumps([previous.labels, previous.fields]) if previous else None,
        change.body,
    )


def change(row: Any) -> Change:
    """The change that a row of the log holds."""
    return Change(
        version=version_of(row.id),
        sequence=row.id & ((1 << SEQUENCE_BITS) - 1),
        type=row.type,
        key=Key(row.kind, row.namespace, row.name),
        uid=row.uid,
        body=row.body,
        previous=Seen(*orjson.loads(row.previous)) if row.previous else None,
        time=datetime.fromisoformat(row.time),
        user=row.user,
        manager=row.manager,
    )
