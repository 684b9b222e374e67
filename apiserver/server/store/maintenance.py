"""What the store does for itself: forgetting old changes and giving space back, in slices between writes."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from apiserver.server.store.cache import Cache
from apiserver.server.store.committer import RunEngine
from apiserver.server.store.engine import CommitFailed, Engine, OutcomeUnknown, Sizes
from apiserver.server.store.retention import Retention, horizon

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0
"""How often the length of the log is looked at; it costs nothing."""

AGE_SECONDS = 60.0
"""How often the log is searched for what is too old, space is given back, and sizes are measured."""

SLICE = 1000
"""Changes that one transaction forgets, about."""

SLICE_PAUSE = 0.01
"""Seconds that writers have between two slices, so that compaction takes no more than its share."""

RETRY_SECONDS = 30.0


@dataclass
class Compactions:
    """What compaction has done since the start."""

    runs: int = 0
    changes: int = 0
    failures: int = 0
    seconds: float = 0.0


class Maintenance:
    """One pass after the other, for ever.

    The age of a change is told by a clock that runs on from the wall clock's time at the start, so that a wall
    clock that is set forward meanwhile forgets nothing.
    """

    def __init__(
        self,
        engine: Engine,
        cache: Cache,
        *,
        keep: Retention,
        compacted: int,
        run_engine: RunEngine,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._cache, self._keep, self._run_engine = engine, cache, keep, run_engine
        self._monotonic = monotonic
        self._started = clock() - timedelta(seconds=monotonic())
        self._look_at = monotonic()
        self.compacted = compacted
        """The log may not be read at or below this version."""
        self.sizes = Sizes()
        """As measured last."""
        self.done = Compactions()
        self.on_doubt: Callable[[str], None] = lambda why: None
        """Told when it is not known whether a transaction was stored: somebody has to settle that."""

    async def run(self) -> None:
        """Keep the log within its bounds until cancelled."""
        while True:
            pause = CHECK_SECONDS
            try:
                await self.step()
            except OutcomeUnknown as error:
                self.done.failures += 1
                self.on_doubt(str(error))
            except Exception as error:
                # A full disk, most likely: the committer says so to everybody.
                log.warning("the log of changes was not compacted, trying again: %s", error)
                self.done.failures += 1
                pause = RETRY_SECONDS
            await asyncio.sleep(pause)

    async def step(self) -> None:
        """Do what is due now, all of it."""
        is_time = self._monotonic() >= self._look_at
        if is_time or self._keep.is_exceeded(*self._engine.log_size, self._cache.live_bytes):
            await self._compact()
        if is_time:
            self._look_at = self._monotonic() + AGE_SECONDS
            await self._vacuum()
            self.sizes = await self._run_engine(self._engine.sizes)

    def _cutoff(self, now: float) -> datetime | None:
        """When what is too old by now was stored; None for an age that reaches back before all times."""
        try:
            return self._started + timedelta(seconds=now) - self._keep.age
        except OverflowError:
            return None

    async def _compact(self) -> None:
        began, before = self._monotonic(), self.done.changes
        cutoff, live = self._cutoff(began), self._cache.live_bytes
        is_long = self._keep.is_exceeded(*self._engine.log_size, live)
        while True:
            oldest = await self._run_engine(lambda: self._engine.oldest(SLICE))
            version = horizon(oldest, self._engine.log_size, live, self._keep, cutoff=cutoff, is_long=is_long)
            if not version:
                break
            await self._forget(version)
            await asyncio.sleep(SLICE_PAUSE)
        if self.done.changes > before:
            self.done.runs += 1
            self.done.seconds += self._monotonic() - began
            await self._vacuum()

    async def _forget(self, version: int) -> None:
        # From now on nobody may read there, unless it is certain that nothing was forgotten.
        reached, self.compacted = self.compacted, version
        before = self._engine.log_size[0]
        try:
            await self._run_engine(lambda: self._engine.compact(version))
        except CommitFailed:
            self.compacted = reached
            raise
        self.done.changes += max(0, before - self._engine.log_size[0])

    async def _vacuum(self) -> None:
        is_worth_more = True
        while is_worth_more:
            is_worth_more = await self._run_engine(self._engine.vacuum)
            await asyncio.sleep(SLICE_PAUSE)
