"""An instance's folder, ready to start in: the archive is obtained, then unpacked in a thread of its own pool,
so that a slow disk or download delays neither starts nor stops."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from agent import unpack
from agent.artifact_failures import ArtifactFailure, Invalid
from agent.artifacts import Artifacts
from agent.files import is_full
from agent.threads import in_thread
from apiserver.api.kinds.assignment import Template


class NotPrepared(Exception):
    """The folder could not be made; ``reason`` is a CamelCase word for programs."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Preparer(Protocol):
    """Makes folders to start in."""

    async def prepare(self, template: Template, app: Path) -> None:
        """Make the folder ``app`` from the template's artifact; one that exists is ready. Raises NotPrepared.

        When this is cancelled it returns only after nobody writes there any more.
        """
        ...


class ArchivePreparer:
    """Unpacks archives, at most ``concurrency`` at a time."""

    def __init__(
        self, artifacts: Artifacts, *, limits: unpack.Limits = unpack.DEFAULT_LIMITS, concurrency: int = 4
    ) -> None:
        self._artifacts, self._limits = artifacts, limits
        self._executor = ThreadPoolExecutor(concurrency, thread_name_prefix="unpack")

    async def prepare(self, template: Template, app: Path) -> None:
        """See ``Preparer.prepare``."""
        if await asyncio.to_thread(app.exists):
            return  # whatever has become of the archive
        try:
            await self._make(template, app)
        except ArtifactFailure as error:
            raise NotPrepared(error.reason, str(error)) from error
        except unpack.Refused as error:
            raise NotPrepared(Invalid.reason, str(error)) from error
        except OSError as error:
            raise NotPrepared("UnpackFailed", f"cannot unpack: {error}") from error

    async def _make(self, template: Template, app: Path) -> None:
        """An archive that cannot be unpacked may have been damaged where it lies: then it is fetched anew, once."""
        url, sha256 = template.artifact_url, template.sha256
        async with self._artifacts.held(url, sha256) as archive:
            try:
                return await self._unpack(archive, app)
            except unpack.Refused:
                if not await self._artifacts.renew(archive):
                    raise
        async with self._artifacts.held(url, sha256) as archive:
            await self._unpack(archive, app)

    async def _unpack(self, archive: Path, app: Path) -> None:
        abandoned, room = threading.Event(), self._artifacts.room
        what = f"unpacking {archive.name}"

        def work() -> None:
            unpack.unpack(
                archive, app, limits=self._limits, abandoned=abandoned, ensure=lambda size: room.ensure(size, what)
            )

        try:
            await in_thread(self._executor, work, abandon=abandoned.set)
        except OSError as error:
            if is_full(error):
                raise room.full(what) from error
            raise

    def close(self) -> None:
        """End the threads."""
        self._executor.shutdown(wait=False)
