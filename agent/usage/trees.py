"""Which processes belong to an instance, and what they use together. Pure."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent.usage.reading import TICKS, Details, Stat

Identity = tuple[int, int]
"""A pid and its start time, in ticks after boot: together they are never given again."""


@dataclass(frozen=True)
class Measured:
    """An instance whose process runs."""

    namespace: str
    name: str
    uid: str
    run: int
    """Counters begin anew with each run."""
    main: Identity
    """The process that was started."""
    shim: Identity | None = None
    """Its parent, which is no part of the instance and becomes the parent of whatever loses its own."""
    restarts: int = 0


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

    def process(self, identity: Identity | None) -> Stat | None:
        """The process, if it is there and is still the same."""
        stat = self._stats.get(identity[0]) if identity else None
        return stat if stat is not None and identity and stat.start_time == identity[1] else None

    def members(self, instance: Measured) -> list[Stat]:
        """The processes of the instance, each after its parent: the descendants of its shim, and the main process and
        its own in case the shim is gone."""
        shim, main = self.process(instance.shim), self.process(instance.main)
        pending = [*([main] if main else ()), *(self._children[shim.pid] if shim else ())]
        found: dict[int, Stat] = {}
        while pending:
            stat = pending.pop()
            if stat.pid not in found:
                found[stat.pid] = stat
                pending += self._children.get(stat.pid, ())
        return list(found.values())


def total(members: Sequence[Stat], shim: Stat | None, details: Callable[[Stat], Details]) -> Totals:
    """The sum over a tree, ``members`` in the order of ``Table.members``: parents before their children, so that what
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
