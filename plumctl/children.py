"""The processes of ``up``. Each runs in a session of its own and ends when the pipe from ``up`` closes,
which the kernel sees to even when ``up`` is killed with -9."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from plumctl.cli import talk

STEADY_SECONDS = 30.0
"""A child that ran this long is started anew at once when it ends."""

MAX_BACKOFF = 10.0
TAIL_LINES = 12


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

    async def start(self, seconds: float) -> str:
        """Start it and keep it running; its first line of output. Raises ChildFailed when none comes in time."""
        line = await self._spawn(seconds)
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")
        return line

    async def stop(self, seconds: float) -> None:
        """Close its pipe, wait, and kill its session when the time is up."""
        self._stopping = True
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._hang_up()
        if self._process is None:
            return
        try:
            await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            talk(f"{self.name} did not end within {seconds:g} s and is killed")
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)

    def tail(self) -> str:
        """The end of its log."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
        return ""

    async def _spawn(self, seconds: float) -> str:
        self._hang_up()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        # Neither end is inherited by other children: only this child has the read end, only we the write end.
        reading, self._pipe = os.pipe()
        try:
            with self.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self.command,
                    stdin=reading,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    start_new_session=True,
                    env=dict(os.environ, **self.environ),
                )
        finally:
            os.close(reading)
        assert self._process.stdout
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), seconds)
        except TimeoutError:
            line = b""
        if not line:
            raise ChildFailed(self.tail() or f"{self.name} printed nothing within {seconds:g} s")
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
            with contextlib.suppress(ChildFailed):
                await self._spawn(30.0)

    def _hang_up(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
