"""The store: group commit, atomic operations, watches without gap or repeat, bounded watchers."""

import asyncio
from collections.abc import Sequence

import pytest

from apiserver.api.errors import BadRequest, Expired, InternalError, ServiceUnavailable
from apiserver.api.selectors import parse_fields, parse_labels
from apiserver.server.store.committer import Intents, Put, View
from apiserver.server.store.engine import Change, CommitFailed
from apiserver.server.store.memory import MemoryEngine
from apiserver.server.store.snapshot import Filter
from apiserver.server.store.watchers import Watcher, WatcherCut
from tests.stores import KIND, body, put, remove, running

ALL = Filter(KIND)


def select(labels: str = "", fields: str = "") -> Filter:
    return Filter(KIND, "default", parse_labels(labels), parse_fields(fields, KIND.fields))


async def test_one_operation_has_one_version_and_lands_whole() -> None:
    async with running(MemoryEngine()) as store:
        slots = await store.write(put(body("a"), body("b")))
        assert [slot.version for slot in slots] == [1, 1]
        assert store.version == 1

        def half_wrong(view: View) -> Intents:
            raise BadRequest("no")

        with pytest.raises(BadRequest):
            await store.write(half_wrong)
        with pytest.raises(InternalError, match="twice"):
            await store.write(put(body("c"), body("c")))
        assert store.version == 1
        assert [slot.key.name for slot in store.cache.select(ALL)] == ["a", "b"]


async def test_decisions_of_one_batch_see_each_other() -> None:
    def count(view: View) -> Intents:
        found = view.get(KIND, "default", "counter") or body("counter", note="0")
        found["spec"]["note"] = str(int(found["spec"]["note"]) + 1)
        assert len(list(view.select(ALL))) <= 1
        return [Put(KIND, found)]

    async with running(MemoryEngine(), inline=False) as store:
        await asyncio.gather(*(store.write(count) for _ in range(100)))
        slot = store.get(KIND, "default", "counter")
        assert slot
        assert (slot.parse()["spec"]["note"], store.version) == ("100", 100)


class FailingEngine(MemoryEngine):
    """Refuses commits while ``broken``."""

    broken = False

    def commit(self, changes: Sequence[Change], version: int) -> None:
        if self.broken:
            raise CommitFailed("disk full")
        super().commit(changes, version)


async def test_a_failed_batch_fails_its_writers_and_changes_nothing() -> None:
    engine = FailingEngine()
    async with running(engine) as store:
        await store.write(put(body("a")))
        engine.broken = True
        with pytest.raises(ServiceUnavailable, match="disk full"):
            await store.write(put(body("b")))
        engine.broken = False
        assert (store.version, store.get(KIND, "default", "b")) == (1, None)
        slots = await store.write(put(body("b")))
        assert slots[0].version == 2


async def test_a_watch_tells_what_enters_and_leaves_its_selection() -> None:
    async with running(MemoryEngine()) as store:
        start = store.version
        await store.write(put(body("a", labels={"app": "x"}, node="nodeA")))
        await store.write(put(body("a", labels={"app": "y"}, node="nodeA")))
        await store.write(put(body("a", labels={"app": "x"}, node="nodeB")))
        await store.write(remove("a"))
        expected = {
            "": ["ADDED", "MODIFIED", "MODIFIED", "DELETED"],
            "app=x": ["ADDED", "DELETED", "ADDED", "DELETED"],
            "app=y": ["ADDED", "DELETED"],
        }
        for labels, types in expected.items():
            missed, watcher = store.watch(select(labels), start)
            assert [found.type for found in missed] == types
            store.unwatch(watcher)
        missed, watcher = store.watch(select(fields="spec.nodeName=nodeA"), start)
        assert [found.type for found in missed] == ["ADDED", "MODIFIED", "DELETED"]
        store.unwatch(watcher)
        assert store.watchers.count == 0


async def test_live_and_resumed_watches_see_the_same() -> None:
    async with running(MemoryEngine()) as store:
        selection = select(fields="spec.nodeName=nodeA")
        _, watcher = store.watch(selection, store.version)
        for node in ("nodeA", "nodeB", "nodeA", ""):
            await store.write(put(body("a", node=node)))
        live = [(found.type, found.event.version) for found in watcher.take()]
        missed, other = store.watch(selection, 0)
        assert live == [(found.type, found.event.version) for found in missed]
        assert live == [("ADDED", 1), ("DELETED", 2), ("ADDED", 3), ("DELETED", 4)]
        store.unwatch(watcher)
        store.unwatch(other)


async def test_a_slow_watcher_is_cut_and_others_go_on() -> None:
    async with running(MemoryEngine()) as store:
        slow, quick = Watcher(ALL, limit=2), Watcher(ALL)
        store.watchers.add(slow)
        store.watchers.add(quick)
        for number in range(4):
            await store.write(put(body(f"a{number}")))
        with pytest.raises(WatcherCut):
            slow.take()
        assert len(quick.take()) == 4
        assert store.watchers.cut == 1


async def test_the_ring_is_bounded_and_older_versions_expire() -> None:
    async with running(MemoryEngine(), ring_bytes=5000) as store:
        for number in range(50):
            await store.write(put(body("a", note=str(number)), body("b")))
        assert store.cache.floor > 0
        with pytest.raises(Expired, match="too old resource version"):
            store.watch(ALL, store.cache.floor - 1)
        missed, watcher = store.watch(ALL, store.cache.floor)
        assert len(missed) == 2 * (store.version - store.cache.floor)
        store.unwatch(watcher)


async def test_closing_serves_the_queue_and_refuses_the_rest() -> None:
    async with running(MemoryEngine(), inline=False) as store:
        writers = [asyncio.create_task(store.write(put(body(f"a{n}")))) for n in range(20)]
        await asyncio.sleep(0)
    assert all(slots for slots in await asyncio.gather(*writers))
    with pytest.raises(ServiceUnavailable, match="shutting down"):
        await store.write(put(body("late")))
