"""Artifact files by digest: written once, never changed.

A blob is streamed into a temporary file, hashed on the way, synced and renamed into place; so a file under
``sha256/`` is always whole and always what its name says.
"""

import asyncio
import hashlib
import os
import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from apiserver.api.errors import BadRequest, TooLarge

_DIGEST = re.compile(r"[0-9a-f]{64}")


def is_digest(text: str) -> bool:
    """Whether a text can name a blob."""
    return _DIGEST.fullmatch(text) is not None


class Blobs:
    """The files under one directory."""

    def __init__(self, directory: Path, *, max_bytes: int) -> None:
        self._directory = directory / "sha256"
        self._incoming = directory / "incoming"
        self.max_bytes = max_bytes
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

        Raises BadRequest when the bytes have another digest, TooLarge over the limit; then nothing is kept.
        """
        if not is_digest(digest):
            raise BadRequest(f"{digest[:80]!r} is not a SHA-256 digest: 64 lowercase hexadecimal digits")
        if self.has(digest):
            return False
        descriptor, name = tempfile.mkstemp(dir=self._incoming)
        try:
            await self._receive(descriptor, digest, chunks)
            os.rename(name, self._directory / digest)
        except BaseException:
            os.unlink(name)
            raise
        finally:
            os.close(descriptor)
        await asyncio.to_thread(sync_folder, self._directory)
        return True

    async def _receive(self, descriptor: int, digest: str, chunks: AsyncIterator[bytes]) -> None:
        size, hashed = 0, hashlib.sha256()
        async for chunk in chunks:
            size += len(chunk)
            if size > self.max_bytes:
                raise TooLarge(f"the artifact is over the limit of {self.max_bytes} bytes (--max-artifact-bytes)")
            await asyncio.to_thread(_take, descriptor, hashed, chunk)
        if hashed.hexdigest() != digest:
            raise BadRequest(f"the body's SHA-256 is {hashed.hexdigest()}, the path says {digest}: upload it again")
        os.fchmod(descriptor, 0o644)
        await asyncio.to_thread(os.fsync, descriptor)


def _take(descriptor: int, hashed: "hashlib._Hash", chunk: bytes) -> None:
    hashed.update(chunk)
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
