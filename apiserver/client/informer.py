"""List, then watch, into an indexed local cache: how a program knows a collection without asking.

A missed event costs time, never correctness. A broken stream is resumed from the last version that is
certainly complete; where the server has forgotten that version, the collection is listed again and handlers
get the difference, so that cache and handlers always agree.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Generic

from apiserver.api.errors import ApiError, Expired, Timeout
from apiserver.api.meta import ResourceT
from apiserver.client.backoff import Backoff
from apiserver.client.cache import Cache, Indexers, Key
from apiserver.client.interface import Client, WatchEvent

log = logging.getLogger(__name__)

Handler = Callable[[ResourceT | None, ResourceT | None], None]
"""Gets what an object was and what it is: ``(None, new)`` added, ``(old, new)`` changed, ``(old, None)`` gone."""

PAGE_SIZE = 500
RETRY = Backoff(base=0.2, cap=10.0)


class Informer(Generic[ResourceT]):
    """A local copy of the objects that a selector finds, kept up to date while ``run`` runs."""

    def __init__(
        self,
        client: Client,
        kind: type[ResourceT],
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        indexes: Indexers[ResourceT] | None = None,
        managed_fields: bool = True,
        page_size: int = PAGE_SIZE,
        backoff: Backoff = RETRY,
        rng: random.Random | None = None,
    ) -> None:
        """``indexes`` maps the name of an index to what yields an object's values in it. Without
        ``managed_fields`` objects come without theirs, and the cache takes half the memory."""
        self.has_synced = asyncio.Event()
        """Set once the first list is in the cache."""
        self.resource_version = 0
        """The version that the cache has reached; 0 before the first list."""
        self.lists = 0
        """How often the collection has been listed: once, and again whenever no stream could go on."""
        self._client, self._kind = client, kind
        self._namespace, self._labels, self._fields = namespace, labels, fields
        self._managed_fields = managed_fields
        self._page_size, self._backoff, self._rng = page_size, backoff, rng or random.Random()
        self._cache = Cache[ResourceT](indexes or {})
        self._handlers: list[Handler[ResourceT]] = []
        self._advanced = asyncio.Event()
        self._resume: int | None = None
        """The last version of which certainly every change has been seen; None: list first. The changes of
        one commit may share a version, so an event makes only the versions before its own complete."""
        self._failures = 0

    def add_handler(self, handler: Handler[ResourceT]) -> None:
        """Call the function on the loop for every object now in the cache and then for every change, in
        order. It must not block; what it raises is logged."""
        self._handlers.append(handler)
        for obj in self._cache.items():
            self._call(handler, None, obj)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Call the handlers that are added inside the block until it ends."""
        before = list(self._handlers)
        try:
            yield
        finally:
            self._handlers = before

    def __len__(self) -> int:
        """How many objects are in the cache."""
        return len(self._cache)

    def get(self, namespace: str, name: str) -> ResourceT | None:
        """One object from the cache; the namespace of cluster-scoped kinds is empty."""
        return self._cache.get((namespace, name))

    def items(self) -> tuple[ResourceT, ...]:
        """All objects in the cache."""
        return self._cache.items()

    def by_index(self, index: str, value: str) -> tuple[ResourceT, ...]:
        """The objects for which the index yields the value."""
        return self._cache.by_index(index, value)

    async def wait_for_version(self, version: int | str, *, timeout: float) -> None:
        """Wait until the cache has reached a version, such as that of a write of one's own.

        Raises TimeoutError after ``timeout`` seconds. A write outside the informer's selector is seen
        only with the next event or bookmark."""
        async with asyncio.timeout(timeout):
            while self.resource_version < int(version):
                self._advanced.clear()
                await self._advanced.wait()

    async def run(self) -> None:
        """Keep the cache up to date until cancelled; every failure is retried with backoff and jitter."""
        while True:
            try:
                if self._resume is None:
                    self._resume = await self._relist()
                await self._follow(self._resume)
                self._failures = 0
            except Exception as error:
                self._note(error)
            # Also after a stream that ended well: one that always ends at once must not spin.
            await asyncio.sleep(self._backoff.delay(self._failures, self._rng))

    def _note(self, error: Exception) -> None:
        """Decide where to go on after a failure, and log the first of a streak."""
        level = logging.DEBUG if self._failures else logging.WARNING
        self._failures += 1
        name = self._kind.__name__
        if isinstance(error, Expired | Timeout) or not isinstance(error, ApiError):
            # Timeout: the server has not reached our version; it may have been restored from a backup.
            self._resume = None
        if isinstance(error, Expired):
            log.info("%s: %s; listing again", name, error)
        elif isinstance(error, ApiError):
            log.log(level, "%s: %s: %s; trying again", name, error.reason, error)
        else:
            log.log(level, "%s: listing again", name, exc_info=error)

    async def _relist(self) -> int:
        """Replace the cache by what the server has, as of the version returned or later. Raises ApiError,
        leaving it as it was."""
        found: dict[Key, ResourceT] = {}
        kept: set[Key] = set()
        token, version = "", 0
        while True:
            page = await self._client.list(
                self._kind,
                namespace=self._namespace,
                labels=self._labels,
                fields=self._fields,
                limit=self._page_size,
                continue_token=token,
            )
            found.update((obj.key, self._cut(obj)) for obj in page.items)
            kept.update(page.skipped)
            version = version or int(page.resource_version)
            token = page.continue_token
            if not token:
                break
        self._replace(found, kept)
        self.lists += 1
        self.resource_version = version
        self._advanced.set()
        self.has_synced.set()
        return version

    def _replace(self, found: dict[Key, ResourceT], kept: set[Key]) -> None:
        """Emit the difference; objects in ``kept`` exist but cannot be read, and stay as they were."""
        for key in self._cache.all_keys():
            if key not in found and key not in kept:
                self._remove(key)
        for obj in found.values():
            old = self._cache.get(obj.key)
            if old is None or old.metadata.resource_version != obj.metadata.resource_version:
                self._put(obj)

    async def _follow(self, version: int) -> None:
        """Take in the changes after a version until the stream ends. Raises ApiError."""
        stream = self._client.watch(
            self._kind,
            resource_version=str(version),
            namespace=self._namespace,
            labels=self._labels,
            fields=self._fields,
        )
        async with aclosing(stream):
            async for event in stream:
                self._failures = 0
                self._take(event)

    def _take(self, event: WatchEvent[ResourceT]) -> None:
        version = int(event.resource_version)
        complete = version if event.object is None else version - 1
        self._resume = max(self._resume or 0, complete)
        if event.object is not None and not self._knows(event.object.key, version):
            if event.type == "DELETED":
                self._remove(event.object.key)
            else:
                self._put(self._cut(event.object))
        self.resource_version = max(self.resource_version, version)
        self._advanced.set()

    def _cut(self, obj: ResourceT) -> ResourceT:
        return obj if self._managed_fields else obj.without_managed_fields()

    def _knows(self, key: Key, version: int) -> bool:
        """Whether the cache is already past an event: the later pages of a list and a resumed stream tell
        some changes again."""
        old = self._cache.get(key)
        return old is not None and int(old.metadata.resource_version or 0) >= version

    def _put(self, obj: ResourceT) -> None:
        old = self._cache.get(obj.key)
        if old is not None and old.metadata.uid != obj.metadata.uid:
            # Deleted and created anew while nobody was looking: two changes, not one.
            self._remove(obj.key)
            old = None
        self._cache.put(obj)
        self._emit(old, obj)

    def _remove(self, key: Key) -> None:
        old = self._cache.get(key)
        if old is not None:
            self._cache.remove(key)
            self._emit(old, None)

    def _emit(self, old: ResourceT | None, new: ResourceT | None) -> None:
        for handler in self._handlers:
            self._call(handler, old, new)

    def _call(self, handler: Handler[ResourceT], old: ResourceT | None, new: ResourceT | None) -> None:
        try:
            handler(old, new)
        except Exception:
            log.exception("%s: a handler failed", self._kind.__name__)
