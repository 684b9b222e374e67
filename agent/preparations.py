"""An instance's folder, ready to start in: the archive is obtained, then unpacked in a thread of its own pool,
so that a slow disk or download delays neither starts nor stops."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from agent import unpack
from agent.artifacts import Artifacts, Corrupt, Unavailable
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
            archive = await self._artifacts.obtain(template.artifact_url, template.sha256)
            await self._unpack(archive, app)
        except (Corrupt, unpack.Refused) as error:
            raise NotPrepared("ArtifactCorrupt", str(error)) from error
        except Unavailable as error:
            raise NotPrepared("ArtifactUnavailable", str(error)) from error
        except OSError as error:
            raise NotPrepared("UnpackFailed", f"cannot unpack: {error}") from error

    async def _unpack(self, archive: Path, app: Path) -> None:
        abandoned = threading.Event()

        def work() -> None:
            unpack.unpack(archive, app, limits=self._limits, abandoned=abandoned)

        running = asyncio.get_running_loop().run_in_executor(self._executor, work)
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            abandoned.set()
            await asyncio.wait([running])
            running.exception()
            raise

    def close(self) -> None:
        """End the threads."""
        self._executor.shutdown(wait=False)
