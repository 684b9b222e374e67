"""The store: group commit, atomic operations, watches without gap or repeat, bounded watchers."""

import asyncio
from collections.abc import Sequence

import orjson
import pytest

from apiserver.api.errors import BadRequest, Expired, InternalError, ServiceUnavailable
from apiserver.api.scheme import SCHEME
from apiserver.api.selectors import parse_fields, parse_labels
from apiserver.server.store.decisions import Intents, Put, View
from apiserver.server.store.engine import Change, OutcomeUnknown
from apiserver.server.store.memory import MemoryEngine
from apiserver.server.store.retention import Retention
from apiserver.server.store.snapshot import Filter
from tests.stores import DISK_FULL, KIND, FaultyEngine, body, change, missed, put, remove, running, watching

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


async def test_a_failed_batch_fails_its_writers_and_changes_nothing() -> None:
    engine = FaultyEngine()
    async with running(engine) as store:
        await store.write(put(body("a")))
        engine.fault = DISK_FULL
        with pytest.raises(ServiceUnavailable, match="disk full"):
            await store.write(put(body("b")))
        engine.fault = None
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
            assert [found.type for found in await missed(store, select(labels), start)] == types
        found = await missed(store, select(fields="spec.nodeName=nodeA"), start)
        assert [one.type for one in found] == ["ADDED", "MODIFIED", "DELETED"]


async def test_live_and_resumed_watches_see_the_same() -> None:
    async with running(MemoryEngine()) as store:
        selection = select(fields="spec.nodeName=nodeA")
        watcher = watching(store, selection)
        for node in ("nodeA", "nodeB", "nodeA", ""):
            await store.write(put(body("a", node=node)))
        live = [(found.type, found.event.version) for found in watcher.take()]
        assert live == [(found.type, found.event.version) for found in await missed(store, selection, 0)]
        assert live == [("ADDED", 1), ("DELETED", 2), ("ADDED", 3), ("DELETED", 4)]
        store.watchers.remove(watcher)


async def test_a_watcher_too_slow_for_its_buffer_goes_on_from_the_log() -> None:
    async with running(MemoryEngine()) as store:
        await store.write(put(body("first")))
        slow, quick = watching(store, ALL, limit=2), watching(store, ALL)
        for number in range(4):
            await store.write(put(body(f"a{number}")))
        assert (slow.has_overflowed, slow.take(), slow.complete_to) == (True, [], 1)
        assert [found.event.version for found in quick.take()] == [2, 3, 4, 5]
        assert [found.event.version for found in await missed(store, ALL, slow.complete_to)] == [2, 3, 4, 5]
        assert store.watchers.overflows == 1


async def test_what_the_ring_has_forgotten_is_read_from_the_engine() -> None:
    async with running(MemoryEngine(), ring_bytes=5000) as store:
        for number in range(50):
            await store.write(put(body("a", note=str(number)), body("b")))
        assert store.cache.floor > 0
        found = await missed(store, ALL, 0)
        assert [one.event.version for one in found] == [version for version in range(1, 51) for _ in "ab"]
        assert [one.type for one in found[:4]] == ["ADDED", "ADDED", "MODIFIED", "MODIFIED"]


async def test_what_is_stored_and_not_yet_published_is_told_once() -> None:
    engine = MemoryEngine()
    async with running(engine, ring_bytes=1) as store:
        for number in range(3):
            await store.write(put(body("a", note=str(number))))
        assert store.cache.floor == store.version == 3
        engine.commit([change(4, "a", "MODIFIED", raw=store_body(4))], 4)
        assert [found.event.version for found in await missed(store, ALL, 0)] == [1, 2, 3]


def store_body(version: int) -> bytes:
    one = body("a")
    one["metadata"]["resourceVersion"] = str(version)
    return orjson.dumps(one)


async def test_a_restart_cuts_the_ring_between_versions_and_the_log_goes_on() -> None:
    engine = MemoryEngine()
    async with running(engine) as store:
        for number in range(20):
            await store.write(put(body("a", note=str(number)), body("b"), body("c")))
        expected = [(found.type, found.event.version) for found in await missed(store, ALL, 5)]
    for ring_bytes in (1, 2000, 4000, 1 << 20):
        async with running(engine, ring_bytes=ring_bytes) as store:
            events, _ = store.cache.ring_size
            assert events == 3 * (20 - store.cache.floor)
            assert [(found.type, found.event.version) for found in await missed(store, ALL, 5)] == expected


async def test_a_log_over_its_limits_is_compacted_and_older_versions_expire() -> None:
    keep = Retention(changes=40)
    async with running(MemoryEngine(), ring_bytes=5000, keep=keep) as store:
        for number in range(50):
            await store.write(put(body("a", note=str(number)), body("b")))
        await store.maintenance.step()
        assert store.engine.log_size[0] == 38
        assert store.floor == store.maintenance.compacted == 31
        with pytest.raises(Expired, match=r"too old resource version: 30 \(31\)"):
            await missed(store, ALL, 30)
        assert len(await missed(store, ALL, 31)) == 38


async def test_pages_of_one_version_stay_consistent() -> None:
    async with running(MemoryEngine()) as store:
        await store.write(put(*(body(f"a{n}", node="nodeA") for n in range(6))))
        version = store.version
        first, more = await store.page(ALL, version=version, limit=2)
        assert ([slot.key.name for slot in first], more) == (["a0", "a1"], 4)
        await store.write(remove("a3"))
        await store.write(put(body("a2", node="nodeB"), body("a31"), body("a0", note="new")))
        for selection, left in ((ALL, 0), (select(fields="spec.nodeName=nodeA"), 0), (select("app!=x"), 0)):
            rest, more = await store.page(selection, version=version, after=("default", "a1"))
            assert ([(slot.key.name, slot.version) for slot in rest], more) == (
                [("a2", 1), ("a3", 1), ("a4", 1), ("a5", 1)],
                left,
            )
        now, _ = await store.page(select(fields="spec.nodeName=nodeA"), version=store.version)
        assert [slot.key.name for slot in now] == ["a1", "a4", "a5"]


async def test_what_has_come_since_does_not_follow_a_page_of_the_past() -> None:
    async with running(MemoryEngine()) as store:
        await store.write(put(*(body(name) for name in "abcd")))
        version = store.version
        await store.write(put(*(body(f"z{n}") for n in range(20))))
        for limit, more in ((4, 0), (3, 1)):
            slots, following = await store.page(ALL, version=version, limit=limit)
            assert (len(slots), following) == (limit, more)


async def test_a_state_that_is_forgotten_expires() -> None:
    async with running(MemoryEngine(), ring_bytes=5000) as store:
        for number in range(50):
            await store.write(put(body("a", note=str(number))))
        with pytest.raises(Expired, match="not kept any more"):
            await store.page(ALL, version=1)


async def test_a_watch_of_several_kinds_is_in_the_order_of_versions() -> None:
    async with running(MemoryEngine()) as store:
        watcher = watching(store, ALL, Filter(SCHEME.named("events")))
        await store.write(put(body("a")))
        await store.write(lambda view: [Put(SCHEME.named("events"), body("e")), Put(SCHEME.named("nodes"), body("n"))])
        await store.write(put(body("b")))
        assert [(found.event.version, found.event.slot.key.name) for found in watcher.take()] == [
            (1, "a"),
            (2, "e"),
            (3, "b"),
        ]


async def test_closing_serves_the_queue_and_refuses_the_rest() -> None:
    async with running(MemoryEngine(), inline=False) as store:
        writers = [asyncio.create_task(store.write(put(body(f"a{n}")))) for n in range(20)]
        await asyncio.sleep(0)
    assert all(slots for slots in await asyncio.gather(*writers))
    with pytest.raises(ServiceUnavailable, match="shutting down"):
        await store.write(put(body("late")))


class Doubtful(MemoryEngine):
    """Does not know what became of a transaction of somebody else."""

    is_unsettled = True

    def commit(self, changes: Sequence[Change], version: int) -> None:
        if self.is_unsettled:
            raise OutcomeUnknown("not settled")
        super().commit(changes, version)

    def settle(self) -> int:
        self.is_unsettled = False
        return super().settle()


async def test_a_doubt_is_settled_before_anybody_writes() -> None:
    async with running(Doubtful()) as store:
        store.committer.doubt("compaction: flush failed")
        assert store.committer.trouble
        while store.committer.trouble:
            await asyncio.sleep(0)
        assert [slot.version for slot in await store.write(put(body("a")))] == [1]
