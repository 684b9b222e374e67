"""The probes of this node's instances: which process is to be probed, and what becomes of what probes see.

A verdict is part of the instance, and on disk before anything follows from it; what follows is for the plan to say.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from pydantic import ValidationError

from agent.host import Host
from agent.instances import Instance, Key
from agent.ledger import Ledger
from agent.probe_commands import Commands, Place
from agent.probe_network import Network
from agent.probers import Probers
from agent.probes import Health
from agent.probing import Hands, Probing, Subject
from agent.reports import Reports
from agent.runtime import Process, Runtime
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.probe import asks_nothing

log = logging.getLogger(__name__)


class Checkups:
    """Has instances probed as long as they run, and the ledger know what is seen."""

    def __init__(
        self,
        host: Host,
        ledger: Ledger,
        runtime: Runtime,
        reports: Reports,
        *,
        find: Callable[[Key], Assignment | None],
        enqueue_after: Callable[[Key, float], None],
        rng: random.Random,
    ) -> None:
        """``find`` knows assignments as they are now; ``enqueue_after`` asks for another look at an instance,
        in so many seconds."""
        self._host, self._ledger, self._reports = host, ledger, reports
        self._find, self._enqueue_after = find, enqueue_after
        self._network = Network()
        self._commands = Commands(runtime, ledger.folders.probes)
        asking = Probers(self._network, self._commands)
        self._probing = Probing(Hands(asking, lambda: ledger.now().ticks, rng, self._judged, self._alarmed))
        self._savings: set[asyncio.Task[None]] = set()

    async def sweep(self) -> None:
        """End what a killed agent was asking."""
        await self._commands.sweep()

    def look(self, key: Key) -> None:
        """Probe the instance's process if it is to be probed, as things are."""
        instance = self._ledger.instances.get(key)
        process = instance.record.process if instance is not None and instance.is_probed else None
        self._probing.follow(key, process, partial(self._subject, key))

    def leave(self, key: Key) -> None:
        """The process has ended: what a probe saw last was that, and is no reason to stop it."""
        self._probing.follow(key, None, lambda: None)
        instance = self._ledger.instances.get(key)
        if instance is not None and instance.stopping is None:
            self._ledger.change(key, partial(Instance.judged, health=None))

    def _subject(self, key: Key) -> Subject | None:
        """What there is to know of a process that is to be probed; None: nothing is asked of it."""
        instance = self._ledger.instances[key]
        record, folders = instance.record, self._ledger.folders
        assignment = self._find(key) or _remembered(instance)
        if assignment is None or record.process is None or assignment.metadata.uid != record.uid:
            return None
        probes = assignment.spec.template.probes
        if asks_nothing(probes):
            return None
        environment = self._host.environment(assignment, folders, record.ports)
        return Subject(
            process=record.process,
            probes=probes,
            ports=record.ports,
            place=Place(record.uid, folders.app(key), environment),
            age=max(0.0, self._ledger.now().ticks - instance.began),
            known=record.health,
        )

    def _judged(self, key: Key, process: Process, health: Health) -> None:
        instance = self._ledger.instances.get(key)
        if instance is None or instance.record.process != process:
            return
        self._ledger.change(key, partial(Instance.judged, health=health))
        if instance.record.health is not None:  # how it begins the next agent knows as well
            self._savings.add(task := asyncio.create_task(self._save(key)))
            task.add_done_callback(self._savings.discard)

    async def _save(self, key: Key) -> None:
        try:
            await self._ledger.save(key)
        except (OSError, ValueError) as error:
            log.warning("%s: what its probes say is not on disk: %s", "/".join(key), error)
        self._enqueue_after(key, 0.0)

    def _alarmed(self, key: Key, seen: str) -> None:
        self._reports.tell(self._find(key), "Warning", "Unhealthy", seen)

    async def close(self) -> None:
        """Probe nothing any more, and leave nothing behind."""
        await self._probing.close()
        await self._commands.close()
        await asyncio.gather(*self._savings, return_exceptions=True)
        self._network.close()


def _remembered(instance: Instance) -> Assignment | None:
    """The assignment as it is on disk, while the server has not told of it."""
    seen = instance.record.assignment
    with suppress(ValidationError):
        return seen.parse() if seen is not None else None
    return None
