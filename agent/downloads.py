"""One download: an archive from its address into the cache, verified; what broke off is gone on with.

A download lands in a file of its own, which gets the digest's name when its digest is right and its bytes are
on disk, so that whatever carries that name is that archive.
"""

import asyncio
import hashlib
import os
import random
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

import httpx

from agent import sources
from agent.artifact_failures import ArtifactFailure, Corrupt, DiskFull, Invalid, Unavailable
from agent.files import is_full
from agent.partials import Origin, Partial
from agent.room import Room
from agent.sources import Rest
from agent.threads import in_thread
from apiserver.client.backoff import Backoff

T = TypeVar("T")

BLOCK = 1 << 20
"""Bytes that are gathered before a thread hashes and writes them; kill -9 loses fewer."""

AGAIN = Backoff(base=1.0, cap=1.0)
"""The pause, in seconds, before a download that has got on by a block since is gone on with."""


class Downloader:
    """Fetches archives into one cache folder. ``server`` is the API server's configured HTTP client."""

    def __init__(
        self,
        cache: Path,
        server: httpx.AsyncClient,
        room: Room,
        *,
        max_bytes: int,
        executor: Executor | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._cache, self._server, self._room = cache, server, room
        self._max_bytes, self._executor, self._rng = max_bytes, executor, rng or random.Random()

    async def fetch(self, url: str, sha256: str, landing: Partial) -> Path:
        """The verified archive; without a digest whatever the URL gives. A break is no failure while the download gets
        on. Raises ArtifactFailure.

        At most one call may use a landing. What a failure or a cancellation leaves there stays if it can be gone on
        with.
        """
        try:
            while True:
                before = landing.size()
                try:
                    return await self._try(url, sha256, landing)
                except Unavailable:
                    if landing.origin() is None or landing.size() < before + BLOCK:
                        raise
                await asyncio.sleep(AGAIN.delay(0, self._rng))
        except DiskFull:
            landing.discard()
            raise
        finally:
            if landing.origin() is None:
                landing.discard()

    async def _try(self, url: str, sha256: str, landing: Partial) -> Path:
        try:
            resumed, found = await self._receive(url, sha256, landing)
            if resumed and found != sha256:  # for example after a loss of power: the disk may keep less than we wrote
                landing.discard()
                _, found = await self._receive(url, sha256, landing)
            return await self._keep(url, sha256, found, landing)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # the last for names that are no host's
            raise Unavailable(f"{url}: {str(error) or type(error).__name__}") from error
        except OSError as error:
            raise self._not_written(error, url) from error

    def _not_written(self, error: OSError, url: str) -> ArtifactFailure:
        return self._room.full(url) if is_full(error) else Unavailable(f"{url}: cannot be kept: {error}")

    async def _keep(self, url: str, sha256: str, found: str, landing: Partial) -> Path:
        if sha256 and found != sha256:
            landing.discard()
            raise Corrupt(f"{url}: its SHA-256 is {found}, not {sha256}")
        landing.archive = self._cache / f"{found}.zip"
        await self._in_thread(lambda: self._room.undisturbed(landing.complete))
        return landing.archive

    async def _receive(self, url: str, sha256: str, landing: Partial) -> tuple[bool, str]:
        """Bring all bytes into the landing's file and to the disk; returns whether some were there before, and the
        digest of the whole."""
        rest = await self._in_thread(lambda: self._room.undisturbed(lambda: _rest(url, landing)))
        if rest is not None and rest.offset == rest.size:
            return True, await self._in_thread(lambda: _digest(landing.path))
        async with sources.opened(self._server, url, rest) as response:
            if response.status_code != httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                return await self._receive_from(response, url, sha256, landing, rest)
        landing.discard()  # it is shorter than what is here
        return await self._receive(url, sha256, landing)

    async def _receive_from(
        self, response: httpx.Response, url: str, sha256: str, landing: Partial, rest: Rest | None
    ) -> tuple[bool, str]:
        offset = rest.offset if rest and response.status_code == httpx.codes.PARTIAL_CONTENT else 0
        if offset and sources.begins_at(response) != offset:
            landing.discard()
            raise Unavailable(f"{url}: the server answered another range than it was asked for")
        size = sources.size_of(response, offset)
        self._check_size(url, size or 0, landing)
        if not offset:
            tag = sources.validator(response) if sha256 else ""
            await self._in_thread(lambda: landing.begin(Origin(url, tag, size) if tag else None))
        await self._in_thread(lambda: self._room.ensure((size or 0) - offset, url))
        with landing.path.open("r+b") as file:
            sink = _Sink(file)
            await self._in_thread(sink.recall)
            await self._pour(response, sink, url, landing)
            await self._in_thread(sink.sync)
        return offset > 0, sink.digest.hexdigest()

    async def _pour(self, response: httpx.Response, sink: "_Sink", url: str, landing: Partial) -> None:
        """Write the body; what came before a break is written too."""
        gathered = bytearray()
        try:
            async for chunk in response.aiter_bytes():
                gathered += chunk
                self._check_size(url, sink.size + len(gathered), landing)
                if len(gathered) >= BLOCK:
                    block, gathered = bytes(gathered), bytearray()
                    await self._in_thread(partial(sink.write, block))
        except (httpx.HTTPError, asyncio.CancelledError):
            with suppress(OSError):
                sink.write(bytes(gathered))
            raise
        await self._in_thread(partial(sink.write, bytes(gathered)))

    def _check_size(self, url: str, size: int, landing: Partial) -> None:
        if size > self._max_bytes:
            landing.discard()
            raise Invalid(f"{url}: is larger than {self._max_bytes} bytes, the agent's --max-artifact-bytes")

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await in_thread(self._executor, work)


class _Sink:
    """A file that is hashed as it grows. All methods block."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest, self.size = file, hashlib.sha256(), 0

    def recall(self) -> None:
        """Hash what is there, and go on behind it."""
        while block := self._file.read(BLOCK):
            self.digest.update(block)
            self.size += len(block)

    def write(self, block: bytes) -> None:
        """Append."""
        self.digest.update(block)
        self._file.write(block)
        self.size += len(block)

    def sync(self) -> None:
        """Bring all of it to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())


def _digest(path: Path) -> str:
    """The digest of a file, which is brought to the disk."""
    with path.open("r+b") as file:
        sink = _Sink(file)
        sink.recall()
        sink.sync()
    return sink.digest.hexdigest()


def _rest(url: str, landing: Partial) -> Rest | None:
    """What is still missing, if some of it is here and comes from there."""
    origin, size = landing.origin(), landing.size()
    if not size or origin is None or origin.url != url:
        return None
    return Rest(size, origin.validator, origin.size)


def is_archive(path: Path) -> bool:
    """Whether the file in the cache is the archive that its name says. Blocks; raises OSError."""
    return _digest(path) == path.stem
