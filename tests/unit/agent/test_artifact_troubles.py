"""What people see of an archive that cannot be had: the condition, the event, and the next try."""

import asyncio
from pathlib import Path

import pytest

from agent import performer
from agent.testing import FakeRuntime
from apiserver.api import conditions
from apiserver.api.kinds.event import Event
from apiserver.client.backoff import Backoff
from tests.unit.agent.driving import SHA, Site, site


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(performer, "PREPARE_RETRY", Backoff(base=0.05, cap=0.05))
    return site(tmp_path, FakeRuntime())


async def test_a_failure_is_a_condition_and_one_event_however_often_it_is_tried(node: Site) -> None:
    archive = node.folders.cache / f"{SHA}.zip"
    aside = archive.rename(archive.with_suffix(".aside"))
    async with node.agent():
        await node.create("web")
        one = await node.reaches("web", "Preparing", but=lambda one: one.status.reason == "ArtifactUnavailable")
        prepared = conditions.find(one.status.conditions, "Prepared")
        assert prepared is not None
        assert (prepared.status, prepared.reason) == ("False", "ArtifactUnavailable")
        assert prepared.message == one.status.message != ""
        await tried(node, times=3)
        aside.rename(archive)
        running = await node.reaches("web", "Running")
        assert conditions.is_true(running.status.conditions, "Prepared")


async def tried(node: Site, *, times: int) -> None:
    """Wait until the one event about it has counted so many tries."""
    async with asyncio.timeout(10):
        while True:
            events = [one for one in (await node.user.list(Event)).items if one.reason == "ArtifactUnavailable"]
            assert len(events) <= 1
            if events and (events[0].count or 0) >= times:
                assert events[0].type == "Warning"
                return
            await asyncio.sleep(0.01)
