"""Looking back at one object: as it was, what became of it, and its kept specs.

Memory is asked first: it knows every state since it was filled, also of objects whose last change before that
has been forgotten. The log answers the rest, a few changes at a time, so that writes are not held up.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any

import orjson

from apiserver.api.errors import Expired
from apiserver.api.machinery.differences import differences
from apiserver.api.meta import Body, format_micro_time
from apiserver.api.scheme import Kind
from apiserver.api.selectors import Requirement, Selector
from apiserver.server.store.engine import Change, Engine, Key, StoredRevision
from apiserver.server.store.snapshot import NAME, Filter, Slot
from apiserver.server.store.store import Store

CHUNK = 10
"""Changes that are read from the log at a time."""

PAGE_BYTES = 8 * 1024 * 1024
"""A page is cut short, though not below one change, when the objects that it was made from hold so much."""


async def version_at(store: Store, moment: datetime) -> int:
    """The highest version that was stored by a moment. Raises Expired, ServiceUnavailable."""
    version = await store.ask(lambda engine: engine.version_at(moment))
    if version is None:
        raise Expired(f"what was stored by {format_micro_time(moment)} is not known any more: the log begins later")
    return version


async def as_of(store: Store, kind: Kind, key: Key, version: int) -> bytes | None:
    """The object as it was at a version that the store has reached; None where there was none.

    Raises Expired where that has been forgotten, ServiceUnavailable.
    """
    live = store.get(kind, key.namespace, key.name)
    if live is not None and live.version <= version:
        return live.body
    try:
        remembered = await _remembered(store, kind, key, version)
    except Expired:
        return await _from_log(store, key, version)
    return remembered.body if remembered else None


async def _remembered(store: Store, kind: Kind, key: Key, version: int) -> Slot | None:
    """The object as memory knows it of a version; None where there was none. Raises Expired."""
    named = Selector((Requirement(NAME, "in", frozenset([key.name])),))
    slots, _ = await store.page(Filter(kind, key.namespace, fields=named), version=version)
    return slots[0] if slots else None


async def _from_log(store: Store, key: Key, version: int) -> bytes | None:
    def look(engine: Engine) -> tuple[Change | None, Change | None]:
        found = engine.history(key, before=version, limit=1)
        return (found[0], None) if found else (None, engine.next_change(key, after=version))

    found, following = await store.ask(look)
    compacted = store.maintenance.compacted  # asked last: the log may have been cut while we waited for our turn
    unknown = f'{key.kind} "{key.name}" as it was at version {version} is not known any more'
    if version < compacted:
        raise Expired(f"{unknown}: the log begins after version {compacted}")
    if found is not None:
        return None if found.type == "DELETED" else found.body
    if following is not None and following.type != "ADDED":
        raise Expired(f"{unknown}: the log knows it from version {following.version} on")
    return None


async def page(store: Store, kind: Kind, key: Key, *, before: int, limit: int) -> tuple[list[Body], int]:
    """What became of the object, newest first: at most ``limit`` changes with versions up to ``before``, each with
    what it changed; and the version that the next page is up to, 0 where there is none.

    Raises ServiceUnavailable. An object that was never heard of has no changes.
    """
    changes, is_end = await _read(store, key, before=before, wanted=limit + 1)
    items: list[Body] = []
    body = orjson.loads(changes[0].body) if changes else {}
    for change, older in zip_longest(changes, changes[1:]):
        if older is None and not is_end:
            return items, change.version
        former = orjson.loads(older.body) if older is not None else None
        items.append(_told(kind, change, body, await _before(store, kind, change, former)))
        body = former
        await asyncio.sleep(0)
    return items, 0


async def _read(store: Store, key: Key, *, before: int, wanted: int) -> tuple[list[Change], bool]:
    """At least two and at most ``wanted`` changes, or all of them that there are; and whether it is all."""
    changes: list[Change] = []
    while True:
        most = min(CHUNK, wanted - len(changes))
        found = await _changes(store, key, changes[-1].version - 1 if changes else before, most)
        changes += found
        if len(found) < most:
            return changes, True
        size = sum(len(change.body) for change in changes)
        if len(changes) == wanted or (size > PAGE_BYTES and len(changes) > 1):
            return changes, False


async def _changes(store: Store, key: Key, before: int, limit: int) -> Sequence[Change]:
    return await store.ask(lambda engine: engine.history(key, before=before, limit=limit))


async def _before(store: Store, kind: Kind, change: Change, logged: Body | None) -> Body | None:
    """The object before a change, by the log or by memory; empty for a new one, None where nobody knows."""
    if change.type == "ADDED":  # before it there may be another object of the name, which is gone
        return {}
    if logged is not None:
        return logged
    try:
        remembered = await _remembered(store, kind, change.key, change.version - 1)
    except Expired:
        return None
    return remembered.parse() if remembered else None


def _told(kind: Kind, change: Change, body: Body, before: Body | None) -> Body:
    """A change in its wire form."""
    item: Body = {
        "version": str(change.version),
        "time": format_micro_time(change.time),
        "type": change.type,
        "user": change.user,
        "manager": change.manager,
        "uid": change.uid,
        "generation": body["metadata"].get("generation", 0),
    }
    if before is None:
        return item | {"changes": [], "truncated": True}
    found = differences(kind.schema, before, body)
    item["changes"] = [one.to_body() for one in found.told]
    return item | ({"omitted": found.omitted} if found.omitted else {})


async def revisions(store: Store, key: Key) -> Sequence[StoredRevision]:
    """The kept specs of an object, newest first. Raises ServiceUnavailable."""
    return await store.ask(lambda engine: engine.revisions(key))


def revision_body(found: StoredRevision) -> Body:
    """The wire form of a kept spec."""
    spec: dict[str, Any] = orjson.loads(found.spec)
    return {
        "revision": found.number,
        "version": str(found.version),
        "time": found.time,
        "user": found.user,
        "manager": found.manager,
        "spec": spec,
    }
