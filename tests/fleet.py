"""A fleet as separate programs: a server, the controllers, and agents that a test may kill and replace as it likes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.servers import START_SECONDS, end, first_line, running_apiserver

NODE = "nodeA"
API = "/apis/plum.dev/v1/namespaces/default"
MERGE = {"content-type": "application/merge-patch+json"}
AGENT = "agent"
"""The module of the agent itself; a test may start another one that becomes an agent."""


@dataclass
class Program:
    """One program, at most one process of it at a time, in a session of its own."""

    flags: Sequence[str]
    log: Path
    module: str
    process: "subprocess.Popen[bytes] | None" = None
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        assert self.process
        return self.process.pid

    def spawn(self) -> None:
        """Start it without waiting for anything."""
        command = [sys.executable, "-m", self.module, *self.flags]
        environ = {key: value for key, value in os.environ.items() if not key.startswith("PLUM_")}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, env=environ | self.environ, start_new_session=True
            )

    def ready(self) -> str:
        """Wait until it says that it runs. Raises EOFError if it ends before, TimeoutError."""
        assert self.process
        assert self.process.stdout
        return first_line(self.process.stdout, START_SECONDS)

    def start(self) -> str:
        """Start it and wait until it says that it runs."""
        self.spawn()
        return self.ready()

    def kill(self) -> None:
        """kill -9, of this process alone."""
        assert self.process
        assert self.process.stdout
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self.process.stdout.close()

    def end(self, seconds: float = 60.0) -> None:
        """TERM and wait. Harmless when it has ended."""
        if self.process and self.process.stdout and not self.process.stdout.closed:
            end(self.process, seconds)
            self.process.stdout.close()


@dataclass
class Fleet:
    """A running server with controllers, and the agent of ``NODE``, which is not started yet."""

    directory: Path
    url: str
    server: "subprocess.Popen[bytes]"
    controllers: Program
    agent: Program

    @property
    def data(self) -> Path:
        """The agent's data folder."""
        return self.directory / NODE

    def http(self) -> httpx.Client:
        """A client whose paths are those of the namespace ``default``."""
        return httpx.Client(base_url=f"{self.url}{API}", trust_env=False, timeout=60)

    def plumctl(self, *args: str) -> None:
        """Run a command that has to succeed."""
        command = [sys.executable, "-m", "plumctl", "--server", self.url, *args]
        found = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert found.returncode == 0, (args, found.stderr)


@contextmanager
def running_fleet(directory: Path, *agent_flags: str) -> Iterator[Fleet]:
    """Start server and controllers; at the end all programs are asked to end. What the agent left running is the
    test's to end."""
    directory.mkdir(parents=True, exist_ok=True)
    with running_apiserver(directory / "server") as (server, url):
        controllers = Program(["--server", url], directory / "controllers.log", "controllers")
        flags = ["--server", url, "--node", NODE, "--data-dir", str(directory / NODE), "--ip", "127.0.0.1"]
        agent = Program([*flags, *agent_flags], directory / "agent.log", AGENT)
        try:
            controllers.start()
            yield Fleet(directory, url, server, controllers, agent)
        finally:
            agent.end()
            controllers.end()
