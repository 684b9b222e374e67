"""Looks at real processes: an app that forks, works, writes, and whose children end."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.usage.looks import Looks
from agent.usage.measured import Measured
from agent.usage.reading import TICKS, Stat, read_stats
from apiserver.api.usage import InstanceUsage
from tests.unit.agent.waiting import eventually

WORK = "i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done"
"""Some tenths of a second of processor time."""

APP = f"""
sh -c '{WORK}'
head -c 300000 /dev/zero > written && sync written
: > worked
sleep 100 & exec sleep 100 3< /dev/null
"""


def children(pid: int) -> list[Stat]:
    return sorted(stat for stat in read_stats().values() if stat.parent == pid)


@contextmanager
def started(folder: Path) -> Iterator[Callable[[], Measured]]:
    """An app under a shim; what to measure."""
    (folder / "app").write_text(APP)
    shim = subprocess.Popen(["sh", "-c", "sh app; :"], cwd=folder, start_new_session=True)
    try:

        def measured() -> Measured:
            (main,) = children(shim.pid)
            return Measured("default", "a", "uid", 1, (main.pid, main.start_time), shim.pid, restarts=3)

        yield measured
    finally:
        os.killpg(shim.pid, signal.SIGKILL)
        shim.wait(10)


def only(looks: Looks, one: Measured) -> InstanceUsage:
    (found,) = looks.look([one]).instances
    return found


async def test_a_tree_with_the_time_of_its_children_that_ended(tmp_path: Path) -> None:
    with started(tmp_path) as measured:
        await eventually((tmp_path / "worked").exists)
        one = measured()
        await eventually(lambda: len(children(one.main[0])) == 1)
        found = only(Looks(tmp_path), one)
        assert (found.name, found.run, found.restarts) == ("a", 1, 3)
        assert (found.processes, found.threads) == (2, 2)
        assert found.open_fds >= 6
        assert found.memory_bytes > 0
        assert found.cpu_seconds >= 0.05


async def test_counters_go_on_when_processes_end_and_stop_with_the_run(tmp_path: Path) -> None:
    with started(tmp_path) as measured:
        await eventually((tmp_path / "worked").exists)
        one, looks = measured(), Looks(tmp_path)
        await eventually(lambda: len(children(one.main[0])) == 1)
        before = only(looks, one)
        (child,) = children(one.main[0])
        os.kill(child.pid, signal.SIGKILL)
        await eventually(lambda: only(looks, one).processes == 1)
        after = only(looks, one)
        assert after.cpu_seconds >= before.cpu_seconds
        assert after.written_bytes >= before.written_bytes
    await eventually(lambda: looks.look([one]).instances == ())


async def test_rates_are_of_the_time_between_looks(tmp_path: Path) -> None:
    with started(tmp_path) as measured:
        await eventually((tmp_path / "worked").exists)
        one = measured()
        began = one.main[1] / TICKS
        moments = iter([began + 100, began + 100.1, began + 102])
        looks = Looks(tmp_path, clock=lambda: next(moments))
        assert only(looks, one).cpu is None
        assert only(looks, one).cpu is None
        report = looks.look([one])
        assert report.window_seconds == 1.9
        assert report.node.cpu is not None
        assert report.instances[0].cpu is not None
        assert report.instances[0].write_rate is not None


async def test_a_young_run_has_rates_at_once(tmp_path: Path) -> None:
    with started(tmp_path) as measured:
        await eventually((tmp_path / "worked").exists)
        one = measured()
        found = only(Looks(tmp_path, clock=lambda: one.main[1] / TICKS + 10), one)
        assert found.cpu == round(found.cpu_seconds / 10, 4)
