"""The runtime of plain processes: a shim for each instance, and files that say what became of it.

Nothing here depends on being the parent of anything: main process and shim are watched by pidfd, and what ended
while no agent was there is read from the run's folder. See ``shim`` for who does what, ``runs`` for the files.
"""

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from agent import cgroups, processes, runs, shim
from agent.cgroups import Cgroups
from agent.launching import Launcher
from agent.pidfds import Pidfd
from agent.runs import Who
from agent.runtime import MARKER, Adopted, Exit, Launch, Process, StartFailed

T = TypeVar("T")

START_SECONDS = 30.0
"""How long a start may take to come up before it is withdrawn."""

LOOK_SECONDS = 0.002
"""The pause between two looks at whether a process has come up, if it is the only one."""

LOST_SECONDS = 1.0
"""How long the main process may take to show itself after its shim was killed."""

UNKNOWN_SECONDS = 3.0
"""How long to look for the exit of a process whose shim was killed: some systems' first process takes its time to
reap."""

DRAIN_LOOK_SECONDS = 0.25
"""When to look, at first, whether anything is left to drain although the shim has not ended: where the disk is full it
cannot write that down, and tries on."""

SHIM_SECONDS = 2.0
"""How long a shim whose tree is dead may take to end, before it is killed as well: it may be stopped. Where the
folder of the run was removed it tries to note the end for ever."""


@dataclass
class _Held:
    """A run that is looked after: what to watch, and what is known by now."""

    run: Path
    main: Pidfd | None
    """None: it ended before we came."""
    shim: Pidfd | None
    cgroup: Path | None
    exit: Exit | None = None

    @property
    def has_shim(self) -> bool:
        return self.shim is not None and not self.shim.has_ended

    def kill_shim(self) -> None:
        if self.shim is not None:
            self.shim.kill()

    def close(self) -> None:
        for pidfd in (self.main, self.shim):
            if pidfd is not None:
                pidfd.close()


class ProcessRuntime:
    """Runs instances under shims. ``threads`` bounds concurrent work on disk and in ``/proc``."""

    def __init__(self, *, groups: Cgroups | None = None, threads: int = 4) -> None:
        self.boot_id = processes.boot_id()
        self._groups = groups
        self._launcher = Launcher()
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="runtime")
        self._coming = 0
        self._held: dict[str, _Held] = {}
        """By the folder of the run."""

    async def start(self, launch: Launch) -> Process:
        """See ``Runtime.start``."""
        process = launch.process(self.boot_id)
        try:
            await self._in_thread(lambda: self._write(launch))
        except (OSError, ValueError) as error:  # nothing has been sent yet
            if self._groups is not None:
                cgroups.remove(self._groups.place(launch.uid))
            raise StartFailed(f"cannot start the command: {error}") from error
        try:
            return await self._come_up(process, send=True)
        except StartFailed:
            await self._give_up(process)
            raise
        except OSError as error:
            await self._give_up(process)
            raise StartFailed(f"cannot start the command: {error}") from error

    def _write(self, launch: Launch) -> None:
        if not launch.folder.is_dir():
            raise FileNotFoundError(f"no folder {launch.folder}")
        group = self._groups.make(launch.uid) if self._groups else None
        if group is not None and runs.shim(launch.run) is None:
            cgroups.kill(group)  # what was lost sight of: somebody may have removed the folder of the instance
        text = shim.script(launch.command, folder=launch.folder, environment=launch.environment, cgroup=group)
        runs.write(launch.run, uid=launch.uid, script=text, facts=launch.facts, cgroup=group)

    async def adopt(self, process: Process) -> Adopted | None:
        """See ``Runtime.adopt``."""
        run = Path(process.run)
        if process.boot_id != self.boot_id:
            return None
        if not process.run or await self._in_thread(lambda: _withdrawn(run)):
            await self._give_up(process)
            return None
        try:
            found = await self._come_up(process, send=False)
        except StartFailed:
            await self._give_up(process)
            return None
        started_at = runs.written_at(run, "pid") or datetime.now(UTC)
        return Adopted(found, started_at, runs.written_at(run, "exit") if runs.exit_code(run) is not None else None)

    async def _give_up(self, process: Process) -> None:
        """Nothing of it may run from now on. What loses its shim in the middle of a start still has the marker. Raises
        OSError where that cannot be made sure of."""
        run = Path(process.run)
        if process.run:
            await self._in_thread(lambda: (runs.withdraw(run, "claim"), runs.withdraw(run, "pid")))
        if not await self.kill(process):
            raise OSError("processes of a start that failed survive SIGKILL")
        group = _group(process, None) or (self._groups.place(process.uid) if self._groups else None)
        if group is not None:
            cgroups.remove(group)

    async def _come_up(self, process: Process, *, send: bool) -> Process:
        """Wait for the main process to be there. Raises StartFailed, OSError."""
        self._coming += 1
        try:
            return await self._look_out(process, send=send)
        finally:
            self._coming -= 1

    def _pause(self, waited: float) -> float:
        """Seconds until the next look at one of those that are coming up: together some 500 looks a second at most,
        and fewer for who has long been waited for."""
        return min(max(LOOK_SECONDS * self._coming, waited / 4), 0.05)

    async def _look_out(self, process: Process, *, send: bool) -> Process:
        run, loop = Path(process.run), asyncio.get_running_loop()
        began, lost_at, generation = loop.time(), 0.0, -1
        while True:
            main, has_ended = _main(run)
            shim = runs.shim(run)
            if main is not None and main.pid and shim is not None:
                return self._hold(process, main, shim)
            if main is not None or has_ended or not runs.exists(run):
                raise StartFailed(_failure(run))
            if shim is None:
                if (reason := self._launcher.failure(run)) and runs.withdraw(run, "claim"):
                    raise StartFailed(f"cannot start the command: {reason}")
                if send and generation != self._launcher.generation:
                    generation = await self._launcher.send(run)
            elif not _is_alive(shim):
                lost_at = lost_at or loop.time()
                if loop.time() - lost_at > LOST_SECONDS and runs.withdraw(run, "pid"):
                    reason = self._launcher.failure(run) or "its shim was killed before the command could start"
                    raise StartFailed(f"cannot start the command: {reason}")
            if loop.time() > began + START_SECONDS and self._is_given_up(run, shim, generation):
                raise StartFailed(f"did not come up within {START_SECONDS:g} s")
            await asyncio.sleep(self._pause(loop.time() - began))

    def _is_given_up(self, run: Path, shim: Who | None, generation: int) -> bool:
        """Withdraw a start that takes too long; whether it was not too late for that. Raises OSError."""
        if shim is None:
            self._launcher.give_up(generation)
        return runs.withdraw(run, "claim" if shim is None else "pid")

    def _hold(self, process: Process, main: Who, shim: Who) -> Process:
        found = process.model_copy(update={"pid": main.pid, "start_time": main.start_time, "shim": shim.pid})
        if process.run not in self._held:
            held = _Held(Path(process.run), None, None, runs.cgroup(Path(process.run)))
            try:
                held.main = Pidfd.open(main)
                held.shim = Pidfd.open(shim)
            except OSError:
                held.close()
                raise
            self._held[process.run] = held
        return found

    def stop(self, process: Process, number: int, *, grace: float) -> None:
        """See ``Runtime.stop``."""
        held = self._held.get(process.run)
        if held is not None and held.main is not None:
            runs.leave_until(held.run, time.clock_gettime(time.CLOCK_BOOTTIME) + grace)
            with suppress(PermissionError):
                held.main.signal_group(number)

    async def exited(self, process: Process) -> Exit:
        """See ``Runtime.exited``."""
        held = self._held.get(process.run)
        if held is None:
            return Exit()
        if held.exit is None:
            if held.main is not None:
                await held.main.ended()
            held.exit = await self._find_exit(process, held)
        return held.exit

    async def _find_exit(self, process: Process, held: _Held) -> Exit:
        loop = asyncio.get_running_loop()
        unknown_at, pause = 0.0, 0.001
        while True:
            found = _exit(held)
            if found is not None:
                return found
            if not held.has_shim or not runs.exists(held.run):
                unknown_at = unknown_at or loop.time() + (UNKNOWN_SECONDS if held.main is not None else 0.0)
                if loop.time() >= unknown_at:
                    return _exit(held) or Exit()
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.1)

    async def drained(self, process: Process, *, within: float) -> bool:
        """See ``Runtime.drained``."""
        held = self._held.get(process.run)
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + within, DRAIN_LOOK_SECONDS
        while held is not None and held.has_shim and loop.time() < deadline:
            if await _has_ended(held, within=min(pause, deadline - loop.time())):
                break
            if not await self._in_thread(lambda: _members(process, held)):
                return True
            pause = min(pause * 2, 1.0)
        pause = 0.002
        while await self._in_thread(lambda: _members(process, held)):
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(min(pause, max(0.0, deadline - loop.time())))
            pause = min(pause * 2, 0.1)
        return True

    async def kill(self, process: Process, *, within: float = 10.0) -> bool:
        """See ``Runtime.kill``."""
        held = self._held.get(process.run)
        if process.boot_id != self.boot_id or (held is None and process.run and runs.is_gone(Path(process.run))):
            return True
        loop = asyncio.get_running_loop()
        began, pause = loop.time(), 0.002
        while held is self._held.get(process.run):  # once it is released, what carries its marker is the next run
            left = await self._in_thread(lambda: _kill_members(process, held))
            if not left and (held is None or not held.has_shim):
                return True
            if held is not None and loop.time() - began > SHIM_SECONDS and (not left or not runs.exists(held.run)):
                held.kill_shim()
            if loop.time() - began >= within + SHIM_SECONDS:
                return False
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.1)
        return True

    def release(self, process: Process) -> None:
        """See ``Runtime.release``."""
        if held := self._held.pop(process.run, None):
            held.close()
            if held.cgroup is not None:
                cgroups.remove(held.cgroup)

    def close(self) -> None:
        """Let go of everything; processes are left as they are."""
        self._launcher.end()
        for held in self._held.values():
            held.close()
        self._held.clear()
        if self._groups is not None:
            self._groups.close()
        self._executor.shutdown(wait=False)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def _main(run: Path) -> tuple[Who | None, bool]:
    """The main process as far as it is known, and whether it has ended without ever being seen."""
    main = runs.main_process(run)
    if main is not None or runs.exit_code(run) is None:
        return main, False
    main = runs.main_process(run)  # asked again: whoever ends has had a pid
    return main, main is None


async def _has_ended(held: _Held, *, within: float) -> bool:
    """Wait at most so many seconds for the end of the shim."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            if held.shim is not None:
                await held.shim.ended()
            return True
    return False


def _failure(run: Path) -> str:
    """Why a run that was sent has no main process and never will have."""
    if runs.exists(run):
        return "the start was withdrawn, or its folder could not be written"
    return f"the folder of its run was removed: {run}"


def _withdrawn(run: Path) -> bool:
    """Whether a run that no shim has claimed never will be, from now on."""
    found = runs.shim(run)
    return runs.withdraw(run, "claim") if found is None else not found.pid


def _is_alive(who: Who) -> bool:
    found = processes.entry(who.pid)
    return found is not None and found.start_time == who.start_time and not found.is_zombie


def _exit(held: _Held) -> Exit | None:
    """How the main process ended, from whoever knows it best. The shell's word is ambiguous: 137 may be a code, or the
    signal 9."""
    status = held.main.wait_status() if held.main is not None else None
    if status is not None:
        return Exit(signal=os.WTERMSIG(status)) if os.WIFSIGNALED(status) else Exit(code=os.WEXITSTATUS(status))
    code = runs.exit_code(held.run)
    if code is None:
        return None
    return Exit(signal=code - 128) if 128 < code <= 128 + 64 else Exit(code=code)


def _group(process: Process, held: _Held | None) -> Path | None:
    if held is not None:
        return held.cgroup
    return runs.cgroup(Path(process.run)) if process.run else None


def _members(process: Process, held: _Held | None) -> set[processes.Entry]:
    """The instance's living processes without the shim, as far as they can be found."""
    group = _group(process, held)
    found = cgroups.members(group) if group is not None else set()
    if held is not None and held.has_shim:
        below = processes.descendants(process.shim)
        if held.has_shim:  # else the pid may have been another's meanwhile
            return found | {member for member in below if member.session != process.shim}  # whose it is are its pauses
    if held is not None and runs.is_gone(held.run):
        return found
    found |= processes.marked(MARKER, process.uid)
    if held is not None and held.main is not None and not held.main.has_ended:
        found |= processes.descendants(process.pid)
    return {member for member in found if member.pid != process.shim}


def _kill_members(process: Process, held: _Held | None) -> bool:
    """KILL what is there. Whether there was anything."""
    group = _group(process, held)
    if group is not None:
        cgroups.kill(group)
    members = _members(process, held)
    for member in members:
        processes.kill(member)
    return bool(members)
