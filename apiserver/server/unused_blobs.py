"""Blobs go with the last App that has their digest, over whatever door that was deleted."""

import asyncio
import logging
from contextlib import aclosing
from pathlib import Path

from apiserver.api.errors import ApiError, Expired
from apiserver.api.kinds.app import APPS
from apiserver.server.blobs import Blobs
from apiserver.server.leases import ACTOR
from apiserver.server.registry import Registry
from apiserver.server.store.following import follow
from apiserver.server.store.snapshot import Filter
from apiserver.server.transaction import Transaction

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""How long after it was held, or the disk refused, a removal is tried again."""


class UnusedBlobs:
    """Removes them. What a server that was killed had still to remove stays."""

    def __init__(self, registry: Registry, blobs: Blobs) -> None:
        self._registry, self._blobs = registry, blobs
        self._due: set[str] = set()
        """Digests that an App had which is gone."""

    async def run(self) -> None:
        """Follow the deletions of Apps until the server ends."""
        store = self._registry.store
        version = store.version
        while not store.watchers.is_ended:
            try:
                batches = follow(store, [Filter(APPS)], version, idle=RETRY_SECONDS)
                async with aclosing(batches) as found:  # type: ignore[type-var]
                    async for batch in found:
                        version = batch.version
                        gone = (one.event.slot for one in batch.deliveries if one.type == "DELETED")
                        await self._remove_all({*self._due, *(str(slot.parse()["spec"]["sha256"]) for slot in gone)})
            except Expired:
                version = store.version
            except ApiError as error:
                log.warning("the deletions of apps cannot be followed, trying again: %s", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _remove_all(self, digests: set[str]) -> None:
        for sha256 in digests:
            try:
                await self.remove(sha256)
            except ApiError as error:
                log.warning(
                    "the artifact %s is not needed any more and was not removed, trying again: %s", sha256, error
                )

    async def remove(self, sha256: str) -> None:
        """Remove the blob unless an App has its digest; where an upload or a backup holds it, as soon as it is free.
        Durable when it returns. Raises ServiceUnavailable where the disk refuses; it is tried again then too."""
        self._due.add(sha256)
        # In a turn of its own, after the commit: no new App with the digest can come in between.
        doomed = await self._registry.transact(lambda txn: self._withdraw(txn, sha256), ACTOR)
        if doomed is not None:
            await self._blobs.dispose(doomed)

    def _withdraw(self, txn: Transaction, sha256: str) -> Path | None:
        digest = sha256.encode()
        is_used = any(digest in slot.body for slot in txn.select(Filter(APPS)))
        doomed = None if is_used else self._blobs.withdraw(sha256)
        if is_used or not self._blobs.has(sha256):
            self._due.discard(sha256)
        return doomed
