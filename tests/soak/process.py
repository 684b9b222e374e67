"""A server process that is killed and started again on the same port."""

import asyncio
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from os import environ
from pathlib import Path

from tests.servers import START_SECONDS, first_line

PLAIN, FAULTY = "apiserver.server", "tests.soak.faulty_server"


class Server:
    """At most one process at a time. ``program`` is the module of the next one."""

    def __init__(
        self, data_dir: Path, *args: str, log: Path, program: str = PLAIN, env: Mapping[str, str] | None = None
    ) -> None:
        self.program, self.url = program, f"http://127.0.0.1:{free_port()}"
        self.ready = asyncio.Event()
        """Clear while it is known to be down, so that clients do not spin."""
        self.starts = 0
        self._args = ("--data-dir", str(data_dir), "--addr", self.url.removeprefix("http://"), *args)
        self._log, self._env = log, dict(environ) | dict(env or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it is ready. Raises EOFError when it ends before."""
        command = [sys.executable, "-m", self.program, *self._args]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=self._env)
        assert self._process.stdout
        try:
            await asyncio.to_thread(first_line, self._process.stdout, START_SECONDS)
        except BaseException:
            await self.end(signal.SIGKILL)
            raise
        self.starts += 1
        self.ready.set()

    def exit_code(self) -> int | None:
        """None while it runs."""
        assert self._process
        code = self._process.poll()
        if code is not None:
            self.ready.clear()
        return code

    async def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; returns the exit code. Harmless when it has ended."""
        self.ready.clear()
        if self._process is None:
            return 0
        self._process.send_signal(number)
        code = await asyncio.to_thread(self._process.wait, 30)
        assert self._process.stdout
        self._process.stdout.close()
        return code

    async def kill(self) -> None:
        """kill -9."""
        await self.end(signal.SIGKILL)

    def log_text(self) -> str:
        """What it has logged so far."""
        return self._log.read_text(errors="replace")


def free_port() -> int:
    """A free port below those that the system gives to clients: while the server is down, one of the many that
    try to connect would sooner or later be given the server's own port, and hold it."""
    while True:
        port = random.SystemRandom().randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
