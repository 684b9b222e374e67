"""The agent's hand on the rotator: there is one as long as the agent runs, and it is of the agent's version."""

import asyncio
import hashlib
import logging
import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

from agent.logs.rotator import LOCK
from agent.logs.runs import lives
from apiserver.client.backoff import Backoff

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0
RETRY = Backoff(base=CHECK_SECONDS, cap=10.0)
END_SECONDS = 10.0
"""How long a rotator may take to finish the step at hand."""

LOG_BYTES = 1 << 20
"""What the rotator has told is begun anew when it is longer."""

_PROGRAM = "import sys; sys.path.insert(0, sys.argv[3]); from agent.logs.rotator import main; main(*sys.argv[1:3])"


class Keeper:
    """Keeps a rotator at work on a data folder."""

    def __init__(self, data: Path, *, version: str = "", rng: random.Random | None = None) -> None:
        """``version`` is by default that of the rotator's code."""
        self._data, self._version = data, version or code_version()
        self._rng = rng or random.Random()
        self._child: subprocess.Popen[bytes] | None = None
        self._failures = 0

    async def run(self) -> None:
        """Start a rotator where there is none, and replace one of another version, until cancelled."""
        while True:
            try:
                started = await self._check()
            except OSError as error:
                log.warning("the rotator cannot be started: %s; trying again", error)
                started = True
            except Exception:  # logs are no reason to end an agent
                log.exception("the rotator is not looked after; trying again")
                started = True
            self._failures = self._failures + 1 if started else 0
            await asyncio.sleep(RETRY.delay(self._failures, self._rng))

    async def end(self) -> None:
        """Have the rotator end, whoever started it, and wait for it; for when nothing is left to look after."""
        text = self._holder()
        if text and not await _end(text.rpartition(" ")[0]):
            log.warning("the rotator (pid %s) does not end", text.partition(" ")[0])
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()  # it has not come to take the lock
            with suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._child.wait, END_SECONDS)
        self._reap()

    async def _check(self) -> bool:
        """Whether a rotator had to be started."""
        self._reap()
        process, _, version = self._holder().rpartition(" ")
        if process and lives(process):
            if version == self._version:
                return False
            log.info("the rotator is of another version and is replaced")
            await _end(process)
        elif self._child is not None:
            return False  # it is about to take the lock
        self._child = await asyncio.to_thread(self._start)
        return True

    def _holder(self) -> str:
        """``<pid> <start time> <version>`` of the last one that took the lock; empty for none."""
        try:
            return (self._data / LOCK).read_text().strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def _start(self) -> subprocess.Popen[bytes]:
        root = Path(__file__).parents[2]
        command = [sys.executable, "-ISE", "-c", _PROGRAM, str(self._data), self._version, str(root)]
        with self._told().open("ab") as told:
            return subprocess.Popen(
                command, cwd="/", env={}, stdin=subprocess.DEVNULL, stdout=told, stderr=told, start_new_session=True
            )

    def _told(self) -> Path:
        path = self._data / "rotator.log"
        with suppress(FileNotFoundError):
            if path.stat().st_size > LOG_BYTES:
                path.unlink()
        return path

    def _reap(self) -> None:
        if self._child is not None and self._child.poll() is not None:
            self._child = None


@cache
def code_version() -> str:
    """A digest of the code that a rotator runs, so that none of another version is left at work."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


async def _end(process: str) -> bool:
    """Ask the process ``<pid> <start time>`` to end, and wait; whether it has."""
    with suppress(ProcessLookupError, ValueError):
        fd = os.pidfd_open(int(process.partition(" ")[0]))
        try:
            if lives(process):
                signal.pidfd_send_signal(fd, signal.SIGTERM)
        finally:
            os.close(fd)
    deadline = asyncio.get_running_loop().time() + END_SECONDS
    while lives(process) and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - it may not be our child
        await asyncio.sleep(0.01)
    return not lives(process)
