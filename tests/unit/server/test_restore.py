"""Restoring: what is there afterwards, and that a refusal or an interruption leaves what was there."""

import io
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from apiserver.api.backups import NotABackup
from apiserver.api.errors import Expired
from apiserver.server import restore as module
from apiserver.server.backup import read_facts
from apiserver.server.restore import CannotRestore, Restored, check_finished, restore
from apiserver.server.store.directory import StoreUnusable, lock_directory
from apiserver.server.store.engine import Key, Revision
from apiserver.server.store.snapshot import Filter
from apiserver.server.store.sqlite import SQLiteEngine
from tests.archives import add_app, artifact, backup, facts, of_database, write_store
from tests.stores import KIND, NOW, body, change, missed, put, running
from tests.unit.server.test_migrations import write_schema_1

BLOB = b"a blob"


def restored(raw: bytes, directory: Path, *, replace: bool = False, after: float = 0) -> Restored:
    """Restore ``after`` seconds from the backup."""
    return restore(io.BytesIO(raw), directory, replace=replace, now=NOW + timedelta(seconds=after))


def content(directory: Path) -> dict[str, bytes]:
    """All files, but the lock."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.name != "lock"
    }


@pytest.fixture
async def source(tmp_path: Path) -> Path:
    """The database of a server that has ended: two objects at version 4."""
    assert await write_store(tmp_path / "source", "a", "b") == 4
    return tmp_path / "source" / "plum.db"


async def test_objects_are_back_and_versions_go_on_where_nobody_has_been(source: Path, tmp_path: Path) -> None:
    done = restored(of_database(source), tmp_path / "new" / "deep", after=50)
    assert done.version == 4 + 1_000_000 + 50 * 10_000
    async with running(SQLiteEngine(tmp_path / "new" / "deep")) as store:
        assert (store.version, store.floor) == (done.version, done.version)
        everything = Filter(KIND)
        slots, _ = await store.page(everything, version=store.version)
        assert [(slot.key.name, slot.version, slot.parse()["spec"]["note"]) for slot in slots] == [
            ("a", 2, "changed"),
            ("b", 4, "changed"),
        ]
        with pytest.raises(Expired):
            await missed(store, everything, 4)
        with pytest.raises(Expired):
            await store.page(everything, version=4)
        assert store.engine.history(slots[0].key, before=store.version, limit=9) == []
        (slot,) = await store.write(put(body("c")))
        assert slot.version == done.version + 1
        assert [one.event.version for one in await missed(store, everything, done.version)] == [slot.version]
    assert read_facts(tmp_path / "new" / "deep" / "plum.db").cluster_id != read_facts(source).cluster_id
    assert not (tmp_path / "new" / "deep" / "scratch").exists()


async def test_kept_specs_stay_for_rollback(source: Path, tmp_path: Path) -> None:
    engine = SQLiteEngine(source.parent)
    raw = b'{"metadata":{"resourceVersion":"5"}}'
    with closing(engine):
        engine.commit([replace(change(5, "c", raw=raw), revision=Revision(1, b"{}", 10))], 5)
    restored(of_database(source), tmp_path / "new")
    with closing(SQLiteEngine(tmp_path / "new")) as again:
        (kept,) = again.revisions(Key(KIND.resource, "default", "c"))
        assert (kept.number, kept.version, kept.spec) == (1, 5, b"{}")


@pytest.mark.parametrize(
    ("after", "further"), [(0, 0), (-3600, 0), (86_400, 86_400), (10_000 * 86_400, module.MOST_SECONDS)]
)
async def test_versions_go_further_with_the_age(source: Path, tmp_path: Path, after: float, further: int) -> None:
    assert restored(of_database(source), tmp_path / "new", after=after).version == 4 + 1_000_000 + 10_000 * further


async def test_two_restores_of_one_backup_do_not_meet(source: Path, tmp_path: Path) -> None:
    raw = of_database(source)
    first = restored(raw, tmp_path / "one", after=10).version
    assert restored(raw, tmp_path / "two", after=11).version == first + 10_000


async def test_a_database_that_is_there_is_refused_or_kept_aside(source: Path, tmp_path: Path) -> None:
    raw, directory = of_database(source), tmp_path / "there"
    await write_store(directory, *"cde")
    before = content(directory)
    with pytest.raises(CannotRestore, match=r"has a database \(plum.db\); --replace moves it aside"):
        restored(raw, directory)
    assert content(directory) == before
    first = restored(raw, directory, replace=True)
    assert first.version == 6 + 1_000_000, "the replaced one was ahead"
    second = restored(raw, directory, replace=True)
    assert second.version == first.version + 1_000_000
    assert (directory / "plum.db.before-restore-1").read_bytes() == before["plum.db"]
    assert read_facts(directory / "plum.db.before-restore-2").version == first.version
    assert read_facts(directory / "plum.db").version == second.version


def killed_store(source: Path, directory: Path) -> None:
    """A database whose last writes are in its write-ahead log only, as a killed server leaves it."""
    directory.mkdir()
    with closing(SQLiteEngine(source.parent)) as engine:
        engine.commit([change(9_000_000, "last", raw=b'{"metadata":{"resourceVersion":"9000000"}}')], 9_000_000)
        for name in ("plum.db", "plum.db-wal"):
            shutil.copy(source.with_name(name), directory / name)


async def test_a_write_ahead_log_goes_aside_with_its_database_and_counts(source: Path, tmp_path: Path) -> None:
    raw = of_database(source)
    killed_store(source, tmp_path / "killed")
    assert restored(raw, tmp_path / "killed", replace=True).version == 9_000_000 + 1_000_000
    assert not (tmp_path / "killed" / "plum.db-wal").exists()
    assert read_facts(tmp_path / "killed" / "plum.db.before-restore-1").objects == 3
    with closing(SQLiteEngine(tmp_path / "killed")) as engine:
        assert len(list(engine.load().objects)) == 2


async def test_a_database_that_cannot_be_read_is_replaced(source: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "plum.db").write_bytes(b"rubbish" * 1000)
    assert restored(of_database(source), tmp_path / "there", replace=True).version == 4 + 1_000_000
    assert (tmp_path / "there" / "plum.db.before-restore-1").read_bytes() == b"rubbish" * 1000


async def test_artifacts_are_put_back_those_there_are_kept_and_missing_ones_named(source: Path, tmp_path: Path) -> None:
    add_app(source, "one", BLOB)
    add_app(source, "two", b"nowhere")
    add_app(source, "three", b"here already")
    here = tmp_path / "new" / artifact(b"here already")[0]
    here.parent.mkdir(parents=True)
    here.write_bytes(b"here already")
    inode = here.stat().st_ino
    done = restored(of_database(source, BLOB, b"here already", b""), tmp_path / "new")
    assert done.missing == ["default/two"]
    for raw in (BLOB, b"here already", b""):
        assert (tmp_path / "new" / artifact(raw)[0]).read_bytes() == raw
    assert here.stat().st_ino == inode


async def test_an_older_schema_is_migrated_by_the_server(tmp_path: Path) -> None:
    path = write_schema_1(tmp_path / "old")
    done = restored(of_database(path), tmp_path / "new")
    with closing(SQLiteEngine(tmp_path / "new")) as engine:
        loaded = engine.load()
        assert (len(list(loaded.objects)), list(loaded.newest), loaded.version) == (1, [], done.version)


def newer(path: Path) -> bytes:
    edit(path, "UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    return of_database(path)


def edit(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)


def lying(**other: Any) -> Callable[[Path], bytes]:
    return lambda path: backup([("plum.db", path.read_bytes())], **facts(path) | other)


def damaged(path: Path) -> bytes:
    said = facts(path)
    with closing(sqlite3.connect(path)) as database:
        (root,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'events_key'").fetchone()
    raw = bytearray(path.read_bytes())
    raw[(root - 1) * 8192 : root * 8192] = b"\xff" * 8192
    return backup([("plum.db", bytes(raw))], **said)


def unreadable(path: Path) -> bytes:
    edit(path, "UPDATE objects SET body = '{' WHERE name = 'a'")
    return of_database(path)


def endless(path: Path) -> bytes:
    edit(path, f"UPDATE meta SET value = '{1 << 43}' WHERE key = 'version'")
    return of_database(path)


def without(table: str) -> Callable[[Path], bytes]:
    def make(path: Path) -> bytes:
        edit(path, f"DROP TABLE {table}")
        return of_database(path)

    return make


def of_no_schema(path: Path) -> bytes:
    edit(path, "UPDATE meta SET value = '0' WHERE key = 'schema_version'")
    return of_database(path)


REFUSED: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "newer": (newer, "schema version 99, this is Plum with 2: restore it with the Plum that made it"),
    "cut off": (lambda path: of_database(path)[:-1], "cut off"),
    "lying": (lying(version=5), "not about the database"),
    "of another cluster": (lying(clusterId="other"), "not about the database"),
    "no database": (lambda path: backup([("plum.db", b"x" * 8192)]), "cannot be used: file is not a database"),
    "empty": (lambda path: backup([("plum.db", b"")]), "cannot be used: no such table"),
    "damaged": (damaged, "malformed|damaged"),
    "without its log": (without("events"), "no such table: events"),
    "without revisions": (without("revisions"), "no such table: revisions"),
    "of no schema": (of_no_schema, "schema version 0"),
    "an object that cannot be read": (unreadable, "cannot be used"),
    "versions at their end": (endless, "no version a server has ever reached"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_refused_changes_nothing(source: Path, tmp_path: Path, what: str) -> None:
    make, why = REFUSED[what]
    await write_store(tmp_path / "there", "c")
    before = content(tmp_path / "there")
    raw = make(source)
    with pytest.raises((CannotRestore, NotABackup), match=why):
        restored(raw, tmp_path / "there", replace=True)
    assert content(tmp_path / "there") == before
    with pytest.raises((CannotRestore, NotABackup), match=why):
        restored(raw, tmp_path / "new")
    assert content(tmp_path / "new") == {}


async def test_a_live_directory_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    lock = lock_directory(tmp_path / "live")
    with pytest.raises(StoreUnusable, match="in use by another server"):
        restored(of_database(source), tmp_path / "live")
    os.close(lock)
    restored(of_database(source), tmp_path / "live")


class Killed(BaseException):
    """Stands for the end of the process."""


async def test_an_interrupted_restore_keeps_servers_out_or_has_changed_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = of_database(source, BLOB)
    killed_store(source, tmp_path / "killed")
    rename, moves, states = os.rename, 0, []
    while True:
        moves += 1
        directory = tmp_path / f"try-{moves}"
        shutil.copytree(tmp_path / "killed", directory)
        left = moves

        def some(source: Path, target: Path) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed
            rename(source, target)

        monkeypatch.setattr(os, "rename", some)
        try:
            restored(raw, directory, replace=True)
        except Killed:
            pass
        else:
            break
        monkeypatch.setattr(os, "rename", rename)
        states.append(is_kept_out(directory))
        restored(raw, directory, replace=True)
        check_finished(directory)
        # Whatever has happened, the old database is there with all that its write-ahead log held.
        assert read_facts(directory / "plum.db.before-restore-1").version == 9_000_000
        assert read_facts(directory / "plum.db").objects == 2
    assert states[0] is False
    assert states[1:] == [True] * len(states[1:])
    assert len(states) >= 4  # an artifact, two or three files of the old database, the new one


def is_kept_out(directory: Path) -> bool:
    try:
        check_finished(directory)
    except StoreUnusable:
        return True
    return False
