"""Decisions: what writers hand in, what they see, and what a batch of them comes to.

A decision is a function that sees the state as of its turn and answers with what to put and remove. Decisions of
one batch see each other's effects. Nothing here waits or stores.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from apiserver.api.errors import ApiError, InternalError
from apiserver.api.meta import Body
from apiserver.api.scheme import KEPT_REVISIONS, Kind
from apiserver.server.store.cache import Cache
from apiserver.server.store.engine import Change, ChangeType, Key, Revision
from apiserver.server.store.snapshot import Event, Filter, Slot, slot_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Put:
    """Create or replace an object."""

    kind: Kind
    body: Body


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete an object; ``body`` is its last state."""

    kind: Kind
    body: Body


Intents = Sequence[Put | Remove]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is behind a write, for the history."""

    user: str = ""
    manager: str = ""


class View:
    """The state that a decision sees: what is committed and what earlier decisions of its batch did."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._pending: dict[Key, Slot | None] = {}

    def slot(self, kind: Kind, namespace: str, name: str) -> Slot | None:
        """One object as stored."""
        key = Key(kind.resource, namespace, name)
        return self._pending[key] if key in self._pending else self._cache.get(key)

    def get(self, kind: Kind, namespace: str, name: str) -> Body | None:
        """One object; the caller may change it."""
        slot = self.slot(kind, namespace, name)
        return slot.parse() if slot else None

    def select(self, selection: Filter) -> Iterator[Slot]:
        """Matching objects, in no particular order."""
        for slot in self._cache.select(selection):
            if slot.key not in self._pending:
                yield slot
        for key, pending in self._pending.items():
            if pending and key.kind == selection.kind.resource and selection.matches(key, pending.seen):
                yield pending

    def set(self, key: Key, slot: Slot | None) -> None:
        """Record what a decision of this batch did."""
        self._pending[key] = slot


Decision = Callable[[View], Intents]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A decision whose turn has not come, and who made it."""

    decide: Decision
    actor: Actor
    done: "asyncio.Future[list[Slot]]"


class Batch:
    """The decisions of one turn, numbered and serialised."""

    def __init__(self, cache: Cache, now: datetime) -> None:
        self._view = View(cache)
        self._now = now
        self.version = cache.version
        self.changes: list[Change] = []
        self.events: list[Event] = []
        self.writes = 0
        """How many writers asked for something."""
        self._answers: list[tuple[Waiting, list[Slot] | ApiError]] = []

    def take(self, waiting: Waiting) -> None:
        """Run one decision; its refusal concerns nobody else. Also a refusal, or that there is nothing to do, is
        told after the commit: it may rest on what others of the batch have written."""
        if not waiting.done.done():  # else its client has gone
            self._answers.append((waiting, self._decided(waiting)))

    def _decided(self, waiting: Waiting) -> list[Slot] | ApiError:
        """What the decision comes to."""
        try:
            intents = waiting.decide(self._view)
            slots = self._apply(intents, waiting.actor) if intents else []
        except ApiError as error:
            # Where it was raised says nothing, and would keep this batch alive until the collector comes.
            return error.with_traceback(None)
        except Exception as error:
            log.exception("a write failed for a fault of ours")
            return InternalError(f"Internal error occurred: {error}")
        self.writes += bool(slots)
        return slots

    def acknowledge(self) -> None:
        """Tell the writers that it is stored."""
        for waiting, answer in self._answers:
            if waiting.done.done():
                continue
            if isinstance(answer, ApiError):
                waiting.done.set_exception(answer)
            else:
                waiting.done.set_result(answer)

    def fail(self, error: ApiError) -> None:
        """Tell the writers that it is not."""
        for waiting, _ in self._answers:
            if not waiting.done.done():
                waiting.done.set_exception(error)

    def _apply(self, intents: Intents, actor: Actor) -> list[Slot]:
        version = self.version + 1
        prepared = [self._change(intent, version, position, actor) for position, intent in enumerate(intents)]
        keys = [slot.key for _, slot, _ in prepared]
        if len(set(keys)) != len(keys):
            raise InternalError("Internal error occurred: one operation changes an object twice")
        for change, slot, before in prepared:
            self._view.set(slot.key, None if change.type == "DELETED" else slot)
            self.changes.append(change)
            self.events.append(Event(version, change.type, slot, change.previous, before))
        self.version = version
        return [slot for _, slot, _ in prepared]

    def _change(
        self, intent: Put | Remove, version: int, sequence: int, actor: Actor
    ) -> tuple[Change, Slot, Slot | None]:
        metadata = dict(intent.body["metadata"], resourceVersion=str(version))
        body = dict(intent.body, metadata=metadata)
        key = Key(intent.kind.resource, metadata.get("namespace") or "", metadata["name"])
        old = self._view.slot(intent.kind, key.namespace, key.name)
        kind: ChangeType = "DELETED" if isinstance(intent, Remove) else "MODIFIED" if old else "ADDED"
        # A copy, which is as long as it needs to be: what orjson returns has grown in steps, and leaves holes.
        slot = slot_of(intent.kind, key, version, body, bytes(memoryview(orjson.dumps(body))))
        change = Change(
            version=version,
            sequence=sequence,
            type=kind,
            key=key,
            uid=str(metadata.get("uid", "")),
            body=slot.body,
            previous=old.seen if old else None,
            time=self._now,
            user=actor.user,
            manager=actor.manager,
            revision=_revision(intent.kind, body, old) if kind != "DELETED" else None,
        )
        return change, slot, old


def _revision(kind: Kind, body: Body, old: Slot | None) -> Revision | None:
    """The spec to keep, if what is rolled out has changed."""
    if kind.rolled_out is None or (old is not None and kind.rolled_out(old.parse()) == kind.rolled_out(body)):
        return None
    return Revision(int(body["metadata"].get("generation", 1)), orjson.dumps(body["spec"]), KEPT_REVISIONS)
