"""The recorder of Events: tells people what happened to an object, and never gets in the way of the work.

What repeats within ten minutes is one Event with a count, and an object that makes too much noise is cut
short, as in client-go. Nothing is queued: an event that the server does not take is lost.
"""

import asyncio
import hashlib
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, Literal, TypeVar

from apiserver.api.errors import AlreadyExists, ApiError, NotFound
from apiserver.api.kinds.event import Event, EventSource, ObjectReference
from apiserver.api.meta import ObjectMeta, Resource, format_micro_time, format_time
from apiserver.client.interface import Client

log = logging.getLogger(__name__)

WINDOW = timedelta(minutes=10)
"""How long a repeated event is counted instead of told again."""

MAX_REMEMBERED = 1000
BURST = 25
REFILL_SECONDS = 300.0
"""An object may make a burst of events, and then one in so many seconds."""
LEAST: Mapping[str, float] = {"Warning": 1.0, "Normal": 2.0}
"""How much of it must be left: the starts of a process that fails again and again leave no warning untold."""

SEND_SECONDS = 5.0
MAX_MESSAGE = 1024

Type = Literal["Normal", "Warning"]
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True)
class _Told:
    """An event as it was told last."""

    name: str
    first: datetime
    last: datetime
    count: int


class _Recent(Generic[K, V]):
    """The values set last, at most ``MAX_REMEMBERED``."""

    def __init__(self) -> None:
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        return self._values.get(key)

    def set(self, key: K, value: V) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > MAX_REMEMBERED:
            self._values.popitem(last=False)


class EventRecorder:
    """Records events in the name of one component."""

    def __init__(
        self,
        client: Client,
        component: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``now`` is what people read in events; ``clock``, in seconds, never goes back and measures rates."""
        self._client, self._component = client, component
        self._now, self._clock = now, clock
        self._told = _Recent[tuple[str, ...], _Told]()
        self._buckets = _Recent[tuple[str, ...], tuple[float, float]]()

    async def record(self, obj: Resource, type: Type, reason: str, message: str) -> None:
        """Tell that something happened to the object: ``reason`` is a CamelCase word, ``message`` a sentence.

        Best effort, for at most 5 seconds: what goes wrong is logged at debug level and not raised."""
        if not self._may_tell((obj.kind, *obj.key), LEAST[type]):
            log.debug("too many events about %s %s: %s: %s", obj.kind, obj.metadata.name, reason, message)
            return
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._tell(obj, type, reason, message[:MAX_MESSAGE])
        except (ApiError, TimeoutError) as error:
            log.debug("event about %s %s lost: %s: %s: %s", obj.kind, obj.metadata.name, reason, message, error)

    def _may_tell(self, about: tuple[str, ...], least: float) -> bool:
        """Take a token from the object's bucket, if there are so many."""
        now = self._clock()
        tokens, at = self._buckets.get(about) or (float(BURST), now)
        tokens = min(float(BURST), tokens + (now - at) / REFILL_SECONDS)
        self._buckets.set(about, (tokens - 1 if tokens >= least else tokens, now))
        return tokens >= least

    async def _tell(self, obj: Resource, type: Type, reason: str, message: str) -> None:
        now = self._now()
        same = (obj.kind, *obj.key, obj.metadata.uid or "", type, reason, message)
        told = self._told.get(same)
        if told is not None and now - told.last < WINDOW:
            again = _Told(told.name, told.first, now, told.count + 1)
            self._told.set(same, again)
            try:
                patch = {"count": again.count, "lastTimestamp": format_time(now)}
                await self._client.patch(Event, again.name, patch, namespace=_namespace(obj))
                return
            except NotFound:
                log.debug("event %s is gone; telling it anew", again.name)
        name = _event_name(obj.metadata.name, (*same, self._component, format_micro_time(now)))
        self._told.set(same, _Told(name, now, now, 1))
        try:
            await self._client.create(self._event(obj, name, type, reason, message, now))
        except AlreadyExists:
            return

    def _event(self, obj: Resource, name: str, type: Type, reason: str, message: str, now: datetime) -> Event:
        return Event(
            metadata=ObjectMeta(name=name, namespace=_namespace(obj)),
            involved_object=ObjectReference(
                api_version=obj.api_version,
                kind=obj.kind,
                namespace=obj.metadata.namespace or "",
                name=obj.metadata.name,
                uid=obj.metadata.uid or "",
                resource_version=obj.metadata.resource_version or "",
            ),
            type=type,
            reason=reason,
            message=message,
            source=EventSource(component=self._component),
            reporting_component=self._component,
            count=1,
            first_timestamp=now,
            last_timestamp=now,
        )


def _namespace(obj: Resource) -> str:
    return obj.metadata.namespace or "default"


def _event_name(about: str, identity: tuple[str, ...]) -> str:
    """``<name>.<hash>``; names of nodes may hold what names of events may not."""
    slug = re.sub(r"[^a-z0-9.]+", "-", about.lower())[:200]
    slug = ".".join(filter(None, (part.strip("-") for part in slug.split(".")))) or "object"
    digest = hashlib.sha256("\0".join(identity).encode()).hexdigest()[:16]
    return f"{slug}.{digest}"
