"""The agent as a whole: adopt what runs, register, watch, obey; at the end, let everything run on, or end it.

Everything may start in any order: registration and the watch wait for the server. What an earlier agent left
running is adopted at once; what should run is started when the server has told, or, if it does not, as it told last.
While another agent holds the node's lease nothing is started or stopped.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agent import statuses
from agent.channel import Channel
from agent.folders import Folders
from agent.host import Host
from agent.instances import Key, Moment
from agent.ledger import Ledger
from agent.logs.keeper import Keeper
from agent.node import Registration
from agent.preparations import Preparer
from agent.reconciler import REPLACES, AssignmentReconciler, successors
from agent.reports import Reports
from agent.runtime import Runtime
from agent.siblings import SIBLINGS, siblings
from agent.sync import LONGEST_DRAIN
from agent.usage.looks import Looks
from agent.usage.measured import to_measure
from agent.usage.reports import Send, UsageReports
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

PATIENCE_SECONDS = 5.0
"""How long an agent that starts waits for the server before it goes by what is on its disk."""

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
    send_statuses: statuses.Send
    send_usage: Send | None = None
    """Where reports of usage go; None: nothing is measured."""
    keeper: Keeper | None = None
    """Whoever keeps a rotator of logs at work."""
    channel: Channel | None = None


class Agent:
    """One agent, for one run. The data folder must be locked."""

    def __init__(
        self,
        host: Host,
        parts: Parts,
        *,
        now: Callable[[], Moment] = read_clocks,
        rng: random.Random | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """``patience``: seconds to wait for the server before going by what is on disk."""
        self._parts, self._patience = parts, patience
        self._rng = rng or random.Random()
        self._reports = Reports(parts.client, EventRecorder(parts.client, MANAGER), parts.send_statuses)
        self._ledger = Ledger(parts.folders, now=now)
        self._assignments = Informer(
            parts.client,
            Assignment,
            fields=f"spec.nodeName={host.node}",
            indexes={REPLACES: successors, SIBLINGS: siblings},
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

    async def run(self, end: Awaitable[bool], *, running: Callable[[], None]) -> bool:
        """Work until ``end`` is done. If it says so, end all instances first; else they go on without an agent. Returns
        whether all have ended.

        ``running`` is called when the node is registered and its assignments are known. Raises NewerFormat, OSError.
        """
        self._parts.folders.sweep()
        self._ledger.load(self._parts.runtime.boot_id)
        async with asyncio.TaskGroup() as group:
            works = (
                ("registration", self._parts.registration.run()),
                ("informer", self._assignments.run()),
                ("events", self._reports.run()),
                ("controller", self._controller.run()),
                ("learning", self._learn(running)),
                ("leftovers", self._reconciler.checkups.sweep()),
                ("channel", self._hold_channel()),
                ("rotator", self._keep_rotator()),
            )
            tasks = [group.create_task(work, name=name) for name, work in works]
            if self._parts.send_usage is not None:
                tasks.append(group.create_task(self._report_usage(self._parts.send_usage), name="usage"))
            self._reconciler.look_at_all()
            is_drained = False
            try:
                if await end:
                    log.info("ending: stopping all instances")
                    await self._parts.registration.announce_drain()
                    is_drained = await self._reconciler.drain(
                        end_within=LONGEST_DRAIN + KILL_SECONDS, tell_within=TELL_SECONDS
                    )
                    if is_drained:
                        await self._parts.registration.give_back()
            finally:
                for task in tasks:
                    task.cancel()
                await self._reconciler.close()
                if is_drained and self._parts.keeper is not None:
                    await self._parts.keeper.end()
        return is_drained

    async def _while_ours(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have it done as long as the node is known to the server and ours, from the beginning each time."""
        registration = self._parts.registration
        while True:
            await registration.registered.wait()
            tasks = [asyncio.create_task(work()), asyncio.create_task(registration.superseded.wait())]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if tasks[0].done():
                    await tasks[0]
                    return
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _hold_channel(self) -> None:
        if self._parts.channel is not None:
            await self._while_ours(self._parts.channel.run)

    async def _keep_rotator(self) -> None:
        if self._parts.keeper is not None:
            await self._parts.keeper.run()

    async def _report_usage(self, send: Send) -> None:
        looks = Looks(self._parts.folders.root)
        reports = UsageReports(looks, lambda: to_measure(self._ledger.instances.values()), send, rng=self._rng)
        await self._while_ours(reports.run)

    async def _learn(self, running: Callable[[], None]) -> None:
        """Adoption waits for nobody; starts and stops wait for the server, but not for ever, and for the lease:
        while another agent holds it, then or later, what the server tells is meant for that one."""
        try:
            async with asyncio.timeout(self._patience):
                await self._told()
        except TimeoutError:
            self._do_without()
        await self._told()
        self._reconciler.learn()
        running()
        registration = self._parts.registration
        while True:
            await registration.superseded.wait()
            self._reconciler.stand_by()
            await registration.registered.wait()
            log.info("the node's lease is ours again: going on")
            self._reconciler.learn()

    def _do_without(self) -> None:
        if not self._parts.registration.superseded.is_set():
            log.warning("the server has not answered for %g s: going on as it was last", self._patience)
            self._reconciler.do_without()

    async def _told(self) -> None:
        """The server has told which assignments there are, and that they are ours."""
        await self._assignments.has_synced.wait()
        await self._parts.registration.registered.wait()
