"""The in-memory client: an API server in a few dictionaries, under the same conformance suite as the real
one. For tests of programs; it has faults to inject and no durability.

It runs on the same pure pipeline as the server (``apiserver.api.machinery``). What the server does in the
background (lease expiry) and its rules between kinds (a node in use, an app's archive) are not its duty.
"""

import asyncio
import random
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from apiserver.api.errors import AlreadyExists, ApiError, BadRequest, Conflict, Details, Expired, NotFound, Timeout
from apiserver.api.kinds.namespace import NAMESPACES
from apiserver.api.kinds.node import NODE_LEASES
from apiserver.api.machinery import writes
from apiserver.api.machinery.decode import decode
from apiserver.api.machinery.documents import Document
from apiserver.api.machinery.patches import json_patch, merge_patch
from apiserver.api.meta import Body, ResourceT
from apiserver.api.scheme import SCHEME, Kind
from apiserver.api.selectors import Selector, parse_fields, parse_labels
from apiserver.client.interface import EventType, Page, Propagation, WatchEvent

MAX_HISTORY = 10_000
"""Changes that a watch may be behind."""

BOOKMARK_SECONDS = 30.0
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
_FINALIZERS = {"Background": (), "Foreground": (writes.FOREGROUND,), "Orphan": (writes.ORPHAN,)}

Key = tuple[str, str]


@dataclass(frozen=True)
class _Change:
    """One write: the object before and after it (a deletion's ``after`` is its last state)."""

    version: int
    kind: Kind
    before: Body | None
    after: Body
    gone: bool


@dataclass(frozen=True)
class _Selection:
    """Which objects a list or a watch is about."""

    kind: Kind
    namespace: str
    labels: Selector
    fields: Selector

    def matches(self, body: Body | None) -> bool:
        if body is None or (self.namespace and _key(body)[0] != self.namespace):
            return False
        labels = body["metadata"].get("labels") or {}
        return self.labels.matches(labels) and self.fields.matches(self.kind.field_values(body))

    def view(self, change: _Change) -> EventType | None:
        """What the change is to this watch: entering the selection is ADDED, leaving it DELETED."""
        if change.kind is not self.kind:
            return None
        before = self.matches(change.before)
        if not change.gone and self.matches(change.after):
            return "MODIFIED" if before else "ADDED"
        return "DELETED" if before else None


class MemoryCluster:
    """The state that several clients share: objects, one global version, and a bounded history."""

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC), seed: int = 0) -> None:
        """``now`` is the server's time; ``seed`` determines uids and generated names."""
        self.version, self.floor = 0, 0
        """The version of the last write, and the one from which on history is kept."""
        self._now, self._rng = now, random.Random(seed)
        # Stored as bytes, so that nobody can change what is stored by changing what they got.
        self._objects: dict[str, dict[Key, bytes]] = {kind.resource: {} for kind in SCHEME}
        self._history: deque[_Change] = deque()
        self._changed = asyncio.Event()
        self._faults: deque[ApiError] = deque()
        self._cuts = 0
        for name in ("default", NODE_LEASES):
            body: Body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self._store(NAMESPACES, None, writes.create(NAMESPACES, body, self._context("plum")))

    def client(self, manager: str) -> "MemoryClient":
        """A client whose writes carry that field manager."""
        return MemoryClient(manager=manager, cluster=self)

    def fail_next(self, count: int, error: ApiError) -> None:
        """Let the next ``count`` requests, of any client, raise the error and change nothing."""
        self._faults.extend([error] * count)

    def cut_watches(self) -> None:
        """End every open watch, as a server that restarts does."""
        self._cuts += 1
        self._wake()

    def compact(self) -> None:
        """Forget all history: a watch from an older version is Expired, and so is every continue token."""
        self.floor = self.version
        self._history.clear()

    async def _begin(self) -> None:
        """What every request goes through: others may run, and it may fail."""
        await asyncio.sleep(0)
        if self._faults:
            raise self._faults.popleft()

    def _context(self, manager: str) -> writes.Context:
        return writes.Context(self._now(), manager, lambda: str(UUID(int=self._rng.getrandbits(128), version=4)))

    def _find(self, kind: Kind, namespace: str, name: str) -> Body | None:
        raw = self._objects[kind.resource].get((namespace, name))
        return orjson.loads(raw) if raw is not None else None

    def _get(self, kind: Kind, namespace: str, name: str) -> Body:
        body = self._find(kind, namespace, name)
        if body is None:
            raise NotFound(f'{kind.resource} "{name}" not found', details=_details(kind, name))
        return body

    def _select(self, selection: _Selection, after: Key = ("", "")) -> Iterable[Body]:
        objects = self._objects[selection.kind.resource]
        for key in sorted(key for key in objects if key > after):
            body = orjson.loads(objects[key])
            if selection.matches(body):
                yield body

    def _name(self, kind: Kind, body: Body) -> None:
        """Settle the name of a new object in place. Raises AlreadyExists, NotFound (its namespace)."""
        metadata = body["metadata"]
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + "".join(self._rng.choices(_SUFFIX, k=5))
        namespace, name = _key(body)
        if self._find(kind, namespace, name) is not None:
            raise AlreadyExists(f'{kind.resource} "{name}" already exists', details=_details(kind, name))
        self._admit(kind, namespace)

    def _admit(self, kind: Kind, namespace: str) -> None:
        if kind.namespaced and self._find(NAMESPACES, "", namespace) is None:
            raise NotFound(f'namespaces "{namespace}" not found', details=_details(NAMESPACES, namespace))

    def _store(self, kind: Kind, before: Body | None, after: Body) -> Body:
        """Persist the outcome of a write, unless it changes nothing; the object as it is now."""
        if before is not None and writes.same(before, after):
            return before
        return self._commit(kind, before, after, gone=writes.is_gone(after))

    def _commit(self, kind: Kind, before: Body | None, after: Body, *, gone: bool) -> Body:
        self.version += 1
        after = dict(after, metadata=dict(after["metadata"], resourceVersion=str(self.version)))
        if gone:
            self._objects[kind.resource].pop(_key(after), None)
        else:
            self._objects[kind.resource][_key(after)] = orjson.dumps(after)
        self._history.append(_Change(self.version, kind, before, after, gone))
        while len(self._history) > MAX_HISTORY:
            self.floor = self._history.popleft().version
        self._wake()
        return after

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _check_watch(self, version: int) -> None:
        if version < self.floor:
            raise Expired(f"too old resource version: {version} ({self.floor})")
        if version > self.version:
            raise Timeout(f"Too large resource version: {version}, current: {self.version}")


class MemoryClient:
    """A client of a cluster of its own, or of a shared one; see ``interface.Client``."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        manager: str = "test",
        cluster: MemoryCluster | None = None,
    ) -> None:
        """``now`` counts only without a ``cluster``, which has its own."""
        self.cluster = cluster or MemoryCluster(now=now)
        self.manager = manager

    async def get(self, kind: type[ResourceT], name: str, *, namespace: str = "") -> ResourceT:
        """See ``interface.Client``."""
        await self.cluster._begin()
        entry, namespace = _target(kind, namespace)
        return kind.from_body(self.cluster._get(entry, namespace, name))

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
        await self.cluster._begin()
        version, after = self.cluster.version, ("", "")
        if continue_token:
            version, *rest = orjson.loads(continue_token)
            after = (rest[0], rest[1])
            if version < self.cluster.floor:
                raise Expired("The provided continue parameter is too old; list again.")
        found = [*self.cluster._select(_selection(kind, namespace, labels, fields), after)]
        cut = limit or len(found)
        token = orjson.dumps([version, *_key(found[cut - 1])]).decode() if len(found) > cut else ""
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
        await cluster._begin()
        selection = _selection(kind, namespace, labels, fields)
        cuts, since = cluster._cuts, int(resource_version or 0)
        if since:
            cluster._check_watch(since)
        else:
            since = cluster.version
            for body in [*cluster._select(selection)]:
                yield _event(kind, "ADDED", body)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while cluster._cuts == cuts:
            changed = cluster._changed
            cluster._check_watch(since)
            for change in [change for change in cluster._history if change.version > since]:
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
        await self.cluster._begin()
        kind, namespace = _target(type(obj), obj.metadata.namespace or "")
        body = _decoded(kind, obj.to_body(), namespace, obj.metadata.name)
        self.cluster._name(kind, body)
        new = writes.create(kind, body, self.cluster._context(self.manager))
        return type(obj).from_body(self.cluster._store(kind, None, new))

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
        await self.cluster._begin()
        entry, namespace = _target(kind, namespace)
        config = dict(config, apiVersion=entry.api_version, kind=entry.name)
        body = _decoded(entry, config, namespace, name)
        if subresource:
            old: Body | None = self.cluster._get(entry, namespace, name)
        else:
            old = self.cluster._find(entry, namespace, name)
        context = self.cluster._context(self.manager)
        new = writes.apply(entry, old, body, context, force=force, subresource=subresource)
        if old is None:
            self.cluster._admit(entry, namespace)
        return kind.from_body(self.cluster._store(entry, old, new))

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
        await self.cluster._begin()
        entry, namespace = _target(kind, namespace)
        old = self.cluster._get(entry, namespace, name)
        change = orjson.loads(orjson.dumps(patch))
        base = self.cluster._get(entry, namespace, name)
        patched = merge_patch(base, change) if isinstance(patch, dict) else json_patch(base, change)
        body = _decoded(entry, patched, namespace, name)
        new = writes.update(entry, old, body, self.cluster._context(self.manager), subresource=subresource)
        return kind.from_body(self.cluster._store(entry, old, new))

    async def delete(
        self,
        kind: type[ResourceT],
        name: str,
        *,
        namespace: str = "",
        propagation: Propagation = "Background",
        uid: str = "",
    ) -> None:
        """See ``interface.Client``."""
        await self.cluster._begin()
        entry, namespace = _target(kind, namespace)
        old = self.cluster._get(entry, namespace, name)
        if uid and uid != old["metadata"]["uid"]:
            raise Conflict(
                f'Operation cannot be fulfilled on {entry.resource} "{name}": Precondition failed: '
                f"UID in precondition: {uid}, UID in object meta: {old['metadata']['uid']}",
                details=_details(entry, name),
            )
        context = self.cluster._context(self.manager)
        marked = writes.begin_delete(entry, old, context, finalizers=_FINALIZERS[propagation])
        if marked is None:
            self.cluster._commit(entry, old, old, gone=True)
        else:
            self.cluster._store(entry, old, marked)


def _target(kind: type[ResourceT], namespace: str) -> tuple[Kind, str]:
    entry = SCHEME.of_model(kind)
    return entry, (namespace or "default") if entry.namespaced else ""


def _selection(kind: type[ResourceT], namespace: str, labels: str, fields: str) -> _Selection:
    entry = SCHEME.of_model(kind)
    return _Selection(
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


def _key(body: Body) -> Key:
    return body["metadata"].get("namespace") or "", body["metadata"]["name"]


def _event(kind: type[ResourceT], event_type: EventType, body: Body) -> WatchEvent[ResourceT]:
    return WatchEvent(event_type, body["metadata"]["resourceVersion"], kind.from_body(body))


def _details(kind: Kind, name: str) -> Details:
    return Details(name=name, group=kind.group, kind=kind.plural)
