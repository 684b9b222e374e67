"""The agent as a whole, against a server in memory, with a runtime that starts no processes."""

import asyncio
import errno
import hashlib
import itertools
from pathlib import Path

import pytest

from agent.instances import Record
from agent.node import Registration
from agent.performer import MAX_STARTS
from agent.runtime import Exit, Launch, Process
from agent.testing import FakeRuntime
from apiserver.api.conditions import is_true
from apiserver.api.errors import Conflict, ServiceUnavailable
from apiserver.api.kinds.assignment import RESTARTED_AT, STOPPED_FINALIZER, Assignment
from apiserver.api.kinds.event import Event
from apiserver.api.kinds.lease import Lease
from apiserver.api.kinds.node import NODE_LEASES, Node
from tests.unit.agent.driving import Site, site
from tests.unit.agent.objects import NODE
from tests.unit.agent.waiting import eventually


async def test_an_assignment_runs_and_says_so(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent():
        await node.create("web", template={"ports": [{"name": "http"}]})
        one = await node.reaches("web", "Running")
    assert one.status.ip == "10.0.0.1"
    assert one.status.pid is not None
    assert 30000 <= one.status.ports[0].port <= 30999
    assert one.status.started_at is not None
    assert one.status.reported_at is not None
    assert is_true(one.status.conditions, "Ready")
    assert is_true(one.status.conditions, "Prepared")
    (launch,) = runtime.launches
    assert launch.environment["PLUM_PORT_HTTP"] == str(one.status.ports[0].port)
    assert Path(launch.environment["PLUM_DATA"]).is_dir()


async def test_the_node_is_registered_with_a_lease_and_without_readiness(node: Site) -> None:
    async with node.agent() as agent:
        await agent.began.wait()
        one = await node.user.get(Node, NODE)
        lease = await node.user.get(Lease, NODE, namespace=NODE_LEASES)
    assert (one.status.ip, one.status.boot_id, one.status.port_range) == ("10.0.0.1", "boot", "30000-30999")
    assert one.status.conditions == ()
    assert lease.spec.holder_identity == "agent-1"
    assert lease.spec.lease_duration_seconds == 15
    assert [owner.uid for owner in lease.metadata.owner_references] == [one.metadata.uid]


async def test_while_another_agent_holds_the_lease_nothing_is_started(
    node: Site, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by what the server tells nor by what is on disk: the other agent runs it all."""
    async with node.agent() as agent:
        await node.create("old")
        await node.reaches("old", "Running")
        await agent.finish()
    await node.create("new")
    renew, tries, free = Registration._renew, itertools.count(), asyncio.Event()

    async def held(self: Registration) -> bool:
        if next(tries) and free.is_set():
            return await renew(self)
        raise Conflict("held by another agent")

    monkeypatch.setattr(Registration, "_renew", held)
    async with node.agent(patience=0.01) as agent:
        await eventually(lambda: next(tries) > 4)
        assert len(runtime.launches) == 1
        assert not agent.began.is_set()
        free.set()
        await node.reaches("new", "Running")
        await node.reaches("old", "Running")


async def test_who_loses_the_lease_later_leaves_everything_as_it_is(
    node: Site, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And goes on when it has it again."""
    monkeypatch.setattr("agent.node.RENEW_SECONDS", 0.02)
    renew, is_taken, tries = Registration._renew, False, itertools.count()

    async def contested(self: Registration) -> bool:
        if is_taken:
            next(tries)
            raise Conflict("held by another agent")
        return await renew(self)

    monkeypatch.setattr(Registration, "_renew", contested)
    async with node.agent():
        one = await node.create("web", template={"restartPolicy": "Never"})
        await node.create("kept")
        for name in ("web", "kept"):
            await node.reaches(name, "Running")
        is_taken = True
        await eventually(lambda: next(tries) > 4)
        await node.create("new")
        await node.patch("kept", {"spec": {"desired": "Stopped"}})
        runtime.end(one.metadata.uid or "", Exit(code=3))
        await eventually(lambda: "Exited" in str([record.end for record in node.folders.records("boot-1")]))
        assert len(runtime.running()) == 1, "neither stopped nor started"
        assert (await node.get("web")).status.phase == "Running", "nor told"
        is_taken = False
        await node.reaches("kept", "Stopped")
        await node.reaches("new", "Running")
        assert (await node.reaches("web", "Failed")).status.exit_code == 3


async def test_a_drain_gives_the_lease_back_and_a_plain_end_does_not(node: Site) -> None:
    async with node.agent() as agent:
        await agent.began.wait()
        await agent.finish(drain=False)
    assert (await node.user.get(Lease, NODE, namespace=NODE_LEASES)).spec.holder_identity == "agent-1"
    async with node.agent() as agent:
        await agent.began.wait()
        await node.create("web")
        await node.reaches("web", "Running")
        await agent.finish()
    assert (await node.user.get(Lease, NODE, namespace=NODE_LEASES)).spec.holder_identity == ""


async def test_assignments_of_other_nodes_are_left_alone(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent():
        await node.create("other", spec={"nodeName": "nodeB"})
        await node.create("ours")
        await node.reaches("ours", "Running")
    assert len(runtime.launches) == 1
    assert (await node.get("other")).status.phase is None


async def test_what_runs_already_is_not_reported_on_the_way(node: Site) -> None:
    """From the archive in the cache to Running is one write of the status."""
    async with node.agent() as agent:
        await agent.began.wait()
        before = int((await node.create("web")).metadata.resource_version or 0)
        one = await node.reaches("web", "Running")
    versions = int(one.metadata.resource_version or 0) - before
    assert versions <= 2, "one status, one event"


async def test_stopped_and_wanted_again(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent():
        await node.create("web")
        await node.reaches("web", "Running")
        await node.patch("web", {"spec": {"desired": "Stopped"}})
        stopped = await node.reaches("web", "Stopped")
        assert runtime.running() == []
        assert (stopped.status.signal, stopped.status.pid) == (15, None)
        await node.patch("web", {"spec": {"desired": "Running"}})
        assert (await node.reaches("web", "Running")).status.restarts == 0


async def test_a_deleted_assignment_goes_with_its_folder_and_keeps_its_data(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent():
        await node.create("web")
        await node.reaches("web", "Running")
        await node.user.delete(Assignment, "web")
        await node.vanishes("web")
        assert runtime.running() == []
        assert [*node.folders.instances.iterdir()] == []
        assert len([*node.folders.data.iterdir()]) == 1


async def test_only_our_own_finalizer_is_released(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent():
        await node.create("web", metadata={"finalizers": ["a.example/first", STOPPED_FINALIZER, "b.example/last"]})
        await node.reaches("web", "Running")
        await node.user.delete(Assignment, "web")
        others = ("a.example/first", "b.example/last")
        await node.reaches("web", "Stopped", but=lambda one: one.metadata.finalizers == others)
        assert runtime.running() == []


async def test_an_assignment_that_vanishes_is_stopped_and_removed(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent():
        await node.create("web", metadata={"finalizers": []})
        await node.reaches("web", "Running")
        await node.user.delete(Assignment, "web")
        await eventually(lambda: not runtime.running() and not [*node.folders.instances.iterdir()])


async def test_an_exit_is_stored_before_the_restart(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent():
        await node.create("web")
        uid = (await node.reaches("web", "Running")).metadata.uid or ""
        runtime.end(uid, Exit(code=3))
        failed = await node.reaches("web", "Failed")
        assert (failed.status.exit_code, failed.status.restarts, failed.status.pid) == (3, 0, None)
        assert failed.status.finished_at is not None
        again = await node.reaches("web", "Running")
        assert (again.status.restarts, again.status.exit_code) == (1, 3)
        assert again.status.previous_started_at == failed.status.started_at
        runtime.end(uid, Exit(signal=11))
        waiting = await node.reaches("web", "BackOff")
        assert waiting.status.message == "ended by signal 11, 2 times in a row; starts again after 2 s"


async def test_policies_end_it(node: Site) -> None:
    async with node.agent():
        await node.create("once", command="exit 0", template={"restartPolicy": "OnFailure"})
        await node.create("never", command="exit 4", template={"restartPolicy": "Never"})
        assert (await node.reaches("once", "Exited")).status.exit_code == 0
        assert (await node.reaches("never", "Failed")).status.exit_code == 4


async def test_a_restart_on_request_is_at_once_and_counted(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent():
        await node.create("web")
        await node.reaches("web", "Running")
        await node.patch("web", {"metadata": {"annotations": {RESTARTED_AT: "now"}}})
        await node.reaches("web", "Running", but=lambda one: one.status.restarts == 1)
        assert len(runtime.launches) == 2
        assert len(runtime.running()) == 1


async def test_a_successor_starts_after_its_predecessor(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent():
        await node.create("old")
        await node.reaches("old", "Running")
        await node.create("new", spec={"replaces": "old"})
        assert (await node.reaches("new", "Pending")).status.reason == "WaitingForPredecessor"
        await node.user.delete(Assignment, "old")
        await node.reaches("new", "Running")
        assert len(runtime.running()) == 1


async def test_an_artifact_that_cannot_be_had_is_told_with_its_cause(node: Site) -> None:
    async with node.agent():
        await node.create("web", sha256="1" * 64)
        one = await node.reaches("web", "Preparing", but=lambda one: one.status.reason == "ArtifactUnavailable")
        assert "connection" in one.status.message.lower()
        await node.user.delete(Assignment, "web")
        await node.vanishes("web")


async def test_an_archive_that_is_none_is_told(node: Site) -> None:
    sha256 = hashlib.sha256(b"no zip").hexdigest()
    (node.folders.cache / f"{sha256}.zip").write_bytes(b"no zip")
    async with node.agent():
        await node.create("web", sha256=sha256)
        await node.reaches("web", "Preparing", but=lambda one: one.status.reason == "ArtifactInvalid")


async def test_a_lost_node_that_is_found_again_corrects_the_phase(node: Site) -> None:
    async with node.agent():
        await node.create("web")
        await node.reaches("web", "Running")
        controller = node.cluster.client("node-controller")
        await controller.apply(
            Assignment, "web", {"status": {"phase": "Unknown"}}, namespace="default", subresource="status"
        )
        await node.reaches("web", "Running")


async def test_it_works_while_the_server_is_away(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent():
        await node.create("web")
        uid = (await node.reaches("web", "Running")).metadata.uid or ""
        node.cluster.fail_next(12, ServiceUnavailable("away"))
        node.cluster.cut_watches()
        runtime.end(uid, Exit(code=1))
        await eventually(lambda: len(runtime.launches) == 2)
        assert len(runtime.running()) == 1
        await node.reaches("web", "Running", but=lambda one: one.status.restarts == 1)


async def test_a_planned_end_stops_everything_and_says_so(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent() as agent:
        await node.create("web")
        await node.create("api")
        await node.reaches("web", "Running")
        await node.reaches("api", "Running")
        await agent.finish()
        assert runtime.running() == []
        for name in ("web", "api"):
            one = await node.get(name)
            assert (one.status.phase, one.status.reason) == ("Stopped", "AgentStopped")
    async with node.agent():
        assert (await node.reaches("web", "Running")).status.restarts == 0


async def test_what_a_killed_agent_left_runs_on(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent() as agent:
        await node.create("web", template={"ports": [{"name": "http"}]})
        first = await node.reaches("web", "Running")
        await agent.kill()
    async with node.agent() as agent:
        await agent.began.wait()
        await node.create("other")
        await node.reaches("other", "Running")
        assert len(runtime.launches) == 2
        again = await node.get("web")
        assert again.metadata.resource_version == first.metadata.resource_version, "there was nothing to tell"


async def test_what_ended_while_no_agent_was_there_starts_again_by_its_policy(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent() as agent:
        await node.create("web")
        await node.create("job", template={"restartPolicy": "OnFailure"})
        uids = [(await node.reaches(name, "Running")).metadata.uid or "" for name in ("web", "job")]
        await agent.kill()
    for uid in uids:
        runtime.end(uid, Exit(code=0))
    async with node.agent():
        await node.reaches("web", "Running", but=lambda one: one.status.restarts == 1)
        job = await node.reaches("job", "Exited")
        assert (job.status.exit_code, job.status.restarts) == (0, 0)


async def test_a_full_disk_keeps_nothing_from_ending_and_nothing_ends_twice(
    node: Site, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = True
    save = node.folders.save

    def refused(record: Record, data: Path | None = None) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(record, data)

    async with node.agent():
        await node.create("web")
        await node.create("job")
        uid = (await node.reaches("web", "Running")).metadata.uid or ""
        await node.reaches("job", "Running")
        monkeypatch.setattr(node.folders, "save", refused)
        runtime.end(uid, Exit(code=3))
        await node.reaches("web", "BackOff", but=lambda one: "No space left" in one.status.message)
        await node.patch("job", {"spec": {"desired": "Stopped"}})
        await node.reaches("job", "Stopped")
        full = False
        again = await node.reaches("web", "Running")
        assert runtime.running() == [uid]
        assert again.status.restarts >= 1


async def test_after_a_restart_of_the_machine_everything_starts_again_uncounted(node: Site) -> None:
    async with node.agent() as agent:
        await node.create("web")
        await node.create("job", template={"restartPolicy": "Never"})
        for name in ("web", "job"):
            await node.reaches(name, "Running")
        await agent.kill()
    node.runtime = later = FakeRuntime(boot_id="boot-2")
    async with node.agent():
        await eventually(lambda: len(later.running()) == 2)
        for name in ("web", "job"):
            assert (await node.reaches(name, "Running")).status.restarts == 0


async def test_what_was_deleted_while_no_agent_ran_is_cleaned_up(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent() as agent:
        await node.create("web", metadata={"finalizers": []})
        await node.create("api")
        await node.reaches("web", "Running")
        await node.reaches("api", "Running")
        await agent.kill()
    await node.user.delete(Assignment, "web")
    await node.user.delete(Assignment, "api")
    async with node.agent():
        await node.vanishes("api")
        await eventually(lambda: not runtime.running() and not [*node.folders.instances.iterdir()])


async def test_a_drain_before_the_server_answers_leaves_nothing_running(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent() as agent:
        await node.create("web")
        await node.reaches("web", "Running")
        await agent.kill()
    node.cluster.fail_next(10_000, ServiceUnavailable("away"))
    async with node.agent() as agent:
        await agent.finish()
    assert runtime.running() == []


async def test_a_namesake_gets_a_folder_of_its_own(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent():
        await node.create("web", metadata={"finalizers": []})
        first = await node.reaches("web", "Running")
        await node.user.delete(Assignment, "web")
        await node.create("web")
        await node.reaches("web", "Running", but=lambda one: one.metadata.uid != first.metadata.uid)
        assert len(runtime.running()) == 1


async def test_events_tell_the_story(node: Site, runtime: FakeRuntime) -> None:
    async with node.agent():
        await node.create("web", template={"restartPolicy": "Never"})
        uid = (await node.reaches("web", "Running")).metadata.uid or ""
        runtime.end(uid, Exit(code=2))
        await node.reaches("web", "Failed")

        async def told() -> set[tuple[str, str]]:
            return {(event.type, event.reason) for event in (await node.user.list(Event)).items}

        while await told() != {("Normal", "Started"), ("Warning", "Failed")}:
            await eventually(lambda: True)


async def test_a_start_that_the_system_refuses_is_a_failure(node: Site) -> None:
    async with node.agent():
        await node.create("web", template={"ports": [{"name": f"p{i}"} for i in range(3)]})
        await node.reaches("web", "Running")
        await node.create("bad", spec={"taskName": "../../etc"})
        one = await node.reaches("bad", "Failed")
        assert one.status.reason == "StartFailed"
        assert "cannot be part of a folder's name" in one.status.message


class Hanging(FakeRuntime):
    """Starts of some commands take until they are let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()
        self.hanging = 0

    async def start(self, launch: Launch) -> Process:
        if launch.command == "sleep 99":
            self.hanging += 1
            await self.let.wait()
        return await super().start(launch)


async def test_starts_that_hang_keep_no_stop_waiting(tmp_path: Path) -> None:
    runtime = Hanging()
    node = site(tmp_path, runtime)
    async with node.agent() as agent:
        await node.create("web")
        await node.reaches("web", "Running")
        for number in range(MAX_STARTS + 8):
            await node.create(f"slow-{number}", command="sleep 99")
        await eventually(lambda: runtime.hanging == MAX_STARTS)
        await node.patch("web", {"spec": {"desired": "Stopped"}})
        await node.reaches("web", "Stopped")
        await node.user.delete(Assignment, "slow-0")
        runtime.let.set()
        await node.vanishes("slow-0")
        await eventually(lambda: len(runtime.running()) == MAX_STARTS + 7)
        await agent.finish()
    assert runtime.running() == []
