"""The state of an in-memory API server: objects, one global version, and a bounded history of changes."""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import orjson

from apiserver.api.errors import AlreadyExists, Details, Expired, Forbidden, NotFound, Timeout
from apiserver.api.kinds.lease import LEASES
from apiserver.api.kinds.namespace import DEFAULT, NAMESPACES, SYSTEM
from apiserver.api.kinds.node import NODE_LEASES
from apiserver.api.machinery import writes
from apiserver.api.machinery.fencing import Fence
from apiserver.api.meta import Body
from apiserver.api.scheme import SCHEME, Kind
from apiserver.api.selectors import Selector
from apiserver.client.interface import EventType

MAX_HISTORY = 10_000
"""Changes that a watch may be behind."""

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"

Key = tuple[str, str]


@dataclass(frozen=True)
class Change:
    """One write: the object before and after it (a deletion's ``after`` is its last state)."""

    version: int
    kind: Kind
    before: Body | None
    after: Body
    gone: bool


@dataclass(frozen=True)
class Selection:
    """Which objects a list or a watch is about."""

    kind: Kind
    namespace: str
    labels: Selector
    fields: Selector

    def matches(self, body: Body | None) -> bool:
        """Whether the object is meant; one that is not there never is."""
        if body is None or (self.namespace and key_of(body)[0] != self.namespace):
            return False
        labels = body["metadata"].get("labels") or {}
        return self.labels.matches(labels) and self.fields.matches(self.kind.field_values(body))

    def view(self, change: Change) -> EventType | None:
        """What the change is to this watch: entering the selection is ADDED, leaving it DELETED."""
        if change.kind is not self.kind:
            return None
        before = self.matches(change.before)
        if not change.gone and self.matches(change.after):
            return "MODIFIED" if before else "ADDED"
        return "DELETED" if before else None


class State:
    """What is stored. Every method is one step: nobody sees a half of it."""

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC), seed: int = 0) -> None:
        """``now`` is the server's time; ``seed`` determines uids and generated names."""
        self.version, self.floor = 0, 0
        """The version of the last write, and the one from which on history is kept."""
        self._now, self._rng = now, random.Random(seed)
        # Stored as bytes, so that nobody can change what is stored by changing what they got.
        self._objects: dict[str, dict[Key, bytes]] = {kind.resource: {} for kind in SCHEME}
        self.history: deque[Change] = deque()
        self.changed = asyncio.Event()
        """Set, and replaced, at the next change."""
        for name in (DEFAULT, NODE_LEASES, SYSTEM):
            body: Body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self.store(NAMESPACES, None, writes.create(NAMESPACES, body, self.context("plum")))

    def compact(self) -> None:
        """Forget all history: a watch from an older version is Expired, and so is every older continue token."""
        self.floor = self.version
        self.history.clear()

    def context(self, manager: str) -> writes.Context:
        """Who writes now."""
        return writes.Context(self._now(), manager, lambda: str(UUID(int=self._rng.getrandbits(128), version=4)))

    def find(self, kind: Kind, namespace: str, name: str) -> Body | None:
        """A copy of the object, if it is there."""
        raw = self._objects[kind.resource].get((namespace, name))
        return cast(Body, orjson.loads(raw)) if raw is not None else None

    def get(self, kind: Kind, namespace: str, name: str) -> Body:
        """A copy of the object. Raises NotFound."""
        body = self.find(kind, namespace, name)
        if body is None:
            raise NotFound(f'{kind.resource} "{name}" not found', details=details(kind, name))
        return body

    def check_fence(self, text: str) -> None:
        """Raises Conflict unless the maker of a write leads, BadRequest."""
        fence = Fence.parse(text)
        fence.check(self.find(LEASES, fence.namespace, fence.name))

    def select(self, selection: Selection, after: Key = ("", "")) -> Iterable[Body]:
        """Copies of the objects that are meant, by namespace and name, from the one after ``after`` on."""
        objects = self._objects[selection.kind.resource]
        for key in sorted(key for key in objects if key > after):
            body = orjson.loads(objects[key])
            if selection.matches(body):
                yield body

    def settle_name(self, kind: Kind, body: Body) -> None:
        """Settle the name of a new object in place. Raises AlreadyExists, NotFound (its namespace)."""
        metadata = body["metadata"]
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + "".join(self._rng.choices(_SUFFIX, k=5))
        namespace, name = key_of(body)
        if self.find(kind, namespace, name) is not None:
            raise AlreadyExists(f'{kind.resource} "{name}" already exists', details=details(kind, name))
        self.admit(kind, namespace)

    def admit(self, kind: Kind, namespace: str) -> None:
        """Raises NotFound where the namespace does not exist, Forbidden where it is being deleted."""
        room = self.find(NAMESPACES, "", namespace) if kind.namespaced else None
        if kind.namespaced and room is None:
            raise NotFound(f'namespaces "{namespace}" not found', details=details(NAMESPACES, namespace))
        if room is not None and writes.is_leaving(room):
            raise Forbidden(f"{kind.resource} is forbidden: namespace {namespace} is being terminated")

    def store(self, kind: Kind, before: Body | None, after: Body) -> Body:
        """Persist the outcome of a write, unless it changes nothing; the object as it is now."""
        if before is not None and writes.same(before, after):
            return before
        return self.commit(kind, before, after, gone=writes.is_gone(kind, after))

    def commit(self, kind: Kind, before: Body | None, after: Body, *, gone: bool) -> Body:
        """Give the object the next version and store or remove it."""
        self.version += 1
        after = dict(after, metadata=dict(after["metadata"], resourceVersion=str(self.version)))
        if gone:
            self._objects[kind.resource].pop(key_of(after), None)
        else:
            self._objects[kind.resource][key_of(after)] = orjson.dumps(after)
        self.history.append(Change(self.version, kind, before, after, gone))
        while len(self.history) > MAX_HISTORY:
            self.floor = self.history.popleft().version
        self.wake()
        return after

    def wake(self) -> None:
        """Let every watch look for changes."""
        self.changed.set()
        self.changed = asyncio.Event()

    def check_watch(self, version: int) -> None:
        """Raises Expired, or Timeout for a version that is yet to come."""
        if version < self.floor:
            raise Expired(f"too old resource version: {version} ({self.floor})")
        if version > self.version:
            raise Timeout(f"Too large resource version: {version}, current: {self.version}")


def key_of(body: Body) -> Key:
    """Namespace and name of a stored object."""
    return body["metadata"].get("namespace") or "", body["metadata"]["name"]


def details(kind: Kind, name: str) -> Details:
    """What an error is about."""
    return Details(name=name, group=kind.group, kind=kind.plural)
