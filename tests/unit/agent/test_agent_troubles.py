"""The agent on a full disk, or with all its descriptors in use: nobody is killed, lost or started twice for it."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.instances import Record
from agent.runtime import Adopted, Exit, Launch, Process
from agent.testing import FakeRuntime
from apiserver.api import conditions
from tests.unit.agent.driving import Site
from tests.unit.agent.waiting import eventually


class FullDisk:
    """Records that fulfil a condition cannot be written while ``is_full``."""

    def __init__(self, node: Site, concerns: Callable[[Record], bool]) -> None:
        self.is_full = True
        self.refused = 0
        self._save, self._concerns = node.folders.save, concerns

    def save(self, record: Record, data: Path | None = None) -> None:
        if self.is_full and self._concerns(record):
            self.refused += 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._save(record, data)


async def test_an_exit_that_cannot_be_written_down_is_known_all_the_same(
    node: Site, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(node, lambda record: record.end is not None and record.process is None)
    monkeypatch.setattr(node.folders, "save", disk.save)
    monkeypatch.setattr("agent.performer.AGAIN_SECONDS", 0.05)
    async with node.agent():
        one = await node.create("web", template={"restartPolicy": "Never"})
        await node.reaches("web", "Running")
        runtime.end(one.metadata.uid or "", Exit(code=3))
        await eventually(lambda: disk.refused >= 3)
        disk.is_full = False
        one = await node.reaches("web", "Failed")
        await eventually(lambda: node.folders.records("boot-1")[0].end is not None)
        (record,) = node.folders.records("boot-1")
        assert record.end is not None
        assert (one.status.exit_code, record.end.exit, record.streak) == (3, Exit(code=3), 1)


async def test_a_disk_that_stays_full_is_told_of_once_and_tried_ever_later(
    node: Site, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disk = FullDisk(node, lambda record: record.end is not None and record.process is None)
    monkeypatch.setattr(node.folders, "save", disk.save)
    monkeypatch.setattr("agent.performer.AGAIN_SECONDS", 0.02)
    with caplog.at_level("INFO", "agent.performer"):
        async with node.agent():
            one = await node.create("web", template={"restartPolicy": "Never"})
            await node.reaches("web", "Running")
            runtime.end(one.metadata.uid or "", Exit(code=3))
            await eventually(lambda: disk.refused >= 4)
            disk.is_full = False
            await eventually(lambda: "default/web: its record can be written again" in caplog.messages)
    told = [message for message in caplog.messages if "cannot be written" in message]
    assert told == ["default/web: its record cannot be written: [Errno 28] No space left on device; trying again"]


async def test_what_is_in_doubt_says_so_and_why(
    node: Site, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something may run, so nothing is started, stopped or released; whoever looks must see what it waits for."""
    async with node.agent() as first:
        await node.create("web")
        await node.reaches("web", "Running")
        await first.kill()
    adopt, is_blind = runtime.adopt, True

    async def blind(process: Process) -> Adopted | None:
        if is_blind:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return await adopt(process)

    monkeypatch.setattr(runtime, "adopt", blind)
    monkeypatch.setattr("agent.performer.AGAIN_SECONDS", 0.02)
    async with node.agent():
        doubtful = await node.reaches("web", "Unknown")
        ready = conditions.find(doubtful.status.conditions, "Ready")
        assert (doubtful.status.reason, ready and ready.status) == ("InDoubt", "Unknown")
        assert doubtful.status.message == "cannot tell whether it runs: [Errno 24] Too many open files; trying again"
        is_blind = False
        found = await node.reaches("web", "Running")
        assert (found.status.restarts, found.status.reason) == (0, "Running")


async def test_a_stop_that_cannot_be_written_down_is_asked_for_all_the_same(
    node: Site, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(node, lambda record: record.stop is not None)
    monkeypatch.setattr(node.folders, "save", disk.save)
    async with node.agent():
        await node.create("web", template={"terminationGracePeriodSeconds": 300})
        await node.reaches("web", "Running")
        await node.patch("web", {"spec": {"desired": "Stopped"}})
        await node.reaches("web", "Stopped")
        assert disk.refused
        assert not runtime.running()


async def test_a_start_of_which_nobody_can_say_what_became_is_adopted_and_not_repeated(
    node: Site, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = runtime.start
    refused: list[Process] = []

    async def blind(launch: Launch) -> Process:
        process = await start(launch)
        if not refused:
            refused.append(process)
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return process

    monkeypatch.setattr(runtime, "start", blind)
    async with node.agent():
        one = await node.create("web")
        one = await node.reaches("web", "Running")
        assert [one.metadata.uid] == runtime.running()
        assert (one.status.pid, one.status.restarts) == (refused[0].pid, 0)


async def test_a_drain_that_leaves_something_does_not_claim_to_be_one(
    node: Site, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.agent.LONGEST_DRAIN", 0.2)
    monkeypatch.setattr("agent.agent.KILL_SECONDS", 0.0)
    async with node.agent() as agent:
        await node.create("web", command="trap '' TERM; sleep 1000", template={"terminationGracePeriodSeconds": 30})
        await node.reaches("web", "Running")
        await agent.finish()
        assert agent.task.result() is False
        assert runtime.running()
