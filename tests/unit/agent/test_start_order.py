"""A whole agent that starts what comes first first, against a server in memory."""

import socket
from pathlib import Path
from typing import Any

from agent.runtime import Exit
from agent.testing import FakeRuntime
from apiserver.api.errors import ServiceUnavailable
from apiserver.api.kinds.assignment import DEPENDENCIES_READY, RESTARTED_AT, Assignment
from tests.unit.agent.driving import Site, site
from tests.unit.agent.waiting import eventually

WAITS = "WaitingForDependencies"


async def create(node: Site, name: str, *needs: str, **parts: Any) -> Assignment:
    """A copy of an entry of its own name."""
    template = parts.pop("template", {}) | ({"dependsOn": [*needs]} if needs else {})
    return await node.create(name, spec={"entry": name} | parts.pop("spec", {}), template=template, **parts)


async def tell(node: Site, name: str, status: str) -> None:
    """What the task controller says."""
    condition = {"type": DEPENDENCIES_READY, "status": status}
    controller = node.cluster.client("plum-task-controller")
    await controller.apply(
        Assignment, name, {"status": {"conditions": [condition]}}, namespace="default", subresource="status"
    )


async def waiting(node: Site, name: str) -> Assignment:
    return await node.reaches(name, "Pending", but=lambda one: one.status.reason == WAITS)


async def test_it_starts_when_the_other_is_up_here(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent():
        await create(node, "web", "db")
        assert (await waiting(node, "web")).status.message == "waits for db"
        await create(node, "db", spec={"desired": "Stopped"})
        await node.reaches("db", "Stopped")
        assert runtime.launches == []
        await node.patch("db", {"spec": {"desired": "Running"}})
        await node.reaches("web", "Running")
        assert [launch.environment["PLUM_ENTRY"] for launch in runtime.launches] == ["db", "web"]


async def test_it_starts_when_the_other_is_ready_here(node: Site, runtime: FakeRuntime) -> None:
    """Up is not enough where a readiness probe says otherwise, whether or not the server is there."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    probe = {"readiness": {"tcpSocket": {"port": listener.getsockname()[1]}, "periodSeconds": 1}}
    async with node.agent() as agent:
        await create(node, "db", template={"probes": probe})
        await create(node, "web", "db")
        await node.reaches("db", "Running")
        await waiting(node, "web")
        node.cluster.fail_next(10_000, ServiceUnavailable("away"))
        listener.listen()
        await eventually(lambda: len(runtime.launches) == 2)
        await agent.kill()
    listener.close()


async def test_a_job_that_is_not_ready_is_waited_for_to_the_end(node: Site, runtime: FakeRuntime) -> None:
    probe = {"readiness": {"tcpSocket": {"port": 1}}}
    async with node.agent():
        job = await create(node, "job", template={"restartPolicy": "OnFailure", "probes": probe})
        await create(node, "web", "job")
        await node.reaches("job", "Running")
        await waiting(node, "web")
        runtime.end(job.metadata.uid or "", Exit(code=0))
        await node.reaches("web", "Running")


async def test_it_starts_when_a_job_here_has_completed(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent():
        job = await create(node, "job", command="exit 1", template={"restartPolicy": "Never"})
        await node.reaches("job", "Failed")
        await create(node, "web", "job")
        await waiting(node, "web")
        assert [launch.uid for launch in runtime.launches] == [job.metadata.uid]
        await create(node, "again", command="exit 0", template={"restartPolicy": "Never"}, spec={"entry": "job"})
        await node.reaches("web", "Running")


async def test_it_starts_when_the_controller_says_so_of_other_nodes(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent():
        await create(node, "web", "db", "cache")
        assert (await waiting(node, "web")).status.message == "waits for db, cache"
        await tell(node, "web", "True")
        await node.reaches("web", "Running")
        await tell(node, "web", "False")
        await node.patch("web", {"metadata": {"annotations": {RESTARTED_AT: "now"}}})
        await waiting(node, "web")
        await tell(node, "web", "True")
        await node.reaches("web", "Running", but=lambda one: one.status.restarts == 1)


async def test_what_runs_is_not_stopped_and_what_restarts_waits(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent():
        db = await create(node, "db", template={"restartPolicy": "Never"})
        web = await create(node, "web", "db")
        await node.reaches("web", "Running")
        runtime.end(db.metadata.uid or "", Exit(code=1))
        await node.reaches("db", "Failed")
        assert runtime.running() == [web.metadata.uid]
        runtime.end(web.metadata.uid or "", Exit(code=1))
        await waiting(node, "web")
        await node.patch("db", {"metadata": {"annotations": {RESTARTED_AT: "now"}}})
        await node.reaches("web", "Running", but=lambda one: one.status.restarts == 1)


async def test_after_a_reboot_without_a_server_it_still_goes_in_order(tmp_path: Path) -> None:
    """What is on the node starts in order, and what depends on another node starts, since it has run before."""
    node = site(tmp_path, FakeRuntime())
    async with node.agent() as agent:
        await create(node, "db")
        await create(node, "web", "db")
        await create(node, "far", "elsewhere")
        await tell(node, "far", "True")
        for name in ("db", "web", "far"):
            await node.reaches(name, "Running")
        await agent.kill()
    rebooted = FakeRuntime(boot_id="next")
    node.runtime = rebooted
    node.cluster.fail_next(10_000, ServiceUnavailable("away"))
    async with node.agent(patience=0.05) as agent:
        await eventually(lambda: len(rebooted.launches) == 3)
        order = [launch.environment["PLUM_ENTRY"] for launch in rebooted.launches]
        assert order.index("db") < order.index("web")
        await agent.kill()


async def test_a_copy_that_runs_is_adopted_whatever_it_depends_on(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent() as agent:
        await create(node, "web", "db")
        await tell(node, "web", "True")
        await node.reaches("web", "Running")
        await agent.kill()
    await tell(node, "web", "False")
    async with node.agent() as agent:
        await agent.began.wait()
        await create(node, "other")
        await node.reaches("other", "Running")
        assert (await node.get("web")).status.phase == "Running"
        assert len(runtime.launches) == 2
