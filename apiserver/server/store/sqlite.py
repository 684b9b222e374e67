"""The engine on SQLite: WAL, ``synchronous=FULL``, one connection that one thread uses at a time.

A second connection would meet SQLite's WAL-reset bug (fixed in 3.51.3, which few systems have yet) and
gain nothing: all reads are served from memory. A lock on the data directory keeps a second server out.
"""

import fcntl
import os
import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, create_engine, delete, event, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool
from sqlmodel import SQLModel

from apiserver.api.meta import format_micro_time
from apiserver.server.store.engine import Change, CommitFailed, Key, Loaded, OutcomeUnknown, Seen, StoredObject
from apiserver.server.store.tables import SCHEMA_VERSION, EventRow, MetaRow, ObjectRow

_PRAGMAS = ("page_size=8192", "journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=2000", "busy_timeout=5000")


class StoreUnusable(Exception):
    """The data directory cannot be used; the message says why and what to do."""


class SQLiteEngine:
    """Objects, their history and a few facts in ``DIR/plum.db``. Raises StoreUnusable on construction."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(directory)
        try:
            self._engine = create_engine(
                f"sqlite:///{directory / 'plum.db'}",
                poolclass=StaticPool,
                connect_args={"check_same_thread": False, "isolation_level": None},
            )
            event.listen(self._engine, "connect", _prepare)
            event.listen(self._engine, "begin", _begin_immediate)
            self._connection = self._engine.connect()
            _migrate(self._connection)
        except DBAPIError as error:
            os.close(self._lock)
            raise StoreUnusable(f"{directory / 'plum.db'}: {error.orig}") from error
        except BaseException:
            os.close(self._lock)
            raise

    def load(self, *, history_bytes: int) -> Loaded:
        """See Engine."""
        with self._connection.begin():
            meta: dict[str, str] = {row.key: row.value for row in self._connection.execute(select(*_columns(MetaRow)))}
            rows = self._connection.execute(
                select(ObjectRow.kind, ObjectRow.namespace, ObjectRow.name, ObjectRow.body)  # type: ignore[call-overload]
            )
            objects = [StoredObject(Key(row.kind, row.namespace, row.name), row.body) for row in rows]
            changes, floor = self._recent(history_bytes, int(meta["compacted"]))
        return Loaded(objects, changes, floor, int(meta["version"]))

    def commit(self, changes: Sequence[Change], version: int) -> None:
        """See Engine."""
        try:
            transaction = self._connection.begin()
        except DBAPIError as error:  # such as a lock that somebody else holds
            raise CommitFailed(str(error.orig)) from error
        try:
            self._write(changes, version)
        except BaseException as error:
            _roll_back(transaction.rollback, error)
            raise CommitFailed(str(getattr(error, "orig", error))) from error
        try:
            transaction.commit()
        except DBAPIError as error:
            raise OutcomeUnknown(str(error.orig)) from error

    def close(self) -> None:
        """See Engine."""
        self._connection.close()
        self._engine.dispose()
        os.close(self._lock)

    def _write(self, changes: Sequence[Change], version: int) -> None:
        last = {change.key: change for change in changes}
        gone = [change.key for change in last.values() if change.type == "DELETED"]
        live = [_object_row(change) for change in last.values() if change.type != "DELETED"]
        if live:
            self._connection.execute(_UPSERT, live)
        for key in gone:
            self._connection.execute(
                delete(ObjectRow).where(
                    ObjectRow.kind == key.kind,  # type: ignore[arg-type]
                    ObjectRow.namespace == key.namespace,  # type: ignore[arg-type]
                    ObjectRow.name == key.name,  # type: ignore[arg-type]
                )
            )
        self._connection.execute(_INSERT_EVENTS, [_event_row(change) for change in changes])
        self._connection.execute(_SET_META, [{"key": "version", "value": str(version)}])

    def _recent(self, history_bytes: int, compacted: int) -> tuple[list[Change], int]:
        """The newest changes of about that size in whole versions, oldest first, and what they begin after."""
        columns = _columns(EventRow)
        found: list[Change] = []
        size = 0
        order = (EventRow.version.desc(), EventRow.sequence.desc())  # type: ignore[attr-defined]
        with self._connection.execute(select(*columns).order_by(*order)) as rows:
            for row in rows:
                if size >= history_bytes and found and row.version != found[-1].version:
                    return found[::-1], int(row.version)
                found.append(_change(row))
                size += len(row.body)
        return found[::-1], compacted


def _columns(table: type[SQLModel]) -> Iterable[Any]:
    return list(table.__table__.columns)  # type: ignore[attr-defined]


def _upsert(table: type[SQLModel], keys: list[str], changing: list[str]) -> Any:
    statement = insert(table)
    return statement.on_conflict_do_update(
        index_elements=keys, set_={name: statement.excluded[name] for name in changing}
    )


_UPSERT = _upsert(ObjectRow, ["kind", "namespace", "name"], ["uid", "version", "body"])
_SET_META = _upsert(MetaRow, ["key"], ["value"])
_INSERT_EVENTS = insert(EventRow)


def _lock(directory: Path) -> int:
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreUnusable(
            f"{directory} is in use by another server; stop that one, or choose another --data-dir"
        ) from error
    return descriptor


def _prepare(connection: sqlite3.Connection, record: object) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(connection: Connection) -> None:
    """Create the tables of a new store; refuse one that a newer server has written."""
    with connection.begin():
        SQLModel.metadata.create_all(connection)
        found: dict[str, str] = {row.key: row.value for row in connection.execute(select(*_columns(MetaRow)))}
        if int(found.get("schema_version", SCHEMA_VERSION)) > SCHEMA_VERSION:
            raise StoreUnusable(
                f"the store has schema version {found['schema_version']}, this server knows {SCHEMA_VERSION}: "
                "use the newer server, or a backup from before the upgrade"
            )
        fresh = {
            "schema_version": str(SCHEMA_VERSION),
            "version": "0",
            "compacted": "0",
            "cluster_id": str(uuid.uuid4()),
        }
        missing = [{"key": key, "value": value} for key, value in fresh.items() if key not in found]
        if missing:
            connection.execute(_SET_META, missing)


def _roll_back(rollback: Any, cause: BaseException) -> None:
    try:
        rollback()
    except DBAPIError as error:
        raise OutcomeUnknown(f"{cause}; and the rollback failed: {error.orig}") from error


def _object_row(change: Change) -> dict[str, Any]:
    return {
        "kind": change.key.kind,
        "namespace": change.key.namespace,
        "name": change.key.name,
        "uid": change.uid,
        "version": change.version,
        "body": change.body,
    }


def _event_row(change: Change) -> dict[str, Any]:
    previous = change.previous
    return _object_row(change) | {
        "sequence": change.sequence,
        "type": change.type,
        "time": format_micro_time(change.time),
        "user": change.user,
        "manager": change.manager,
        "previous": orjson.dumps([previous.labels, previous.fields]) if previous else None,
    }


def _change(row: Any) -> Change:
    return Change(
        version=row.version,
        sequence=row.sequence,
        type=row.type,
        key=Key(row.kind, row.namespace, row.name),
        uid=row.uid,
        body=row.body,
        previous=Seen(*orjson.loads(row.previous)) if row.previous else None,
        time=datetime.fromisoformat(row.time),
        user=row.user,
        manager=row.manager,
    )
