"""Many writers, one batch at a time, acknowledged after the commit.

A writer hands in a decision: a function that sees the state as of its turn and answers with what to put
and remove. Decisions of one batch see each other's effects; the batch is stored in one transaction and
then published. While a batch is on its way to the disk the next one gathers, which is all there is to
group commit. A failed batch fails all its writers and leaves the state as it was.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from apiserver.api.errors import ApiError, InternalError, ServiceUnavailable, Timeout
from apiserver.api.meta import Body
from apiserver.api.scheme import Kind
from apiserver.server.store.cache import Cache
from apiserver.server.store.engine import Change, ChangeType, CommitFailed, Engine, Key, OutcomeUnknown
from apiserver.server.store.snapshot import Event, Filter, Slot, slot_of

log = logging.getLogger(__name__)

MAX_BATCH = 256
MAX_QUEUE = 10_000
"""Writers that may wait; past that a writer is told to come back."""

RunCommit = Callable[[Callable[[], None]], Awaitable[None]]
"""How the engine's blocking commit is run: in a thread, or inline in a simulation."""


@dataclass(frozen=True, slots=True)
class Put:
    """Create or replace an object."""

    kind: Kind
    body: Body


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete an object; ``body`` is its last state."""

    kind: Kind
    body: Body


Intents = Sequence[Put | Remove]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is behind a write, for the history."""

    user: str = ""
    manager: str = ""


class View:
    """The state that a decision sees: what is committed and what earlier decisions of its batch did."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._pending: dict[Key, Slot | None] = {}

    def slot(self, kind: Kind, namespace: str, name: str) -> Slot | None:
        """One object as stored."""
        key = Key(kind.resource, namespace, name)
        return self._pending[key] if key in self._pending else self._cache.get(key)

    def get(self, kind: Kind, namespace: str, name: str) -> Body | None:
        """One object; the caller may change it."""
        slot = self.slot(kind, namespace, name)
        return slot.parse() if slot else None

    def select(self, selection: Filter) -> Iterator[Slot]:
        """Matching objects, in no particular order."""
        for slot in self._cache.select(selection):
            if slot.key not in self._pending:
                yield slot
        for key, pending in self._pending.items():
            if pending and key.kind == selection.kind.resource and selection.matches(key, pending.seen):
                yield pending

    def set(self, key: Key, slot: Slot | None) -> None:
        """Record what a decision of this batch did."""
        self._pending[key] = slot


Decision = Callable[[View], Intents]


@dataclass(frozen=True, slots=True)
class _Waiting:
    decide: Decision
    actor: Actor
    done: "asyncio.Future[list[Slot]]"


class Committer:
    """The only writer. ``run`` must be running for ``write`` to return."""

    def __init__(
        self,
        engine: Engine,
        cache: Cache,
        publish: Callable[[Sequence[Event], int], None],
        *,
        clock: Callable[[], datetime],
        run_commit: RunCommit,
    ) -> None:
        self._engine, self._cache, self._publish = engine, cache, publish
        self._clock, self._run_commit = clock, run_commit
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue()
        self._closed = False
        self.batch_sizes: Callable[[int], None] = lambda size: None

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
        if self._queue.qsize() >= MAX_QUEUE:
            raise ServiceUnavailable("too many writes are waiting; try again in a second")
        waiting = _Waiting(decide, actor, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(waiting)
        return await waiting.done

    async def run(self) -> None:
        """Serve writers until ``close``. Raises OutcomeUnknown when the state is no longer certain."""
        while (first := await self._queue.get()) is not None:
            batch = [first]
            while len(batch) < MAX_BATCH and not self._queue.empty():
                waiting = self._queue.get_nowait()
                if waiting is None:
                    self._queue.put_nowait(None)
                    break
                batch.append(waiting)
            await self._commit(batch)

    def close(self) -> None:
        """Let ``run`` end once the writers in the queue have been served; new ones are refused."""
        self._closed = True
        self._queue.put_nowait(None)

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        decided = _Batch(self._cache, self._clock())
        for waiting in batch:
            decided.take(waiting)
        if not decided.changes:
            return
        try:
            await self._run_commit(lambda: self._engine.commit(decided.changes, decided.version))
        except CommitFailed as error:
            log.error("a batch of %d writes was not stored: %s", len(decided.accepted), error)
            decided.fail(ServiceUnavailable(f"the write was not stored: {error}"))
            return
        except Exception as error:
            self._closed = True
            decided.fail(Timeout(f"whether the write was stored is not known: {error}"))
            self._fail_queue()
            raise OutcomeUnknown(str(error)) from error
        self.batch_sizes(len(decided.accepted))
        self._publish(decided.events, decided.version)
        decided.acknowledge()

    def _fail_queue(self) -> None:
        while not self._queue.empty():
            waiting = self._queue.get_nowait()
            if waiting is not None and not waiting.done.done():
                waiting.done.set_exception(ServiceUnavailable("the server is stopping: its store has failed"))


class _Batch:
    """The decisions of one turn, numbered and serialised."""

    def __init__(self, cache: Cache, now: datetime) -> None:
        self._view = View(cache)
        self._now = now
        self.version = cache.version
        self.changes: list[Change] = []
        self.events: list[Event] = []
        self.accepted: list[tuple[_Waiting, list[Slot]]] = []

    def take(self, waiting: _Waiting) -> None:
        """Run one decision; its refusal concerns nobody else."""
        if waiting.done.done():  # its client has gone
            return
        try:
            intents = waiting.decide(self._view)
            slots = self._apply(intents, waiting.actor) if intents else []
        except ApiError as error:
            waiting.done.set_exception(error)
        except Exception as error:
            log.exception("a write failed for a fault of ours")
            waiting.done.set_exception(InternalError(f"Internal error occurred: {error}"))
        else:
            if slots:
                self.accepted.append((waiting, slots))
            else:
                waiting.done.set_result([])

    def acknowledge(self) -> None:
        """Tell the writers that it is stored."""
        for waiting, slots in self.accepted:
            if not waiting.done.done():
                waiting.done.set_result(slots)

    def fail(self, error: ApiError) -> None:
        """Tell the writers that it is not."""
        for waiting, _ in self.accepted:
            if not waiting.done.done():
                waiting.done.set_exception(error)

    def _apply(self, intents: Intents, actor: Actor) -> list[Slot]:
        version = self.version + 1
        prepared = [self._change(intent, version, position, actor) for position, intent in enumerate(intents)]
        keys = [slot.key for _, slot in prepared]
        if len(set(keys)) != len(keys):
            raise InternalError("Internal error occurred: one operation changes an object twice")
        for change, slot in prepared:
            self._view.set(slot.key, None if change.type == "DELETED" else slot)
            self.changes.append(change)
            self.events.append(Event(version, change.type, slot, change.previous))
        self.version = version
        return [slot for _, slot in prepared]

    def _change(self, intent: Put | Remove, version: int, sequence: int, actor: Actor) -> tuple[Change, Slot]:
        metadata = dict(intent.body["metadata"], resourceVersion=str(version))
        body = dict(intent.body, metadata=metadata)
        key = Key(intent.kind.resource, metadata.get("namespace") or "", metadata["name"])
        old = self._view.slot(intent.kind, key.namespace, key.name)
        kind: ChangeType = "DELETED" if isinstance(intent, Remove) else "MODIFIED" if old else "ADDED"
        slot = slot_of(intent.kind, key, version, body, orjson.dumps(body))
        change = Change(
            version=version,
            sequence=sequence,
            type=kind,
            key=key,
            uid=slot.uid,
            body=slot.body,
            previous=old.seen if old else None,
            time=self._now,
            user=actor.user,
            manager=actor.manager,
        )
        return change, slot
