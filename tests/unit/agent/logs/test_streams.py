"""What a reader gets: which part, in which form, over rotations, runs and the end."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.files import NotRegular
from agent.logs import cutting, reading, times
from agent.logs.segments import base, spans
from agent.logs.streams import Reader
from agent.logs.tending import Instance
from apiserver.api.errors import BadRequest, NotFound
from tests.unit.agent.logs.world import UID, World, drain, settle, told


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, size=1000, files=3)
    world.start()
    return world


def opened(world: World, **options: Any) -> Reader:
    reader = world.reader(**options)
    reader.open()
    return reader


def look(world: World) -> None:
    Instance(str(world.folder)).look()


def numbered(first: int, last: int) -> bytes:
    return b"".join(b"%d\n" % number for number in range(first, last + 1))


def test_all_of_the_newest_run_and_no_other(world: World) -> None:
    world.write(b"old\n")
    world.start()
    world.write(b"new\nand no end")
    assert world.read() == b"new\nand no end"
    assert world.read(previous=True) == b"old\n"


def test_a_log_that_an_app_made_a_fifo_keeps_no_reader(world: World) -> None:
    """The threads that read are the node's: one that waits for a writer would be lost to all other logs."""
    world.write(b"x\n")
    log = world.now / "out.log"
    log.unlink()
    os.mkfifo(log)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(world.read)
        try:
            with pytest.raises(NotRegular, match=r"not a regular file but a pipe \(FIFO\): the app has put that there"):
                reading.result(timeout=5)
        finally:
            os.close(os.open(log, os.O_RDWR))


def test_what_is_no_log_any_more_is_told_before_the_answer_begins(world: World) -> None:
    """Later it could only break off, and say nothing."""
    world.write(b"x\n")
    (world.now / "out.log").rename(world.now / "elsewhere")
    (world.now / "out.log").symlink_to("elsewhere")
    with pytest.raises(NotRegular, match="not a regular file but a link"):
        world.reader().open()


GONE = b"--- the log of run 2 is gone: out.log was removed, and with it what is written to it ---"


def removed(world: World) -> World:
    """The second run's log is removed, a while after its beginning."""
    world.write(b"old\n")
    world.start()
    os.utime(world.now / "pid", (1000.0, 1000.0))
    world.write(numbered(1, 500))
    look(world)
    (world.now / "out.log").unlink()
    return world


@pytest.mark.parametrize("options", [{}, {"tail_lines": 1}, {"since_seconds": 10}])
def test_a_log_that_was_removed_is_told_of(world: World, options: dict[str, Any]) -> None:
    found = removed(world).read(**options)
    assert found.count(GONE + b"\n") == 1
    assert found.endswith(GONE + b"\n")
    world.end()
    assert world.read(**options) == found


def test_whoever_follows_a_log_that_is_removed_is_told_once_and_goes_on_with_the_next_run(world: World) -> None:
    world.write(b"old\n")
    world.start()
    os.utime(world.now / "pid", (1000.0, 1000.0))
    world.write(b"x\nand no end")
    reader = opened(world, follow=True, cursors=True)
    first = told(settle(reader))
    assert [line.text for line in first if line.text] == [b"x"]
    (world.now / "out.log").unlink()
    more = [line.text for line in told(settle(reader) + settle(reader)) if line.text]
    assert more == [b"and no end", GONE]
    world.start()
    world.write(b"next\n")
    assert [line.text for line in told(settle(reader)) if line.text] == [b"next"]


def test_a_log_that_is_about_to_be_made_is_none_that_was_removed(world: World) -> None:
    os.utime(world.now / "pid")
    assert world.read() == b""


def test_a_cursor_holds_where_the_log_was_removed(world: World) -> None:
    reader = opened(removed(world), cursors=True)
    last = [line for line in told(drain(reader)) if line.text][-1]
    assert last.text == GONE
    again = told(drain(opened(world, cursors=True, cursor=f"{last.run}:{last.offset}")))
    assert [line.text for line in again if line.text] == [GONE]


def test_there_may_be_no_previous_run(world: World) -> None:
    world.write(b"x\n")
    with pytest.raises(BadRequest, match="previous: there is no run before"):
        world.read(previous=True)


def test_rotated_parts_are_read_in_order_and_without_notes_about_what_went_before(world: World) -> None:
    world.write(numbered(1, 2000))
    look(world)
    assert len(spans(str(world.now))) > 2
    found = world.read()
    assert numbered(1, 2000).endswith(found)
    assert b"---" not in found
    assert found.count(b"\n") > 500


@settings(max_examples=20, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 300), max_size=30),
    count=st.integers(0, 40),
    rotates=st.booleans(),
    is_cut=st.booleans(),
)
def test_tail(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], count: int, rotates: bool, is_cut: bool
) -> None:
    world = World(tmp_path_factory.mktemp("w"), size=500, files=100)
    world.start()
    text = b"".join(b"x" * length + b"\n" for length in lengths) + (b"rest" if is_cut else b"")
    world.write(text)
    if rotates:
        look(world)
    expected = b"".join(text.splitlines(keepends=True)[-count:]) if count else b""
    assert world.read(tail_lines=count) == expected


def test_tail_of_more_than_a_chunk(world: World) -> None:
    world.size = 10**6
    line = b"y" * 999 + b"\n"
    world.write(line * 300)
    assert world.read(tail_lines=200) == line * 200


def test_since_a_time_in_the_samples(world: World) -> None:
    world.write(b"one\ntwo\n")
    times.append(str(world.now), 8, 1000.0)
    world.write(b"three\n")
    times.append(str(world.now), 14, 2000.0)
    world.write(b"four\n")
    assert world.read(since_time=datetime.fromtimestamp(500, UTC)) == b"one\ntwo\nthree\nfour\n"
    assert world.read(since_time=datetime.fromtimestamp(1500, UTC)) == b"three\nfour\n"
    assert world.read(since_time=datetime.fromtimestamp(2500, UTC)) == b"four\n"
    assert world.read(since_time=datetime.fromtimestamp(4e9, UTC)) == b""
    assert world.read(since_time=datetime.fromtimestamp(1500, UTC), tail_lines=1) == b"four\n"
    os.utime(world.now / "out.log", (3000, 3000))
    assert world.read(since_seconds=60) == b""


def test_since_begins_with_a_whole_line(world: World) -> None:
    world.write(b"one\ntw")
    times.append(str(world.now), 6, 1000.0)
    world.write(b"o\nthree\n")
    assert world.read(since_time=datetime.fromtimestamp(1500, UTC)) == b"three\n"


def test_times_and_cursors(world: World) -> None:
    world.write(b"one\ntwo\n")
    times.append(str(world.now), 8, 1000.25)
    world.write(b"three")
    os.utime(world.now / "out.log", (2000, 2000))
    stamped = b"1970-01-01T00:16:40.250000Z one\n1970-01-01T00:16:40.250000Z two\n1970-01-01T00:33:20.000000Z three\n"
    assert world.read(timestamps=True) == stamped
    found = told(world.read(cursors=True))
    assert [(line.run, line.offset, line.text) for line in found] == [
        (1, 4, b"one"),
        (1, 8, b"two"),
        (1, 13, b"three"),
        (1, 13, None),
    ]


def test_a_limit_counts_what_the_app_wrote(world: World) -> None:
    world.write(b"one\ntwo\n")
    assert world.read(limit_bytes=6) == b"one\ntw"
    assert world.read(limit_bytes=4, timestamps=True).endswith(b"Z one\n")
    assert world.read(limit_bytes=100) == b"one\ntwo\n"
    assert drain(opened(world, limit_bytes=6, follow=True)) == b"one\ntw"


def test_a_cursor_goes_on_just_there_and_into_later_runs(world: World) -> None:
    world.write(b"one\ntwo\n")
    world.start()
    world.write(b"three\n")
    assert world.read(cursor="1:4") == b"two\nthree\n"
    assert world.read(cursor="0:0") == b"one\ntwo\nthree\n"
    assert world.read(cursor="2:6") == b""
    assert world.read(cursor="2:600") == b""
    assert world.read(cursor="9:0") == b""


def test_following_over_runs_and_to_the_end(world: World) -> None:
    world.write(b"one\n")
    reader = opened(world, follow=True, tail_lines=0)
    assert settle(reader) == b""
    world.write(b"two\nhalf a li")
    assert settle(reader) == b"two\n"
    world.write(b"ne\nno end")
    assert settle(reader) == b"half a line\n"
    world.start()
    world.write(b"three\n")
    assert settle(reader) == b"no end\nthree\n"
    world.write(b"four\n")
    world.remove()
    assert drain(reader) == b"four\n"


def test_nothing_is_lost_when_the_folder_moves_under_the_readers_hands(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The instance is removed between the look at its runs and the read of one of them."""
    world.write(b"one\n")
    reader = opened(world, follow=True)
    assert settle(reader) == b"one\n"
    world.write(b"two\nno end")
    world.start()
    world.write(b"three\n")
    real, moves = reading.read, iter([True])

    def read(run: str, offset: int, limit: int = 100) -> tuple[int, bytes]:
        if next(moves, False):
            world.remove()
        return real(run, offset, limit)

    monkeypatch.setattr(reading, "read", read)
    assert drain(reader) == b"two\nno end\nthree\n"


def test_the_log_of_what_is_gone_is_kept_under_its_uid(world: World) -> None:
    world.write(b"one\n")
    world.remove()
    assert world.read(live=False) == b"one\n"
    world.run = 0
    world.start()
    (world.now / "run.json").write_text('{"uid": "another"}')
    world.write(b"of another\n")
    assert world.read(live=False) == b"one\n"


def test_nothing_is_there(world: World) -> None:
    other = World(world.data / "elsewhere")
    with pytest.raises(NotFound):
        opened(other, live=False, follow=True)
    assert other.read() == b""
    assert drain(opened(other, cursors=True)) == b""


def test_who_follows_waits_for_what_is_to_come(tmp_path: Path) -> None:
    world = World(tmp_path)
    reader = opened(world, follow=True, cursors=True)
    assert told(settle(reader))[0].text is None
    assert settle(reader) == b""
    world.start()
    world.write(b"one\n")
    assert [line.text for line in told(settle(reader))] == [b"one"]


def test_an_instance_without_a_run_has_an_empty_log(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.folder.mkdir(parents=True)
    assert world.read() == b""
    reader = opened(world, follow=True)
    world.start()
    world.write(b"one\n")
    assert settle(reader) == b"one\n"


def test_a_gap_is_told_to_the_byte(world: World) -> None:
    world.write(numbered(1, 100))
    reader = opened(world, follow=True)
    first = reader.step().data
    world.write(numbered(101, 5000))
    look(world)
    rest = settle(reader)
    note, _, kept = rest.partition(b"\n")
    lost = len(world.written[1]) - len(first) - len(kept)
    assert note == b"--- %d bytes lost: rotated away before they were read ---" % lost
    assert numbered(1, 5000).endswith(b"\n" + kept)


def test_a_gap_in_the_middle_of_a_line(world: World) -> None:
    world.write(b"half a li")
    reader = opened(world, follow=True)
    assert settle(reader) == b""
    world.write(b"ne\n" + b"x" * 4999 + b"\nlast\n")
    look(world)
    lost = base(spans(str(world.now))) - len(b"half a li")
    assert settle(reader) == b"half a li\n--- %d bytes lost: rotated away before they were read ---\nlast\n" % lost


def test_runs_that_were_removed_are_told(world: World) -> None:
    reader = opened(world, follow=True)
    world.write(b"one\n")
    assert settle(reader) == b"one\n"
    for number in range(12):
        world.start()
        world.write(b"run %d\n" % number)
    look(world)
    found = settle(reader)
    assert found.startswith(b"--- runs 1 to 3 were removed before all of it was read ---\nrun 2\n")


def test_long_lines_come_in_parts(world: World) -> None:
    world.size = 10**7
    world.write(b"x" * 150_000 + b"\nshort\n")
    assert world.read() == b"x" * 150_000 + b"\nshort\n"
    sizes = [len(line.text) for line in told(world.read(cursors=True)) if line.text is not None]
    assert sizes == [65536, 65536, 150_000 - 131072, 5]


def test_a_reader_sees_through_a_rotation_under_its_hands(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is cut and punched between the look at the names and the read: what was read were zeros."""
    world.write(numbered(1, 300))
    real = os.pread
    cuts = iter([True])

    def pread(fd: int, size: int, offset: int) -> bytes:
        if os.readlink(f"/proc/self/fd/{fd}").endswith("out.log") and next(cuts, False):
            cutting.cut(str(world.now), (0, len(numbered(1, 250))))
        return real(fd, size, offset)

    reader = opened(world)
    monkeypatch.setattr(os, "pread", pread)
    assert drain(reader) == numbered(1, 300)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "x" * 300])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    from agent.logs.place import Place

    with pytest.raises(ValueError, match="cannot be part of a folder's name"):
        Place(tmp_path, "default", name, UID)


@pytest.mark.parametrize("is_restarted", [False, True])
def test_one_run_alone_is_followed_to_its_end(world: World, is_restarted: bool) -> None:
    world.write(b"one\n")
    reader = opened(world, follow=True, one_run=True)
    assert settle(reader) == b"one\n"
    world.write(b"two\n")
    world.start() if is_restarted else world.end()
    if is_restarted:
        world.write(b"of another run\n")
    assert drain(reader) == b"two\n"


def test_a_run_that_is_over_is_not_followed_alone(world: World) -> None:
    world.write(b"one\n")
    world.end()
    assert drain(opened(world, follow=True, one_run=True)) == b"one\n"


def test_who_waits_for_the_first_run_follows_it_alone(tmp_path: Path) -> None:
    world = World(tmp_path)
    reader = opened(world, follow=True, one_run=True)
    assert settle(reader) == b""
    world.start()
    world.write(b"one\n")
    assert settle(reader) == b"one\n"
    world.start()
    assert drain(reader) == b""


def test_a_run_that_is_removed_ends_what_follows_it_alone(world: World) -> None:
    world.write(b"one\n")
    reader = opened(world, follow=True, one_run=True)
    assert settle(reader) == b"one\n"
    world.start()
    shutil.rmtree(world.folder / "runs" / "1")
    assert drain(reader) == b""
