from datetime import UTC, datetime, timedelta

import pytest

from apiserver.api.errors import ServiceUnavailable
from apiserver.api.kinds.event import Event
from apiserver.api.kinds.node import Node
from apiserver.api.kinds.task import Entry, Task, TaskSpec
from apiserver.api.meta import ObjectMeta
from apiserver.client.events import BURST, MAX_REMEMBERED, REFILL_SECONDS, EventRecorder
from apiserver.client.testing import MemoryCluster

START = datetime(2026, 1, 1, tzinfo=UTC)
TASK = Task(
    metadata=ObjectMeta(name="web", namespace="default", uid="u1", resource_version="9"),
    spec=TaskSpec(entries=(Entry(name="main", artifact_url="/x"),)),
)


class World:
    def __init__(self) -> None:
        self.now, self.seconds = START, 0.0
        self.cluster = MemoryCluster(now=lambda: self.now)
        self.client = self.cluster.client("agent")
        self.recorder = self.recorder_of_a_new_process()

    def recorder_of_a_new_process(self) -> EventRecorder:
        return EventRecorder(self.client, "agent", now=lambda: self.now, clock=lambda: self.seconds)

    def wait(self, **duration: float) -> None:
        self.now += timedelta(**duration)
        self.seconds += timedelta(**duration).total_seconds()

    async def events(self) -> tuple[Event, ...]:
        return (await self.client.list(Event)).items


@pytest.fixture
def world() -> World:
    return World()


async def test_an_event_says_what_happened_to_what(world: World) -> None:
    await world.recorder.record(TASK, "Normal", "Scaled", "from 1 to 2")
    (event,) = await world.events()
    assert event.metadata.name.startswith("web.")
    assert event.metadata.namespace == "default"
    about = event.involved_object
    assert (about.kind, about.namespace, about.name, about.uid) == ("Task", "default", "web", "u1")
    assert (event.type, event.reason, event.message, event.count) == ("Normal", "Scaled", "from 1 to 2", 1)
    assert event.source
    assert event.source.component == "agent"
    assert event.first_timestamp == event.last_timestamp == START


async def test_a_repeated_event_is_counted(world: World) -> None:
    for _ in range(3):
        await world.recorder.record(TASK, "Warning", "Failed", "exit code 1")
        world.wait(minutes=9)
    (event,) = await world.events()
    assert event.count == 3
    assert event.first_timestamp == START
    assert event.last_timestamp == START + timedelta(minutes=18)


async def test_after_a_while_it_is_told_anew(world: World) -> None:
    for _ in range(2):
        await world.recorder.record(TASK, "Warning", "Failed", "exit code 1")
        world.wait(minutes=10)
    assert [event.count for event in await world.events()] == [1, 1]


async def test_another_message_or_process_is_another_event(world: World) -> None:
    await world.recorder.record(TASK, "Warning", "Failed", "exit code 1")
    await world.recorder.record(TASK, "Warning", "Failed", "exit code 2")
    world.wait(seconds=1)
    await world.recorder_of_a_new_process().record(TASK, "Warning", "Failed", "exit code 1")
    assert len(await world.events()) == 3


async def test_an_event_that_is_gone_is_told_anew(world: World) -> None:
    await world.recorder.record(TASK, "Normal", "Scaled", "x")
    (event,) = await world.events()
    await world.client.delete(Event, event.metadata.name)
    world.wait(seconds=1)
    await world.recorder.record(TASK, "Normal", "Scaled", "x")
    assert [event.count for event in await world.events()] == [1]


async def test_nodes_have_events_in_default_under_a_valid_name(world: World) -> None:
    for name in ("node_A.x", "...", "-_-", "N" * 63):
        await world.recorder.record(Node(metadata=ObjectMeta(name=name)), "Normal", "Ready", "hello")
    events = await world.events()
    assert {event.metadata.namespace for event in events} == {"default"}
    assert {event.metadata.name.rpartition(".")[0] for event in events} == {"node-a.x", "object", "n" * 63}


async def test_a_long_message_is_cut(world: World) -> None:
    await world.recorder.record(TASK, "Normal", "Scaled", "x" * 5000)
    (event,) = await world.events()
    assert len(event.message) == 1024


async def test_a_noisy_object_is_cut_short_and_others_are_not(world: World) -> None:
    for number in range(BURST + 5):
        await world.recorder.record(TASK, "Warning", "Noise", f"{number}")
    assert len(await world.events()) == BURST
    await world.recorder.record(Node(metadata=ObjectMeta(name="n")), "Normal", "Ready", "hello")
    assert len(await world.events()) == BURST + 1
    world.wait(seconds=REFILL_SECONDS)
    for number in range(5):
        await world.recorder.record(TASK, "Warning", "Noise", f"again {number}")
    assert len(await world.events()) == BURST + 2


async def test_the_starts_of_what_fails_again_and_again_leave_no_warning_untold(world: World) -> None:
    for number in range(BURST + 5):
        await world.recorder.record(TASK, "Normal", "Started", f"{number}")
    assert len(await world.events()) == BURST - 1
    for _ in range(3):
        await world.recorder.record(TASK, "Normal", "Started", "once more")
        await world.recorder.record(TASK, "Warning", "Failed", "exited with code 3")
        world.wait(seconds=REFILL_SECONDS)
    *_, last = sorted(await world.events(), key=lambda event: event.type)
    assert (last.type, last.reason, last.count) == ("Warning", "Failed", 3)


async def test_a_server_that_is_away_is_no_matter(world: World) -> None:
    world.cluster.fail_next(1, ServiceUnavailable("away"))
    await world.recorder.record(TASK, "Normal", "Scaled", "lost")
    assert await world.events() == ()
    await world.recorder.record(TASK, "Normal", "Scaled", "lost")
    assert len(await world.events()) == 1


async def test_memory_is_bounded(world: World) -> None:
    for number in range(MAX_REMEMBERED + 10):
        await world.recorder.record(Node(metadata=ObjectMeta(name=f"n{number}")), "Normal", "Ready", "hello")
    assert len(world.recorder._told._values) == len(world.recorder._buckets._values) == MAX_REMEMBERED
