"""The runtime of processes and the fake one, under the same suite."""

import itertools
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from agent import cgroups, processes
from agent.process_runtime import ProcessRuntime
from agent.runtime import MARKER, Launch, Process
from agent.testing import FakeRuntime
from tests.conformance.runtime_suite import Harness, RuntimeSuite
from tests.unit.agent.waiting import eventually


def launching(folder: Path) -> Callable[[str], Launch]:
    numbers = itertools.count()

    def launch(command: str) -> Launch:
        uid = str(uuid.uuid4())
        return Launch(uid, command, folder, folder / f"run{next(numbers)}", {"PATH": "/usr/bin:/bin", MARKER: uid})

    return launch


def alive(process: Process) -> int:
    return len({found for found in processes.marked(MARKER, process.uid) if found.pid != process.shim})


async def ready(launch: Launch) -> None:
    log = launch.run / "out.log"
    await eventually(lambda: log.exists() and b"ready" in log.read_bytes())


async def at_once(launch: Launch) -> None:
    """The fake one is."""


def real(folder: Path, groups: cgroups.Cgroups | None) -> Iterator[Harness]:
    with ExitStack() as stack:
        runtime = stack.enter_context(closing(ProcessRuntime(groups=groups)))
        yield Harness(runtime, launching(folder), ready, alive, lambda: stack.enter_context(closing(ProcessRuntime())))


class TestProcessRuntime(RuntimeSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Iterator[Harness]:
        yield from real(tmp_path, None)


class TestProcessRuntimeWithCgroups(RuntimeSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Iterator[Harness]:
        groups = cgroups.find(tmp_path)
        if groups is None:
            pytest.skip("no cgroup of version 2 can be made here")
        yield from real(tmp_path, groups)


class TestFakeRuntime(RuntimeSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        runtime = FakeRuntime()
        return Harness(runtime, launching(tmp_path), at_once, runtime.alive, lambda: runtime)
