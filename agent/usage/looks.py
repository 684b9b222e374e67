"""Looks at what is used, one after another, with what has to be remembered between them. A look blocks for some 15
microseconds a process; it belongs in a thread, and one at a time."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from agent.usage.counters import Point, rate
from agent.usage.machine import Point as MachinePoint
from agent.usage.machine import read_machine
from agent.usage.measured import Measured
from agent.usage.reading import TICKS, Stat, read_details, read_stats
from agent.usage.trees import Table, Totals, total
from apiserver.api.usage import MAX_INSTANCES, InstanceUsage, UsageReport

YOUNG_SECONDS = 60.0
"""A run that is seen for the first time and is younger has its life as the time of its rates."""

BELIEVED_LOOKS = 4
"""How often the last figures of a tree are taken again in which nothing has run: a process may have been given a
descriptor, or a little may have been written, without that."""

_Run = tuple[str, int]
"""An instance's uid, and which run of it."""


@dataclass(frozen=True)
class _Known:
    """What an earlier look found of a run."""

    stats: tuple[Stat, ...]
    totals: Totals
    point: Point
    believed: int
    """How many looks have taken these totals."""


def seconds_since_boot() -> float:
    """The clock by which processes have start times."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Looks:
    """One agent's looks."""

    def __init__(self, data: Path, *, clock: Callable[[], float] = seconds_since_boot) -> None:
        """``data`` is the agent's folder, whose disk is the node's."""
        self._data, self._clock = data, clock
        self._known: dict[_Run, _Known] = {}
        self._machine: MachinePoint | None = None

    def look(self, instances: Iterable[Measured]) -> UsageReport:
        """What these instances and the machine use now. Raises OSError where ``/proc`` cannot be read."""
        seconds = self._clock()
        before = self._machine
        usage, self._machine = read_machine(self._data, seconds, before)
        table = Table(read_stats())
        known, self._known = self._known, {}
        found = []
        for one in islice(instances, MAX_INSTANCES):
            shim, members = table.look_up(one)
            if not all(stat.is_zombie for stat in members):
                last = known.get((one.uid, one.run))
                now = self._known[one.uid, one.run] = _measure(one, members, shim, last, seconds)
                found.append(_usage(one, now, last.point if last else None))
        window = round(seconds - before.seconds, 3) if before else 0.0
        return UsageReport(window_seconds=window, node=usage, instances=tuple(found))


def _measure(one: Measured, members: list[Stat], shim: Stat | None, last: _Known | None, seconds: float) -> _Known:
    stats = (*members, *([shim] if shim else ()))
    if last and last.stats == stats and last.believed < BELIEVED_LOOKS:
        totals, believed = last.totals, last.believed + 1
    else:
        totals, believed = total(members, shim, read_details), 1
    since = last.point if last else Point(one.main[1] / TICKS)
    point = since.after(seconds, cpu=totals.cpu_seconds, read=totals.read_bytes, written=totals.written_bytes)
    return _Known(stats, totals, point, believed)


def _usage(one: Measured, known: _Known, before: Point | None) -> InstanceUsage:
    totals, now = known.totals, known.point
    since = before or Point(one.main[1] / TICKS)
    span = now.seconds - since.seconds
    if before is None and span >= YOUNG_SECONDS:
        span = 0.0
    return InstanceUsage(
        namespace=one.namespace,
        name=one.name,
        uid=one.uid,
        run=one.run,
        restarts=one.restarts,
        processes=totals.processes,
        threads=totals.threads,
        open_fds=totals.open_fds,
        memory_bytes=totals.memory_bytes,
        cpu_seconds=round(now.cpu.value, 3),
        cpu=rate(since.cpu.value, now.cpu.value, span, digits=4),
        read_bytes=int(now.read.value),
        written_bytes=int(now.written.value),
        read_rate=rate(since.read.value, now.read.value, span),
        write_rate=rate(since.written.value, now.written.value, span),
    )
