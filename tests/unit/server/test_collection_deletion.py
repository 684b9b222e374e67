"""Deleting a collection while others write: what has gone by then, or is another object, is no error."""

import random

import pytest

from apiserver.api.errors import Conflict
from apiserver.api.kinds.task import TASKS
from apiserver.server.http.deletion import delete_all
from apiserver.server.leases import NodeLeases
from apiserver.server.registry import DeleteOptions, Registry, Target
from apiserver.server.store.decisions import Put
from apiserver.server.store.memory import MemoryEngine
from apiserver.server.store.snapshot import Filter, Slot
from apiserver.server.store.store import Store
from tests.stores import NOW, running

TARGET = Target(TASKS, "default")


async def put(store: Store, name: str, uid: str) -> Slot:
    body = {"metadata": {"name": name, "namespace": "default", "uid": uid}, "spec": {"entries": []}}
    (slot,) = await store.write(lambda view: [Put(TASKS, body)])
    return slot


async def test_another_object_of_the_same_name_stays_and_is_no_error() -> None:
    async with running(MemoryEngine()) as store:
        leases = NodeLeases(store, monotonic=lambda: 0.0, clock=lambda: NOW)
        registry = Registry(store, leases, {}, clock=lambda: NOW, new_uid=lambda: "new", rng=random.Random(1))
        seen = [await put(store, name, f"{name}-1") for name in ("again", "here")]
        await put(store, "again", "again-2")
        deleted = await delete_all(registry, TARGET, seen, DeleteOptions(), "ann")
        assert len(deleted) == 1
        left = await store.everything([Filter(TASKS)])
        assert [slot.parse()["metadata"]["uid"] for slot in left[0]] == ["again-2"]
        there = await put(store, "here", "here-2")
        with pytest.raises(Conflict, match="Precondition failed"):
            await delete_all(registry, TARGET, [there], DeleteOptions(resource_version="1"), "ann")
