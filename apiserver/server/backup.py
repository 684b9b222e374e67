"""Backups while the server works: a consistent copy of the database, then one archive out of it.

The copy and all that reads it run in a thread of the backup's own, so that commits go on. Of the artifacts nothing
is copied: they never change.
"""

import asyncio
import hashlib
import shutil
import sqlite3
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from apiserver.api import backups as archive
from apiserver.api.errors import Details, ServiceUnavailable, TooManyRequests
from apiserver.server.blobs import Blobs
from apiserver.server.store.store import Store

SCRATCH = "scratch"
"""The folder in the data directory for what is being made; whoever holds the directory's lock empties it first."""

RESERVE = 64 * 1024 * 1024
"""Bytes of the disk that a backup leaves to the writes that go on meanwhile."""

RETRY_SECONDS = 10


@dataclass(frozen=True)
class Archive:
    """An archive that is ready to be sent. Exists until ``Backups.open`` is left."""

    manifest: archive.Manifest
    length: int
    """Bytes of all of it."""
    _raw: bytes
    _paths: Sequence[Path]
    _thread: Executor

    async def pieces(self) -> AsyncIterator[bytes]:
        """All of it but its end (``backups.END``). Raises OSError where a file cannot be read, or has changed."""
        loop, pieces = asyncio.get_running_loop(), self._pieces()
        while (piece := await loop.run_in_executor(self._thread, next, pieces, None)) is not None:
            yield piece

    def _pieces(self) -> Iterator[bytes]:
        seconds = self.manifest.created.timestamp()
        head = archive.header(archive.MANIFEST, len(self._raw), seconds)
        yield head + self._raw + archive.padding(len(self._raw))
        for member, path in zip(self.manifest.members, self._paths, strict=True):
            yield archive.header(member.name, member.size, seconds)
            with path.open("rb") as file:
                left = member.size
                while left:
                    piece = file.read(min(left, archive.PIECE))
                    if not piece:
                        raise OSError(f"{path} is shorter than it was")
                    left -= len(piece)
                    yield piece
            yield archive.padding(member.size)


class Backups:
    """Makes one archive at a time."""

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        scratch: Path,
        *,
        clock: Callable[[], datetime],
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        """Empties ``scratch``, which holds the copies: what a server that was killed has left there. ``free`` tells
        the free bytes of a folder's disk. Raises OSError."""
        self._store, self._blobs, self._scratch = store, blobs, scratch
        self._clock, self._free = clock, free
        self._one = threading.Lock()
        clear(scratch)
        scratch.mkdir(mode=0o700)

    @asynccontextmanager
    async def open(self, *, artifacts: bool) -> AsyncIterator[Archive]:
        """An archive of everything that is acknowledged by now. The copy is gone when this is left.

        Raises TooManyRequests while there is another one; ServiceUnavailable where there is no room, or the copy
        cannot be made.
        """
        if not self._one.acquire(blocking=False):
            details = Details(retry_after_seconds=RETRY_SECONDS)
            raise TooManyRequests("another backup is being made; try again when it is done", details=details)
        path = self._scratch / f"{uuid.uuid4()}.db"
        thread = ThreadPoolExecutor(1, thread_name_prefix="backup")
        loop = asyncio.get_running_loop()
        try:
            await self._check_room()
            # An App whose deletion is younger than the copy of the database must find its blob in the archive.
            with self._blobs.kept() if artifacts else nullcontext():
                with _told():
                    made = await loop.run_in_executor(thread, self._make, path, artifacts, thread)
                yield made
        finally:
            # Behind what still runs there, should we be cancelled; and in any case.
            done = loop.run_in_executor(thread, self._remove, path)
            thread.shutdown(wait=False)
            await asyncio.shield(done)

    async def _check_room(self) -> None:
        sizes = await self._store.ask(lambda engine: engine.sizes())
        needed, free = sizes.database - sizes.free + RESERVE, self._free(self._scratch)
        if free < needed:
            raise ServiceUnavailable(
                f"no room for a backup: the copy of the database needs {needed} bytes, {RESERVE} of them for writes "
                f"that go on meanwhile, and {free} are free in the data directory"
            )

    def _make(self, path: Path, with_artifacts: bool, thread: Executor) -> Archive:
        created = self._clock()
        self._store.engine.backup(path)
        facts = read_facts(path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        files = [(archive.Member(name=archive.DATABASE, size=path.stat().st_size, sha256=digest), path)]
        # After the copy: an App is stored after its blob.
        files += self._artifacts() if with_artifacts else []
        manifest = archive.Manifest(
            format=archive.FORMAT,
            schema_version=facts.schema_version,
            version=facts.version,
            cluster_id=facts.cluster_id,
            created=created,
            objects=facts.objects,
            members=tuple(member for member, _ in files),
        )
        raw = manifest.to_json()
        return Archive(manifest, archive.length(raw, manifest), raw, [found for _, found in files], thread)

    def _artifacts(self) -> list[tuple[archive.Member, Path]]:
        found = ((digest, self._blobs.path(digest)) for digest in sorted(self._blobs.digests()))
        return [
            (archive.Member(name=archive.ARTIFACTS + digest, size=path.stat().st_size, sha256=digest), path)
            for digest, path in found
            if path is not None
        ]

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
            path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
        finally:
            self._one.release()


@dataclass(frozen=True)
class Facts:
    """What a database says of itself."""

    schema_version: int
    version: int
    cluster_id: str
    objects: int


def read_facts(path: Path) -> Facts:
    """Of a file that nobody writes. Raises sqlite3.Error, KeyError, ValueError for one that is no store's database."""
    # Without a write-ahead log to read none is made either.
    mode = "ro" if path.with_name(f"{path.name}-wal").exists() else "ro&immutable=1"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True)) as database:
        meta = dict(database.execute("SELECT key, value FROM meta"))
        (objects,) = database.execute("SELECT count(*) FROM objects").fetchone()
    return Facts(int(meta["schema_version"]), int(meta["version"]), str(meta["cluster_id"]), objects)


def clear(scratch: Path) -> None:
    """Remove the scratch folder with all that is in it. Raises OSError."""
    if scratch.exists():
        shutil.rmtree(scratch)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise ServiceUnavailable(f"the copy of the database cannot be made: {error}") from error
