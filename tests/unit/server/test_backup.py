"""Making archives: what is in them, one at a time, and nothing left behind."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from apiserver.api.backups import END, NotABackup, Reader
from apiserver.api.errors import ServiceUnavailable, TooManyRequests
from apiserver.server.backup import RESERVE, Archive, Backups
from apiserver.server.blobs import Blobs
from apiserver.server.store.memory import MemoryEngine
from apiserver.server.store.sqlite import SQLiteEngine
from apiserver.server.store.store import Store
from tests.archives import sha256
from tests.stores import NOW, body, put, running

BLOB = b"a blob" * 100_000


@asynccontextmanager
async def backups(
    directory: Path, *, free: int = 1 << 40, engine: SQLiteEngine | None = None
) -> AsyncIterator[tuple[Store, Backups]]:
    async with running(engine or SQLiteEngine(directory), inline=False) as store:
        blobs = Blobs(directory / "artifacts", max_bytes=1 << 30)
        yield store, Backups(store, blobs, directory / "scratch", clock=lambda: NOW, free=lambda folder: free)


def leftovers(directory: Path) -> list[Path]:
    return list((directory / "scratch").iterdir())


async def collect(archive: Archive) -> Reader:
    reader, size = Reader(), len(END)
    async for piece in archive.pieces():
        reader.feed(piece)
        size += len(piece)
    reader.feed(END)
    assert reader.end() == archive.manifest
    assert size == archive.length
    return reader


async def test_an_archive_holds_what_was_acknowledged_and_artifacts_if_asked(tmp_path: Path) -> None:
    async with backups(tmp_path) as (store, making):
        (tmp_path / "artifacts" / "sha256" / sha256(BLOB)).write_bytes(BLOB)
        await store.write(put(body("a"), body("b")))
        for artifacts in (False, True):
            async with making.open(artifacts=artifacts) as archive:
                await store.write(put(body("later")))
                await collect(archive)
            found = archive.manifest
            assert (found.created, found.objects, found.version) == (NOW, 2 + artifacts, store.version - 1)
            assert [one.sha256 for one in found.artifacts] == [sha256(BLOB)] * artifacts
            assert leftovers(tmp_path) == []


async def test_one_at_a_time_and_the_next_when_its_reader_has_left(tmp_path: Path) -> None:
    async with backups(tmp_path) as (_, making):
        async with making.open(artifacts=False) as archive:
            assert len(leftovers(tmp_path)) == 1
            with pytest.raises(TooManyRequests) as refused:
                async with making.open(artifacts=False):
                    pass
            assert refused.value.details.retry_after_seconds > 0
            await anext(archive.pieces())
        assert leftovers(tmp_path) == []
        async with making.open(artifacts=False) as archive:
            await collect(archive)


class HeldEngine(SQLiteEngine):
    """Its copies are done only when they may be."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.copied, self.may_go_on = threading.Event(), threading.Event()

    def backup(self, path: Path) -> None:
        super().backup(path)
        self.copied.set()
        assert self.may_go_on.wait(10)


async def test_a_reader_that_leaves_while_the_copy_is_made_leaves_nothing(tmp_path: Path) -> None:
    engine = HeldEngine(tmp_path)
    async with backups(tmp_path, engine=engine) as (store, making):
        opening = asyncio.create_task(making.open(artifacts=False).__aenter__())
        assert await asyncio.to_thread(engine.copied.wait, 10)
        await store.write(put(body("meanwhile")))
        opening.cancel()
        with pytest.raises(TooManyRequests):  # its thread still works
            async with making.open(artifacts=False):
                pass
        engine.may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert leftovers(tmp_path) == []
        async with making.open(artifacts=False) as archive:
            await collect(archive)


async def test_no_room_is_said_in_figures_before_anything_is_written(tmp_path: Path) -> None:
    async with backups(tmp_path, free=1000) as (_, making):
        with pytest.raises(ServiceUnavailable, match=rf"needs \d+ bytes, {RESERVE} of them .* and 1000 are free"):
            async with making.open(artifacts=False):
                pass
        assert leftovers(tmp_path) == []


async def test_an_engine_that_cannot_be_copied_is_said(tmp_path: Path) -> None:
    async with running(MemoryEngine()) as store:
        blobs = Blobs(tmp_path / "artifacts", max_bytes=1)
        making = Backups(store, blobs, tmp_path / "scratch", clock=lambda: NOW)
        for _ in range(2):
            with pytest.raises(ServiceUnavailable, match="nothing on disk to back up"):
                async with making.open(artifacts=False):
                    pass


async def test_an_artifact_that_nobody_needs_any_more_stays_until_the_archive_is_read(tmp_path: Path) -> None:
    async with running(SQLiteEngine(tmp_path), inline=False) as store:
        blobs = Blobs(tmp_path / "artifacts", max_bytes=1 << 30)
        (tmp_path / "artifacts" / "sha256" / sha256(BLOB)).write_bytes(BLOB)
        async with Backups(store, blobs, tmp_path / "scratch", clock=lambda: NOW).open(artifacts=True) as archive:
            assert blobs.withdraw(sha256(BLOB)) is None
            await collect(archive)
        assert blobs.withdraw(sha256(BLOB))


async def test_a_file_that_has_changed_meanwhile_breaks_the_archive_off(tmp_path: Path) -> None:
    async with backups(tmp_path) as (_, making):
        blob = tmp_path / "artifacts" / "sha256" / sha256(BLOB)
        blob.write_bytes(BLOB)
        async with making.open(artifacts=True) as archive:
            blob.write_bytes(BLOB[:-1])
            with pytest.raises(OSError, match="shorter than it was"):
                await collect(archive)


async def test_a_blob_that_rots_on_the_server_is_found(tmp_path: Path) -> None:
    async with backups(tmp_path) as (_, making):
        (tmp_path / "artifacts" / "sha256" / sha256(BLOB)).write_bytes(BLOB[::-1])
        async with making.open(artifacts=True) as archive:
            with pytest.raises(NotABackup, match=f"{sha256(BLOB)} is damaged"):
                await collect(archive)


async def test_what_a_killed_server_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "scratch" / "folder").mkdir(parents=True)
    (tmp_path / "scratch" / "old.db").write_bytes(b"x")
    async with backups(tmp_path):
        assert leftovers(tmp_path) == []
