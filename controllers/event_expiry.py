"""Deletes Events that have told their story. They are listed page by page and never cached."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from apiserver.api.errors import Conflict, NotFound
from apiserver.api.kinds.event import Event
from apiserver.client.controller import Key, Result
from apiserver.client.interface import Client
from controllers.writing import each

MANAGER = "plum-garbage-collector"
EVENTS: Key = ("", "events")
"""The only key there is."""

KEPT_FOR = timedelta(hours=1)
EVERY_SECONDS = 300.0
PAGE_SIZE = 500
MAX_DELETIONS = 500
"""Deletions of one pass; the rest follows a second later."""

NEXT_PASS_SECONDS = 1.0


def expired(events: Iterable[Event], *, now: datetime, kept_for: timedelta = KEPT_FOR) -> list[Event]:
    """The events whose last occurrence is older than ``kept_for``. Pure."""
    return [event for event in events if (last := last_seen(event, now)) is not None and now - last > kept_for]


def last_seen(event: Event, now: datetime) -> datetime | None:
    """When it happened last, as far as the event says; what it says of the future is not believed."""
    told = event.last_time
    return told if told is not None and told <= now else event.metadata.creation_timestamp


class EventExpiry:
    """Looks through all events every five minutes."""

    def __init__(self, client: Client, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._client, self._now = client, now

    async def reconcile(self, key: Key) -> Result:
        """One pass: at most 500 deletions."""
        found: list[Event] = []
        token = ""
        while len(found) < MAX_DELETIONS:
            page = await self._client.list(Event, limit=PAGE_SIZE, continue_token=token)
            found += expired(page.items, now=self._now())
            token = page.continue_token
            if not token:
                break
        await each(found[:MAX_DELETIONS], self._delete)
        return Result(requeue_after=NEXT_PASS_SECONDS if token else EVERY_SECONDS)

    async def _delete(self, event: Event) -> int:
        namespace, name = event.key
        try:
            await self._client.delete(Event, name, namespace=namespace, uid=event.metadata.uid or "")
        except (NotFound, Conflict):
            return 0
        return 0
