"""What goes to the server: statuses, released finalizers, events. Nothing here waits long or is needed to run."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from agent.instances import Moment
from agent.statuses import WRITE_SECONDS, Send, Statuses
from apiserver.api.kinds.assignment import STOPPED_FINALIZER, Assignment
from apiserver.api.meta import format_micro_time
from apiserver.api.reports import StatusOf
from apiserver.client.events import EventRecorder, Type
from apiserver.client.interface import Client

log = logging.getLogger(__name__)

MAX_RELEASES = 8
"""Finalizers being taken away at a time: more would each open a connection, which costs more than it saves."""

PATIENCE_SECONDS = 2.0
"""How long an event lets statuses go before it."""

MAX_EVENTS = 1000
"""Events that wait to be sent; of more, the oldest are lost."""


class Reports:
    """Writes as one field manager, each bounded in time."""

    def __init__(self, client: Client, recorder: EventRecorder, send: Send) -> None:
        """``send`` brings statuses to the server."""
        self._client, self._recorder = client, recorder
        self._statuses = Statuses(send)
        self._events: deque[tuple[Assignment, Type, str, str]] = deque(maxlen=MAX_EVENTS)
        self._told = asyncio.Event()
        self._slots = asyncio.Semaphore(MAX_RELEASES)
        self._writing = 0
        self._calm = asyncio.Event()
        self._calm.set()

    async def status(self, assignment: Assignment, status: dict[str, Any], now: Moment) -> Assignment:
        """Write our part of the status; returns the object as it then is. Raises ApiError, TimeoutError."""
        namespace, name = assignment.key
        said = status | {"reportedAt": format_micro_time(now.wall)}
        async with self._write():
            return await self._statuses.write(
                StatusOf(namespace=namespace, name=name, uid=assignment.metadata.uid or "", status=said)
            )

    async def release(self, assignment: Assignment) -> Assignment:
        """Take our finalizer away, and nobody else's; returns the object. Raises ApiError, TimeoutError."""
        namespace, name = assignment.key
        path = f"/metadata/finalizers/{assignment.metadata.finalizers.index(STOPPED_FINALIZER)}"
        patch: list[dict[str, Any]] = [
            {"op": "test", "path": "/metadata/uid", "value": assignment.metadata.uid},
            {"op": "test", "path": path, "value": STOPPED_FINALIZER},
            {"op": "remove", "path": path},
        ]
        async with self._write(), self._slots, asyncio.timeout(WRITE_SECONDS):
            return await self._client.patch(Assignment, name, patch, namespace=namespace)

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[None]:
        self._writing += 1
        self._calm.clear()
        try:
            yield
        finally:
            self._writing -= 1
            if not self._writing:
                self._calm.set()

    def tell(self, assignment: Assignment | None, type: Type, reason: str, message: str) -> None:
        """Send an event about the assignment, soon and at best."""
        if assignment is not None:
            self._events.append((assignment, type, reason, message))
            self._told.set()

    async def run(self) -> None:
        """Send statuses, and events after them, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._statuses.run())
            group.create_task(self._tell())

    async def _tell(self) -> None:
        """Send events, in order: when nothing more urgent is on its way, or after a while all the same."""
        while True:
            await self._told.wait()
            self._told.clear()
            while self._events:
                with suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        await self._calm.wait()
                await self._recorder.record(*self._events.popleft())
