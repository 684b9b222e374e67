"""Artifact files by digest: written once, never changed.

A blob is streamed into a temporary file, hashed on the way, synced and renamed into place; so a file under
``sha256/`` is always whole and always what its name says.
"""

import asyncio
import hashlib
import os
import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from apiserver.api.errors import BadRequest, ServiceUnavailable, TooLarge

P = ParamSpec("P")
T = TypeVar("T")

FOLDER = "sha256"
"""Where the blobs are within the folder of artifacts."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


def is_digest(text: str) -> bool:
    """Whether a text can name a blob."""
    return _DIGEST.fullmatch(text) is not None


class Blobs:
    """The files under one directory."""

    def __init__(self, directory: Path, *, max_bytes: int) -> None:
        self._directory = directory / FOLDER
        self._incoming = directory / "incoming"
        self.max_bytes = max_bytes
        self._held = Counter[str]()
        """How many uploads hold each digest."""
        self._keepers = 0
        """How many hold everything."""
        for folder in (self._directory, self._incoming):
            folder.mkdir(parents=True, exist_ok=True)
        for leftover in self._incoming.iterdir():
            leftover.unlink()

    def path(self, digest: str) -> Path | None:
        """Where the blob is, if it is here. Anything but a digest names no blob."""
        if not is_digest(digest):
            return None
        path = self._directory / digest
        return path if path.is_file() else None

    def has(self, digest: str) -> bool:
        """Whether the blob is here."""
        return self.path(digest) is not None

    def digests(self) -> Iterator[str]:
        """The blobs that are here, in no particular order. Blocks."""
        return (entry.name for entry in os.scandir(self._directory) if _DIGEST.fullmatch(entry.name))

    async def write(self, digest: str, chunks: AsyncIterator[bytes]) -> bool:
        """Take a blob in; False if it was here. Durable when it returns.

        Raises BadRequest when the bytes have another digest, TooLarge over the limit, ServiceUnavailable where the
        disk refuses; then nothing is kept.
        """
        if not is_digest(digest):
            raise BadRequest(f"{digest[:80]!r} is not a SHA-256 digest: 64 lowercase hexadecimal digits")
        if self.has(digest):
            with _told():
                await in_thread(sync_folder, self._directory)  # whoever renamed it may not have come to that yet
            return False
        async with self.take(chunks) as incoming:
            if incoming.sha256 != digest:
                raise BadRequest(f"the body's SHA-256 is {incoming.sha256}, the path says {digest}: upload it again")
            return await incoming.keep()

    @asynccontextmanager
    async def take(self, chunks: AsyncIterator[bytes]) -> "AsyncIterator[Incoming]":
        """Receive a file whose digest is not known yet; the context holds it until it is kept or dropped.

        What has not been kept when the context ends is gone, however it ends. Until then ``withdraw`` leaves
        the digest alone: an App that is stored within the context finds its blob. Raises TooLarge over the limit,
        ServiceUnavailable where the disk refuses, and whatever ``chunks`` does.
        """
        with _told():
            descriptor, name = tempfile.mkstemp(dir=self._incoming)
        try:
            sha256, size = await self._receive(descriptor, chunks)
            self._held[sha256] += 1
            try:
                yield Incoming(Path(name), sha256, size, descriptor, self._directory)
            finally:
                self._held[sha256] -= 1
                self._held = +self._held  # forgets what is at zero
        finally:
            await in_thread(_drop, descriptor, Path(name))

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Within it no blob goes: a backup holds all that were there when it began."""
        self._keepers += 1
        try:
            yield
        finally:
            self._keepers -= 1

    def withdraw(self, digest: str) -> Path | None:
        """Put a blob that nobody needs any more out of reach at once, for a writer in its turn; where it is then, for
        ``dispose``. None if it is not here, or an upload or a backup holds it just now. Readers that have it open go
        on. Raises ServiceUnavailable where the disk refuses."""
        path = self.path(digest)
        if path is None or self._held[digest] or self._keepers:
            return None
        with _told():
            return path.rename(self._incoming / f"removed-{digest}")

    async def dispose(self, doomed: Path) -> None:
        """The rest of a removal, which takes its time where the file is large. Durable when it returns. Raises
        ServiceUnavailable."""
        with _told():
            await in_thread(sync_folder, self._directory)
            await in_thread(doomed.unlink, missing_ok=True)

    async def _receive(self, descriptor: int, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
        size, hashed = 0, hashlib.sha256()
        async for chunk in chunks:
            size += len(chunk)
            if size > self.max_bytes:
                raise TooLarge(f"the artifact is over the limit of {self.max_bytes} bytes (--max-artifact-bytes)")
            with _told():
                await in_thread(_take, descriptor, hashed, chunk)
        return hashed.hexdigest(), size


@dataclass(frozen=True)
class Incoming:
    """A file that has been received and not kept yet."""

    path: Path
    sha256: str
    """Its digest, 64 lowercase hexadecimal digits."""
    size: int
    """Bytes."""
    _descriptor: int
    _directory: Path

    async def keep(self) -> bool:
        """Make it the blob of its digest; False if there was one. Durable when it returns. Raises
        ServiceUnavailable where the disk refuses."""
        target = self._directory / self.sha256
        with _told():
            is_new = not target.exists()
            if is_new:
                os.fchmod(self._descriptor, 0o644)
                await in_thread(os.fsync, self._descriptor)
                os.rename(self.path, target)
            await in_thread(sync_folder, self._directory)
        return is_new


@contextmanager
def _told() -> Iterator[None]:
    """Turns what the file system refuses into an answer that says so."""
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise ServiceUnavailable(f"the artifact cannot be written or removed: {why}; see to the disk") from error


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Work in a thread that is never left alone with the file: a cancellation is raised once the work is done.

    Otherwise the descriptor might be closed, and given to another file, while the thread still writes to it.
    """
    job = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        while not job.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait((job,))
        raise


def _take(descriptor: int, hashed: "hashlib._Hash", chunk: bytes) -> None:
    hashed.update(chunk)
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def _drop(descriptor: int, path: Path) -> None:
    os.close(descriptor)
    path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
