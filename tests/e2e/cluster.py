"""A whole cluster as a user starts it: ``plumctl up`` in a child process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from apiserver.api.scheme import SCHEME
from apiserver.client.kubeconfig import load
from apiserver.client.trust import trust
from tests.servers import end, first_line

READY_SECONDS = 90.0
T = TypeVar("T")


def wait_for(what: str, condition: Callable[[], T | None], seconds: float = 45.0) -> T:
    """The first true answer of the condition. Raises AssertionError with its last answer when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s; last answer: {answer!r}"
        time.sleep(0.05)


@dataclass
class Cluster:
    """A running ``plumctl up``."""

    directory: Path
    url: str
    process: subprocess.Popen[bytes]

    @property
    def environ(self) -> dict[str, str]:
        """What a user would have exported."""
        home = self.directory / "home"
        home.mkdir(exist_ok=True)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PLUM_")}
        return kept | {"KUBECONFIG": str(self.directory / "kubeconfig"), "HOME": str(home)}

    def plumctl(self, *args: str, code: int = 0, stdin: bytes = b"") -> str:
        """Run plumctl; standard output, or with a code standard error."""
        found = subprocess.run(
            [sys.executable, "-m", "plumctl", *args],
            env=self.environ,
            input=stdin,
            capture_output=True,
            timeout=150,
            check=False,
        )
        assert found.returncode == code, (args, found.returncode, found.stdout, found.stderr)
        return (found.stderr if code else found.stdout).decode()

    def kubectl(self, *args: str) -> str:
        """Run kubectl; standard output."""
        found = subprocess.run(["kubectl", *args], env=self.environ, capture_output=True, timeout=60, check=False)
        assert found.returncode == 0, (args, found.stdout, found.stderr)
        return found.stdout.decode()

    def get(self, plural: str, name: str = "", **query: str) -> dict[str, Any]:
        """An object or a list as it is on the wire, for those who wait: a plumctl takes a hundred times as long."""
        config = load(self.environ)
        url = config.server + SCHEME.named(plural).path(config.namespace, name)
        found = httpx.get(url, params=query, verify=trust(config.server, config.tls), trust_env=False, timeout=30)
        answer: dict[str, Any] = found.raise_for_status().json()
        return answer

    def assignments(self, task: str) -> list[dict[str, Any]]:
        """A task's assignments as they are on the wire."""
        items: list[dict[str, Any]] = self.get("assignments", labelSelector=f"plum.dev/task={task}")["items"]
        return items

    def running(self, task: str, count: int) -> list[dict[str, Any]]:
        """Wait until exactly so many assignments there are, and all run."""

        def look() -> list[dict[str, Any]] | None:
            found = self.assignments(task)
            ready = [one for one in found if one.get("status", {}).get("phase") == "Running"]
            return found if len(found) == len(ready) == count else None

        return wait_for(f"{count} running copies of {task}", look)

    def kill(self, number: signal.Signals) -> int:
        """Signal ``up`` and wait for its end; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(90)

    def leftovers(self) -> list[str]:
        """Processes that still run with this cluster's folder in their command line, environment or directory."""
        return [f"{found.pid}: {' '.join(command_of(found))}" for found in processes_of(self.directory)]


def processes_of(directory: Path) -> list[psutil.Process]:
    """Live processes that have to do with the folder; our own excepted."""
    return [found for found in psutil.process_iter() if found.pid != os.getpid() and _belongs(found, str(directory))]


def _belongs(process: psutil.Process, directory: str) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return any(directory in part for part in (*process.cmdline(), process.cwd()))
    except psutil.Error:
        return False


def command_of(process: psutil.Process) -> list[str]:
    """Its command line; none for one that has just ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@contextmanager
def running_cluster(directory: Path, *flags: str, nodes: int = 2, addr: str = "127.0.0.1:0") -> Iterator[Cluster]:
    """Start a cluster and end it, whatever happens in between. ``flags`` are more of ``up``'s: ``--tls``."""
    directory.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "plumctl", "up", "--data-dir", str(directory)]
    command += ["--addr", addr, "--nodes", str(nodes), *flags]
    with (directory / "up.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, start_new_session=True)
    assert process.stdout
    try:
        line = first_line(process.stdout, READY_SECONDS)
        assert line.startswith(("ready: http://", "ready: https://")), line
        yield Cluster(directory, line.removeprefix("ready: "), process)
    finally:
        if process.poll() is None:
            end(process, 90)
        process.stdout.close()
        for found in processes_of(directory):
            with suppress(psutil.NoSuchProcess):  # it may be on its way out by itself
                found.kill()
