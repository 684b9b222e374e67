"""Many writers, one batch at a time, acknowledged after the commit.

A writer hands in a decision: a function that sees the state as of its turn and answers with what to put
and remove. Decisions of one batch see each other's effects; the batch is stored in one transaction and
then published. While a batch is on its way to the disk the next one gathers, which is all there is to
group commit. A failed batch fails all its writers and leaves the state as it was.

Where it cannot be told whether a batch was stored, nothing else is written until the engine has found out:
the writers of that batch learn what became of it, or, when that takes too long, that it is not known. Nobody
guesses. Reads go on all the time.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from apiserver.api.errors import ServiceUnavailable, Timeout
from apiserver.server.store.cache import Cache
from apiserver.server.store.decisions import Actor, Batch, Decision, Waiting
from apiserver.server.store.engine import CommitFailed, Engine, OutcomeUnknown
from apiserver.server.store.snapshot import Event, Slot

log = logging.getLogger(__name__)

MAX_BATCH = 64
"""Writes that are decided without a break, and stored in one transaction."""

MAX_QUEUE = 10_000
"""Writers that may wait; past that a writer is told to come back."""

SETTLE_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)
"""Waits between two attempts to find out what was stored; the last one repeats."""

TOLD_AFTER = 10.0
"""Seconds after which the writers of such a batch are told that it is not known."""

PROBE_SECONDS = 2.0
"""How often a store that has refused a write is tried while nobody writes."""

T = TypeVar("T")


class RunEngine(Protocol):
    """How the engine's blocking calls are run: in a thread, or inline in a simulation."""

    def __call__(self, call: Callable[[], T], /) -> Awaitable[T]:
        """Run one call after those that were asked for before."""
        ...


class StoreBroken(Exception):
    """The engine holds something else than it was given: the process must end, and read anew."""


class Committer:
    """The only writer. ``run`` must be running for ``write`` to return."""

    def __init__(
        self,
        engine: Engine,
        cache: Cache,
        publish: Callable[[Sequence[Event], int], None],
        *,
        clock: Callable[[], datetime],
        run_engine: RunEngine,
    ) -> None:
        self._engine, self._cache, self._publish = engine, cache, publish
        self._clock, self._run_engine = clock, run_engine
        self._queue: asyncio.Queue[Waiting | None] = asyncio.Queue()
        self._closed = False
        self._settling = False
        self._is_doubted = False
        self.trouble = ""
        """Why the last write was not stored; empty when all is well."""
        self.on_commit: Callable[[int, float], None] = lambda writes, seconds: None
        """Told of each stored batch how many writes it held and how long storing it took."""
        self.on_failure: Callable[[], None] = lambda: None
        """Told of each batch that was not, or may not have been stored."""

    @property
    def depth(self) -> int:
        """Writers waiting for their turn."""
        return self._queue.qsize()

    async def write(self, decide: Decision, actor: Actor) -> list[Slot]:
        """Run a decision and store what it answers; returns a slot for each intent, in order, or nothing
        if it asked for nothing. Raises what the decision raises; ServiceUnavailable when it is certain that
        nothing was stored, Timeout when it is not."""
        if self._closed:
            raise ServiceUnavailable("the server is shutting down")
        if self._settling:
            raise self._nothing_for_now()
        if self._queue.qsize() >= MAX_QUEUE:
            raise ServiceUnavailable("too many writes are waiting; try again in a second")
        waiting = Waiting(decide, actor, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(waiting)
        try:
            return await waiting.done
        finally:
            # What is raised holds this frame, which holds the future, which holds what is raised: a circle less.
            del waiting

    async def run(self) -> None:
        """Serve writers until ``close``. Raises StoreBroken when the state is no longer certain."""
        while True:
            if self._is_doubted:
                self._is_doubted = False
                await self._probe()
            try:
                async with asyncio.timeout(PROBE_SECONDS if self.trouble else None):
                    first = await self._queue.get()
            except TimeoutError:
                await self._probe()
                continue
            if first is None:
                return
            await self._commit(self._gather(first))

    def doubt(self, why: str) -> None:
        """The outcome of a transaction of somebody else is not known: find it out, now."""
        self._is_doubted = True
        self._note(why)
        nothing = Waiting(lambda view: (), Actor(), asyncio.get_running_loop().create_future())
        self._queue.put_nowait(nothing)  # wakes the loop up

    def close(self) -> None:
        """Let ``run`` end once the writers in the queue have been served; new ones are refused."""
        self._closed = True
        self._queue.put_nowait(None)

    def _gather(self, first: Waiting) -> list[Waiting]:
        batch = [first]
        while len(batch) < MAX_BATCH and not self._queue.empty():
            waiting = self._queue.get_nowait()
            if waiting is None:
                self._queue.put_nowait(None)
                break
            batch.append(waiting)
        return batch

    async def _commit(self, batch: Sequence[Waiting]) -> None:
        decided = Batch(self._cache, self._clock())
        for waiting in batch:
            decided.take(waiting)
        if not decided.changes:
            decided.acknowledge()
            return
        began = time.perf_counter()
        try:
            await self._run_engine(lambda: self._engine.commit(decided.changes, decided.version))
        except CommitFailed as error:
            self._note(str(error))
            decided.fail(_not_stored(str(error)))
            return
        except Exception as error:
            if not await self._settle(decided, str(error)):
                decided.fail(_not_stored(str(error)))
                return
        else:
            self._well()
        self.on_commit(decided.writes, time.perf_counter() - began)
        self._publish(decided.events, decided.version)
        decided.acknowledge()

    async def _settle(self, decided: Batch, why: str) -> bool:
        """Find out whether the batch was stored. Raises StoreBroken."""
        self._settling = True
        self._note(f"whether the last write was stored is not known yet: {why}")
        self._refuse_waiting()
        telling = asyncio.get_running_loop().call_later(TOLD_AFTER, decided.fail, _unknown(why))
        try:
            stored = await self._ask(decided)
        finally:
            telling.cancel()
        if stored not in (decided.version, self._cache.version):
            decided.fail(_unknown(why))
            raise StoreBroken(f"the store is at version {stored}, not at {self._cache.version} or {decided.version}")
        self._settling = False
        self._well()
        return stored == decided.version

    def _refuse_waiting(self) -> None:
        """Those who have not had their turn need not wait to learn that nothing of theirs was stored."""
        while not self._queue.empty():
            waiting = self._queue.get_nowait()
            if waiting is None:
                self._queue.put_nowait(None)
                return
            if not waiting.done.done():
                waiting.done.set_exception(self._nothing_for_now())

    def _nothing_for_now(self) -> ServiceUnavailable:
        return ServiceUnavailable(f"nothing can be written for now: {self.trouble}")

    async def _ask(self, decided: Batch) -> int:
        tries = 0
        while True:
            try:
                return await self._run_engine(self._engine.settle)
            except OutcomeUnknown as error:
                self.trouble = f"whether the last write was stored is not known yet: {error}"
                log.debug("not settled: %s", error)
            if self._closed:
                decided.fail(_unknown(self.trouble))
                raise StoreBroken(self.trouble)
            await asyncio.sleep(SETTLE_SECONDS[min(tries, len(SETTLE_SECONDS) - 1)])
            tries += 1

    async def _probe(self) -> None:
        """Nobody writes: see whether it would work again."""
        try:
            await self._run_engine(lambda: self._engine.commit((), self._cache.version))
        except CommitFailed as error:
            self.trouble = str(error)
        except Exception as error:
            await self._settle(Batch(self._cache, self._clock()), str(error))
        else:
            self._well()

    def _note(self, trouble: str) -> None:
        self.on_failure()
        log.log(logging.DEBUG if self.trouble else logging.ERROR, "the store takes no writes: %s", trouble)
        self.trouble = trouble

    def _well(self) -> None:
        if self.trouble:
            log.warning("the store takes writes again")
            self.trouble = ""


def _not_stored(why: str) -> ServiceUnavailable:
    return ServiceUnavailable(f"the write was not stored: {why}")


def _unknown(why: str) -> Timeout:
    return Timeout(f"whether the write was stored is not known: {why}")
