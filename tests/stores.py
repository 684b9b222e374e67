"""Engines and stores for tests: objects made of a name, labels and a node."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from apiserver.api.meta import Body
from apiserver.api.scheme import SCHEME
from apiserver.server.store.decisions import Intents, Put, Remove, View
from apiserver.server.store.engine import Change, CommitFailed, Engine, Key, OutcomeUnknown, Seen
from apiserver.server.store.following import follow
from apiserver.server.store.memory import MemoryEngine
from apiserver.server.store.retention import Retention
from apiserver.server.store.snapshot import Filter
from apiserver.server.store.store import Store, open_store
from apiserver.server.store.watchers import Delivery, Watcher

KIND = SCHEME.named("assignments")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class FaultyEngine(MemoryEngine):
    """Raises ``fault`` instead of committing, while there is one."""

    fault: Exception | None = None

    def commit(self, changes: Sequence[Change], version: int) -> None:
        if self.fault is not None:
            raise self.fault
        super().commit(changes, version)

    def settle(self) -> int:
        if isinstance(self.fault, OutcomeUnknown):
            raise self.fault
        return super().settle()


DISK_FULL, FLUSH_FAILED = CommitFailed("disk full"), OutcomeUnknown("flush failed")


def body(name: str, *, node: str = "", labels: dict[str, str] | None = None, note: str = "") -> Body:
    """A small wire object; the store does not care whether it is valid."""
    metadata: dict[str, Any] = {"name": name, "namespace": "default", "uid": f"uid-{name}", "labels": labels or {}}
    return {"kind": "Assignment", "metadata": metadata, "spec": {"nodeName": node, "note": note}}


def put(*bodies: Body) -> Callable[[View], Intents]:
    """A decision that stores objects in one operation."""
    return lambda view: [Put(KIND, one) for one in bodies]


def remove(name: str) -> Callable[[View], Intents]:
    """A decision that removes an object if it is there."""

    def decide(view: View) -> Intents:
        found = view.get(KIND, "default", name)
        return [Remove(KIND, found)] if found else []

    return decide


def change(version: int, name: str, kind: str = "ADDED", *, sequence: int = 0, raw: bytes = b"{}") -> Change:
    """A change as engines store it."""
    return Change(
        version=version,
        sequence=sequence,
        type=kind,  # type: ignore[arg-type]
        key=Key(KIND.resource, "default", name),
        uid=f"uid-{name}",
        body=raw,
        previous=None if kind == "ADDED" else Seen({"app": "x"}, {"spec.nodeName": "nodeA"}),
        time=NOW,
        user="someone",
        manager="test",
    )


@asynccontextmanager
async def running(
    engine: Engine, *, ring_bytes: int = 1 << 20, inline: bool = True, keep: Retention | None = None
) -> AsyncIterator[Store]:
    """A store over the engine; one whose state is no longer certain fails the test."""
    failures: list[BaseException] = []
    opened = open_store(
        engine, clock=lambda: NOW, on_failure=failures.append, inline=inline, ring_bytes=ring_bytes, keep=keep
    )
    async with opened as store:
        yield store
    assert not failures


async def missed(store: Store, selection: Filter, version: int) -> list[Delivery]:
    """What a watch that resumes after a version is told of the past. Raises Expired."""
    found: list[Delivery] = []
    async with aclosing(follow(store, [selection], version, idle=0.001)) as batches:  # type: ignore[type-var]
        async for batch in batches:
            if not batch.deliveries:
                break
            found += batch.deliveries
    return found


def watching(store: Store, *selections: Filter, limit: int = 1000) -> Watcher:
    """A live watch, from now on; give it back to ``store.watchers``."""
    watcher = Watcher(selections, limit=limit)
    store.watchers.add(watcher)
    return watcher
