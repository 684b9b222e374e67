"""Archives by digest: each is downloaded once, however many wait for it, and counts only when verified."""

import asyncio
import logging
import os
import random
import uuid
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from agent import partials
from agent.artifact_failures import Unavailable
from agent.downloads import Downloader, is_archive
from agent.partials import Partial
from agent.room import Room
from agent.threads import in_thread

log = logging.getLogger(__name__)

MAX_BYTES = 1 << 30
CACHE_BYTES = 8 << 30
"""How much the cache keeps; beyond it the archives used longest ago go. Instances have their own copies."""

TOTAL_SECONDS = 1800.0
"""A try at a download that takes longer has failed, however steadily it drips; the next one goes on with it."""

TEND_SECONDS = 60.0
"""How often the cache looks after the disk by itself: apps fill it too."""


@dataclass
class _Use:
    """An archive that is being obtained or used, and by how many. While there are any it is not evicted."""

    task: asyncio.Task[Path]
    landing: Partial
    holders: int = 0

    @property
    def failed(self) -> bool:
        """Whether there is nothing to wait for any more."""
        return self.task.done() and (self.task.cancelled() or self.task.exception() is not None)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that must stay."""
        return self.landing.path, self.landing.archive


class Artifacts:
    """The cache of archives in one folder. ``server`` is the API server's configured HTTP client."""

    def __init__(
        self,
        cache: Path,
        server: httpx.AsyncClient,
        *,
        executor: Executor | None = None,
        max_bytes: int = MAX_BYTES,
        cache_bytes: int = CACHE_BYTES,
        total_seconds: float = TOTAL_SECONDS,
        concurrency: int = 4,
        wanted: Callable[[], Collection[str]] = tuple,
        rng: random.Random | None = None,
    ) -> None:
        """``wanted`` tells the digests that instances here were made from; it is called in threads."""
        self._cache, self._executor, self._rng = cache, executor, rng or random.Random()
        self.room = Room(cache, max_bytes=cache_bytes, spared=self._spared, wanted=wanted)
        self._downloader = Downloader(cache, server, self.room, max_bytes=max_bytes, executor=executor, rng=self._rng)
        self._total_seconds, self._slots = total_seconds, asyncio.Semaphore(concurrency)
        self._uses: dict[str, _Use] = {}

    @asynccontextmanager
    async def held(self, url: str, sha256: str) -> AsyncIterator[Path]:
        """The verified archive, fetched if it is not here; without a digest whatever the URL gives now. It stays until
        the end of the block. Raises ArtifactFailure.

        Concurrent calls for a digest share one download, which ends when the last of them is cancelled.
        """
        use = self._join(url, sha256)
        use.holders += 1
        try:
            yield await asyncio.shield(use.task)
        finally:
            use.holders -= 1
            if not use.holders:
                use.task.cancel()
                self._leave(sha256 or url, use)

    @property
    def idle(self) -> bool:
        """Whether nothing is being obtained or held."""
        return not self._uses

    async def renew(self, archive: Path) -> bool:
        """Look whether a cached archive still is what its name says, and drop it if not; whether it was dropped.

        Raises OSError.
        """
        return await in_thread(self._executor, partial(_drop_damaged, archive))

    async def tend(self) -> None:
        """Keep the cache and the disk within bounds, until cancelled."""
        while True:
            await in_thread(self._executor, self._tidy)
            await asyncio.sleep(TEND_SECONDS * self._rng.uniform(0.5, 1.0))

    def _tidy(self) -> None:
        try:
            self.room.undisturbed(lambda: partials.sweep(self._cache, spared=self._spared()))
            self.room.make()
        except OSError as error:
            log.warning("the cache of archives cannot be tidied: %s", error)

    def _spared(self) -> set[Path]:
        return {path for use in [*self._uses.values()] for path in use.files}

    def _join(self, url: str, sha256: str) -> _Use:
        """The use that is under way, or a new one, which waits for the end of the one before."""
        what = sha256 or url
        use = self._uses.get(what)
        if use is None or use.failed or not use.holders:
            before = use.task if use is not None else None
            landing = Partial(self._cache, sha256 or f"download.tmp-{uuid.uuid4().hex}")
            task = asyncio.create_task(self._provide(url, sha256, landing, before))
            use = self._uses[what] = _Use(task, landing)
        return use

    def _leave(self, what: str, use: _Use) -> None:
        """Drop a use that is over, once it is, but not the one that may have followed it."""

        def drop(task: asyncio.Task[Path]) -> None:
            if self._uses.get(what) is use:
                del self._uses[what]
            if not task.cancelled():
                task.exception()

        use.task.add_done_callback(drop)

    async def _provide(self, url: str, sha256: str, landing: Partial, before: asyncio.Task[Path] | None) -> Path:
        if before is not None:
            await _ended(before)
        archive = landing.archive
        touch = partial(self.room.undisturbed, partial(_touch, archive))
        is_here = await in_thread(self._executor, touch) if sha256 else False
        if is_here:
            return archive
        try:
            async with self._slots, asyncio.timeout(self._total_seconds):
                archive = await self._downloader.fetch(url, sha256, landing)
        except TimeoutError as error:
            raise Unavailable(f"{url}: took more than {self._total_seconds:g} s") from error
        await in_thread(self._executor, self._tidy)
        return archive


def _drop_damaged(archive: Path) -> bool:
    try:
        if is_archive(archive):
            return False
    except FileNotFoundError:
        return True
    archive.unlink(missing_ok=True)
    return True


async def _ended(task: asyncio.Task[Path]) -> None:
    """Wait for a cancelled task to end, also when the waiting is cancelled: both would write to the same file."""
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _touch(archive: Path) -> bool:
    """Note the use of an archive; whether it is here. Blocks."""
    try:
        os.utime(archive)
    except FileNotFoundError:
        return False
    return True
