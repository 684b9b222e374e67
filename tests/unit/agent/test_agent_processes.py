"""The agent as a whole, with real processes: what apps live through when they are stopped."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import processes
from agent.process_runtime import ProcessRuntime
from agent.runtime import Process
from apiserver.api.kinds.assignment import Assignment
from tests.unit.agent.driving import Site, site

SLOW_TO_END = (
    "sh -c 'trap \"sleep 0.2; echo saved > $PLUM_DATA/state; exit 0\" TERM; echo up; while :; do sleep 0.05; done'; :"
)
"""An app under a shell that dies at the first signal: the app itself needs its grace."""

STUBBORN = "trap '' TERM; echo up; while :; do sleep 0.05; done"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Site]:
    runtime = ProcessRuntime()
    yield site(tmp_path, runtime)
    runtime.close()


async def is_up(node: Site, name: str) -> Assignment:
    """Wait until it runs and its traps are set."""
    one = await node.reaches(name, "Running")
    async with asyncio.timeout(10):
        while b"up" not in node.folders.log(one.key).read_bytes():
            await asyncio.sleep(0.005)
    return one


def alive(one: Assignment) -> set[processes.Entry]:
    pid = one.status.pid or 0
    found = processes.entry(pid)
    start_time = found.start_time if found else 0
    return processes.members(
        Process(uid=one.metadata.uid or "", boot_id=processes.boot_id(), pid=pid, start_time=start_time)
    )


async def test_the_start_script_of_the_archive_runs(node: Site) -> None:
    async with node.agent():
        one = await node.create("web", command="")
        await node.reaches("web", "Running")
        async with asyncio.timeout(10):
            while node.folders.log(one.key).read_text() != "started\n":
                await asyncio.sleep(0.005)


async def test_an_app_behind_a_shell_has_its_grace(node: Site) -> None:
    async with node.agent():
        one = await node.create("web", command=SLOW_TO_END)
        one = await is_up(node, "web")
        await node.patch("web", {"spec": {"desired": "Stopped"}})
        await node.reaches("web", "Stopped")
        assert not alive(one)
        assert (node.folders.slot_data(one) / "state").read_text() == "saved\n"


async def test_an_app_that_will_not_end_is_killed_when_its_grace_is_over(node: Site) -> None:
    async with node.agent():
        await node.create("web", command=STUBBORN, template={"terminationGracePeriodSeconds": 0})
        one = await is_up(node, "web")
        await node.user.delete(Assignment, "web")
        await node.vanishes("web")
        assert not alive(one)


async def test_a_killed_agents_apps_are_replaced_never_doubled(node: Site) -> None:
    async with node.agent() as agent:
        await node.create("web", command=STUBBORN, template={"terminationGracePeriodSeconds": 0})
        one = await is_up(node, "web")
        await agent.kill()
    assert len(alive(one)) >= 1
    async with node.agent():
        again = await node.reaches("web", "Running", but=lambda new: new.status.pid != one.status.pid)
        sessions = {entry.session for entry in alive(again)}
        assert sessions == {again.status.pid}
    assert again.status.restarts == 0
