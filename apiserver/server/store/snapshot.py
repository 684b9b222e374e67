"""Slots and events: what the cache holds of an object and of a change."""

from dataclasses import dataclass
from typing import Any

import orjson

from apiserver.api.meta import Body
from apiserver.api.scheme import Kind
from apiserver.api.selectors import EVERYTHING, Selector
from apiserver.server.store.engine import ChangeType, Key, Seen


@dataclass(frozen=True, slots=True)
class Slot:
    """One object as served: its bytes, and the few things that are asked without parsing them."""

    key: Key
    uid: str
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


@dataclass(frozen=True, slots=True)
class Filter:
    """Which objects a list or a watch is about."""

    kind: Kind
    namespace: str = ""
    labels: Selector = EVERYTHING
    fields: Selector = EVERYTHING

    def matches(self, key: Key, seen: Seen | None) -> bool:
        """Whether an object with these labels and fields is meant; one that is not there never is."""
        if seen is None or (self.namespace and key.namespace != self.namespace):
            return False
        return self.labels.matches(seen.labels) and self.fields.matches(seen.fields)

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
    seen = Seen(metadata.get("labels") or {}, kind.field_values(body))
    return Slot(key, str(metadata.get("uid", "")), version, raw, seen)
