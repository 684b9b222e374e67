"""Looking back against a model that forgets nothing: what is told is true, and what is known is told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.api.errors import Expired
from apiserver.server import history
from apiserver.server.store.engine import Change, Key
from apiserver.server.store.memory import MemoryEngine
from apiserver.server.store.store import Store
from tests.stores import KIND, body, put, remove, running

NAMES = ("a", "b")
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "put", "remove"]), st.sampled_from(NAMES))
    | st.tuples(st.just("compact"), st.integers(0, 3))
    | st.tuples(st.just("restart"), st.integers(0, 0)),
    max_size=25,
)


class World:
    """A store that lives through the steps, and everything it was ever told."""

    def __init__(self) -> None:
        self.engine = MemoryEngine()
        self.told: list[Change] = []

    @asynccontextmanager
    async def run(self, steps: Sequence[tuple[str, str | int]]) -> AsyncIterator[Store]:
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(running(self.engine, ring_bytes=3000))
            for number, (what, about) in enumerate(steps):
                if what == "put":
                    note = body(str(about), note=str(number))
                    await store.write(put(note))
                elif what == "remove":
                    await store.write(remove(str(about)))
                elif what == "compact":
                    store.maintenance.compacted = max(store.maintenance.compacted, store.version - int(about))
                    self.engine.compact(store.maintenance.compacted)
                else:
                    await stack.aclose()
                    store = await stack.enter_async_context(running(self.engine, ring_bytes=3000))
                known = self.told[-1].version if self.told else 0
                self.told += self.engine.changes_after(known, size=1 << 20)
            yield store

    def changes(self, key: Key, upto: int) -> list[Change]:
        """All changes of an object, newest first."""
        return [one for one in reversed(self.told) if one.key == key and one.version <= upto]


async def check_states(world: World, store: Store, key: Key) -> None:
    compacted = store.maintenance.compacted
    for version in range(store.version + 1):
        past = world.changes(key, version)
        there = past[0].body if past and past[0].type != "DELETED" else None
        try:
            assert await history.as_of(store, KIND, key, version) == there, (key, version)
        except Expired:
            is_unchanged = len(past) == len(world.changes(key, store.version))
            was_forgotten = there is not None and past[0].version <= compacted
            assert version < compacted or was_forgotten, (key, version, compacted)
            assert there is None or not is_unchanged, (key, version)


async def check_pages(world: World, store: Store, key: Key, limit: int) -> None:
    items, before = await history.page(store, KIND, key, before=store.version, limit=limit)
    while before:
        assert len(items) % limit == 0
        more, before = await history.page(store, KIND, key, before=before, limit=limit)
        items += more
    kept = [one for one in world.changes(key, store.version) if one.version > store.maintenance.compacted]
    assert [(item["version"], item["type"]) for item in items] == [(str(one.version), one.type) for one in kept]
    for index, (item, change) in enumerate(zip(items, kept, strict=True)):
        older = world.changes(key, change.version - 1)
        if "truncated" in item:
            assert index == len(kept) - 1
            assert change.type == "MODIFIED" or older[0].version <= store.maintenance.compacted
        elif change.type == "MODIFIED":
            values = [orjson.loads(one.body)["spec"]["note"] for one in (older[0], change)]
            assert item["changes"] == [{"path": "spec.note", "from": values[0], "to": values[1]}]
        else:
            assert [one["path"] for one in item["changes"]] == (
                ["metadata.labels", "spec.nodeName", "spec.note"] if item["type"] == "ADDED" else []
            )


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(1, 3))
def test_looking_back(steps: list[tuple[str, str | int]], limit: int) -> None:
    async def main() -> None:
        world = World()
        async with world.run(steps) as store:
            for name in NAMES:
                key = Key(KIND.resource, "default", name)
                await check_states(world, store, key)
                await check_pages(world, store, key, limit)

    asyncio.run(main())
