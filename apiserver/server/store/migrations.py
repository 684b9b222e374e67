"""From the schema that a file has to the one that this server knows.

A step is numbered by the schema it starts from and written in the SQL of its day: it must not change when the
tables do. Before the first step the file is copied beside itself; all steps are one transaction.
"""

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import Connection
from sqlmodel import SQLModel

from apiserver.server.store.directory import StoreUnusable
from apiserver.server.store.tables import SCHEMA_VERSION


def migrate(connection: Connection, path: Path) -> None:
    """Create the tables of a new store, or bring those of an older one up to date. Raises StoreUnusable for
    one that a newer server or another program has written. The connection must be in autocommit mode."""
    found = _schema_version(connection)
    if found is None:
        if connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar():
            raise StoreUnusable(f"{path} is the database of another program; choose another --data-dir")
        _in_one_transaction(connection, _create)
        return
    if found < 1:
        raise StoreUnusable(f"the store says schema version {found}, which no server has ever written")
    if found > SCHEMA_VERSION:
        raise StoreUnusable(
            f"the store has schema version {found}, this server knows {SCHEMA_VERSION}: "
            "use the newer server, or a backup from before the upgrade"
        )
    if found < SCHEMA_VERSION:
        _copy(connection, path.with_name(f"{path.name}.schema-{found}"))
        _in_one_transaction(connection, lambda one: _upgrade(one, found))
    if connection.exec_driver_sql("PRAGMA auto_vacuum").scalar() != _INCREMENTAL:
        # Only a rebuilt file can give pages back one by one.
        connection.exec_driver_sql("PRAGMA auto_vacuum=INCREMENTAL")
        connection.exec_driver_sql("VACUUM")


_INCREMENTAL = 2


def _schema_version(connection: Connection) -> int | None:
    """What the file says; None for a new one."""
    tables = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'meta'"
    if not connection.exec_driver_sql(tables).scalar():
        return None
    found = connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'schema_version'").scalar()
    return int(found) if found is not None else None


def _in_one_transaction(connection: Connection, work: Callable[[Connection], None]) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        work(connection)
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


def _create(connection: Connection) -> None:
    SQLModel.metadata.create_all(connection)
    facts = {"schema_version": SCHEMA_VERSION, "version": 0, "compacted": 0, "cluster_id": uuid.uuid4()}
    for key, value in facts.items():
        connection.exec_driver_sql("INSERT INTO meta (key, value) VALUES (?, ?)", (key, str(value)))


def _copy(connection: Connection, target: Path) -> None:
    """A whole copy of the file as it was; one of an earlier attempt is replaced."""
    unfinished = target.with_name(f"{target.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    connection.exec_driver_sql("VACUUM INTO ?", (str(unfinished),))
    unfinished.replace(target)


def _upgrade(connection: Connection, found: int) -> None:
    for version in range(found, SCHEMA_VERSION):
        for statement in _STEPS[version]:
            connection.exec_driver_sql(statement)
    connection.exec_driver_sql("UPDATE meta SET value = ? WHERE key = 'schema_version'", (str(SCHEMA_VERSION),))


_STEPS: Mapping[int, tuple[str, ...]] = {
    # The log is ordered by its row id; the present specs of tasks are their first kept revisions.
    1: (
        "DROP INDEX events_order",
        "DROP INDEX events_key",
        "ALTER TABLE events RENAME TO events_1",
        """CREATE TABLE events (
            id INTEGER NOT NULL, type VARCHAR NOT NULL, kind VARCHAR NOT NULL, namespace VARCHAR NOT NULL,
            name VARCHAR NOT NULL, uid VARCHAR NOT NULL, time VARCHAR NOT NULL, user VARCHAR NOT NULL,
            manager VARCHAR NOT NULL, previous BLOB, body BLOB NOT NULL, PRIMARY KEY (id))""",
        """INSERT INTO events
            SELECT (version << 20) | sequence, type, kind, namespace, name, uid, time, user, manager, previous, body
            FROM events_1""",
        "DROP TABLE events_1",
        "CREATE INDEX events_key ON events (kind, namespace, name, id)",
        """CREATE TABLE revisions (
            id INTEGER NOT NULL, kind VARCHAR NOT NULL, namespace VARCHAR NOT NULL, name VARCHAR NOT NULL,
            number INTEGER NOT NULL, version INTEGER NOT NULL, time VARCHAR NOT NULL, user VARCHAR NOT NULL,
            manager VARCHAR NOT NULL, spec BLOB NOT NULL, PRIMARY KEY (id))""",
        "CREATE UNIQUE INDEX revisions_key ON revisions (kind, namespace, name, number)",
        """INSERT INTO revisions (kind, namespace, name, number, version, time, user, manager, spec)
            SELECT kind, namespace, name, json_extract(text, '$.metadata.generation'), version,
                json_extract(text, '$.metadata.creationTimestamp'), '', '', CAST(json_extract(text, '$.spec') AS BLOB)
            FROM (SELECT *, CAST(body AS TEXT) AS text FROM objects WHERE kind = 'tasks.plum.dev')""",
    ),
}
