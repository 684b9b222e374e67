"""The cluster in memory, with its faults, and the verbs of its clients."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from apiserver.api.errors import ApiError, BadRequest, Conflict, Expired
from apiserver.api.machinery import writes
from apiserver.api.machinery.decode import decode
from apiserver.api.machinery.documents import Document
from apiserver.api.machinery.patches import json_patch, merge_patch
from apiserver.api.meta import Body, ResourceT
from apiserver.api.scheme import SCHEME, Kind
from apiserver.api.selectors import parse_fields, parse_labels
from apiserver.client.interface import EventType, Page, Propagation, WatchEvent
from apiserver.client.testing.state import Selection, State, details, key_of

BOOKMARK_SECONDS = 30.0
_FINALIZERS: dict[Propagation, tuple[str, ...]] = {
    "Background": (),
    "Foreground": (writes.FOREGROUND,),
    "Orphan": (writes.ORPHAN,),
}


class MemoryCluster(State):
    """What several clients share, and the faults that a test lets happen."""

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC), seed: int = 0) -> None:
        """``now`` is the server's time; ``seed`` determines uids and generated names."""
        super().__init__(now=now, seed=seed)
        self.cuts = 0
        self._faults: deque[ApiError] = deque()

    def client(self, manager: str, *, fence: Callable[[], str] | None = None) -> "MemoryClient":
        """A client whose writes carry that field manager, and the fence if there is one."""
        return MemoryClient(manager=manager, cluster=self, fence=fence)

    def fail_next(self, count: int, error: ApiError) -> None:
        """Let the next ``count`` requests, of any client, raise the error and change nothing."""
        self._faults.extend([error] * count)

    def recover(self) -> None:
        """Let no further request fail."""
        self._faults.clear()

    def cut_watches(self) -> None:
        """End every open watch, as a server that restarts does."""
        self.cuts += 1
        self.wake()

    async def begin(self) -> None:
        """What every request goes through: others may run, and it may fail."""
        await asyncio.sleep(0)
        if self._faults:
            raise self._faults.popleft()


class MemoryClient:
    """A client of a cluster of its own, or of a shared one; see ``interface.Client``."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        manager: str = "test",
        cluster: MemoryCluster | None = None,
        fence: Callable[[], str] | None = None,
    ) -> None:
        """``now`` counts only without a ``cluster``, which has its own."""
        self.cluster = cluster or MemoryCluster(now=now)
        self.manager = manager
        self._fence = fence

    async def get(self, kind: type[ResourceT], name: str, *, namespace: str = "") -> ResourceT:
        """See ``interface.Client``."""
        await self.cluster.begin()
        entry, namespace = _target(kind, namespace)
        return kind.from_body(self.cluster.get(entry, namespace, name))

    async def list(
        self,
        kind: type[ResourceT],
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        limit: int = 0,
        continue_token: str = "",
    ) -> Page[ResourceT]:
        """See ``interface.Client``."""
        await self.cluster.begin()
        version, after = self.cluster.version, ("", "")
        if continue_token:
            version, *rest = orjson.loads(continue_token)
            after = (rest[0], rest[1])
            if version < self.cluster.floor:
                raise Expired("The provided continue parameter is too old; list again.")
        found = [*self.cluster.select(_selection(kind, namespace, labels, fields), after)]
        cut = limit or len(found)
        token = orjson.dumps([version, *key_of(found[cut - 1])]).decode() if len(found) > cut else ""
        return Page(tuple(kind.from_body(body) for body in found[:cut]), str(version), token)

    async def watch(
        self,
        kind: type[ResourceT],
        *,
        resource_version: str,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        timeout: float = 300.0,
    ) -> AsyncGenerator[WatchEvent[ResourceT], None]:
        """See ``interface.Client``."""
        cluster = self.cluster
        await cluster.begin()
        selection = _selection(kind, namespace, labels, fields)
        cuts, since = cluster.cuts, int(resource_version or 0)
        if since:
            cluster.check_watch(since)
        else:
            since = cluster.version
            for body in [*cluster.select(selection)]:
                yield _event(kind, "ADDED", body)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while cluster.cuts == cuts:
            changed = cluster.changed
            cluster.check_watch(since)
            for change in [change for change in cluster.history if change.version > since]:
                since = change.version
                if event_type := selection.view(change):
                    yield _event(kind, event_type, change.after)
            if since < cluster.version:
                continue
            if (left := deadline - loop.time()) <= 0:
                return
            try:
                async with asyncio.timeout(min(left, BOOKMARK_SECONDS)):
                    await changed.wait()
            except TimeoutError:
                yield WatchEvent("BOOKMARK", str(since))

    async def create(self, obj: ResourceT) -> ResourceT:
        """See ``interface.Client``."""
        await self._begin_write()
        kind, namespace = _target(type(obj), obj.metadata.namespace or "")
        body = _decoded(kind, obj.to_body(), namespace, obj.metadata.name)
        self.cluster.settle_name(kind, body)
        new = writes.create(kind, body, self.cluster.context(self.manager))
        return type(obj).from_body(self.cluster.store(kind, None, new))

    async def apply(
        self,
        kind: type[ResourceT],
        name: str,
        config: Body,
        *,
        namespace: str = "",
        subresource: str = "",
        force: bool = True,
    ) -> ResourceT:
        """See ``interface.Client``."""
        await self._begin_write()
        entry, namespace = _target(kind, namespace)
        body = _decoded(entry, dict(config, apiVersion=entry.api_version, kind=entry.name), namespace, name)
        find = self.cluster.get if subresource else self.cluster.find
        old = find(entry, namespace, name)
        context = self.cluster.context(self.manager)
        new = writes.apply(entry, old, body, context, force=force, subresource=subresource)
        if old is None:
            self.cluster.admit(entry, namespace)
        return kind.from_body(self.cluster.store(entry, old, new))

    async def patch(
        self,
        kind: type[ResourceT],
        name: str,
        patch: Body | Sequence[dict[str, Any]],
        *,
        namespace: str = "",
        subresource: str = "",
    ) -> ResourceT:
        """See ``interface.Client``."""
        await self._begin_write()
        entry, namespace = _target(kind, namespace)
        old = self.cluster.get(entry, namespace, name)
        change = orjson.loads(orjson.dumps(patch))
        patched = merge_patch(old, change) if isinstance(patch, dict) else json_patch(old, change)
        body = _decoded(entry, patched, namespace, name)
        new = writes.update(entry, old, body, self.cluster.context(self.manager), subresource=subresource)
        return kind.from_body(self.cluster.store(entry, old, new))

    async def delete(
        self,
        kind: type[ResourceT],
        name: str,
        *,
        namespace: str = "",
        propagation: Propagation = "Background",
        uid: str = "",
        version: str = "",
    ) -> None:
        """See ``interface.Client``."""
        await self._begin_write()
        entry, namespace = _target(kind, namespace)
        old = self.cluster.get(entry, namespace, name)
        for field, wanted, have in (
            ("UID", uid, old["metadata"]["uid"]),
            ("ResourceVersion", version, old["metadata"]["resourceVersion"]),
        ):
            if wanted and wanted != have:
                raise Conflict(
                    f'Operation cannot be fulfilled on {entry.resource} "{name}": Precondition failed: '
                    f"{field} in precondition: {wanted}, {field} in object meta: {have}",
                    details=details(entry, name),
                )
        context = self.cluster.context(self.manager)
        marked = writes.begin_delete(entry, old, context, finalizers=_FINALIZERS[propagation])
        if marked is None:
            self.cluster.commit(entry, old, old, gone=True)
        else:
            self.cluster.store(entry, old, marked)

    async def _begin_write(self) -> None:
        fence = self._fence() if self._fence is not None else None
        await self.cluster.begin()
        if fence is not None:
            self.cluster.check_fence(fence)


def _target(kind: type[ResourceT], namespace: str) -> tuple[Kind, str]:
    entry = SCHEME.of_model(kind)
    return entry, (namespace or "default") if entry.namespaced else ""


def _selection(kind: type[ResourceT], namespace: str, labels: str, fields: str) -> Selection:
    entry = SCHEME.of_model(kind)
    return Selection(
        entry, namespace if entry.namespaced else "", parse_labels(labels), parse_fields(fields, entry.fields)
    )


def _decoded(kind: Kind, body: Body, namespace: str, name: str) -> Body:
    """A fresh, canonical copy under the namespace and name of the request. Raises BadRequest, Invalid."""
    decoded, _ = decode(kind, Document(orjson.loads(orjson.dumps(body)), ()), "Warn")
    metadata = decoded["metadata"]
    if metadata.setdefault("name", name) != name:
        raise BadRequest(f"the name of the object ({metadata['name']}) does not match the one asked for ({name})")
    if not kind.namespaced:
        metadata.pop("namespace", None)
    elif metadata.setdefault("namespace", namespace) != namespace:
        raise BadRequest(
            f"the namespace of the provided object ({metadata['namespace']}) does not match "
            f"the namespace sent on the request ({namespace})"
        )
    return decoded


def _event(kind: type[ResourceT], event_type: EventType, body: Body) -> WatchEvent[ResourceT]:
    return WatchEvent(event_type, body["metadata"]["resourceVersion"], kind.from_body(body))
