"""The engine on SQLite: WAL, ``synchronous=FULL``, one connection that one thread uses at a time.

A second writing connection would meet SQLite's WAL-reset bug (fixed in 3.51.3, which few systems have yet)
and gain nothing: all reads are served from memory. Backups read over a connection of their own, which writes
nothing. A lock on the data directory keeps a second server out.

Commits go through the driver itself: around a single row SQLAlchemy costs as much as SQLite does.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Select, create_engine, event, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from apiserver.api.meta import format_micro_time
from apiserver.server.store import rows
from apiserver.server.store.directory import StoreUnusable, lock_directory
from apiserver.server.store.engine import (
    OVERHEAD,
    Change,
    CommitFailed,
    Key,
    Loaded,
    Mark,
    OutcomeUnknown,
    Sizes,
    StoredObject,
    StoredRevision,
    whole_versions,
)
from apiserver.server.store.migrations import migrate
from apiserver.server.store.tables import EventRow, MetaRow, ObjectRow, RevisionRow, row_id

_PRAGMAS = (
    "page_size=8192",
    "auto_vacuum=INCREMENTAL",  # before the first page is written: it holds for new files only
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=2000",
    "journal_size_limit=33554432",
    "busy_timeout=5000",
    "temp_store=MEMORY",
)
_VACUUM_PAGES = 256
"""Pages of one slice of vacuuming."""

_FREE_SHARE = 10
"""Vacuuming is worth it when more than one page in so many is free, and more than a slice of them."""

DATABASE = "plum.db"
COMPACTED_TIME = "compacted_time"
"""Of the facts: when the newest of the forgotten changes was stored."""


class SQLiteEngine:
    """Objects, their history and a few facts in ``DIR/plum.db``. Raises StoreUnusable on construction."""

    def __init__(self, directory: Path, *, check: Callable[[Path], None] = lambda directory: None) -> None:
        """``check`` is asked once the directory is held, before anything in it is opened."""
        self.on_sync: Callable[[float], None] = lambda seconds: None
        """Told how many seconds each COMMIT took, which is writing and flushing the log."""
        self._path = directory / DATABASE
        self._wal = directory / f"{DATABASE}-wal"
        self._lock = lock_directory(directory)
        self._connection: Connection | None = None
        self._files = (0, 0)
        """The inodes of the database and, once it is written, of the write-ahead log."""
        self._unsettled = ""
        """Why nothing may be written before ``settle`` has succeeded."""
        try:
            check(directory)
            self._open()
            migrate(self._reading(), self._path)
            self._log = self._log_size()
        except DBAPIError as error:
            self.close()
            raise self._unusable(error) from error
        except BaseException:
            self.close()
            raise

    def load(self) -> Loaded:
        """See Engine. Raises StoreUnusable, also while it is read."""
        objects = select(ObjectRow.kind, ObjectRow.namespace, ObjectRow.name, ObjectRow.body)  # type: ignore[call-overload]
        newest = select(*rows.columns(EventRow)).order_by(EventRow.id.desc())  # type: ignore[attr-defined]
        try:
            meta = self._meta()
        except DBAPIError as error:
            raise self._unusable(error) from error
        return Loaded(
            (StoredObject(Key(row.kind, row.namespace, row.name), row.body) for row in self._stream(objects)),
            map(rows.change, self._stream(newest)),
            int(meta["compacted"]),
            int(meta["version"]),
        )

    def commit(self, changes: Sequence[Change], version: int) -> None:
        """See Engine."""

        def write(raw: sqlite3.Connection) -> None:
            rows.write_objects(raw, changes)
            raw.executemany(rows.INSERT_EVENT, [rows.event_row(change) for change in changes])
            rows.write_revisions(raw, changes)
            raw.execute(rows.SET_META, ("version", str(version)))

        self._transact(write)
        size = sum(len(change.body) for change in changes) + OVERHEAD * len(changes)
        self._log = (self._log[0] + len(changes), self._log[1] + size)

    def settle(self) -> int:
        """See Engine. A new connection recovers what the write-ahead log holds; writing that back into the
        database and flushing it makes it certain, whatever became of an earlier flush."""
        try:
            self._hang_up()
            self._open()
            busy, _, _ = self._reading().exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            if busy:
                raise OutcomeUnknown("the write-ahead log is still being read, by a backup or another program")
            version = int(self._meta()["version"])
            self._log = self._log_size()
        except DBAPIError as error:
            raise OutcomeUnknown(str(error.orig)) from error
        self._unsettled = ""
        return version

    def oldest(self, limit: int) -> Sequence[Mark]:
        """See Engine."""
        columns = (EventRow.id, EventRow.time, func.length(EventRow.body).label("size"))
        found = self._reading().execute(select(*columns).order_by(EventRow.id).limit(limit))  # type: ignore[call-overload]
        return [Mark(rows.version_of(row.id), datetime.fromisoformat(row.time), row.size + OVERHEAD) for row in found]

    def compact(self, version: int) -> None:
        """See Engine."""
        dropped = [0, 0]

        def write(raw: sqlite3.Connection) -> None:
            end = (row_id(version + 1),)
            totals = raw.execute("SELECT count(*), sum(length(body)) FROM events WHERE id < ?", end).fetchone()
            dropped[:] = [totals[0], (totals[1] or 0) + OVERHEAD * totals[0]]
            newest = raw.execute("SELECT time FROM events WHERE id < ? ORDER BY id DESC LIMIT 1", end).fetchone()
            if newest:
                raw.execute(rows.SET_META, (COMPACTED_TIME, newest[0]))
            raw.execute("DELETE FROM events WHERE id < ?", end)
            raw.execute(rows.SET_META, ("compacted", str(version)))

        self._transact(write)
        self._log = (self._log[0] - dropped[0], self._log[1] - dropped[1])

    def vacuum(self) -> bool:
        """See Engine."""
        total, free = (self._pragma(name) for name in ("page_count", "freelist_count"))
        if free <= max(_VACUUM_PAGES, total // _FREE_SHARE):
            return False
        # In pieces by itself: the pragma frees one page a row, and all of them are asked for.
        self._transact(lambda raw: raw.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall())
        return self._pragma("freelist_count") < free

    def sizes(self) -> Sizes:
        """See Engine."""
        page, total, free = (self._pragma(name) for name in ("page_size", "page_count", "freelist_count"))
        wal = 0
        with suppress(FileNotFoundError):
            wal = self._wal.stat().st_size
        return Sizes(self._log[0], self._log[1], page * total, page * free, wal)

    @property
    def log_size(self) -> tuple[int, int]:
        """Changes and bytes of the log; kept in memory, so that asking costs nothing."""
        return self._log

    def changes_after(self, version: int, *, size: int) -> Sequence[Change]:
        """See Engine."""
        columns = rows.columns(EventRow)
        query = select(*columns).where(EventRow.id >= row_id(version + 1)).order_by(EventRow.id)  # type: ignore[arg-type]
        with self._reading().execute(query) as found:
            return whole_versions(map(rows.change, found), size)

    def history(self, key: Key, *, before: int, limit: int) -> Sequence[Change]:
        """See Engine."""
        query = select(*rows.columns(EventRow)).where(*rows.is_key(EventRow, key), EventRow.id < row_id(before + 1))  # type: ignore[arg-type]
        newest_first = query.order_by(EventRow.id.desc()).limit(limit)  # type: ignore[attr-defined]
        return [rows.change(row) for row in self._reading().execute(newest_first)]

    def next_change(self, key: Key, *, after: int) -> Change | None:
        """See Engine."""
        of_object = select(*rows.columns(EventRow)).where(*rows.is_key(EventRow, key))
        later = of_object.where(EventRow.id >= row_id(after + 1))  # type: ignore[arg-type]
        found = self._reading().execute(later.order_by(EventRow.id).limit(1)).first()  # type: ignore[arg-type]
        return rows.change(found) if found else None

    def version_at(self, moment: datetime) -> int | None:
        """See Engine."""
        text = format_micro_time(moment)
        query = select(EventRow.id).where(EventRow.time <= text)  # type: ignore[call-overload]
        found = self._reading().execute(query.order_by(EventRow.id.desc()).limit(1)).scalar()  # type: ignore[attr-defined]
        if found is not None:
            return rows.version_of(found)
        meta = self._meta()
        is_known = meta["compacted"] == "0" or "" < meta.get(COMPACTED_TIME, "") <= text
        return int(meta["compacted"]) if is_known else None

    def revisions(self, key: Key) -> Sequence[StoredRevision]:
        """See Engine."""
        query = select(*rows.columns(RevisionRow)).where(*rows.is_key(RevisionRow, key))
        found = self._reading().execute(query.order_by(RevisionRow.number.desc()))  # type: ignore[attr-defined]
        return [StoredRevision(row.number, row.version, row.time, row.user, row.manager, row.spec) for row in found]

    def backup(self, path: Path) -> None:
        """See Engine."""
        try:
            with closing(sqlite3.connect(f"file:{quote(str(self._path))}?mode=ro", uri=True)) as reader:
                reader.execute("VACUUM INTO ?", (str(path),))
        except sqlite3.Error as error:
            raise OSError(str(error)) from error

    def close(self) -> None:
        """See Engine."""
        self._hang_up()
        os.close(self._lock)

    def _transact(self, write: Callable[[sqlite3.Connection], object]) -> None:
        """One transaction. Raises CommitFailed, OutcomeUnknown."""
        if self._unsettled:
            raise OutcomeUnknown(self._unsettled)
        self._check_files()
        try:
            self._try_to_transact(write)
        except OutcomeUnknown as error:
            self._unsettled = str(error)
            raise

    def _try_to_transact(self, write: Callable[[sqlite3.Connection], object]) -> None:
        try:
            raw = self._raw()
            raw.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:  # such as a lock that somebody else holds
            raise CommitFailed(_told(error)) from error
        try:
            write(raw)
        except BaseException as error:
            _roll_back(raw, error)
            raise CommitFailed(_told(error)) from error
        began = time.perf_counter()
        try:
            raw.commit()
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_FULL:
                raise OutcomeUnknown(_told(error)) from error
            # The log could not take all of the transaction, so the mark that would complete it is not there.
            _roll_back(raw, error)
            raise CommitFailed(_told(error)) from error
        self.on_sync(time.perf_counter() - began)
        if not self._files[1]:
            self._files = (self._files[0], _inode(self._wal))

    def _check_files(self) -> None:
        """Whether what is written will be found again. Raises CommitFailed where somebody has taken the database
        away; a write-ahead log that was is made anew from the one that is still open."""
        if _inode(self._path) != self._files[0]:
            raise CommitFailed(
                f"{self._path} has been removed or replaced under the server: put it back, or restore a backup"
            )
        if self._files[1] and _inode(self._wal) != self._files[1]:
            try:
                busy = self._reading().exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
                if busy:
                    raise CommitFailed(f"{self._wal} has been removed, and a backup is reading it")
                self._hang_up()
                self._open()
            except DBAPIError as error:
                raise CommitFailed(f"{self._wal} has been removed: {error.orig}") from error

    def _open(self) -> None:
        if not self._path.exists():
            self._path.touch(mode=0o600)  # what is in it is as secret as the tokens
        engine = create_engine(
            f"sqlite:///{self._path}",
            poolclass=StaticPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"check_same_thread": False},
        )
        event.listen(engine, "connect", _prepare)
        self._connection = engine.connect()
        self._files = (_inode(self._path), 0)

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError, sqlite3.Error):
                connection.close()
            connection.engine.dispose()

    def _reading(self) -> Connection:
        if self._connection is None:
            raise OutcomeUnknown("the database could not be opened again")
        return self._connection

    def _raw(self) -> sqlite3.Connection:
        raw = self._reading().connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        return raw

    def _pragma(self, name: str) -> int:
        return int(self._reading().exec_driver_sql(f"PRAGMA {name}").scalar_one())

    def _meta(self) -> dict[str, str]:
        return {row.key: row.value for row in self._reading().execute(select(*rows.columns(MetaRow)))}

    def _log_size(self) -> tuple[int, int]:
        query = select(func.count(), func.sum(func.length(EventRow.body))).select_from(EventRow)
        count, size = self._reading().execute(query).one()
        return count, (size or 0) + OVERHEAD * count

    def _stream(self, query: Select[Any]) -> Iterator[Any]:
        """The rows, read along the way. Raises StoreUnusable."""
        try:
            with self._reading().execute(query) as found:
                yield from found
        except DBAPIError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: DBAPIError) -> StoreUnusable:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        is_damaged = code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        hint = "; restore a backup into a new folder (plumctl restore)" if is_damaged else ""
        return StoreUnusable(f"{self._path}: {error.orig}{hint}")


def _inode(path: Path) -> int:
    """What tells a file from another of its name; 0 where there is none."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def _prepare(connection: sqlite3.Connection, record: Any) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _told(error: BaseException) -> str:
    name = getattr(error, "sqlite_errorname", "")
    hint = ": free space in the data directory" if name == "SQLITE_FULL" else ""
    return f"{error} ({name}){hint}" if name else str(error)


def _roll_back(raw: sqlite3.Connection, cause: BaseException) -> None:
    try:
        if raw.in_transaction:
            raw.rollback()
    except sqlite3.Error as error:
        raise OutcomeUnknown(f"{cause}; and the rollback failed: {error}") from error
