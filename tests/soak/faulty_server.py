"""The server with small bounds, so that what takes hours in earnest happens at once, and with a database that fails
when it is told to.

A fault is drawn each time that it could happen, with the probability that a JSON file gives it; the test that started
the server writes that file, whose path is in PLUM_SOAK_FAULTS. Without it nothing fails.
"""

import json
import os
import random
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from apiserver.server import __main__, serve
from apiserver.server.http import watch
from apiserver.server.store import committer
from apiserver.server.store.watchers import Watcher

VARIABLE = "PLUM_SOAK_FAULTS"
RING_BYTES = 100_000
BUFFERED = 10
BOOKMARK_SECONDS = 0.05
TOLD_AFTER = 0.3
SETTLE_SECONDS = (0.02, 0.1)

ERRORS = {
    "open": ("unable to open database file", sqlite3.SQLITE_CANTOPEN, "SQLITE_CANTOPEN"),
    "begin": ("database is locked", sqlite3.SQLITE_BUSY, "SQLITE_BUSY"),
    "statement": ("disk I/O error", sqlite3.SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE"),
    "commit, rolled back": ("disk I/O error", sqlite3.SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC"),
    "commit, left open": ("disk I/O error", sqlite3.SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC"),
    "commit, stored": ("disk I/O error", sqlite3.SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC"),
    "checkpoint": ("disk I/O error", sqlite3.SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC"),
}
"""What can fail, and how SQLite says so."""

SLOW, SLOW_SECONDS = "slow commit", 0.02
"""A commit may also take a while before it begins: whoever is told before it ends is told too early."""

_rng = random.Random(int(os.environ.get("PLUM_SOAK_SEED", "1")))


def write_faults(path: Path, faults: Mapping[str, float]) -> None:
    """Tell a running server what to do wrong from now on, and how often."""
    assert faults.keys() <= {*ERRORS, SLOW}
    new = path.with_suffix(".new")
    new.write_text(json.dumps(dict(faults)))
    new.replace(path)


def _by_file(name: str) -> bool:
    path = os.environ.get(VARIABLE)
    return path is not None and Path(path).exists() and _rng.random() < json.loads(Path(path).read_text()).get(name, 0)


draw: Callable[[str], bool] = _by_file
"""Whether a thing that can fail does so now."""


def _error(name: str) -> sqlite3.OperationalError | None:
    if not draw(name):
        return None
    message, code, error_name = ERRORS[name]
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode, error.sqlite_errorname = code, error_name
    return error


def _fail(name: str) -> None:
    if error := _error(name):
        raise error


def _fail_before(sql: str) -> None:
    if sql.startswith("PRAGMA wal_checkpoint"):
        _fail("checkpoint")
    if sql.startswith("BEGIN"):
        _fail("begin")
    if sql.startswith(("INSERT", "DELETE")):
        _fail("statement")


class FaultyCursor(sqlite3.Cursor):
    """Fails in front of statements."""

    def execute(self, sql: str, *args: Any) -> "FaultyCursor":
        """See sqlite3."""
        _fail_before(sql)
        super().execute(sql, *args)
        return self


class FaultyConnection(sqlite3.Connection):
    """Fails in front of statements, and before or after a real commit."""

    def cursor(self, factory: Any = FaultyCursor) -> Any:
        """See sqlite3."""
        return super().cursor(factory)

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        """See sqlite3, where it does not call the cursor's."""
        _fail_before(sql)
        return super().execute(sql, *args)

    def executemany(self, sql: str, *args: Any) -> sqlite3.Cursor:
        """See sqlite3, where it does not call the cursor's."""
        _fail_before(sql)
        return super().executemany(sql, *args)

    def commit(self) -> None:
        """See sqlite3, which rolls back by itself where a flush has failed, but not after every error."""
        if draw(SLOW):
            time.sleep(SLOW_SECONDS)
        if error := _error("commit, rolled back"):
            self.rollback()
            raise error
        _fail("commit, left open")
        super().commit()
        _fail("commit, stored")


def _connect(*args: Any, **options: Any) -> sqlite3.Connection:
    _fail("open")
    return FaultyConnection(*args, **options)


def spoil(replace: Callable[[object, str, object], None] = setattr) -> None:
    """Have everything that opens a database get a faulty one."""
    # SQLAlchemy looks in the second place.
    for module in (sqlite3, sqlite3.dbapi2):
        replace(module, "connect", _connect)


def shrink() -> None:
    """Bookmarks at once, watchers that overflow soon, a memory of changes that is shorter than a break, and quick
    news of what is not known."""
    watch.BOOKMARK_SECONDS = BOOKMARK_SECONDS
    committer.TOLD_AFTER, committer.SETTLE_SECONDS = TOLD_AFTER, SETTLE_SECONDS  # type: ignore[assignment]
    assert vars(serve)["RING_BYTES"] > RING_BYTES
    vars(serve)["RING_BYTES"] = RING_BYTES
    assert Watcher.__init__.__kwdefaults__
    Watcher.__init__.__kwdefaults__["limit"] = BUFFERED


if __name__ == "__main__":
    spoil()
    shrink()
    __main__.main()
