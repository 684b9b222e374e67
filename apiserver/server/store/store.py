"""The store behind one door: read from memory, write through the committer, watch."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime

import orjson

from apiserver.api.errors import Expired
from apiserver.api.scheme import SCHEME, Kind
from apiserver.server.store.cache import RING_BYTES, Cache
from apiserver.server.store.committer import Actor, Committer, Decision, RunCommit
from apiserver.server.store.engine import Engine, Key
from apiserver.server.store.snapshot import Event, Filter, Slot, slot_of
from apiserver.server.store.watchers import Delivery, Watcher, Watchers


class Store:
    """Objects with one global version. Used on one event loop; made by ``open_store``."""

    def __init__(
        self, engine: Engine, *, clock: Callable[[], datetime], run_commit: RunCommit, ring_bytes: int
    ) -> None:
        self.cache = Cache(ring_bytes=ring_bytes)
        self.watchers = Watchers()
        self._load(engine, ring_bytes)
        self.committer = Committer(engine, self.cache, self._publish, clock=clock, run_commit=run_commit)

    @property
    def version(self) -> int:
        """The version of the state that reads see."""
        return self.cache.version

    def get(self, kind: Kind, namespace: str, name: str) -> Slot | None:
        """One object."""
        return self.cache.get(Key(kind.resource, namespace, name))

    async def write(self, decide: Decision, actor: Actor | None = None) -> list[Slot]:
        """Store what the decision answers, atomically and durably. See Committer.write."""
        return await self.committer.write(decide, actor or Actor())

    def watch(self, selection: Filter, version: int) -> tuple[list[Delivery], Watcher]:
        """What has happened after ``version``, and a watcher for what will: no gap, no repeat, because nothing
        runs in between. Raises Expired. Give the watcher back to ``unwatch``."""
        self.check_version(version)
        missed = [
            Delivery(kind, event)
            for event in self.cache.since(selection.kind.resource, version)
            if (kind := selection.view(event))
        ]
        watcher = Watcher(selection)
        self.watchers.add(watcher)
        return missed, watcher

    def unwatch(self, watcher: Watcher) -> None:
        """End a watch."""
        self.watchers.remove(watcher)

    def check_version(self, version: int) -> None:
        """Raise Expired if changes after ``version`` have been forgotten."""
        if version < self.cache.floor:
            raise Expired(f"too old resource version: {version} ({self.cache.floor})")

    def _publish(self, events: Sequence[Event], version: int) -> None:
        self.cache.publish(events, version)
        self.watchers.publish(events)

    def _load(self, engine: Engine, ring_bytes: int) -> None:
        loaded = engine.load(history_bytes=ring_bytes)
        kinds = {kind.resource: kind for kind in SCHEME}
        for stored in loaded.objects:
            if kind := kinds.get(stored.key.kind):
                body = orjson.loads(stored.body)
                version = int(body["metadata"]["resourceVersion"])
                self.cache.put(slot_of(kind, stored.key, version, body, stored.body))
        self.cache.floor = loaded.floor
        self.cache.remember(
            [
                Event(
                    change.version,
                    change.type,
                    slot_of(kind, change.key, change.version, orjson.loads(change.body), change.body),
                    change.previous,
                )
                for change in loaded.changes
                if (kind := kinds.get(change.key.kind))
            ]
        )
        self.cache.version = loaded.version
        # What was loaded lives as long as the process: keep the collector from walking it again and again.
        gc.freeze()


@asynccontextmanager
async def open_store(
    engine: Engine,
    *,
    clock: Callable[[], datetime],
    on_failure: Callable[[BaseException], None],
    inline: bool = False,
    ring_bytes: int = RING_BYTES,
) -> AsyncIterator[Store]:
    """A running store over the engine, which is closed at the end; the writes in the queue are served first.

    ``on_failure`` is told when a commit's outcome is not known: the process must end then, and read anew.
    ``inline`` commits on the event loop itself, for simulations.
    """
    executor = ThreadPoolExecutor(1, thread_name_prefix="commit")
    loop = asyncio.get_running_loop()

    async def in_thread(commit: Callable[[], None]) -> None:
        await loop.run_in_executor(executor, commit)

    async def at_once(commit: Callable[[], None]) -> None:
        commit()

    store = Store(engine, clock=clock, run_commit=at_once if inline else in_thread, ring_bytes=ring_bytes)
    running = asyncio.create_task(store.committer.run(), name="committer")
    running.add_done_callback(lambda task: _report(task, on_failure))
    try:
        yield store
    finally:
        store.committer.close()
        await asyncio.wait([running])
        store.watchers.cut_all()
        executor.shutdown()
        engine.close()


def _report(task: "asyncio.Task[None]", on_failure: Callable[[BaseException], None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        on_failure(error)
