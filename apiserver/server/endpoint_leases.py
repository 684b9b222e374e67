"""Leases of registered endpoints: renewed in memory, timed on the monotonic clock; only transitions are stored.

As for nodes (``leases``): a heartbeat is no news. What is news, that an app has fallen silent or is back, is stored
as ``status.healthy`` and reaches everybody by the ordinary watch. After a start every endpoint has a fresh term.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from apiserver.api.kinds.endpoint import ENDPOINTS
from apiserver.api.meta import format_micro_time
from apiserver.server.endpoint_health import tell
from apiserver.server.leases import ACTOR, STALL_SECONDS, expire_for_ever
from apiserver.server.registry import Registry
from apiserver.server.store.engine import Key
from apiserver.server.store.snapshot import Slot
from apiserver.server.transaction import Transaction

AT_ONCE = 500
"""Endpoints of one commit: when all of a large fleet fall silent together, other writers get their turns in between."""

_LEASED = b'"leaseSeconds"'
"""What is in the bytes of an endpoint that has a lease."""


@dataclass(slots=True)
class _Term:
    """A leased endpoint, and when it was heard of last."""

    slot: Slot
    uid: str
    seconds: int
    """0: it has no lease."""
    expired: bool
    heard: float
    """By the monotonic clock."""
    told: str
    """The same for people to read; empty: not since the start."""


class EndpointLeases:
    """When each endpoint was heard of last."""

    def __init__(self, registry: Registry, *, monotonic: Callable[[], float], clock: Callable[[], datetime]) -> None:
        self._registry, self._monotonic, self._clock = registry, monotonic, clock
        self._cache = registry.store.cache
        self._table = self._cache.tables[ENDPOINTS.resource]
        self._terms: dict[Key, _Term] = {}
        """Of the endpoints that have a lease or have been heard of."""
        self._reached = -1
        """The version up to which all endpoints have been looked at."""

    def heard(self, keys: Iterable[Key]) -> None:
        """Whoever registered these endpoints is alive."""
        now, told = self._monotonic(), format_micro_time(self._clock())
        for key in keys:
            slot = self._table.slots.get((key.namespace, key.name))
            if slot is not None:
                term = self._term(slot)
                term.heard, term.told = now, told

    def last_seen(self, slot: Slot) -> str:
        """When the endpoint was heard of last since the start, in RFC 3339; empty where it was not."""
        term = self._terms.get(slot.key)
        return term.told if term is not None else ""

    async def run(self) -> None:
        """Store what expires, for ever."""
        await expire_for_ever(self, self._monotonic)

    def forgive(self, late: float) -> None:
        """Give back the seconds that this server was not there to hear anybody, if they are many."""
        if late > STALL_SECONDS:
            for term in self._terms.values():
                term.heard += late

    async def expire(self) -> None:
        """Store the endpoints whose registrants have been silent for too long as such."""
        self._look()
        overdue = [key for key, term in self._terms.items() if self._is_overdue(term)]
        for start in range(0, len(overdue), AT_ONCE):
            await self._registry.transact(partial(self._expire, overdue[start : start + AT_ONCE]), ACTOR)

    def _look(self) -> None:
        """Begin the terms of leases that are new, and forget what is gone. It costs as much as has changed: most
        endpoints have no lease, and to look at all of them every time would hold up the server."""
        since, self._reached = self._reached, self._cache.version
        if since < self._cache.floor:
            keys = {*self._terms, *(slot.key for slot in self._table.slots.values())}
        else:
            keys = {event.slot.key for event in self._cache.since(since) if event.slot.key.kind == ENDPOINTS.resource}
        for key in keys:
            slot = self._table.slots.get((key.namespace, key.name))
            if slot is None:
                self._terms.pop(key, None)
            elif key in self._terms or _LEASED in slot.body:
                self._term(slot)

    def _expire(self, keys: Sequence[Key], txn: Transaction) -> None:
        for key in keys:
            slot = txn.view.slot(ENDPOINTS, key.namespace, key.name)
            if slot is not None and self._is_overdue(self._term(slot)):
                tell(txn, slot.parse(), expired=True, last_seen=self._term(slot).told)

    def _is_overdue(self, term: _Term) -> bool:
        return bool(term.seconds) and not term.expired and self._monotonic() - term.heard > term.seconds

    def _term(self, slot: Slot) -> _Term:
        """What is known of the endpoint; one that was not known begins its term now, and so does another one that has
        taken the name of one that is gone."""
        known = self._terms.get(slot.key)
        if known is not None and known.slot is slot:
            return known
        body = slot.parse()
        uid, expired = str(body["metadata"]["uid"]), (body.get("status") or {}).get("reason") == "Expired"
        heard, told = (known.heard, known.told) if known and known.uid == uid else (self._monotonic(), "")
        term = _Term(slot, uid, int(body["spec"].get("leaseSeconds") or 0), expired, heard, told)
        if self._table.slots.get((slot.key.namespace, slot.key.name)) is slot:
            self._terms[slot.key] = term
        return term
