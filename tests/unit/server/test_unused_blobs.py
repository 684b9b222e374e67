"""Blobs of Apps that are gone: when they go, and when they wait."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from apiserver.api.errors import ServiceUnavailable
from apiserver.api.kinds.app import APPS
from apiserver.server import unused_blobs
from apiserver.server.blobs import Blobs
from apiserver.server.leases import NodeLeases
from apiserver.server.registry import Registry
from apiserver.server.store.decisions import Put, Remove
from apiserver.server.store.following import follow
from apiserver.server.store.memory import MemoryEngine
from apiserver.server.unused_blobs import UnusedBlobs
from tests.archives import sha256
from tests.stores import NOW, running
from tests.unit.agent.waiting import eventually

BLOB = b"a blob"
DIGEST = sha256(BLOB)


async def chunks() -> AsyncIterator[bytes]:
    yield BLOB


def an_app(name: str) -> Any:
    return {"metadata": {"name": name, "namespace": "default", "uid": name}, "spec": {"sha256": DIGEST}}


class World:
    def __init__(self, registry: Registry, blobs: Blobs) -> None:
        self.registry, self.blobs = registry, blobs
        self.unused = UnusedBlobs(registry, blobs)

    async def delete(self, name: str) -> None:
        await self.registry.store.write(lambda view: [Remove(APPS, an_app(name))])


@asynccontextmanager
async def world(tmp_path: Path, *apps: str) -> AsyncIterator[World]:
    async with running(MemoryEngine()) as store:
        leases = NodeLeases(store, monotonic=lambda: 0.0, clock=lambda: NOW)
        registry = Registry(store, leases, {}, clock=lambda: NOW, new_uid=lambda: "new", rng=random.Random(1))
        found = World(registry, Blobs(tmp_path, max_bytes=100))
        await found.blobs.write(DIGEST, chunks())
        await store.write(lambda view: [Put(APPS, an_app(name)) for name in apps])
        running_loop = asyncio.create_task(found.unused.run())
        await asyncio.sleep(0)
        yield found
        store.watchers.end()
        await running_loop


async def test_a_blob_goes_with_the_last_app_that_has_its_digest(tmp_path: Path) -> None:
    async with world(tmp_path, "one", "two") as found:
        await found.delete("one")
        await found.unused.remove(DIGEST)
        assert found.blobs.has(DIGEST)
        await found.delete("two")
        await eventually(lambda: not found.blobs.has(DIGEST))


async def test_what_is_held_goes_when_it_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unused_blobs, "RETRY_SECONDS", 0.01)
    async with world(tmp_path, "one") as found:
        with found.blobs.kept():
            await found.delete("one")
            await found.unused.remove(DIGEST)
            assert found.blobs.has(DIGEST)
        await eventually(lambda: not found.blobs.has(DIGEST))


async def test_what_is_held_stays_if_an_app_has_it_again(tmp_path: Path) -> None:
    async with world(tmp_path, "one") as found:
        with found.blobs.kept():
            await found.delete("one")
            await found.unused.remove(DIGEST)
        await found.registry.store.write(lambda view: [Put(APPS, an_app("again"))])
        await found.unused.remove(DIGEST)
        assert found.blobs.has(DIGEST)


async def test_a_log_that_cannot_be_read_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unused_blobs, "RETRY_SECONDS", 0.01)
    failures = [ServiceUnavailable("no log")]

    async def failing(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        if failures:
            raise failures.pop()
        async for batch in follow(*args, **kwargs):
            yield batch

    monkeypatch.setattr(unused_blobs, "follow", failing)
    async with world(tmp_path, "one") as found:
        await found.delete("one")
        await eventually(lambda: not found.blobs.has(DIGEST))
        assert not failures
