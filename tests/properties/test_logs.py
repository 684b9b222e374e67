"""Whatever is written, rotated, interrupted and read in whatever order: nothing is lost silently, nothing twice."""

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.logs import cutting, stopping
from agent.logs.lines import Cursor, Line, Splitter
from agent.logs.segments import base, holder, kept_from, name_of, span_of, spans
from agent.logs.streams import Reader
from agent.logs.tending import Instance
from agent.logs.times import Times
from tests.unit.agent.logs.world import LOST, World, drain, settle, told

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.lists(st.integers(0, 400), min_size=1, max_size=8)),
        st.tuples(st.sampled_from(["look", "read", "read", "run", "resume", "restart"]), st.just([0])),
        st.tuples(st.just("die"), st.lists(st.integers(0, 8), min_size=1, max_size=1)),
    ),
    max_size=40,
)


class Killed(Exception):
    """The rotator ends here."""


def dying(patch: pytest.MonkeyPatch, after: int) -> None:
    """The so-manieth thing that a rotation does is its last one."""
    left = after

    def wrap(module: object, name: str) -> None:
        real = getattr(module, name)

        def step(*args: object, **extra: object) -> object:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return real(*args, **extra)

        patch.setattr(module, name, step)

    wrap(cutting, "copy")
    wrap(stopping, "copy")
    for name in ("fdatasync", "rename", "ftruncate", "unlink"):
        wrap(os, name)
    wrap(cutting, "punch")


class Play:
    """One instance, its rotator, and a reader that follows with cursors."""

    def __init__(self, data: Path, *, files: int, punches: bool) -> None:
        self.world = World(data, size=700, files=files)
        self.world.start()
        self.punches = punches
        self.rotator = self._rotator()
        self.reader = self._open()
        self.raw = self.reader.step().data  # it begins where it takes its first step
        self.number = 0

    def _rotator(self) -> Instance:
        return Instance(str(self.world.folder), punches=self.punches)

    def _open(self, **options: Any) -> Reader:
        reader = self.world.reader(follow=True, cursors=True, **options)
        reader.open()
        return reader

    def write(self, lengths: list[int]) -> None:
        for length in lengths:
            self.number += 1
            self.world.write(b"%d %s\n" % (self.number, b"x" * length))

    def look(self, _: list[int]) -> None:
        self.rotator.look()

    def die(self, after: list[int]) -> None:
        self.write([300, 300, 300])  # so that there is something to rotate
        with pytest.MonkeyPatch.context() as patch:
            dying(patch, after[0])
            try:
                self.rotator.look()
            except Killed:
                self.rotator = self._rotator()
        if not self.punches:  # until the next one comes, whoever writes is stopped
            self.rotator.look()

    def restart(self, _: list[int]) -> None:
        self.rotator = self._rotator()

    def read(self, _: list[int]) -> None:
        self.raw += self.reader.step().data

    def run(self, _: list[int]) -> None:
        self.world.start()

    def resume(self, _: list[int]) -> None:
        """The connection breaks after any line, and another one goes on there."""
        seen = told(self.raw)
        if seen:
            self.reader = self._open(cursor=f"{seen[-1].run}:{seen[-1].offset}")

    def finish(self) -> None:
        self.raw += settle(self.reader)


@pytest.fixture(autouse=True)
def nobody_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for whoever has a log open looks at all processes; here it is only this one."""
    monkeypatch.setattr(stopping, "_writers", lambda log: set[str]())


PLAYS = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@PLAYS
@given(steps=STEPS, punches=st.booleans())
def test_a_follower_misses_nothing_while_everything_is_kept(steps: list[tuple[str, list[int]]], punches: bool) -> None:
    with tempfile.TemporaryDirectory() as data:
        play = Play(Path(data), files=1000, punches=punches)
        for name, argument in steps:
            getattr(play, name)(argument)
        play.finish()
        texts = [line.text for line in told(play.raw) if line.text is not None and not line.text.startswith(b"--- run")]
        assert [int(text.split()[0]) for text in texts] == [*range(1, play.number + 1)]


@PLAYS
@given(steps=STEPS, punches=st.booleans())
def test_what_a_slow_follower_misses_it_is_told(steps: list[tuple[str, list[int]]], punches: bool) -> None:
    """In each run, what was read and what is said to be lost is what was written, to the byte."""
    with tempfile.TemporaryDirectory() as data:
        play = Play(Path(data), files=2, punches=punches)
        for name, argument in steps:
            getattr(play, name)(argument)
        play.finish()
        counted: dict[int, int] = {}
        last = 0
        for line in told(play.raw):
            if line.text is None or line.text.startswith(b"--- run"):
                continue
            lost = LOST.fullmatch(line.text)
            size = int(lost[1]) if lost else len(line.text) + 1
            counted[line.run] = counted.get(line.run, 0) + size
            assert counted[line.run] == line.offset
            if not lost:
                number = int(line.text.split()[0])
                assert number > last
                last = number
        assert counted.get(play.world.run, 0) == len(play.world.written[play.world.run])
        play.rotator.look()
        kept = sum(path.stat().st_size for path in play.world.folder.rglob("out.log.*"))
        assert kept <= 3 * 700
        assert play.world.read(cursor="0:0") == drain(play.world.reader(cursor="0:0"))


@given(pieces=st.lists(st.binary(max_size=40)), long=st.integers(0, 3))
def test_lines_do_not_depend_on_how_bytes_come(pieces: list[bytes], long: int) -> None:
    whole = b"".join(pieces) + b"y" * (long * 50_000)
    together = lines_of([whole])
    assert together == lines_of(pieces + [b"y" * 50_000] * long)
    assert b"".join(line.data for line in together) == whole
    assert b"".join(line.data for line in lines_of(pieces, joined=True)) == b"".join(pieces)
    offset = 0
    for line in together:
        assert line.at == Cursor(3, offset)
        offset += len(line.data)


def lines_of(pieces: list[bytes], *, joined: bool = False) -> list[Line]:
    splitter, found, at = Splitter(joined=joined), list[Line](), 0
    for piece in pieces:
        found += splitter.feed(Cursor(3, at), piece)
        at += len(piece)
    return [*found, *splitter.flush(Cursor(3, at))]


@given(lengths=st.lists(st.integers(1, 50), max_size=20), gone=st.sets(st.integers(0, 19)), offset=st.integers(0, 1200))
def test_each_offset_has_its_place(lengths: list[int], gone: set[int], offset: int) -> None:
    at, all_of_them = 0, []
    for length in lengths:
        all_of_them.append((at, at + length))
        at += length
    kept = [span for index, span in enumerate(all_of_them) if index not in gone or index == len(all_of_them) - 1]
    assert base(kept) == at
    assert [span_of(name_of(span)) for span in kept] == kept
    found = kept_from(kept, offset)
    assert found >= offset
    assert not any(start < found and offset < end for start, end in kept if found > offset)
    span = holder(kept, found)
    assert span is None if found >= at else span is not None and span[0] <= found < span[1]


@given(samples=st.lists(st.tuples(st.integers(1, 500), st.floats(1, 1000)), max_size=30), offset=st.integers(0, 600))
def test_times_only_grow(samples: list[tuple[int, float]], offset: int) -> None:
    raw = b"".join(b"%d %.6f\n" % sample for sample in samples)
    known = Times(raw)
    assert known.seconds == sorted(known.seconds)
    at, after = known.at(offset), known.at(offset + 1)
    if after is not None:
        assert at is not None
        assert at <= after
        assert known.first_after(at) <= offset
    assert Times(known.thinned(0, 10_000)).offsets == known.offsets
    thin = Times(known.thinned(0, 64))
    assert set(thin.offsets) <= set(known.offsets)
    assert thin.offsets[-1:] == known.offsets[-1:]


def test_an_offset_in_a_run_without_segments_is_in_the_log(tmp_path: Path) -> None:
    assert spans(str(tmp_path)) == []
    assert holder([], 5) is None
