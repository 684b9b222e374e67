"""The store behind one door: read from memory, write through the committer, watch, and look back."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar

import orjson

from apiserver.api.errors import Expired, ServiceUnavailable
from apiserver.api.scheme import SCHEME, Kind
from apiserver.server.store.cache import RING_BYTES, Cache
from apiserver.server.store.committer import Committer, RunEngine
from apiserver.server.store.decisions import Actor, Decision
from apiserver.server.store.directory import StoreUnusable
from apiserver.server.store.engine import OVERHEAD, Change, Engine, Key, Loaded, StoredObject
from apiserver.server.store.maintenance import Maintenance
from apiserver.server.store.retention import Retention
from apiserver.server.store.snapshot import Event, Filter, Slot, event_of, slot_of
from apiserver.server.store.table import FIRST, Place
from apiserver.server.store.watchers import Watchers

T = TypeVar("T")
SCAN = 1000
"""Objects that are matched without a break."""


class Store:
    """Objects with one global version. Used on one event loop; made by ``open_store``."""

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Callable[[], datetime],
        run_engine: RunEngine,
        ring_bytes: int,
        keep: Retention,
    ) -> None:
        self.engine, self._run_engine = engine, run_engine
        self.cache = Cache(ring_bytes=ring_bytes)
        self.watchers = Watchers()
        # What is loaded lives as long as the process: keep the collector from walking it again and again.
        gc.disable()
        try:
            loaded = engine.load()
            _fill(self.cache, loaded, ring_bytes)
            gc.freeze()
        finally:
            gc.enable()
        self.committer = Committer(engine, self.cache, self._publish, clock=clock, run_engine=run_engine)
        self.maintenance = Maintenance(
            engine, self.cache, keep=keep, compacted=loaded.compacted, run_engine=run_engine, clock=clock
        )
        self.maintenance.on_doubt = self.committer.doubt

    @property
    def version(self) -> int:
        """The version of the state that reads see."""
        return self.cache.version

    @property
    def floor(self) -> int:
        """The lowest version that a watch can begin after."""
        return min(self.cache.floor, self.maintenance.compacted)

    def get(self, kind: Kind, namespace: str, name: str) -> Slot | None:
        """One object."""
        return self.cache.get(Key(kind.resource, namespace, name))

    async def write(self, decide: Decision, actor: Actor | None = None) -> list[Slot]:
        """Store what the decision answers, atomically and durably. See Committer.write."""
        return await self.committer.write(decide, actor or Actor())

    async def page(
        self, selection: Filter, *, version: int, after: Place = FIRST, limit: int = 0
    ) -> tuple[list[Slot], int]:
        """Matching objects as they were at a version, in the order of namespace and name, at most ``limit`` of
        those behind ``after``; and how many follow, with selectors only whether any may.

        The pages of one version are consistent with each other. A long search makes way for others. Raises
        Expired when that state is not kept any more.
        """
        slots, more = self.cache.state(selection, version=version, after=after, limit=limit)
        return (slots, more) if selection.is_open else await self._match(selection, slots, limit)

    async def everything(self, selections: Sequence[Filter]) -> tuple[list[Slot], int]:
        """All matching objects of several kinds in one state, the present one, and its version."""
        version = self.version
        states = [(one, self.cache.state(one, version=version)[0]) for one in selections]
        found: list[Slot] = []
        for selection, slots in states:
            found += slots if selection.is_open else (await self._match(selection, slots, 0))[0]
        return found, version

    async def _match(self, selection: Filter, slots: Sequence[Slot], limit: int) -> tuple[list[Slot], int]:
        found: list[Slot] = []
        for start in range(0, len(slots), SCAN):
            found += [slot for slot in slots[start : start + SCAN] if selection.matches(slot.key, slot.seen)]
            if limit and len(found) > limit:
                return found[:limit], 1
            if start + SCAN < len(slots):
                await asyncio.sleep(0)
        return found, 0

    def check_version(self, version: int) -> None:
        """Raise Expired if changes after ``version`` have been forgotten."""
        if version < self.floor:
            raise Expired(f"too old resource version: {version} ({self.floor})")

    async def read_log(self, after: int, *, size: int) -> tuple[Sequence[Event], int]:
        """Some of the changes behind a version, whole versions, and the version reached with them. For what is
        older than the ring. Raises Expired, ServiceUnavailable."""
        self.check_version(after)
        found = await self.ask(lambda engine: engine.changes_after(after, size=size))
        self.check_version(after)  # it may have been cut while we waited for our turn
        # What is stored and not yet published will be told by those who publish it.
        changes = [change for change in found if change.version <= self.version]
        kinds = {kind.resource: kind for kind in SCHEME}
        events = [event_of(kind, change) for change in changes if (kind := kinds.get(change.key.kind))]
        return events, changes[-1].version if changes else self.cache.floor

    async def ask(self, question: Callable[[Engine], T]) -> T:
        """Read from the engine, in turn with its commits. Raises ServiceUnavailable where it fails."""
        try:
            return await self._run_engine(lambda: question(self.engine))
        except Exception as error:
            raise ServiceUnavailable(f"the store cannot be read: {error}") from error

    def _publish(self, events: Sequence[Event], version: int) -> None:
        self.cache.publish(events, version)
        self.watchers.publish(events)


def _fill(cache: Cache, loaded: Loaded, ring_bytes: int) -> None:
    """Raises StoreUnusable for an object that cannot be read."""
    kinds = {kind.resource: kind for kind in SCHEME}
    slots: dict[str, list[Slot]] = {}
    for stored in loaded.objects:
        if kind := kinds.get(stored.key.kind):
            slots.setdefault(kind.resource, []).append(_slot(kind, stored))
    for resource, found in slots.items():
        cache.tables[resource].fill(found)
    events: list[Event] = []
    cache.floor, reached, held = loaded.compacted, loaded.version, 0
    for change in loaded.newest:
        if held >= ring_bytes and change.version != reached:
            cache.floor = change.version
            break
        reached = change.version
        held += len(change.body) + OVERHEAD
        if kind := kinds.get(change.key.kind):
            events.append(_event(cache, kind, change))
    cache.remember(events[::-1])
    cache.version = cache.oldest_state = loaded.version


def _slot(kind: Kind, stored: StoredObject) -> Slot:
    try:
        body = orjson.loads(stored.body)
        return slot_of(kind, stored.key, int(body["metadata"]["resourceVersion"]), body, stored.body)
    except (ValueError, KeyError, TypeError) as error:
        raise StoreUnusable(f"{stored.key} is damaged: {error}; restore a backup (plumctl restore)") from error


def _event(cache: Cache, kind: Kind, change: Change) -> Event:
    """The event of a change, sharing its object with the cache where that is still so."""
    slot = cache.get(change.key)
    is_present = slot is not None and slot.version == change.version and change.type != "DELETED"
    return event_of(kind, change, slot if is_present else None)


@asynccontextmanager
async def open_store(
    engine: Engine,
    *,
    clock: Callable[[], datetime],
    on_failure: Callable[[BaseException], None],
    inline: bool = False,
    ring_bytes: int = RING_BYTES,
    keep: Retention | None = None,
) -> AsyncIterator[Store]:
    """A running store over the engine, which is closed at the end; the writes in the queue are served first.

    ``on_failure`` is told when the state is no longer certain: the process must end then, and read anew.
    ``inline`` runs the engine on the event loop itself, for simulations, and leaves maintenance to the caller.
    """
    executor = ThreadPoolExecutor(1, thread_name_prefix="engine")
    loop = asyncio.get_running_loop()

    def in_thread(call: Callable[[], T]) -> Awaitable[T]:
        return loop.run_in_executor(executor, call)

    async def at_once(call: Callable[[], T]) -> T:
        return call()

    run_engine: RunEngine = at_once if inline else in_thread
    running: list[asyncio.Task[None]] = []
    try:
        store = Store(engine, clock=clock, run_engine=run_engine, ring_bytes=ring_bytes, keep=keep or Retention())
        running.append(asyncio.create_task(store.committer.run(), name="committer"))
        running[0].add_done_callback(lambda task: _report(task, on_failure))
        if not inline:
            running.append(asyncio.create_task(store.maintenance.run(), name="maintenance"))
        yield store
    finally:
        if running:
            store.committer.close()
            for task in running[1:]:
                task.cancel()
            await asyncio.wait(running)
            store.watchers.end()
        executor.shutdown()
        engine.close()


def _report(task: "asyncio.Task[None]", on_failure: Callable[[BaseException], None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        on_failure(error)
