"""Old events go, page by page; young ones stay."""

from datetime import UTC, datetime, timedelta

from apiserver.api.kinds.event import Event
from apiserver.api.meta import format_time
from apiserver.client.testing import MemoryCluster
from controllers.event_expiry import EVENTS, EVERY_SECONDS, EventExpiry

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def event(name: str, last: datetime | None) -> Event:
    body = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "default"}}
    about = {"involvedObject": {"kind": "Task", "name": "web"}}
    return Event.from_body(body | about | ({"lastTimestamp": format_time(last)} if last else {}))


async def test_a_pass_deletes_what_is_older_than_an_hour() -> None:
    cluster = MemoryCluster(now=lambda: NOW - timedelta(hours=2))
    client = cluster.client("test")
    for number in range(5):
        await client.create(event(f"old-{number}", NOW - timedelta(minutes=61)))
    await client.create(event("never-seen", None))
    await client.create(event("young", NOW - timedelta(minutes=59)))
    result = await EventExpiry(client, now=lambda: NOW).reconcile(EVENTS)
    assert [found.metadata.name for found in (await client.list(Event)).items] == ["young"]
    assert result.requeue_after == EVERY_SECONDS
