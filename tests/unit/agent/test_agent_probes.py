"""The agent as a whole with probes: what becomes of an instance whose app answers this or that."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from agent import probing, processes, restarts
from agent.agent import read_clocks
from agent.checkups import Checkups
from agent.host import Host
from agent.instances import Stopping
from agent.ledger import Ledger
from agent.ports import PortRange
from agent.probes import Checks, Health, begin
from agent.process_runtime import ProcessRuntime
from agent.reports import Reports
from agent.testing import FakeRuntime
from apiserver.api.conditions import find
from apiserver.api.errors import ServiceUnavailable
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.event import Event
from apiserver.api.kinds.probe import Probes
from apiserver.client.events import EventRecorder
from tests.unit.agent.driving import Site, one_by_one, site
from tests.unit.agent.objects import assignment
from tests.unit.agent.waiting import eventually

ONCE = {"periodSeconds": 1, "failureThreshold": 1, "timeoutSeconds": 10}
HURRY = 20.0
"""How much faster than asked for probes and restarts follow one another here."""


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    def begin_in_a_hurry(probes: Probes, *args: Any, **parts: Any) -> Checks:
        quick: dict[str, Any] = {
            name: probe.model_copy(update={"period_seconds": probe.period_seconds / HURRY})
            for name, probe in probes.by_name().items()
        }
        return begin(probes.model_copy(update=quick), *args, **parts)

    monkeypatch.setattr(probing, "begin", begin_in_a_hurry)
    monkeypatch.setattr(restarts, "FIRST_DELAY", restarts.FIRST_DELAY / HURRY)


@dataclass
class App:
    """What the processes of a runtime that starts none would answer: a status for each path."""

    port: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        path = request.split()[1].decode()
        self.asked.append(path)
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % self.answers.get(path, 200))
        writer.close()

    def probe(self, path: str, **parts: Any) -> dict[str, Any]:
        return {"httpGet": {"port": self.port, "path": path}, **ONCE, **parts}

    def saw(self, name: str, status: int) -> str:
        return f"{name}: GET http://127.0.0.1:{self.port}/{name}: answered {status}"


@pytest.fixture
async def app() -> AsyncIterator[App]:
    found = App()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()


async def create(node: Site, app: App, *names: str, **template: Any) -> None:
    probes = {name: app.probe(f"/{name}") for name in names}
    await node.create("web", template={"probes": probes, **template})


def ready(one: Assignment) -> tuple[str, str, str]:
    found = find(one.status.conditions, "Ready")
    assert found is not None
    return found.status, found.reason, found.message


async def becomes(node: Site, *wanted: str) -> Assignment:
    """Wait until the condition Ready has this status, reason and message."""
    return await node.reaches("web", "Running", but=lambda one: ready(one)[: len(wanted)] == wanted)


async def events(node: Site) -> list[tuple[str, str, str]]:
    return [(event.type, event.reason, event.message) for event in (await node.user.list(Event)).items]


async def tells(node: Site, type: str, reason: str, message: str) -> None:
    """Wait for an event whose message holds the text."""
    async with asyncio.timeout(10):
        while not any((type, reason) == one[:2] and message in one[2] for one in await events(node)):
            await asyncio.sleep(0.01)


async def test_readiness_is_the_condition_ready(node: Site, app: App) -> None:
    app.answers["/readiness"] = 503
    async with node.agent():
        await create(node, app, "readiness")
        await becomes(node, "False", "ProbeFailed", app.saw("readiness", 503))
        app.answers["/readiness"] = 200
        one = await becomes(node, "True", "Running", "")
        app.answers["/readiness"] = 500
        await becomes(node, "False", "ProbeFailed", app.saw("readiness", 500))
        await tells(node, "Warning", "Unhealthy", app.saw("readiness", 500))
    assert one.status.restarts == 0


async def test_a_quick_app_is_ready_long_before_its_first_period_is_over(node: Site, app: App) -> None:
    async with node.agent():
        probes = {"readiness": app.probe("/readiness", periodSeconds=10_000)}
        await node.create("web", template={"probes": probes})
        await becomes(node, "True", "Running")
        await node.create("plain")
        await node.reaches("plain", "Running", but=lambda one: ready(one)[0] == "True")


async def test_liveness_restarts_with_what_it_saw(node: Site, app: App, runtime: FakeRuntime) -> None:
    async with node.agent():
        await create(node, app, "liveness")
        first = await becomes(node, "True")
        app.answers["/liveness"] = 500
        failed = await node.reaches("web", "Failed")
        app.answers["/liveness"] = 200
        again = await node.reaches("web", "Running", but=lambda one: one.status.restarts >= 1)
        assert again.status.pid != first.status.pid
        assert (failed.status.reason, failed.status.message) == ("Unhealthy", app.saw("liveness", 500))
        assert failed.status.signal == 15
        for reason in ("Unhealthy", "Killing", "Failed"):
            await tells(node, "Normal" if reason == "Killing" else "Warning", reason, app.saw("liveness", 500))
        assert len(runtime.running()) == 1


@pytest.mark.parametrize("policy", ["Never", "OnFailure"])
async def test_a_restart_that_was_asked_for_is_a_failure_whatever_the_exit(
    node: Site, app: App, runtime: FakeRuntime, policy: str
) -> None:
    app.answers["/startup"] = 500
    async with node.agent():
        await create(node, app, "startup", restartPolicy=policy)
        failed = await node.reaches("web", "Failed")
        assert failed.status.reason == "Unhealthy"
        if policy == "OnFailure":
            app.answers["/startup"] = 200
            await node.reaches("web", "Running", but=lambda one: one.status.restarts >= 1 and ready(one)[0] == "True")
        else:
            asked = len(app.asked)
            await asyncio.sleep(0.1)
            assert len(app.asked) == asked
            assert runtime.running() == []


async def test_startup_comes_before_the_others(node: Site, app: App) -> None:
    app.answers["/startup"] = 503
    async with node.agent():
        probes = {name: app.probe(f"/{name}") for name in ("readiness", "liveness")}
        probes["startup"] = app.probe("/startup", failureThreshold=1000)
        await node.create("web", template={"probes": probes})
        await becomes(node, "False", "ProbePending", app.saw("startup", 503))
        assert set(app.asked) == {"/startup"}
        app.answers["/startup"] = 200
        await becomes(node, "True")
        await eventually(lambda: {"/readiness", "/liveness"} <= set(app.asked))
        app.asked.clear()
        await eventually(lambda: "/liveness" in app.asked)
        assert "/startup" not in app.asked


async def test_a_new_agent_lets_stand_what_was_known(node: Site, app: App, runtime: FakeRuntime) -> None:
    async with node.agent() as agent:
        await create(node, app, "startup", "readiness", "liveness")
        before = await becomes(node, "True")
        await agent.kill()
    app.asked.clear()
    async with node.agent():
        await eventually(lambda: {"/readiness", "/liveness"} <= set(app.asked))
        after = await becomes(node, "True")
        assert after.status.model_dump() == before.status.model_dump(), "nothing has turned unready on the way"
        assert "/startup" not in app.asked
        app.answers["/liveness"] = 500
        await node.reaches("web", "Running", but=lambda one: one.status.restarts >= 1)
    assert len(runtime.launches) >= 2


async def test_a_restart_that_a_killed_agent_had_decided_is_carried_out(node: Site, app: App) -> None:
    async with node.agent() as agent:
        await create(node, app, "liveness")
        one = await becomes(node, "True")
        await agent.kill()
    (record,) = node.folders.records(node.runtime.boot_id)
    node.folders.save(record.model_copy(update={"health": Health(unhealthy="liveness: it said so")}))
    async with node.agent():
        again = await node.reaches("web", "Running", but=lambda now: now.status.restarts >= 1)
        await tells(node, "Normal", "Killing", "liveness: it said so")
    assert again.status.pid != one.status.pid


async def test_no_server_is_needed(node: Site, app: App, runtime: FakeRuntime) -> None:
    async with node.agent() as agent:
        await create(node, app, "readiness", "liveness")
        await becomes(node, "True")
        await agent.kill()
    node.cluster.fail_next(1_000_000, ServiceUnavailable("away"))
    async with node.agent(patience=0.05):
        app.asked.clear()
        await eventually(lambda: "/liveness" in app.asked)
        app.answers["/liveness"] = 500
        await eventually(lambda: len(runtime.launches) >= 2)
        app.answers["/liveness"] = 200
        node.cluster.recover()
        await node.reaches("web", "Running", but=lambda one: one.status.restarts >= 1)


async def test_an_end_that_a_probe_sees_first_is_still_the_apps_own(node: Site, runtime: FakeRuntime) -> None:
    """The connection breaks as the process ends: that is no reason to stop what has ended by itself."""
    ledger = Ledger(node.folders, now=read_clocks)
    host, reports = (
        Host("n", "http://server", "", PortRange(1, 2)),
        Reports(node.user, EventRecorder(node.user, "test"), one_by_one(node.user)),
    )
    checkups = Checkups(
        host,
        ledger,
        runtime,
        reports,
        find=lambda key: None,
        enqueue_after=lambda key, delay: None,
        rng=random.Random(),
    )
    one = assignment("web")
    ledger.expect(one)
    for stopping in (None, Stopping("Unhealthy", 0.0, 5.0)):
        sick = Health(unhealthy="liveness: connection refused")
        ledger.change(one.key, lambda instance: replace(instance.judged(sick), life="up", stopping=stopping))  # noqa: B023
        checkups.leave(one.key)
        assert ledger.instances[one.key].record.health == (sick if stopping else None)
    await checkups.close()


async def test_commands_are_asked_in_the_instances_folder(tmp_path: Path) -> None:
    """With real processes: the app makes a file, the probe looks for it, and what the probe starts goes with it."""
    runtime = ProcessRuntime()
    node = site(tmp_path, runtime)
    look = "[ -e alive ] && [ -n \"$PLUM_PORT_HTTP\" ] || { setsid sleep 1000 & echo 'no such file'; exit 1; }"
    probe = {"exec": {"command": ["/bin/sh", "-c", look]}, **ONCE}
    template = {"probes": {"readiness": probe, "liveness": probe}, "ports": [{"name": "http"}]}
    async with node.agent():
        await node.create("web", command="touch alive; exec sleep 1000", template=template)
        one = await becomes(node, "True")
        (node.folders.app(one.key) / "alive").unlink()
        await node.reaches("web", "Running", but=lambda now: now.status.restarts >= 1 and ready(now)[0] == "True")
        await tells(node, "Warning", "Unhealthy", "exited with code 1: no such file")
        await node.user.delete(Assignment, "web")
        await node.vanishes("web")
        await eventually(lambda: not [*node.folders.probes.iterdir()])
    marked = [pid for pid in map(int, filter(str.isdigit, map(str, _pids()))) if (one.metadata.uid or "?") in _uid(pid)]
    assert marked == []
    runtime.close()


def _pids() -> list[str]:
    return [path.name for path in processes.PROC.iterdir() if path.name.isdigit()]


def _uid(pid: int) -> str:
    try:
        return (processes.PROC / str(pid) / "environ").read_text(errors="replace")
    except OSError:
        return ""
