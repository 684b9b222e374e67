"""What every engine must keep: run against each of them."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from apiserver.api.meta import format_micro_time
from apiserver.server.store.directory import StoreUnusable
from apiserver.server.store.engine import CommitFailed, Engine, Revision
from apiserver.server.store.memory import MemoryEngine
from apiserver.server.store.sqlite import SQLiteEngine
from tests.stores import NOW, change

Reopen = Callable[[], Engine]


@pytest.fixture(params=["memory", "sqlite"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reopen]:
    """Opens the engine anew; the one before has been closed, as by a restart."""
    opened: list[Engine] = []
    memory = MemoryEngine()

    def open_again() -> Engine:
        if opened:
            opened.pop().close()
        opened.append(memory if request.param == "memory" else SQLiteEngine(tmp_path))
        return opened[-1]

    yield open_again
    if opened:
        opened[-1].close()


def test_a_new_engine_is_empty(reopen: Reopen) -> None:
    loaded = reopen().load()
    assert (list(loaded.objects), list(loaded.newest), loaded.compacted, loaded.version) == ([], [], 0, 0)


def test_what_is_committed_is_there_after_a_restart(reopen: Reopen) -> None:
    changes = [change(1, "a", raw=b"1"), change(2, "b", raw=b"2"), change(3, "a", "MODIFIED", raw=b"3")]
    reopen().commit(changes, 3)
    loaded = reopen().load()
    assert {stored.key.name: stored.body for stored in loaded.objects} == {"a": b"3", "b": b"2"}
    assert list(loaded.newest) == changes[::-1]
    assert (loaded.compacted, loaded.version) == (0, 3)


def test_changes_of_one_operation_share_a_version_and_keep_their_order(reopen: Reopen) -> None:
    changes = [change(1, name, sequence=position) for position, name in enumerate("cab")]
    reopen().commit(changes, 1)
    loaded = reopen().load()
    assert list(loaded.objects)
    assert [found.key.name for found in loaded.newest] == ["b", "a", "c"]


def test_the_last_change_of_an_object_in_a_batch_counts(reopen: Reopen) -> None:
    engine = reopen()
    engine.commit([change(1, "a"), change(2, "a", "DELETED"), change(3, "b"), change(4, "b", "MODIFIED", raw=b"x")], 4)
    assert [(s.key.name, s.body) for s in engine.load().objects] == [("b", b"x")]


def test_the_version_does_not_go_back_when_everything_is_deleted(reopen: Reopen) -> None:
    reopen().commit([change(1, "a"), change(2, "a", "DELETED")], 2)
    loaded = reopen().load()
    assert (list(loaded.objects), loaded.version) == ([], 2)


def test_a_second_server_is_refused(tmp_path: Path) -> None:
    engine = SQLiteEngine(tmp_path)
    with pytest.raises(StoreUnusable, match="in use by another server"):
        SQLiteEngine(tmp_path)
    engine.close()
    SQLiteEngine(tmp_path).close()


def test_a_newer_schema_and_a_foreign_file_are_refused(tmp_path: Path) -> None:
    SQLiteEngine(tmp_path / "new").close()
    with closing(sqlite3.connect(tmp_path / "new" / "plum.db")) as database, database:
        database.execute("update meta set value = '99' where key = 'schema_version'")
    with pytest.raises(StoreUnusable, match="schema version 99"):
        SQLiteEngine(tmp_path / "new")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "plum.db").write_bytes(b"not a database, certainly not" * 100)
    with pytest.raises(StoreUnusable, match="not a database"):
        SQLiteEngine(tmp_path / "bad")


def test_the_log_is_forgotten_up_to_a_version_and_no_further(reopen: Reopen) -> None:
    engine = reopen()
    shared = [change(2, name, sequence=position) for position, name in enumerate("bcd")]
    engine.commit([change(1, "a"), *shared, change(3, "a", "DELETED")], 3)
    assert [mark.version for mark in engine.oldest(4)] == [1, 2, 2, 2]
    engine.compact(2)
    assert engine.log_size == (1, sum(mark.size for mark in engine.oldest(9)))
    assert [found.version for found in engine.changes_after(0, size=1 << 20)] == [3]
    loaded = reopen().load()
    assert (loaded.compacted, loaded.version) == (2, 3)
    assert sorted(stored.key.name for stored in loaded.objects) == ["b", "c", "d"]
    assert [found.version for found in loaded.newest] == [3]
    reopen().compact(3)
    loaded = reopen().load()
    assert len(list(loaded.objects)) == 3
    assert (list(loaded.newest), loaded.compacted, loaded.version) == ([], 3, 3)


def test_the_log_is_read_on_in_whole_versions(reopen: Reopen) -> None:
    shared = [change(2, name, sequence=position, raw=b"x" * 1000) for position, name in enumerate("bcd")]
    engine = reopen()
    engine.commit([change(1, "a"), *shared, change(3, "e")], 3)
    reached, steps = 0, []
    while found := engine.changes_after(reached, size=1):
        steps.append([one.version for one in found])
        reached = found[-1].version
    assert steps == [[1], [2, 2, 2], [3]]


def test_the_history_of_an_object_comes_newest_first(reopen: Reopen) -> None:
    engine = reopen()
    engine.commit([change(1, "a"), change(2, "b"), change(3, "a", "MODIFIED"), change(4, "a", "DELETED")], 4)
    key = change(1, "a").key
    assert [found.version for found in engine.history(key, before=4, limit=2)] == [4, 3]
    assert [found.version for found in engine.history(key, before=3, limit=9)] == [3, 1]
    following = [engine.next_change(key, after=version) for version in (0, 1, 2, 3, 4)]
    assert [found and found.version for found in following] == [1, 3, 3, 4, None]


def test_a_moment_leads_to_the_version_of_that_time(reopen: Reopen) -> None:
    engine = reopen()
    hour = timedelta(hours=1)
    engine.commit([replace(change(number, "a", "MODIFIED"), time=NOW + number * hour) for number in (1, 2, 3)], 3)
    assert [engine.version_at(NOW + hours * hour) for hours in (0, 1, 2.5, 9)] == [0, 1, 2, 3]
    engine.compact(2)
    engine = reopen()
    assert [engine.version_at(NOW + hours * hour) for hours in (0, 1.9, 2, 2.5, 3)] == [None, None, 2, 2, 3]
    engine.compact(3)
    engine.compact(3)
    assert [reopen().version_at(NOW + hours * hour) for hours in (2.9, 3, 9)] == [None, 3, 3]


def test_the_newest_revisions_are_kept_beyond_the_log(reopen: Reopen) -> None:
    engine = reopen()
    for number in range(1, 6):
        spec = Revision(number, b'{"n":%d}' % number, kept=3)
        engine.commit([replace(change(number, "a", "MODIFIED"), revision=spec)], number)
    engine.compact(5)
    key = change(1, "a").key
    found = reopen().revisions(key)
    assert [(one.number, one.version, one.spec) for one in found] == [
        (5, 5, b'{"n":5}'),
        (4, 4, b'{"n":4}'),
        (3, 3, b'{"n":3}'),
    ]
    assert (found[0].user, found[0].manager, found[0].time) == ("someone", "test", format_micro_time(NOW))
    again = replace(change(7, "a"), revision=Revision(1, b"{}", kept=3))
    reopen().commit([change(6, "a", "DELETED"), again], 7)
    assert [one.number for one in reopen().revisions(key)] == [1]


def test_a_probe_stores_nothing_but_the_version(reopen: Reopen) -> None:
    engine = reopen()
    engine.commit([change(1, "a")], 1)
    engine.commit((), 1)
    assert engine.settle() == 1
    assert (engine.log_size[0], engine.vacuum()) == (1, False)


def test_space_is_given_back(tmp_path: Path) -> None:
    engine = SQLiteEngine(tmp_path)
    for start in range(0, 4000, 500):
        engine.commit([change(start + n + 1, f"a{n}", "MODIFIED", raw=b"x" * 4000) for n in range(500)], start + 500)
    full = engine.sizes()
    engine.compact(3500)
    assert engine.sizes().free > full.database // 2
    while engine.vacuum():
        pass
    left = engine.sizes()
    assert left.database < full.database / 2
    assert left.free <= max(left.database // 10, 256 * 8192)
    engine.close()


def test_a_database_that_is_taken_away_is_not_written(tmp_path: Path) -> None:
    engine = SQLiteEngine(tmp_path)
    engine.commit([change(1, "a")], 1)
    (tmp_path / "plum.db").rename(tmp_path / "elsewhere")
    with pytest.raises(CommitFailed, match="removed or replaced"):
        engine.commit([change(2, "b")], 2)
    (tmp_path / "elsewhere").rename(tmp_path / "plum.db")
    engine.commit([change(2, "b")], 2)
    engine.close()


def test_a_log_that_is_taken_away_is_made_anew_and_nothing_is_lost(tmp_path: Path) -> None:
    engine = SQLiteEngine(tmp_path)
    engine.commit([change(1, "a")], 1)
    (tmp_path / "plum.db-wal").unlink()
    engine.commit([change(2, "b")], 2)
    killed = tmp_path / "killed"
    killed.mkdir()
    for path in tmp_path.glob("plum.db*"):
        shutil.copy(path, killed / path.name)
    engine.close()
    found = SQLiteEngine(killed)
    assert sorted(stored.key.name for stored in found.load().objects) == ["a", "b"]
    found.close()


def test_what_is_stored_is_for_nobody_else_to_read(tmp_path: Path) -> None:
    engine = SQLiteEngine(tmp_path)
    engine.commit([change(1, "a")], 1)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("plum.db*")} == {0o600}
    engine.close()
