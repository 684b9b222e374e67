"""How much of the log is kept: by number, size and age, and whatever the wall clock says meanwhile."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.server.store.cache import Cache
from apiserver.server.store.engine import CommitFailed, Mark, OutcomeUnknown
from apiserver.server.store.maintenance import AGE_SECONDS, Maintenance
from apiserver.server.store.memory import MemoryEngine
from apiserver.server.store.retention import Retention, horizon
from tests.stores import NOW, change

HOUR = timedelta(hours=1)
KEEP = Retention(age=24 * HOUR, changes=100, size=1000)


def marks(*versions: int, size: int = 10, time: datetime = NOW) -> list[Mark]:
    return [Mark(version, time, size) for version in versions]


def test_nothing_is_forgotten_within_the_bounds() -> None:
    assert horizon(marks(1, 2, 3), (100, 1000), 0, KEEP, cutoff=None, is_long=False) == 0


def test_a_log_over_a_bound_is_cut_somewhat_below_it() -> None:
    assert horizon(marks(*range(1, 50)), (101, 101), 0, KEEP, cutoff=None, is_long=True) == 6
    assert horizon(marks(*range(1, 50)), (50, 1001), 0, KEEP, cutoff=None, is_long=True) == 6


def test_the_log_may_be_as_large_as_what_it_is_about() -> None:
    assert not KEEP.is_exceeded(50, 1001, 5000)
    assert horizon(marks(*range(1, 50)), (50, 5001), 5000, KEEP, cutoff=None, is_long=True) == 26


def test_a_version_goes_as_a_whole() -> None:
    assert horizon(marks(1, 1, 1, 1, 1, 1, 1, 1, 2), (101, 101), 0, KEEP, cutoff=None, is_long=True) == 1


def test_what_is_too_old_goes_whatever_its_size() -> None:
    old = [*marks(1, 2, time=NOW - HOUR), *marks(3, time=NOW)]
    assert horizon(old, (3, 30), 0, KEEP, cutoff=NOW - HOUR / 2, is_long=False) == 2


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(1, 20), st.integers(1, 500), st.integers(0, 900)
)
def test_what_is_left_is_within_the_bounds(sizes: list[int], changes: int, size: int, live: int) -> None:
    keep = Retention(changes=changes, size=size)
    oldest = [Mark(number // 2, NOW, one) for number, one in enumerate(sizes, start=2)]
    log = (len(sizes), sum(sizes))
    reached = horizon(oldest, log, live, keep, cutoff=None, is_long=keep.is_exceeded(*log, live))
    left = [mark for mark in oldest if mark.version > reached]
    assert not keep.is_exceeded(len(left), sum(mark.size for mark in left), live)
    if not keep.is_exceeded(*log, live):
        assert reached == 0


class Clocks:
    """A wall clock that people set, and one that nobody does."""

    def __init__(self) -> None:
        self.wall, self.steady = NOW, 1000.0

    def pass_time(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.steady += seconds


def maintained(engine: MemoryEngine, clocks: Clocks, keep: Retention) -> Maintenance:
    async def run_engine(call):  # type: ignore[no-untyped-def]
        return call()

    return Maintenance(
        engine,
        Cache(),
        keep=keep,
        compacted=0,
        run_engine=run_engine,
        clock=lambda: clocks.wall,
        monotonic=lambda: clocks.steady,
    )


def aged(engine: MemoryEngine, version: int, time: datetime) -> None:
    engine.commit([replace(change(version, f"a{version}"), time=time)], version)


async def test_old_changes_go_and_a_wall_clock_set_forward_forgets_nothing() -> None:
    engine, clocks = MemoryEngine(), Clocks()
    aged(engine, 1, NOW - 25 * HOUR)
    aged(engine, 2, NOW)
    maintenance = maintained(engine, clocks, KEEP)
    await maintenance.step()
    assert (maintenance.compacted, engine.log_size[0], maintenance.done.changes) == (1, 1, 1)
    clocks.wall += timedelta(days=365)
    clocks.pass_time(AGE_SECONDS + 1)
    await maintenance.step()
    assert engine.log_size[0] == 1
    clocks.pass_time(25 * 3600)
    await maintenance.step()
    assert (maintenance.compacted, engine.log_size[0]) == (2, 0)


class Full(MemoryEngine):
    """Cannot forget."""

    def compact(self, version: int) -> None:
        raise CommitFailed("disk full")


class Lost(MemoryEngine):
    """Cannot tell whether it has forgotten."""

    def compact(self, version: int) -> None:
        raise OutcomeUnknown("flush failed")


async def test_what_may_have_been_forgotten_is_not_read_any_more() -> None:
    for engine, error, reached in ((Full(), CommitFailed, 0), (Lost(), OutcomeUnknown, 1)):
        aged(engine, 1, NOW - 25 * HOUR)
        maintenance = maintained(engine, Clocks(), KEEP)
        with pytest.raises(error):
            await maintenance.step()
        assert (maintenance.compacted, engine.log_size[0]) == (reached, 1)


async def test_a_pass_goes_on_over_slices_until_there_is_some_room() -> None:
    engine = MemoryEngine()
    engine.commit([change(number, "a", "MODIFIED") for number in range(1, 10_002)], 10_001)
    maintenance = maintained(engine, Clocks(), Retention(changes=10_000, age=10**6 * 24 * HOUR))
    await maintenance.step()
    assert engine.log_size[0] == 9500
    assert maintenance.done.runs == 1
