"""What every runtime must do. A harness brings a runtime and its way of looking at processes."""

import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agent.runtime import Exit, Launch, Process, Runtime

KILLED = (Exit(signal=signal.SIGKILL), Exit(code=128 + signal.SIGKILL))
"""A shell whose command is killed before it may yet tell that in its own exit code."""

FOREVER = "echo ready; sleep 1000"
STUBBORN = "trap '' TERM; echo ready; sleep 1000"
ENDS = "exit 3"
LEAVES_A_CHILD = "sleep 1000 & exit 3"
SLOW_CHILD = "(trap '' TERM; echo ready; sleep 1000) & sleep 1000"


@dataclass(frozen=True)
class Harness:
    """A runtime under test."""

    runtime: Runtime
    launch: Callable[[str], Launch]
    """A launch of that command, with a uid of its own."""
    ready: Callable[[Launch], Awaitable[None]]
    """Wait until the command has said so."""
    alive: Callable[[Process], int]
    """How many of the instance's processes live."""

    async def start(self, command: str) -> Process:
        launch = self.launch(command)
        process = await self.runtime.start(launch)
        if "ready" in command:
            await self.ready(launch)
        return process

    async def end(self, process: Process) -> None:
        assert await self.runtime.kill(process)
        self.runtime.release(process)


class RuntimeSuite:
    """Run by each runtime with a ``harness`` fixture of its own."""

    async def test_a_started_process_runs_and_is_known_beyond_doubt(self, harness: Harness) -> None:
        process = await harness.start(FOREVER)
        assert harness.alive(process) >= 1
        assert process.pid > 0
        assert process.start_time > 0
        assert process.boot_id == harness.runtime.boot_id
        await harness.end(process)
        assert harness.alive(process) == 0

    async def test_the_exit_code_is_told(self, harness: Harness) -> None:
        process = await harness.start(ENDS)
        assert await harness.runtime.exited(process) == Exit(code=3)
        await harness.end(process)

    async def test_the_exit_is_told_as_often_as_it_is_asked_for(self, harness: Harness) -> None:
        process = await harness.start(ENDS)
        assert await harness.runtime.exited(process) == await harness.runtime.exited(process)
        await harness.end(process)
        assert await harness.runtime.exited(process) == Exit(), "nobody knows after the release"

    async def test_the_stop_signal_ends_the_group(self, harness: Harness) -> None:
        process = await harness.start(FOREVER)
        harness.runtime.signal(process, signal.SIGTERM)
        assert await harness.runtime.exited(process) == Exit(signal=signal.SIGTERM)
        assert await harness.runtime.drained(process, within=5)
        await harness.end(process)

    async def test_who_ignores_term_is_killed(self, harness: Harness) -> None:
        process = await harness.start(STUBBORN)
        harness.runtime.signal(process, signal.SIGTERM)
        assert not await harness.runtime.drained(process, within=0.05)
        assert await harness.runtime.kill(process)
        assert await harness.runtime.exited(process) in KILLED
        harness.runtime.release(process)

    async def test_children_outlive_the_main_process_until_they_are_killed(self, harness: Harness) -> None:
        process = await harness.start(LEAVES_A_CHILD)
        assert await harness.runtime.exited(process) == Exit(code=3)
        assert harness.alive(process) == 1
        await harness.end(process)
        assert harness.alive(process) == 0

    async def test_a_child_may_take_its_time_to_end(self, harness: Harness) -> None:
        process = await harness.start(SLOW_CHILD)
        harness.runtime.signal(process, signal.SIGTERM)
        await harness.runtime.exited(process)
        assert not await harness.runtime.drained(process, within=0.05)
        assert harness.alive(process) >= 1
        await harness.end(process)

    async def test_everything_may_be_repeated_for_what_is_gone(self, harness: Harness) -> None:
        process = await harness.start(ENDS)
        await harness.end(process)
        harness.runtime.signal(process, signal.SIGTERM)
        assert await harness.runtime.kill(process)
        assert await harness.runtime.drained(process, within=0)
        harness.runtime.release(process)

    async def test_the_marker_alone_finds_a_start_that_was_under_way(self, harness: Harness) -> None:
        process = await harness.start(FOREVER)
        unknown = Process(uid=process.uid, boot_id=process.boot_id)
        assert await harness.runtime.kill(unknown)
        assert await harness.runtime.exited(process) in KILLED
        await harness.end(process)

    async def test_instances_do_not_touch_one_another(self, harness: Harness) -> None:
        one, other = await harness.start(FOREVER), await harness.start(FOREVER)
        await harness.end(one)
        assert harness.alive(other) >= 1
        await harness.end(other)
