"""The agent as a whole: take the data folder, register, watch, obey; at the end, end everything in order.

Everything may start in any order: registration and the watch wait for the server. What an earlier agent
left running is dealt with once the assignments are known, so that an agent that comes back while the server
is away takes nothing down.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agent.folders import Folders
from agent.instances import Key, Moment
from agent.ledger import Ledger
from agent.node import Registration
from agent.performer import Host
from agent.preparations import Preparer
from agent.reconciler import REPLACES, AssignmentReconciler, successors
from agent.reports import Reports
from agent.runtime import Runtime
from agent.sync import LONGEST_DRAIN
from apiserver.api.kinds.assignment import Assignment
from apiserver.client.controller import Controller
from apiserver.client.events import EventRecorder
from apiserver.client.informer import Informer
from apiserver.client.interface import Client
from apiserver.client.workqueue import WorkQueue

log = logging.getLogger(__name__)

MANAGER = "plum-agent"
WORKERS = 32
"""Instances that are looked at concurrently; a look takes a few milliseconds, most of them in threads."""

KILL_SECONDS = 5.0
TELL_SECONDS = 2.0


def read_clocks() -> Moment:
    """The present moment by both clocks."""
    return Moment(time.monotonic(), datetime.now(UTC))


@dataclass(frozen=True)
class Parts:
    """What an agent is made of."""

    client: Client
    folders: Folders
    runtime: Runtime
    preparer: Preparer
    registration: Registration


class Agent:
    """One agent, for one run. The data folder must be locked."""

    def __init__(
        self,
        host: Host,
        parts: Parts,
        *,
        now: Callable[[], Moment] = read_clocks,
        rng: random.Random | None = None,
    ) -> None:
        self._parts = parts
        self._rng = rng or random.Random()
        self._reports = Reports(parts.client, EventRecorder(parts.client, MANAGER))
        self._ledger = Ledger(parts.folders, now=now)
        self._assignments = Informer(
            parts.client,
            Assignment,
            fields=f"spec.nodeName={host.node}",
            indexes={REPLACES: successors},
            managed_fields=False,
            rng=self._rng,
        )
        queue = WorkQueue[Key](rng=self._rng)
        self._reconciler = AssignmentReconciler(
            host,
            self._assignments,
            self._ledger,
            parts.runtime,
            preparer=parts.preparer,
            reports=self._reports,
            queue=queue,
            rng=self._rng,
        )
        self._controller = Controller("assignments", self._reconciler, workers=WORKERS, queue=queue)

    async def run(self, end: Awaitable[object], *, running: Callable[[], None]) -> None:
        """Work until ``end`` is done, then end all instances. ``running`` is called when the node is registered
        and its assignments are known."""
        async with asyncio.TaskGroup() as group:
            ended: asyncio.Future[Any] = asyncio.ensure_future(end)
            tasks = [
                group.create_task(work, name=name)
                for name, work in (
                    ("registration", self._parts.registration.run()),
                    ("informer", self._assignments.run()),
                    ("events", self._reports.run()),
                )
            ]
            try:
                if await _first(ended, self._synced()):
                    tasks.append(self._begin(group, running))
                    await ended
                    await self._drain()
                else:
                    await self._stop_leftovers()
            finally:
                ended.cancel()
                await self._reconciler.close()
                for task in tasks:
                    task.cancel()

    async def _synced(self) -> None:
        await self._assignments.has_synced.wait()
        await self._parts.registration.registered.wait()

    def _begin(self, group: asyncio.TaskGroup, running: Callable[[], None]) -> asyncio.Task[None]:
        self._parts.folders.sweep()
        self._ledger.load(self._parts.runtime.boot_id)
        for key in self._ledger.instances:
            self._controller.enqueue(key)
        task = group.create_task(self._controller.run(), name="controller")
        running()
        return task

    async def _drain(self) -> None:
        log.info("ending: stopping all instances")
        await self._reconciler.drain(end_within=LONGEST_DRAIN + KILL_SECONDS, tell_within=TELL_SECONDS)

    async def _stop_leftovers(self) -> None:
        """The end comes before anything is known of the assignments: nothing may stay alive all the same."""
        processes = [record.process for record in self._parts.folders.records() if record.process is not None]
        await asyncio.gather(*(self._parts.runtime.kill(process, within=KILL_SECONDS) for process in processes))


async def _first(ended: asyncio.Future[Any], ready: Awaitable[None]) -> bool:
    """Wait for one of two; whether it was ``ready`` and not the end."""
    waiting: asyncio.Future[Any] = asyncio.ensure_future(ready)
    await asyncio.wait([ended, waiting], return_when=asyncio.FIRST_COMPLETED)
    if ended.done():
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        return False
    return True
