"""A runtime without processes, under the same conformance suite as the real one. It obeys the few lines of shell
that tests need, so that both run the same commands."""

import asyncio
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from agent.runtime import Adopted, Exit, Launch, Process, StartFailed

_CHILD = re.compile(r"\((?P<body>[^()]*)\) & |(?P<plain>sleep \d+) & ")
_EXIT = re.compile(r"exit (\d+)$")


@dataclass
class _Fake:
    """One process: what it ignores, and how it ended."""

    ignores: frozenset[int] = frozenset()
    exit: Exit | None = None

    def hit(self, number: int) -> None:
        if self.exit is None and number not in self.ignores:
            self.exit = Exit(signal=number)


@dataclass
class _Tree:
    """An instance's processes; the first is the main one."""

    launch: Launch
    pid: int
    processes: list[_Fake] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended_at: datetime | None = None

    def hit(self, number: int) -> None:
        for process in self.processes:
            process.hit(number)
        self.changed.set()

    @property
    def alive(self) -> int:
        return sum(process.exit is None for process in self.processes)


class FakeRuntime:
    """Understands ``sleep N``, ``exit N``, ``trap '' SIGNAL;``, ``echo …;``, and ``… &`` for children.

    What it runs outlives the agents that use it, as processes do."""

    def __init__(self, *, boot_id: str = "boot-1") -> None:
        self.boot_id = boot_id
        self.launches: list[Launch] = []
        """Every start, in order."""
        self._trees: dict[str, _Tree] = {}
        """By the folder of the run."""
        self._withdrawn: set[str] = set()
        self._next_pid = 100

    def running(self) -> list[str]:
        """The uid of every tree with a living process; one that runs twice is there twice."""
        return [tree.launch.uid for tree in self._trees.values() if tree.alive]

    def alive(self, process: Process) -> int:
        """How many processes of the tree live."""
        tree = self._trees.get(process.run)
        return tree.alive if tree else 0

    def end(self, uid: str, exit: Exit) -> None:
        """Let the main process of the instance end by itself."""
        for tree in self._trees.values():
            if tree.launch.uid == uid and tree.processes[0].exit is None:
                tree.processes[0].exit = exit
                tree.ended_at = datetime.now(UTC)
                tree.changed.set()

    async def start(self, launch: Launch) -> Process:
        """See ``Runtime.start``."""
        await asyncio.sleep(0)
        run = str(launch.run)
        if run in self._withdrawn:
            raise StartFailed("the start was withdrawn")
        if not launch.folder.is_dir():
            raise StartFailed(f"cannot start the command: no folder {launch.folder}")
        if run not in self._trees:
            self._next_pid += 1
            self._trees[run] = _Tree(launch, self._next_pid, [*_read(launch.command)])
            self.launches.append(launch)
        return self._process(run)

    async def adopt(self, process: Process) -> Adopted | None:
        """See ``Runtime.adopt``."""
        await asyncio.sleep(0)
        tree = self._trees.get(process.run)
        if process.boot_id != self.boot_id:
            return None
        if tree is None:
            self._withdrawn.add(process.run)
            return None
        return Adopted(self._process(process.run), tree.started_at, tree.ended_at)

    def _process(self, run: str) -> Process:
        tree = self._trees[run]
        known = tree.launch.process(self.boot_id)
        return known.model_copy(update={"pid": tree.pid, "start_time": tree.pid, "shim": tree.pid})

    def stop(self, process: Process, number: int, *, grace: float) -> None:
        """See ``Runtime.stop``."""
        if tree := self._trees.get(process.run):
            tree.hit(number)

    async def exited(self, process: Process) -> Exit:
        """See ``Runtime.exited``."""
        tree = self._trees.get(process.run)
        if tree is None:
            return Exit()
        while (exit := tree.processes[0].exit) is None:
            tree.changed.clear()
            await tree.changed.wait()
        return exit

    async def drained(self, process: Process, *, within: float) -> bool:
        """See ``Runtime.drained``."""
        deadline = asyncio.get_running_loop().time() + within
        while self.alive(process):
            if asyncio.get_running_loop().time() >= deadline:
                return False
            await asyncio.sleep(0.005)
        return True

    async def kill(self, process: Process, *, within: float = 10.0) -> bool:
        """See ``Runtime.kill``."""
        await asyncio.sleep(0)
        if (tree := self._trees.get(process.run)) and process.boot_id == self.boot_id:
            tree.hit(signal.SIGKILL)
        return True

    def release(self, process: Process) -> None:
        """See ``Runtime.release``."""
        self._trees.pop(process.run, None)


def _read(command: str) -> Iterator[_Fake]:
    """The main process, then its children."""
    children = [_one(found["body"] or found["plain"]) for found in _CHILD.finditer(command)]
    yield _one(_CHILD.sub("", command))
    yield from children


def _one(command: str) -> _Fake:
    ignores = frozenset(int(getattr(signal, f"SIG{name}")) for name in re.findall(r"trap '' (\w+);", command))
    found = _EXIT.search(command)
    return _Fake(ignores, Exit(code=int(found[1])) if found else None)
