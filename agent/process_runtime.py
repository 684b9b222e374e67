"""The runtime of plain processes: each instance is a session of its own.

Starts go through the interpreter's vfork path (no ``preexec_fn``), in a thread, because the parent waits
until the command is executed. A main process that has ended is not reaped before the rest of its session
is dead: as long as it is a zombie, nobody else can get its pid or its session.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from agent import processes
from agent.runtime import Exit, Launch, Process, StartFailed

SHELL = "/bin/sh"


@dataclass
class _Child:
    """A process this agent started and has not reaped."""

    popen: subprocess.Popen[bytes]
    pidfd: int


class _Looks:
    """Looks at ``/proc``, shared: when a hundred instances end at once, a few looks serve them all."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._current: asyncio.Task[processes.Table] | None = None
        self._next: asyncio.Task[processes.Table] | None = None
        """Asked for, and not begun before the current one is over."""

    async def look(self) -> processes.Table:
        """The processes as they are at some time after this call."""
        if self._next is None:
            self._next = asyncio.create_task(self._take_turn(self._current))
        return await asyncio.shield(self._next)

    async def _take_turn(self, current: asyncio.Task[processes.Table] | None) -> processes.Table:
        if current is not None:
            await asyncio.wait([current])
        self._current, self._next = self._next, None
        return await asyncio.get_running_loop().run_in_executor(self._executor, processes.read_table)


class ProcessRuntime:
    """Runs instances as children of the agent. ``threads`` bounds concurrent starts and looks at ``/proc``."""

    def __init__(self, *, threads: int = 4) -> None:
        self.boot_id = processes.boot_id()
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="runtime")
        self._looks = _Looks(self._executor)
        self._children: dict[Process, _Child] = {}

    async def start(self, launch: Launch) -> Process:
        """See ``Runtime.start``. The child is known before this returns, even if the caller is cancelled."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._spawn, launch)

    def _spawn(self, launch: Launch) -> Process:
        try:
            popen = _popen(launch)
        except (OSError, ValueError) as error:
            raise StartFailed(f"cannot start the command: {error}") from error
        try:
            pidfd = os.pidfd_open(popen.pid)
        except OSError as error:
            os.killpg(popen.pid, signal.SIGKILL)
            popen.wait()
            raise StartFailed(f"cannot watch the process: {error}") from error
        found = processes.entry(popen.pid)
        start_time = found.start_time if found else 0
        process = Process(uid=launch.uid, boot_id=self.boot_id, pid=popen.pid, start_time=start_time)
        self._children[process] = _Child(popen, pidfd)
        return process

    def signal(self, process: Process, number: int) -> None:
        """See ``Runtime.signal``. Only of own children: their group cannot have been given to others."""
        if process in self._children:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)

    async def exited(self, process: Process) -> Exit:
        """See ``Runtime.exited``."""
        child = self._children.get(process)
        if child is None:
            return Exit()
        await _readable(child.pidfd)
        return _peek(process.pid)

    async def drained(self, process: Process, *, within: float) -> bool:
        """See ``Runtime.drained``."""
        return await self._until_none(process, within, lambda member: None)

    async def kill(self, process: Process, *, within: float = 10.0) -> bool:
        """See ``Runtime.kill``."""
        if process.boot_id != self.boot_id:
            return True
        return await self._until_none(process, within, processes.kill)

    async def _until_none(self, process: Process, within: float, act: Callable[[processes.Entry], None]) -> bool:
        """Look and act until no member is left, or the time is up."""
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + within, 0.002
        while members := (await self._looks.look()).members(process):
            for member in members:
                act(member)
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(min(pause, max(0.0, deadline - loop.time())))
            pause = min(pause * 2, 0.1)
        return True

    def release(self, process: Process) -> None:
        """See ``Runtime.release``."""
        if child := self._children.pop(process, None):
            os.close(child.pidfd)
            child.popen.wait()

    def close(self) -> None:
        """End the threads."""
        self._executor.shutdown(wait=False)


def _popen(launch: Launch) -> subprocess.Popen[bytes]:
    log = os.open(launch.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o640)
    try:
        return subprocess.Popen(
            [SHELL, "-c", launch.command],
            cwd=launch.folder,
            env=launch.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            close_fds=True,
            start_new_session=True,
        )
    finally:
        os.close(log)


def _peek(pid: int) -> Exit:
    """How a child ended, which stays a zombie."""
    result = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    if result is None:
        return Exit()
    ended_by_itself = result.si_code == os.CLD_EXITED
    return Exit(code=result.si_status) if ended_by_itself else Exit(signal=result.si_status)


async def _readable(fd: int) -> None:
    """Wait for a pidfd to become readable: its process has ended. A copy, so that several may wait."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    own = os.dup(fd)
    loop.add_reader(own, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(own)
        os.close(own)
