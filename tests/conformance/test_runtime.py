"""The runtime of processes and the fake one, under the same suite."""

import itertools
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import processes
from agent.process_runtime import ProcessRuntime
from agent.runtime import MARKER, Launch
from agent.testing import FakeRuntime
from tests.conformance.runtime_suite import Harness, RuntimeSuite
from tests.unit.agent.waiting import eventually


def launcher(folder: Path) -> Iterator[Launch]:
    for number in itertools.count():
        uid = str(uuid.uuid4())
        yield Launch(uid, "", folder, folder / f"{number}.log", {"PATH": "/usr/bin:/bin", MARKER: uid})


def harness_of(runtime: ProcessRuntime | FakeRuntime, folder: Path) -> Harness:
    launches = launcher(folder)

    def launch(command: str) -> Launch:
        one = next(launches)
        return Launch(one.uid, command, one.folder, one.log, one.environment)

    async def ready(launch: Launch) -> None:
        if isinstance(runtime, ProcessRuntime):
            await eventually(lambda: b"ready" in launch.log.read_bytes())

    count = runtime.alive if isinstance(runtime, FakeRuntime) else lambda process: len(processes.members(process))
    return Harness(runtime, launch, ready, count)


class TestProcessRuntime(RuntimeSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Iterator[Harness]:
        runtime = ProcessRuntime()
        yield harness_of(runtime, tmp_path)
        runtime.close()


class TestFakeRuntime(RuntimeSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        return harness_of(FakeRuntime(), tmp_path)
