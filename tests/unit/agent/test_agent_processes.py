"""The agent as a whole, with real processes: what apps live through when they are stopped."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agent import processes, runs
from agent.process_runtime import ProcessRuntime
from agent.runtime import MARKER
from apiserver.api.errors import ServiceUnavailable
from apiserver.api.kinds.assignment import Assignment
from tests.unit.agent.driving import Site, site
from tests.unit.agent.waiting import eventually

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
        while "up" not in output(node, one):
            await asyncio.sleep(0.005)
    return one


def output(node: Site, one: Assignment, run: int = 1) -> str:
    log = node.folders.run(one.key, run) / "out.log"
    return log.read_text() if log.exists() else ""


def alive(one: Assignment) -> set[processes.Entry]:
    """All of its processes, without the shim."""
    found = processes.marked(MARKER, one.metadata.uid or "")
    parents = {entry.parent for entry in found}
    shims = {
        entry
        for entry in found
        if entry.pid in parents and entry.pid == entry.session and b"plum-shim" in cmdline(entry)
    }
    return found - shims


def cmdline(entry: processes.Entry) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{entry.pid}/cmdline").read_bytes()
    return b""


async def test_the_start_script_of_the_archive_runs(node: Site) -> None:
    async with node.agent():
        one = await node.create("web", command="")
        await node.reaches("web", "Running")
        async with asyncio.timeout(10):
            while output(node, one) != "started\n":
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


async def test_a_killed_agents_apps_run_on_and_are_adopted(node: Site) -> None:
    async with node.agent() as agent:
        await node.create("web", command=STUBBORN, template={"terminationGracePeriodSeconds": 0})
        one = await is_up(node, "web")
        await agent.kill()
    assert len(alive(one)) >= 1
    async with node.agent() as agent:
        await agent.began.wait()
        await node.create("other")
        await node.reaches("other", "Running")
        again = await node.get("web")
        assert (again.status.pid, again.status.restarts, again.status.phase) == (one.status.pid, 0, "Running")
        assert not node.folders.run(one.key, 2).exists()
        await node.user.delete(Assignment, "web")
        await node.vanishes("web")
    assert not alive(one)


async def test_an_exit_while_no_agent_is_there_is_known_to_the_next(node: Site, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    async with node.agent() as agent:
        one = await node.create("web", command=f"read line <{tmp_path}/go; exit 7", template={"restartPolicy": "Never"})
        await node.reaches("web", "Running")
        await agent.kill()
    (tmp_path / "go").write_text("now\n")
    await eventually(lambda: runs.is_gone(node.folders.run(one.key, 1)))
    async with node.agent():
        one = await node.reaches("web", "Failed")
        assert (one.status.exit_code, one.status.restarts) == (7, 0)


async def test_a_stop_that_an_agent_did_not_live_to_see_is_finished_by_the_next(node: Site) -> None:
    async with node.agent() as agent:
        await node.create("web", command=STUBBORN, template={"terminationGracePeriodSeconds": 1})
        one = await is_up(node, "web")
        await node.patch("web", {"spec": {"desired": "Stopped"}})
        await node.reaches("web", "Stopping")
        await agent.kill()
    assert alive(one)
    async with node.agent():
        await node.reaches("web", "Stopped")
    assert not alive(one)


async def test_an_agent_that_is_asked_to_end_plainly_leaves_everything_running(node: Site) -> None:
    async with node.agent() as agent:
        await node.create("web", command=STUBBORN, template={"terminationGracePeriodSeconds": 0})
        one = await is_up(node, "web")
        await agent.finish(drain=False)
    assert alive(one)
    async with node.agent() as agent:
        await agent.finish()
    assert not alive(one)


async def test_without_a_server_it_goes_on_as_it_was_last(node: Site) -> None:
    """What runs is adopted, what should run is started, what should not is not, and then the server counts again."""
    async with node.agent() as agent:
        await node.create("web", command=STUBBORN, template={"terminationGracePeriodSeconds": 0})
        await node.create("ends", command="echo up; exit 1")
        await node.create("stopped", spec={"desired": "Stopped"})
        one = await is_up(node, "web")
        await node.reaches("ends", "BackOff")
        await node.reaches("stopped", "Stopped")
        await agent.kill()
    os.kill(one.status.pid or 0, signal.SIGKILL)
    node.cluster.fail_next(1_000_000, ServiceUnavailable("away"))
    async with node.agent(patience=0.1) as agent:
        await eventually(lambda: "up" in output(node, one, run=2))
        assert not agent.began.is_set()
        node.cluster.recover()
        again = await node.reaches("web", "Running", but=lambda new: new.status.pid != one.status.pid)
        assert again.status.restarts == 1
        assert not (node.folders.instance(("default", "stopped")) / "runs").exists()


async def test_a_broken_record_costs_no_process(node: Site) -> None:
    async with node.agent() as agent:
        await node.create(
            "web", command=STUBBORN, template={"terminationGracePeriodSeconds": 0, "ports": [{"name": "http"}]}
        )
        one = await is_up(node, "web")
        await agent.kill()
    (node.folders.instance(one.key) / "record.json").write_text("{")
    async with node.agent() as agent:
        await agent.began.wait()
        await node.create("other")
        await node.reaches("other", "Running")
        again = await node.get("web")
        assert (again.status.pid, again.status.ports) == (one.status.pid, one.status.ports)
    assert not alive(one)
