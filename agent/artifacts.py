"""Archives by digest: each is downloaded once, however many wait for it, and counts only when verified.

A download goes to a file of its own and gets its name when its digest is right and its bytes are on disk,
so that whatever carries a digest's name is that archive. The API server's token goes to the API server
alone.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx

from apiserver.client.trust import trust

MAX_BYTES = 1 << 30
CACHE_BYTES = 8 << 30
"""How much the cache keeps; beyond it the archives used longest ago go. Instances have their own copies."""

TOTAL_SECONDS = 1800.0
"""A download that takes longer has failed, however steadily it drips."""

READ_SECONDS = 30.0
MAX_REDIRECTS = 5
BLOCK = 1 << 20
"""Bytes that are gathered before a thread hashes and writes them."""


class Unavailable(Exception):
    """The archive could not be fetched; later it may be."""


class Corrupt(Exception):
    """What was fetched is not the archive that was asked for."""


@dataclass
class _Download:
    """A download under way, and how many wait for it."""

    task: asyncio.Task[Path]
    waiting: int = 0


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
    ) -> None:
        self._cache, self._server, self._executor = cache, server, executor
        self._max_bytes, self._cache_bytes, self._total_seconds = max_bytes, cache_bytes, total_seconds
        self._slots = asyncio.Semaphore(concurrency)
        self._downloads: dict[str, _Download] = {}

    def cached(self, sha256: str) -> Path | None:
        """The verified archive, if it is here."""
        path = self._cache / f"{sha256}.zip"
        return path if sha256 and path.exists() else None

    async def obtain(self, url: str, sha256: str) -> Path:
        """The verified archive, fetched if it is not here; without a digest whatever the URL gives now. Raises
        Unavailable, Corrupt.

        Concurrent calls for a digest share one download, which ends when the last of them is cancelled.
        """
        if path := self.cached(sha256):
            os.utime(path)
            return path
        what = sha256 or url
        download = self._downloads.get(what)
        if download is None:
            download = self._downloads[what] = _Download(asyncio.create_task(self._download(url, sha256)))
            download.task.add_done_callback(lambda _: self._forget(what, download))
        download.waiting += 1
        try:
            return await asyncio.shield(download.task)
        finally:
            download.waiting -= 1
            if not download.waiting and not download.task.done():
                self._forget(what, download)
                download.task.cancel()

    def _forget(self, what: str, download: _Download) -> None:
        """Drop a download that is over, but not the one that may have followed it."""
        if self._downloads.get(what) is download:
            del self._downloads[what]

    async def _download(self, url: str, sha256: str) -> Path:
        try:
            async with self._slots, asyncio.timeout(self._total_seconds):
                return await self._fetch(url, sha256)
        except TimeoutError as error:
            raise Unavailable(f"{url}: took more than {self._total_seconds:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # the last for names that are no host's
            raise Unavailable(f"{url}: {str(error) or type(error).__name__}") from error
        except OSError as error:
            raise Unavailable(f"{url}: cannot be kept: {error}") from error

    async def _fetch(self, url: str, sha256: str) -> Path:
        with _scratch(self._cache) as (scratch, file):
            async with self._opened(url) as response:
                found = await self._receive(response, file, url)
            if sha256 and found != sha256:
                raise Corrupt(f"{url}: its SHA-256 is {found}, not {sha256}")
            await self._in_thread(lambda: os.fsync(file.fileno()))
            path = scratch.replace(self._cache / f"{found}.zip")
        await self._in_thread(lambda: evict(self._cache, keep=path, max_bytes=self._cache_bytes))
        return path

    async def _receive(self, response: httpx.Response, file: BinaryIO, url: str) -> str:
        """Write the body to the file; returns its digest. Raises Unavailable above the size limit."""
        digest, gathered, size = hashlib.sha256(), bytearray(), 0

        def flush(block: bytes) -> None:
            digest.update(block)
            file.write(block)

        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > self._max_bytes:
                raise Unavailable(f"{url}: is larger than {self._max_bytes} bytes, the agent's --max-artifact-bytes")
            gathered += chunk
            if len(gathered) >= BLOCK:
                await self._in_thread(partial(flush, bytes(gathered)))
                gathered.clear()
        await self._in_thread(partial(flush, bytes(gathered)))
        file.flush()
        return digest.hexdigest()

    @asynccontextmanager
    async def _opened(self, url: str) -> AsyncIterator[httpx.Response]:
        """A successful streamed answer. Raises Unavailable."""
        own = _is_own(url, self._server.base_url)
        if own:
            async with self._server.stream("GET", url, timeout=READ_SECONDS) as response:
                yield _checked(response, url)
            return
        headers = {"accept-encoding": "identity"}
        async with httpx.AsyncClient(
            headers=headers, timeout=READ_SECONDS, trust_env=False, verify=trust(url)
        ) as outside:
            for _ in range(MAX_REDIRECTS + 1):
                async with outside.stream("GET", url) as response:
                    if response.next_request is None:
                        yield _checked(response, url)
                        return
                    url = _redirected(url, response.headers["location"])
        raise Unavailable(f"{url}: more than {MAX_REDIRECTS} redirects")

    async def _in_thread(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._executor, work)


def evict(cache: Path, *, keep: Path, max_bytes: int) -> None:
    """Delete the archives used longest ago, until what is left, ``keep`` always, has at most ``max_bytes``."""
    found = [(path.stat(), path) for path in cache.glob("*.zip") if path != keep]
    kept = keep.stat().st_size
    for info, path in sorted(found, key=lambda item: item[0].st_mtime_ns, reverse=True):
        kept += info.st_size
        if kept > max_bytes:
            path.unlink(missing_ok=True)


@contextmanager
def _scratch(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A file that vanishes at the end of the block, unless it has got another name by then."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix="download.tmp-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield Path(name), file
    finally:
        Path(name).unlink(missing_ok=True)


def _is_own(url: str, server: httpx.URL) -> bool:
    """Whether the URL is on our server. Raises Unavailable for what is no URL we fetch."""
    if url.startswith("/") and not url.startswith("//"):
        return True
    parts = _parts(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unavailable(f"{url}: is neither a path of the server nor an http(s) URL")
    there = httpx.URL(url)
    return (there.scheme, there.host, there.port) == (server.scheme, server.host, server.port)


def _parts(url: str) -> SplitResult:
    """The parts of a URL whose port can be one: sockets fail otherwise, and in no way that HTTP clients foresee. Raises
    ValueError."""
    parts = urlsplit(url)
    _ = parts.port
    return parts


def _redirected(url: str, location: str) -> str:
    target = urljoin(url, location)
    if _parts(target).scheme != urlsplit(url).scheme:
        raise Unavailable(f"{url}: redirects to another scheme: {target}")
    return target


def _checked(response: httpx.Response, url: str) -> httpx.Response:
    if response.status_code != httpx.codes.OK:
        raise Unavailable(f"{url}: the server answered {response.status_code} {response.reason_phrase}")
    return response
