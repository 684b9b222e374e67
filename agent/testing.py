"""A runtime without processes, under the same conformance suite as the real one. It obeys the few lines of shell
that tests need, so that both run the same commands."""

import asyncio
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field

from agent.runtime import Exit, Launch, Process, StartFailed

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
    processes: list[_Fake] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def hit(self, number: int) -> None:
        for process in self.processes:
            process.hit(number)
        self.changed.set()

    @property
    def alive(self) -> int:
        return sum(process.exit is None for process in self.processes)


class FakeRuntime:
    """Understands ``sleep N``, ``exit N``, ``trap '' SIGNAL;``, ``echo …;``, and ``… &`` for children."""

    def __init__(self, *, boot_id: str = "boot-1") -> None:
        self.boot_id = boot_id
        self.launches: list[Launch] = []
        """Every start, in order."""
        self._trees: dict[Process, _Tree] = {}
        self._next_pid = 100

    def running(self) -> list[str]:
        """The uid of every tree with a living process; one that runs twice is there twice."""
        return [process.uid for process, tree in self._trees.items() if tree.alive]

    def alive(self, process: Process) -> int:
        """How many processes of the tree live."""
        tree = self._trees.get(process)
        return tree.alive if tree else 0

    def end(self, uid: str, exit: Exit) -> None:
        """Let the main process of the instance end by itself."""
        for process, tree in self._trees.items():
            if process.uid == uid and tree.processes[0].exit is None:
                tree.processes[0].exit = exit
                tree.changed.set()

    async def start(self, launch: Launch) -> Process:
        """See ``Runtime.start``."""
        await asyncio.sleep(0)
        if not launch.folder.is_dir():
            raise StartFailed(f"cannot start the command: no folder {launch.folder}")
        self._next_pid += 1
        process = Process(uid=launch.uid, boot_id=self.boot_id, pid=self._next_pid, start_time=self._next_pid)
        self._trees[process] = _Tree(launch, [*_read(launch.command)])
        self.launches.append(launch)
        return process

    def signal(self, process: Process, number: int) -> None:
        """See ``Runtime.signal``."""
        if tree := self._trees.get(process):
            tree.hit(number)

    async def exited(self, process: Process) -> Exit:
        """See ``Runtime.exited``."""
        tree = self._trees.get(process)
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
        for known, tree in self._trees.items():
            if known == process or (known.uid == process.uid and not process.pid):
                tree.hit(signal.SIGKILL)
        return True

    def release(self, process: Process) -> None:
        """See ``Runtime.release``."""
        self._trees.pop(process, None)


def _read(command: str) -> Iterator[_Fake]:
    """The main process, then its children."""
    children = [_one(found["body"] or found["plain"]) for found in _CHILD.finditer(command)]
    yield _one(_CHILD.sub("", command))
    yield from children


def _one(command: str) -> _Fake:
    ignores = frozenset(int(getattr(signal, f"SIG{name}")) for name in re.findall(r"trap '' (\w+);", command))
    found = _EXIT.search(command)
    return _Fake(ignores, Exit(code=int(found[1])) if found else None)
