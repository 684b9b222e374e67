"""Blobs: what is kept is whole and under its digest, and nothing else stays."""

import asyncio
import hashlib
import os
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from apiserver.api.errors import BadRequest, ServiceUnavailable, TooLarge
from apiserver.server import blobs as module
from apiserver.server.blobs import Blobs

BODY = b"some bytes"
DIGEST = hashlib.sha256(BODY).hexdigest()


async def chunks(*parts: bytes, error: BaseException | None = None) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if error is not None:
        raise error


@pytest.fixture
def store(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path, max_bytes=100)


def files(directory: Path) -> list[str]:
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())


async def test_what_is_taken_and_kept_is_a_blob(store: Blobs, tmp_path: Path) -> None:
    async with store.take(chunks(BODY[:3], BODY[3:])) as incoming:
        assert (incoming.sha256, incoming.size) == (DIGEST, len(BODY))
        assert incoming.path.read_bytes() == BODY
        assert not store.has(DIGEST)
        assert await incoming.keep()
        assert store.has(DIGEST)
    assert files(tmp_path) == [f"sha256/{DIGEST}"]
    path = store.path(DIGEST)
    assert path is not None
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (BODY, 0o644)


async def test_keeping_again_changes_nothing(store: Blobs, tmp_path: Path) -> None:
    assert await store.write(DIGEST, chunks(BODY))
    async with store.take(chunks(BODY)) as incoming:
        assert not await incoming.keep()
        assert not await incoming.keep()
    assert not await store.write(DIGEST, chunks(b"not even read"))
    assert files(tmp_path) == [f"sha256/{DIGEST}"]


async def test_what_is_not_kept_is_gone(store: Blobs, tmp_path: Path) -> None:
    async with store.take(chunks(BODY)):
        pass
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("parts", "error", "raised"),
    [
        pytest.param([b"x" * 60, b"x" * 41], None, TooLarge, id="too large"),
        pytest.param([BODY], BadRequest("gone"), BadRequest, id="client gone"),
        pytest.param([BODY], asyncio.CancelledError(), asyncio.CancelledError, id="cancelled"),
    ],
)
async def test_a_failed_upload_leaves_nothing(
    store: Blobs, tmp_path: Path, parts: list[bytes], error: BaseException | None, raised: type[BaseException]
) -> None:
    with pytest.raises(raised):
        async with store.take(chunks(*parts, error=error)):
            raise AssertionError("must not be reached")
    with pytest.raises(raised):
        await store.write(DIGEST, chunks(*parts, error=error))
    assert files(tmp_path) == []


async def test_an_error_within_leaves_nothing(store: Blobs, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="not a zip"):
        async with store.take(chunks(BODY)):
            raise BadRequest("not a zip")
    assert files(tmp_path) == []


async def test_another_digest_is_refused(store: Blobs, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=f"SHA-256 is {DIGEST}, the path says 000"):
        await store.write("0" * 64, chunks(BODY))
    with pytest.raises(BadRequest, match="is not a SHA-256 digest"):
        await store.write("../x", chunks(BODY))
    assert files(tmp_path) == []


class Gate:
    """Holds a call in its thread until it is let go."""

    def __init__(self, real: Callable[..., Any]) -> None:
        self._real = real
        self.entered, self.opened, self.left = threading.Event(), threading.Event(), threading.Event()

    def __call__(self, *args: Any) -> Any:
        self.entered.set()
        assert self.opened.wait(20)
        try:
            return self._real(*args)
        finally:
            self.left.set()


@pytest.mark.parametrize("name", ["_take", "fsync", "sync_folder"])
async def test_a_cancelled_upload_waits_for_its_thread(
    store: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    where: Any = os if name == "fsync" else module
    gate = Gate(getattr(where, name))
    monkeypatch.setattr(where, name, gate)
    upload = asyncio.create_task(store.write(DIGEST, chunks(BODY)))
    assert await asyncio.to_thread(gate.entered.wait, 20)
    for _ in range(3):
        upload.cancel()
        await asyncio.sleep(0)
    assert not upload.done()
    gate.opened.set()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert gate.left.is_set()
    # Only what was renamed before may be there, and that is whole.
    assert files(tmp_path) == ([f"sha256/{DIGEST}"] if name == "sync_folder" else [])


async def test_a_disk_that_refuses_is_told(store: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_take", full)
    with pytest.raises(ServiceUnavailable, match="No space left on device; see to the disk"):
        await store.write(DIGEST, chunks(BODY))
    assert files(tmp_path) == []


async def remove(store: Blobs, digest: str) -> bool:
    """Whether it could be."""
    doomed = store.withdraw(digest)
    if doomed is not None:
        await store.dispose(doomed)
    return doomed is not None


async def test_a_removed_blob_is_gone_and_may_come_again(store: Blobs, tmp_path: Path) -> None:
    await store.write(DIGEST, chunks(BODY))
    with (tmp_path / "sha256" / DIGEST).open("rb") as reader:
        assert await remove(store, DIGEST)
        assert reader.read() == BODY
    assert files(tmp_path) == []
    assert not await remove(store, DIGEST)
    assert not await remove(store, "../x")
    assert await store.write(DIGEST, chunks(BODY))


async def test_it_is_out_of_reach_before_the_removal_first_waits(store: Blobs) -> None:
    await store.write(DIGEST, chunks(BODY))
    assert store.withdraw(DIGEST)
    assert not store.has(DIGEST)


async def test_what_an_upload_holds_is_not_removed(store: Blobs) -> None:
    await store.write(DIGEST, chunks(BODY))
    async with store.take(chunks(BODY)) as incoming:
        assert not await incoming.keep()
        assert not await remove(store, DIGEST)
    assert store.has(DIGEST)
    assert await remove(store, DIGEST)


async def test_what_a_killed_server_left_goes_at_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    for name in ("tmp123", f"removed-{DIGEST}"):
        (tmp_path / "incoming" / name).write_bytes(BODY)
    Blobs(tmp_path, max_bytes=1)
    assert files(tmp_path) == []
