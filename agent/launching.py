"""The agent's end of the launcher: started when there is something to launch, ended when there has been nothing
for a while, started anew whenever it ended."""

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from agent import launcher
from agent.runtime import MARKER
from agent.shim import SHIM

IDLE_SECONDS = 10.0
"""How long a launcher waits for work: it takes some 9 MB, and two hundredths of a second to start."""

PLAIN_FILES = 1024
"""The soft limit of open files of an app, whatever the agent's own is: who uses ``select`` breaks above it, and who
needs more can raise it to the hard limit."""

END_SECONDS = 2.0
"""How long a launcher may take to start what it was sent, at the end."""

MAX_FAILURES = 1000
"""Failures that nobody has asked about."""


@dataclass
class _Running:
    """A launcher and the pipes to it."""

    process: subprocess.Popen[bytes]
    loop: asyncio.AbstractEventLoop
    rest: bytes = b""
    full: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def input(self) -> int:
        assert self.process.stdin is not None
        return self.process.stdin.fileno()

    @property
    def output(self) -> int:
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    async def write(self, line: bytes) -> None:
        """A line at a time, or nothing of it: a pipe takes up to ``PIPE_BUF`` bytes whole."""
        async with self.full:
            while True:
                try:
                    os.write(self.input, line)
                except BlockingIOError:
                    await asyncio.sleep(0.005)
                else:
                    return


class Launcher:
    """Sends folders of runs to the program ``agent.launcher``."""

    def __init__(self, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self.generation = 0
        """Grows when a launcher ends: what was sent to it may have been lost, and can be sent again."""
        self._idle_seconds = idle_seconds
        self._running: _Running | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._failures: dict[str, str] = {}

    async def send(self, run: Path) -> int:
        """Have a run started; the generation of the launcher it was sent to. Raises OSError."""
        line = os.fsencode(run) + b"\n"
        if line.count(b"\n") > 1 or len(line) > 4096:
            raise OSError(f"a data folder with such a name cannot be used: {str(run)[:200]!r}")
        running = self._running or self._begin()
        generation = self.generation
        with suppress(BrokenPipeError, ValueError):  # the latter: it ended while we waited, and its pipes are closed
            await running.write(line)
        self._stay()
        return generation

    def give_up(self, generation: int) -> None:
        """A launcher that does not launch what it was sent hangs, or has been stopped: the next one takes its place."""
        if self._running is not None and generation == self.generation:
            self._end(self._running)

    def failure(self, run: Path) -> str:
        """Why a run that was sent did not start, if the launcher said so; told once."""
        return self._failures.pop(str(run), "")

    def _begin(self) -> _Running:
        process = subprocess.Popen(
            [sys.executable, "-ISE", launcher.__file__, SHIM, MARKER, str(PLAIN_FILES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
            env={},
        )
        running = self._running = _Running(process, asyncio.get_running_loop())
        os.set_blocking(running.input, False)
        os.set_blocking(running.output, False)
        running.loop.add_reader(running.output, self._read, running)
        return running

    def _read(self, running: _Running) -> None:
        chunk = b""
        with suppress(BlockingIOError):
            chunk = os.read(running.output, 65536)
            if not chunk:
                self._end(running)
        *lines, running.rest = (running.rest + chunk).split(b"\n")
        for line in lines[: MAX_FAILURES - len(self._failures)]:
            folder, _, reason = line.partition(b"\t")
            self._failures[os.fsdecode(folder)] = reason.decode(errors="replace")

    def _end(self, running: _Running) -> None:
        """It has closed its output, so it has ended or is about to."""
        if self._running is running:
            self._running = None
            self.generation += 1
        if running.process.returncode is None:
            running.process.kill()
            running.process.wait()
        if not running.loop.is_closed():
            running.loop.remove_reader(running.output)
        for pipe in (running.process.stdin, running.process.stdout):
            if pipe is not None:
                pipe.close()

    def _stay(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self.close)

    def close(self) -> None:
        """Let the launcher end, after what it has been sent."""
        if self._idle is not None:
            self._idle.cancel()
        running, self._running = self._running, None
        if running is not None and running.process.stdin is not None:
            self.generation += 1
            running.process.stdin.close()

    def end(self) -> None:
        """Let the launcher end, and wait for it: nothing is launched after this."""
        running = self._running
        self.close()
        if running is not None:
            with suppress(subprocess.TimeoutExpired):
                running.process.wait(END_SECONDS)
            self._end(running)
