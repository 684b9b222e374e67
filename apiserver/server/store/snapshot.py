"""Slots and events: what the cache holds of an object and of a change."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from sys import intern
from typing import Any

import orjson

from apiserver.api.meta import Body
from apiserver.api.scheme import Kind
from apiserver.api.selectors import EVERYTHING, Selector
from apiserver.server.store.engine import Change, ChangeType, Key, Seen

NAME, NAMESPACE = "metadata.name", "metadata.namespace"


@dataclass(frozen=True, slots=True)
class Slot:
    """One object as served: its bytes, and the few things that are asked without parsing them."""

    key: Key
    version: int
    body: bytes
    seen: Seen

    def parse(self) -> Body:
        """A fresh decoded copy; the caller may change it."""
        parsed: dict[str, Any] = orjson.loads(self.body)
        return parsed


@dataclass(frozen=True, slots=True)
class Event:
    """One change as watchers get it; ``slot`` is the object after it (DELETED: its last state)."""

    version: int
    type: ChangeType
    slot: Slot
    previous: Seen | None
    before: Slot | None = None
    """The object before it; None for ADDED, and where the change was read from the log."""


@dataclass(frozen=True)
class Filter:
    """Which objects a list or a watch is about."""

    kind: Kind
    namespace: str = ""
    labels: Selector = EVERYTHING
    fields: Selector = EVERYTHING

    @cached_property
    def equal(self) -> dict[str, str]:
        """The fields that must have one value; what an index can be asked for."""
        return self.fields.equalities()

    @cached_property
    def is_open(self) -> bool:
        """Whether it asks for nothing but kind and namespace."""
        return not (self.labels or self.fields)

    @cached_property
    def _about_key(self) -> Selector:
        """What the field selector says of name and namespace, which are in the key."""
        return Selector(tuple(found for found in self.fields.requirements if found.key in (NAME, NAMESPACE)))

    @cached_property
    def _about_object(self) -> Selector:
        return Selector(tuple(found for found in self.fields.requirements if found.key not in (NAME, NAMESPACE)))

    def matches(self, key: Key, seen: Seen | None) -> bool:
        """Whether an object with these labels and fields is meant; one that is not there never is."""
        if seen is None or (self.namespace and key.namespace != self.namespace):
            return False
        if self.is_open:
            return True
        if self._about_key and not self._about_key.matches({NAME: key.name, NAMESPACE: key.namespace}):
            return False
        return self.labels.matches(seen.labels) and self._about_object.matches(seen.fields)

    def view(self, event: Event) -> ChangeType | None:
        """What the change is to this watcher: entering the selection is ADDED, leaving it DELETED."""
        before = self.matches(event.slot.key, event.previous)
        after = event.type != "DELETED" and self.matches(event.slot.key, event.slot.seen)
        if after:
            return "MODIFIED" if before else "ADDED"
        return "DELETED" if before else None


def slot_of(kind: Kind, key: Key, version: int, body: Body, raw: bytes) -> Slot:
    """The slot of a stored object."""
    metadata = body["metadata"]
    seen = share(metadata.get("labels") or {}, kind.selectable_values(body))
    return Slot(_shared(key), version, raw, seen)


def _shared(key: Key) -> Key:
    """The key with texts that many keys have held once."""
    return Key(intern(key.kind), intern(key.namespace), key.name)


def event_of(kind: Kind, change: Change, slot: Slot | None = None) -> Event:
    """The event of a change that was read from the log; ``slot`` is its object, if there is one in memory."""
    if slot is None:
        slot = slot_of(kind, change.key, change.version, orjson.loads(change.body), change.body)
    previous = change.previous
    if previous is not None:
        # Earlier servers also stored what is in the key.
        fields = {path: value for path, value in previous.fields.items() if path in kind.selectable}
        previous = share(previous.labels, fields)
    return Event(change.version, change.type, slot, previous)


def share(labels: dict[str, str], fields: dict[str, str]) -> Seen:
    """What selectors see. Many objects have the same, so that it is held once."""
    return _seen(tuple(labels.items()), tuple(fields.items()))


@lru_cache(maxsize=4096)
def _seen(labels: tuple[tuple[str, str], ...], fields: tuple[tuple[str, str], ...]) -> Seen:
    return Seen(dict(labels), dict(fields))
