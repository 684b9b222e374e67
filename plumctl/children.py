"""The processes of ``up``. Each runs in a session of its own and ends when the pipe from ``up`` closes,
which the kernel sees to even when ``up`` is killed with -9."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from plumctl.cli import talk

STEADY_SECONDS = 30.0
"""A child that ran this long is started anew at once when it ends."""

MAX_BACKOFF = 10.0
RESTART_SECONDS = 60.0
"""How long a child that is started anew may take to say that it runs."""

TAIL_LINES, TAIL_BYTES = 12, 64 * 1024


class ChildFailed(Exception):
    """A child ended before it was ready; the message has the end of its log."""


@dataclass
class Child:
    """One program that is kept running."""

    name: str
    command: Sequence[str]
    log: Path
    environ: dict[str, str] = field(default_factory=dict)
    _process: asyncio.subprocess.Process | None = None
    _pipe: int = -1
    _keeper: "asyncio.Task[None] | None" = None
    _reader: "asyncio.Task[None] | None" = None
    _stopping: bool = False
    _logged: int = 0
    """Where in the log the present run begins."""

    async def start(self, seconds: float) -> str:
        """Start it and keep it running; its first line of output. Raises ChildFailed when none comes in time."""
        self._stopping = False
        line = await self._spawn(seconds)
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")
        return line

    async def stop(self, seconds: float) -> bool:
        """Close its pipe, wait, and kill its session when the time is up. Whether it ended as it should."""
        self._stopping = True
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._hang_up()
        if self._process is None:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._process.wait()
        except TimeoutError:
            talk(f"{self.name} did not end within {seconds:g} s and is killed")
            await self._kill(self._process)
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)
        return self._process.returncode == 0

    def tail(self) -> str:
        """The end of what its present run has logged."""
        with contextlib.suppress(OSError), self.log.open("rb") as file:
            file.seek(max(self._logged, self.log.stat().st_size - TAIL_BYTES))
            return "\n".join(file.read(TAIL_BYTES).decode(errors="replace").splitlines()[-TAIL_LINES:])
        return ""

    async def _kill(self, process: asyncio.subprocess.Process) -> None:
        """Kill it with all that it has started, which may be in other sessions."""
        with contextlib.suppress(psutil.Error):
            for descendant in psutil.Process(process.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    descendant.kill()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

    async def _spawn(self, seconds: float) -> str:
        self._hang_up()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        # Neither end is inherited by other children: only this child has the read end, only we the write end.
        reading, self._pipe = os.pipe()
        try:
            with self.log.open("ab") as log:
                self._logged = log.tell()
                self._process = await asyncio.create_subprocess_exec(
                    *self.command,
                    stdin=reading,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    start_new_session=True,
                    env=without_settings(os.environ) | self.environ,
                )
        finally:
            os.close(reading)
        assert self._process.stdout
        try:
            async with asyncio.timeout(seconds):
                line = await self._process.stdout.readline()
        except TimeoutError:
            line = b""
            await self._kill(self._process)
        if not line:
            raise ChildFailed(self.tail() or f"{self.name} did not say within {seconds:g} s that it runs")
        self._reader = asyncio.create_task(self._drain(self._process.stdout))
        return line.decode().strip()

    async def _drain(self, output: asyncio.StreamReader) -> None:
        while await output.read(65536):
            pass

    async def _keep(self) -> None:
        """Start it anew whenever it ends, with a growing and jittered pause if it ends soon."""
        rng = random.Random()
        fails = 0
        while not self._stopping:
            assert self._process
            began = time.monotonic()
            code = await self._process.wait()
            fails = 0 if time.monotonic() - began > STEADY_SECONDS else fails + 1
            pause = min(MAX_BACKOFF, 0.2 * 2**fails) * rng.uniform(0.5, 1.0) if fails else 0.0
            talk(f"{self.name} ended with {code}; starting it again in {pause:.1f} s (log: {self.log})")
            await asyncio.sleep(pause)
            try:
                await self._spawn(RESTART_SECONDS)
            except ChildFailed:
                continue
            except OSError as error:
                # Such as no more processes or files: nothing was started, so the old one's end is seen again.
                talk(f"{self.name} cannot be started: {error}")

    def _hang_up(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Without PLUM_… variables: those meant for ``up`` would be settings of every child."""
    return {key: value for key, value in environ.items() if not key.startswith("PLUM_")}
