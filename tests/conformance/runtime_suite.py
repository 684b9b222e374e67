"""What every runtime must do. A harness brings a runtime and its way of looking at processes."""

import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from agent.runtime import Exit, Launch, Process, Runtime, StartFailed

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
    """A launch of that command, with a uid and a run of its own."""
    ready: Callable[[Launch], Awaitable[None]]
    """Wait until the command has said so."""
    alive: Callable[[Process], int]
    """How many of the instance's processes live."""
    later: Callable[[], Runtime]
    """The runtime of the next agent, which knows nothing but what is on disk."""

    async def start(self, command: str) -> Process:
        launch = self.launch(command)
        process = await self.runtime.start(launch)
        if "ready" in command:
            await self.ready(launch)
        return process

    async def end(self, process: Process) -> None:
        assert await self.runtime.kill(process)
        self.runtime.release(process)


def unknown(process: Process) -> Process:
    """The process as it is written down before its start."""
    return process.model_copy(update={"pid": 0, "start_time": 0, "shim": 0})


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

    async def test_a_run_is_started_once_however_often_it_is_sent(self, harness: Harness) -> None:
        launch = harness.launch(FOREVER)
        first = await harness.runtime.start(launch)
        assert await harness.runtime.start(launch) == first
        assert await harness.later().start(launch) == first
        await harness.end(first)

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
        harness.runtime.stop(process, signal.SIGTERM, grace=5)
        assert await harness.runtime.exited(process) == Exit(signal=signal.SIGTERM)
        assert await harness.runtime.drained(process, within=5)
        await harness.end(process)

    async def test_who_ignores_term_is_killed(self, harness: Harness) -> None:
        process = await harness.start(STUBBORN)
        harness.runtime.stop(process, signal.SIGTERM, grace=5)
        assert not await harness.runtime.drained(process, within=0.05)
        assert await harness.runtime.kill(process)
        assert await harness.runtime.exited(process) in KILLED
        harness.runtime.release(process)

    async def test_the_rest_of_a_tree_is_killed(self, harness: Harness) -> None:
        process = await harness.start(LEAVES_A_CHILD)
        assert await harness.runtime.exited(process) == Exit(code=3)
        await harness.end(process)
        assert harness.alive(process) == 0

    async def test_a_child_may_take_its_time_to_end(self, harness: Harness) -> None:
        process = await harness.start(SLOW_CHILD)
        harness.runtime.stop(process, signal.SIGTERM, grace=5)
        await harness.runtime.exited(process)
        assert not await harness.runtime.drained(process, within=0.2)
        assert harness.alive(process) >= 1
        await harness.end(process)

    async def test_everything_may_be_repeated_for_what_is_gone(self, harness: Harness) -> None:
        process = await harness.start(ENDS)
        await harness.end(process)
        harness.runtime.stop(process, signal.SIGTERM, grace=5)
        assert await harness.runtime.kill(process)
        assert await harness.runtime.drained(process, within=0)
        harness.runtime.release(process)

    async def test_the_next_agent_adopts_what_runs(self, harness: Harness) -> None:
        process = await harness.start(FOREVER)
        later = harness.later()
        adopted = await later.adopt(unknown(process))
        assert adopted is not None
        assert (adopted.process, adopted.ended_at) == (process, None)
        later.stop(process, signal.SIGTERM, grace=5)
        assert await later.exited(process) == Exit(signal=signal.SIGTERM)
        assert await later.drained(process, within=5)
        await harness.end(process)

    async def test_the_next_agent_knows_the_exit_of_what_ended_meanwhile(self, harness: Harness) -> None:
        process = await harness.start(ENDS)
        assert await harness.runtime.exited(process) == Exit(code=3)
        assert await harness.runtime.drained(process, within=5)
        later = harness.later()
        adopted = await later.adopt(unknown(process))
        assert adopted is not None
        assert await later.exited(adopted.process) == Exit(code=3)
        await harness.end(process)

    async def test_what_was_not_started_and_is_asked_about_never_will_be(self, harness: Harness) -> None:
        launch = harness.launch(FOREVER)
        assert await harness.later().adopt(launch.process(harness.runtime.boot_id)) is None
        with pytest.raises(StartFailed, match="withdrawn"):
            await harness.runtime.start(launch)

    async def test_what_ran_before_the_machine_was_restarted_is_dead(self, harness: Harness) -> None:
        process = await harness.start(FOREVER)
        stranger = process.model_copy(update={"boot_id": "another"})
        assert await harness.later().adopt(stranger) is None
        assert harness.alive(process) >= 1
        await harness.end(process)

    async def test_instances_do_not_touch_one_another(self, harness: Harness) -> None:
        one, other = await harness.start(FOREVER), await harness.start(FOREVER)
        await harness.end(one)
        assert harness.alive(other) >= 1
        await harness.end(other)
