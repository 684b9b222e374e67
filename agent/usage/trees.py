"""Which processes belong to an instance, and what they use together. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.usage.measured import Measured
from agent.usage.reading import TICKS, Details, Stat


@dataclass(frozen=True)
class Totals:
    """What a tree uses now, and has used, as far as it can be seen."""

    processes: int = 0
    threads: int = 0
    open_fds: int = 0
    memory_bytes: int = 0
    cpu_seconds: float = 0.0
    read_bytes: int = 0
    written_bytes: int = 0


class Table:
    """All processes of one look."""

    def __init__(self, stats: Mapping[int, Stat]) -> None:
        self._stats = stats
        self._children: defaultdict[int, list[Stat]] = defaultdict(list)
        for stat in stats.values():
            self._children[stat.parent].append(stat)

    def look_up(self, instance: Measured) -> tuple[Stat | None, list[Stat]]:
        """The instance's shim, and its processes, each after its parent: what descends from the shim or, when that is
        gone, from the main process. None where the main process has ended, even if something of it is left."""
        main = self._stats.get(instance.main[0])
        if main is None or main.start_time != instance.main[1]:
            return None, []
        # A pid alone may have been given to somebody else; who is the parent of the main process has not changed.
        shim = self._stats.get(instance.shim) if main.parent == instance.shim else None
        return shim, self._below(self._children[shim.pid] if shim else [main])

    def _below(self, roots: Iterable[Stat]) -> list[Stat]:
        pending, found = list(roots), dict[int, Stat]()
        while pending:
            stat = pending.pop()
            if stat.pid not in found:
                found[stat.pid] = stat
                pending += self._children.get(stat.pid, ())
        return list(found.values())


def total(members: Sequence[Stat], shim: Stat | None, details: Callable[[Stat], Details]) -> Totals:
    """The sum over a tree, ``members`` in the order of ``Table.look_up``: parents before their children, so that what
    ends meanwhile is missed, until the next look, rather than counted twice."""
    ended = details(shim) if shim else Details()
    told = [details(stat) for stat in members]
    living = [stat for stat in members if not stat.is_zombie]
    ticks = sum(stat.ticks + stat.reaped_ticks for stat in members) + (shim.reaped_ticks if shim else 0)
    return Totals(
        processes=len(living),
        threads=sum(stat.threads for stat in living),
        open_fds=sum(one.open_fds for one in told),
        memory_bytes=sum(one.memory_bytes for one in told),
        cpu_seconds=ticks / TICKS,
        read_bytes=sum(one.read_bytes for one in told) + ended.read_bytes,
        written_bytes=sum(one.written_bytes for one in told) + ended.written_bytes,
    )
