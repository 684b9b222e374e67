"""Probes by command: each is started by the runtime, as instances are, in a run of its own.

So whatever hangs, forks or hides ends with it, also when the agent is killed in between: the runs of all probes lie
in one folder, which the next agent clears. Each run of a probe has a marker of its own, so that neither its instance
nor another run is taken for it.
"""

import asyncio
import itertools
import logging
import os
import shlex
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.probes import Outcome
from agent.runtime import MARKER, Exit, Launch, Process, Runtime, StartFailed

log = logging.getLogger(__name__)

MAX_SEEN = 200
"""Characters of a failed command's last line that are told."""

MAX_OUTPUT = 1024 * 1024
"""Bytes of output after which it begins anew: who writes endlessly fills no disk."""

LOOK_SECONDS = 1.0
"""How often the size of the output is looked at."""

KILL_SECONDS = 10.0

STALLED_SECONDS = 1.0
"""A try that is told this much after its time was up says that this agent stood still, not the process."""


class Stalled(Exception):
    """The time was up while this agent stood still."""


@dataclass(frozen=True)
class Place:
    """Where an instance's commands run."""

    uid: str
    folder: Path
    environment: Mapping[str, str]


class Commands:
    """Runs the commands of probes, and leaves nothing of them behind."""

    def __init__(self, runtime: Runtime, folder: Path) -> None:
        """``folder`` holds the runs of all probes, and nothing else."""
        self._runtime, self._folder = runtime, folder
        self._numbers = itertools.count()
        self._prefix = f"{time.time_ns():x}"
        self._tasks: set[asyncio.Task[Outcome | None]] = set()

    async def run(self, name: str, command: tuple[str, ...], place: Place, *, within: float) -> Outcome | None:
        """Passes if the command ends with code 0 within so many seconds. None: the system could not start it, or this
        agent stood still meanwhile, which says nothing of the process. When this is cancelled the command is killed in
        the background."""
        abandoned = asyncio.Event()
        task = asyncio.create_task(self._run(name, command, place, within, abandoned))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(task)
        finally:
            abandoned.set()

    async def _run(
        self, name: str, command: tuple[str, ...], place: Place, within: float, abandoned: asyncio.Event
    ) -> Outcome | None:
        launch = self._launch(name, command, place)
        try:
            process = await self._runtime.start(launch)
        except StartFailed as error:
            log.warning("%s: the %s probe cannot be run: %s", place.uid, name, error)
            await asyncio.to_thread(_remove, launch.run)
            return None
        except OSError as error:  # it may run all the same
            log.warning("%s: whether the %s probe runs cannot be told: %s", place.uid, name, error)
            await self._sweep(launch.run)
            return None
        try:
            exit = await self._ended(process, launch.run, within, abandoned)
            return await asyncio.to_thread(_outcome, exit, launch.run, within)
        except Stalled:
            return None
        finally:
            await self._clear(process)

    def _launch(self, name: str, command: tuple[str, ...], place: Place) -> Launch:
        run = self._folder / f"{name}-{self._prefix}-{next(self._numbers)}"
        uid = f"{place.uid}.{run.name}"
        return Launch(uid, f"exec {shlex.join(command)}", place.folder, run, {**place.environment, MARKER: uid})

    async def _ended(self, process: Process, run: Path, within: float, abandoned: asyncio.Event) -> Exit | None:
        """How it ended; None: not within its time. Raises Stalled."""
        exited = asyncio.ensure_future(self._runtime.exited(process))
        leaving = asyncio.ensure_future(abandoned.wait())
        deadline = asyncio.get_running_loop().time() + within
        try:
            while not exited.done() and not leaving.done():
                left = deadline - asyncio.get_running_loop().time()
                if left <= -STALLED_SECONDS:
                    raise Stalled
                if left <= 0:
                    return None
                await asyncio.wait(
                    [exited, leaving], timeout=min(left, LOOK_SECONDS), return_when=asyncio.FIRST_COMPLETED
                )
                if not exited.done():
                    _bound(run / "out.log")
            return exited.result() if exited.done() else None
        finally:
            for future in (exited, leaving):
                future.cancel()

    async def _clear(self, process: Process) -> None:
        """Whatever is left of it goes; what cannot be killed now the next agent finds."""
        try:
            is_gone, why = await self._runtime.kill(process, within=KILL_SECONDS), "its processes survive SIGKILL"
        except OSError as error:
            is_gone, why = False, str(error)
        self._runtime.release(process)
        if is_gone:
            await asyncio.to_thread(_remove, Path(process.run))
        else:
            log.error("%s: what is left of a probe stays until the next start of the agent: %s", process.run, why)

    async def sweep(self) -> None:
        """Kill and remove what an earlier agent's probes have left. Runs that this agent has begun are spared."""
        found = await asyncio.to_thread(_runs, self._folder)
        await asyncio.gather(*(self._sweep(run) for run in found if f"-{self._prefix}-" not in run.name))

    async def _sweep(self, run: Path) -> None:
        uid = await asyncio.to_thread(_uid, run)
        process = Process(uid=uid, boot_id=self._runtime.boot_id, run=str(run))
        if not uid:  # nobody has been started there
            await asyncio.to_thread(_remove, run)
            return
        try:
            adopted = await self._runtime.adopt(process)
            await self._clear(adopted.process if adopted else process)
        except OSError as error:
            log.warning("%s: what is left of a probe stays: %s", run, error)

    async def close(self) -> None:
        """Wait until nothing is left; all callers of ``run`` must have ended or been cancelled."""
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _outcome(exit: Exit | None, run: Path, within: float) -> Outcome:
    if exit is not None and exit.success:
        return Outcome(True)
    line = _last_line(run / "out.log")
    return Outcome(False, f"{_in_words(exit, within)}: {line}" if line else _in_words(exit, within))


def _in_words(exit: Exit | None, within: float) -> str:
    if exit is None:
        return f"did not end within {within:g} s"
    if exit.signal is not None:
        return f"ended by signal {exit.signal}"
    return "ended, nobody knows how" if exit.code is None else f"exited with code {exit.code}"


def _last_line(output: Path) -> str:
    """The last line that is not blank, without what would spoil a terminal."""
    try:
        with output.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4 * MAX_SEEN))
            lines = file.read(4 * MAX_SEEN).decode(errors="replace").split("\n")
    except OSError:
        return ""
    shown = ("".join(c if c.isprintable() else " " for c in line).strip() for line in reversed(lines))
    return next((line[:MAX_SEEN] for line in shown if line), "")


def _bound(output: Path) -> None:
    """Output is appended, so that it may be cut under its writer's hands."""
    with suppress(OSError):
        if output.stat().st_size > MAX_OUTPUT:
            os.truncate(output, 0)


def _runs(folder: Path) -> list[Path]:
    try:
        return [*folder.iterdir()]
    except OSError:
        return []


def _uid(run: Path) -> str:
    try:
        return (run / "uid").read_text(errors="replace").strip()
    except OSError:
        return ""


def _remove(run: Path) -> None:
    shutil.rmtree(run, ignore_errors=True)
