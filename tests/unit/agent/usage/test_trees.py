from agent.usage.measured import Measured
from agent.usage.reading import TICKS, Details, Stat
from agent.usage.trees import Table, Totals, total


def process(pid: int, parent: int = 1, **figures: int) -> Stat:
    known = {"start_time": pid * 10, "ticks": 0, "reaped_ticks": 0, "threads": 1, "faults": 0, "resident_pages": 0}
    return Stat(pid=pid, parent=parent, is_zombie=False, **known | figures)


def table(*stats: Stat) -> Table:
    return Table({stat.pid: stat for stat in stats})


def measured(main: int = 20, shim: int = 10) -> Measured:
    return Measured("default", "a", "uid", 1, (main, main * 10), shim)


def pids(found: Table, instance: Measured) -> list[int]:
    return [stat.pid for stat in found.look_up(instance)[1]]


def test_a_tree_is_what_descends_from_the_shim_without_the_shim() -> None:
    found = table(process(10), process(20, 10), process(21, 20), process(22, 21), process(23, 10), process(30))
    shim, members = found.look_up(measured())
    assert shim == process(10)
    assert sorted(stat.pid for stat in members) == [20, 21, 22, 23]


def test_parents_come_before_their_children() -> None:
    found = table(process(10), process(20, 10), process(5, 20), process(3, 5), process(4, 10))
    order = pids(found, measured())
    assert sorted(order) == [3, 4, 5, 20]
    assert order.index(20) < order.index(5) < order.index(3)


def test_the_main_process_is_known_without_its_shim() -> None:
    alone = table(process(20), process(21, 20), process(22))
    assert alone.look_up(measured())[0] is None
    assert pids(alone, measured()) == pids(alone, measured(shim=0)) == [20, 21]


def test_a_pid_that_was_given_again_is_somebody_else() -> None:
    assert pids(table(process(10), process(20, 10, start_time=7), process(21, 20)), measured()) == []
    another_shim = table(process(10), process(11, 10), process(20, 1), process(21, 20))
    assert another_shim.look_up(measured()) == (None, [process(20, 1), process(21, 20)])


def test_what_has_ended_is_not_measured() -> None:
    assert table(process(10), process(25, 10)).look_up(measured()) == (None, [])


def test_sums() -> None:
    shim = process(10, ticks=1000, reaped_ticks=3)
    members = [
        process(20, 10, ticks=5, reaped_ticks=7, threads=2),
        process(21, 20, ticks=11, threads=4),
        process(22, 20, ticks=1)._replace(is_zombie=True),
    ]
    told = {10: Details(999, 9, 1, 2), 20: Details(10, 3, 4, 8), 21: Details(20, 5, 16, 32), 22: Details()}
    assert total(members, shim, lambda stat: told[stat.pid]) == Totals(
        processes=2,
        threads=6,
        open_fds=8,
        memory_bytes=30,
        cpu_seconds=27 / TICKS,
        read_bytes=21,
        written_bytes=42,
    )
