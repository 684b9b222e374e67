"""The original in the field: a server and controllers of ours, and nodes with the original's agent."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil

from tests.e2e.cluster import processes_of, wait_for
from tests.e2e.test_leader import controllers
from tests.servers import answers, end, running_apiserver
from tests.v1.client import V1, Apis

POLL_SECONDS = "0.25"
NODE = "nodeA"
SECONDS = 12.0
"""For what takes two at most when nothing else is going on, and five more when a process ignores its signal."""

T = TypeVar("T")


def soon(what: str, condition: Callable[[], T | None]) -> T:
    """As ``wait_for``, not as long."""
    return wait_for(what, condition, SECONDS)


class Field:
    """One server that can be killed and started again at its address, with controllers and one node."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.agents = directory, directory / "agents"
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self._port = int(taken.getsockname()[1])
        self.url = f"http://127.0.0.1:{self._port}"
        self.v1, self.apis = V1(self.url), Apis(self.url)
        self._stack, self._serving = ExitStack(), ExitStack()
        self._server: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start everything, and wait until the node has reported."""
        self._serve()
        self._stack.enter_context(controllers(self.url, self.directory / "controllers.log"))
        self._stack.enter_context(original_agent(self.url, NODE, self.agents / NODE))
        soon("the node", lambda: self.v1.get(f"/v1/nodes/{NODE}").status == 200)

    def end(self) -> None:
        """End everything, and what the agents have left behind."""
        with self.v1, self.apis, self._serving, self._stack:
            pass
        for found in processes_of(self.agents):
            found.kill()

    def _serve(self) -> None:
        running = running_apiserver(self.directory / "data", "--addr", f"127.0.0.1:{self._port}")
        self._server, _ = self._serving.enter_context(running)

    def kill_server(self) -> None:
        """As a crash does it."""
        assert self._server
        self._server.kill()
        self._server.wait(10)

    def serve_again(self) -> None:
        """The same server after its end."""
        self._serving.close()
        self._serve()
        soon("the server", lambda: answers(self.url))

    def upload(self, archive: bytes) -> str:
        """The URL of a new app."""
        url: str = self.v1.upload(archive).json()["url"]
        return url

    def processes(self, instance: str) -> list[psutil.Process]:
        """What lives in an instance's folder."""
        return processes_of(self.agents / NODE / instance)

    def running(self, instances: Sequence[str], each: int = 1) -> dict[str, list[int]]:
        """Wait until all are told to be running, with so many processes each; their process ids."""

        def look() -> dict[str, list[int]] | None:
            items = {item["instanceId"]: item for item in self.v1.items(NODE)}
            told = [items.get(one, {}) for one in instances]
            pids = {one: sorted(found.pid for found in self.processes(one)) for one in instances}
            good = all(item.get("phase") == "Running" and item["healthy"] for item in told)
            return pids if good and all(len(found) == each for found in pids.values()) else None

        return soon(f"processes of {instances}", look)

    def dead(self, instances: Sequence[str]) -> None:
        """Wait until nothing of them lives."""
        soon("an end", lambda: not any(self.processes(one) for one in instances))

    def gone(self, instances: Sequence[str]) -> None:
        """Wait until their objects are no more."""
        soon("no objects", lambda: not any(self.apis.has("assignments", one) for one in instances))

    def instances(self, task: str) -> list[str]:
        """Those of a task, as the node is told."""
        return [item["instanceId"] for item in self.v1.items(NODE) if item["taskId"] == task]

    def created(self, task: str, count: int) -> list[str]:
        """Wait for the controller to make so many; their names."""

        def look() -> list[str] | None:
            found = self.instances(task)
            return found if len(found) == count else None

        return soon(f"{count} instances of {task}", look)

    def observed(self, task: str, replicas: int) -> None:
        """Wait until the controller has seen the task as it is now, with so many copies."""
        generation = self.apis.read("tasks", task)["metadata"]["generation"]

        def look() -> bool:
            status = self.apis.read("tasks", task)["status"]
            return bool((status["observedGeneration"], status["replicas"]) == (generation, replicas))

        soon(f"{replicas} copies of {task}", look)

    def told(self, instance: str) -> dict[str, Any]:
        """The instance as the node is told of it now."""
        return self.v1.item(NODE, instance)

    def plumctl(self, *args: str) -> str:
        """What plumctl prints."""
        command = [sys.executable, "-m", "plumctl", "--server", self.url, *args]
        found = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert found.returncode == 0, (args, found.stdout, found.stderr)
        return found.stdout.decode()


def alive(pids: Sequence[int]) -> list[int]:
    """Those that still run; what nobody has reaped yet does not."""
    return [pid for pid in pids if _is_alive(pid)]


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@contextmanager
def original_agent(
    server: str, node: str, folder: Path, poll: str = POLL_SECONDS
) -> Iterator["subprocess.Popen[bytes]"]:
    """The original's agent on a node of this name."""
    folder.mkdir(parents=True)
    environ = {"AGENT_NODE_ID": node, "CONTROLLER_BASE": server, "AGENT_DATA_DIR": str(folder)}
    environ |= {"AGENT_POLL_SECONDS": poll}
    with (folder / "agent.log").open("wb") as log:
        command = [sys.executable, "-m", "tests.v1.original_agent"]
        process = subprocess.Popen(command, env=os.environ | environ, stdout=log, stderr=log)
    try:
        yield process
    finally:
        end(process, 15)
