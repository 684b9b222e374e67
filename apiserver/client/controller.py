"""The loop that every reconciler runs in: key out of the queue, reconcile, forget or try again later."""

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from apiserver.api.errors import ApiError
from apiserver.client.observers import UNOBSERVED, WorkObserver
from apiserver.client.workqueue import QueueShutDown, WorkQueue

log = logging.getLogger(__name__)

Key = tuple[str, str]
"""Namespace and name; the namespace is empty for cluster-scoped kinds."""

RECONCILE_SECONDS = 60.0


@dataclass(frozen=True)
class Result:
    """What a reconcile that succeeded asks for: to be called again in so many seconds, or only on change."""

    requeue_after: float | None = None


class Reconciler(Protocol):
    """Makes the world match one object. It gets a key and never an event: it reads all the state it needs
    and must be idempotent."""

    async def reconcile(self, key: Key) -> Result:
        """One step for one key. Any exception means: again, later."""
        ...


class Controller:
    """Feeds keys to a reconciler, each to one worker at a time."""

    def __init__(
        self,
        name: str,
        reconciler: Reconciler,
        *,
        workers: int = 1,
        after: Sequence[asyncio.Event] = (),
        timeout: float = RECONCILE_SECONDS,
        rng: random.Random | None = None,
        queue: WorkQueue[Key] | None = None,
        observer: WorkObserver = UNOBSERVED,
    ) -> None:
        """``after`` are the ``has_synced`` of the informers that the reconciler reads: work starts when all
        are set. A reconcile that takes more than ``timeout`` seconds has failed. A ``queue`` that is given
        tells an observer of its own."""
        self.name = name
        self._reconciler = reconciler
        self._workers = workers
        self._after = after
        self._timeout = timeout
        self._queue = queue if queue is not None else WorkQueue[Key](rng=rng, observer=observer)
        self._observer = observer

    def enqueue(self, key: Key) -> None:
        """Ask for a reconcile of the key, soon; many asks before that are one."""
        self._queue.add(key)

    def enqueue_after(self, key: Key, delay: float) -> None:
        """Ask for a reconcile of the key in ``delay`` seconds."""
        self._queue.add_after(key, delay)

    def shut_down(self) -> None:
        """Let ``run`` return once everything that was asked for has been tried."""
        self._queue.shut_down()

    async def run(self) -> None:
        """Work until cancelled or shut down; cancelling abandons reconciles wherever they wait."""
        for synced in self._after:
            await synced.wait()
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self._workers):
                    group.create_task(self._work(), name=f"{self.name}-{number}")
        finally:
            self._observer.waiting(0)

    async def _work(self) -> None:
        while True:
            try:
                key = await self._queue.get()
            except QueueShutDown:
                return
            try:
                await self._process(key)
            finally:
                self._queue.done(key)

    async def _process(self, key: Key) -> None:
        clock = asyncio.get_running_loop().time
        begun = clock()
        try:
            async with asyncio.timeout(self._timeout):
                result = await self._reconciler.reconcile(key)
        except Exception as error:
            self._observer.reconciled(clock() - begun, failed=True)
            self._log_failure(key, error)
            self._queue.add_rate_limited(key)
            return
        self._observer.reconciled(clock() - begun, failed=False)
        if failures := self._queue.failures(key):
            log.info("%s: %s reconciled after %d failures", self.name, _shown(key), failures)
        self._queue.forget(key)
        if result.requeue_after is not None:
            self._queue.add_after(key, result.requeue_after)

    def _log_failure(self, key: Key, error: Exception) -> None:
        """Once a streak: a server that is away for an hour is one line a key, not thousands."""
        level = logging.DEBUG if self._queue.failures(key) else logging.WARNING
        if isinstance(error, ApiError):
            log.log(level, "%s: %s: %s: %s; trying again", self.name, _shown(key), error.reason, error)
        elif isinstance(error, TimeoutError):
            log.log(level, "%s: %s: took more than %g s; trying again", self.name, _shown(key), self._timeout)
        else:
            log.log(level, "%s: %s: trying again", self.name, _shown(key), exc_info=error)


def _shown(key: Key) -> str:
    return "/".join(filter(None, key))
