"""From the schema of the first servers to today's: a kept sample of a store of schema 1."""

import sqlite3
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from apiserver.server.store.directory import StoreUnusable
from apiserver.server.store.engine import Key
from apiserver.server.store.sqlite import SQLiteEngine

TASK = Key("tasks.plum.dev", "default", "web")
_SCHEMA_1 = """
CREATE TABLE objects (id INTEGER NOT NULL, kind VARCHAR NOT NULL, namespace VARCHAR NOT NULL, name VARCHAR NOT NULL,
    uid VARCHAR NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (id));
CREATE UNIQUE INDEX objects_key ON objects (kind, namespace, name);
CREATE TABLE events (id INTEGER NOT NULL, version INTEGER NOT NULL, sequence INTEGER NOT NULL, type VARCHAR NOT NULL,
    kind VARCHAR NOT NULL, namespace VARCHAR NOT NULL, name VARCHAR NOT NULL, uid VARCHAR NOT NULL,
    time VARCHAR NOT NULL, user VARCHAR NOT NULL, manager VARCHAR NOT NULL, previous BLOB, body BLOB NOT NULL,
    PRIMARY KEY (id));
CREATE UNIQUE INDEX events_order ON events (version, sequence);
CREATE INDEX events_key ON events (kind, namespace, name, version);
CREATE TABLE meta ("key" VARCHAR NOT NULL, value VARCHAR NOT NULL, PRIMARY KEY ("key"));
INSERT INTO meta VALUES ('schema_version', '1'), ('version', '7'), ('compacted', '0'), ('cluster_id', 'c');
"""


def body(version: int, generation: int) -> bytes:
    metadata = {"name": "web", "uid": "u", "resourceVersion": str(version), "generation": generation}
    metadata["creationTimestamp"] = "2026-01-02T03:04:05Z"
    return orjson.dumps({"kind": "Task", "metadata": metadata, "spec": {"entries": [{"name": "main"}]}})


def write_schema_1(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "plum.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(_SCHEMA_1)
        database.execute("INSERT INTO objects VALUES (1, ?, ?, ?, 'u', 7, ?)", (*TASK, body(7, 2)))
        for number, (version, sequence, kind) in enumerate([(3, 0, "ADDED"), (7, 0, "MODIFIED"), (7, 1, "ADDED")]):
            row = (number + 1, version, sequence, kind, *TASK, body(version, 2))
            told = "'u', '2026-01-02T03:04:05.000000Z', 'ann', 'm', NULL"
            database.execute(f"INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, {told}, ?)", row)
    return path


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "plum.db")) as database, database:
        database.execute("CREATE TABLE nodes (id TEXT)")
    with pytest.raises(StoreUnusable, match=r"plum\.db is the database of another program; choose another --data-dir"):
        SQLiteEngine(tmp_path)
    with closing(sqlite3.connect(tmp_path / "plum.db")) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("nodes",)]


def test_a_store_of_schema_1_is_brought_up_to_date(tmp_path: Path) -> None:
    path = write_schema_1(tmp_path)
    for _ in range(2):
        engine = SQLiteEngine(tmp_path)
        loaded = engine.load()
        assert ([found.key for found in loaded.objects], loaded.version) == ([TASK], 7)
        assert [(found.version, found.sequence, found.user) for found in loaded.newest] == [
            (7, 1, "ann"),
            (7, 0, "ann"),
            (3, 0, "ann"),
        ]
        (kept,) = engine.revisions(TASK)
        assert (kept.number, kept.version, orjson.loads(kept.spec)) == (2, 7, {"entries": [{"name": "main"}]})
        assert [found.version for found in engine.history(TASK, before=7, limit=1)] == [7]
        engine.close()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    with closing(sqlite3.connect(tmp_path / "plum.db.schema-1")) as copy:
        assert copy.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone() == ("1",)


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    path = write_schema_1(tmp_path)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DROP INDEX events_key")  # as no server leaves it: the first step stumbles
    for _ in range(2):
        with pytest.raises(StoreUnusable, match="events_key"):
            SQLiteEngine(tmp_path)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone() == ("1",)
        assert database.execute("SELECT count(*) FROM events").fetchone() == (3,)
