"""Leases of registered endpoints: renewed in memory, timed on the monotonic clock; only transitions are stored.

As for nodes (``leases``): a heartbeat is no news. What is news, that an app has fallen silent or is back, is stored
as ``status.healthy`` and reaches everybody by the ordinary watch. After a start every endpoint has a fresh term.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from apiserver.api.discovery import ENDPOINTS_CONTROLLER, judge
from apiserver.api.errors import ApiError
from apiserver.api.kinds.assignment import ASSIGNMENTS, Assignment
from apiserver.api.kinds.endpoint import ENDPOINTS, Endpoint
from apiserver.api.machinery import writes
from apiserver.api.meta import Body, format_micro_time
from apiserver.api.selectors import equal
from apiserver.server.leases import ACTOR, STALL_SECONDS
from apiserver.server.registry import Registry
from apiserver.server.store.engine import Key
from apiserver.server.store.snapshot import Filter, Slot
from apiserver.server.transaction import Transaction

log = logging.getLogger(__name__)

CHECK_EVERY = 0.5
"""Seconds between two looks for expired leases."""


@dataclass(slots=True)
class _Term:
    """A leased endpoint, and when it was heard of last."""

    slot: Slot
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
        self._table = registry.store.cache.tables[ENDPOINTS.resource]
        self._terms: dict[Key, _Term] = {}

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
        while True:
            before = self._monotonic()
            await asyncio.sleep(CHECK_EVERY)
            self.forgive(self._monotonic() - before - CHECK_EVERY)
            try:
                await self.expire()
            except ApiError as error:
                log.warning("expired endpoints were not stored, trying again: %s", error)

    def forgive(self, late: float) -> None:
        """Give back the seconds that this server was not there to hear anybody, if they are many."""
        if late > STALL_SECONDS:
            for term in self._terms.values():
                term.heard += late

    async def expire(self) -> None:
        """Store the endpoints whose registrants have been silent for too long as such, in one commit."""
        slots = self._table.slots
        if len(self._terms) > len(slots):
            self._terms = {key: term for key, term in self._terms.items() if (key.namespace, key.name) in slots}
        if any(self._is_overdue(slot) for slot in slots.values()):
            await self._registry.transact(self._expiries, ACTOR)

    def _expiries(self, txn: Transaction) -> None:
        for slot in [slot for slot in txn.select(Filter(ENDPOINTS)) if self._is_overdue(slot)]:
            tell(txn, slot.parse(), expired=True, last_seen=self._term(slot).told)

    def _is_overdue(self, slot: Slot) -> bool:
        term = self._term(slot)
        return bool(term.seconds) and not term.expired and self._monotonic() - term.heard > term.seconds

    def _term(self, slot: Slot) -> _Term:
        """What is known of the endpoint; one that was not known begins its term now."""
        known = self._terms.get(slot.key)
        if known is not None and known.slot is slot:
            return known
        body = slot.parse()
        expired = (body.get("status") or {}).get("reason") == "Expired"
        heard, told = (known.heard, known.told) if known else (self._monotonic(), "")
        term = _Term(slot, int(body["spec"].get("leaseSeconds") or 0), expired, heard, told)
        if self._table.slots.get((slot.key.namespace, slot.key.name)) is slot:
            self._terms[slot.key] = term
        return term


def tell_of(txn: Transaction, namespace: str, instance: str) -> None:
    """Say of all endpoints of an instance whether they are healthy now that it has changed in this transaction. What
    has expired stays so until it is heard of."""
    for slot in list(txn.select(Filter(ENDPOINTS, namespace, fields=equal("spec.assignment", instance)))):
        body = slot.parse()
        if (body.get("status") or {}).get("reason") != "Expired":
            tell(txn, body, expired=False, last_seen="")


def tell(txn: Transaction, body: Body, *, expired: bool, last_seen: str) -> Body:
    """Say of an endpoint whether it is healthy now; nothing is written where that stands already. ``last_seen`` is
    told where it is known."""
    endpoint = Endpoint.from_body(body)
    namespace, _ = endpoint.key
    found = txn.get(ASSIGNMENTS, namespace, endpoint.spec.assignment) if endpoint.spec.assignment else None
    instance = Assignment.from_body(found) if found is not None else None
    healthy, reason = judge(endpoint.spec, instance, expired=expired)
    if (endpoint.status.healthy, endpoint.status.reason) == (healthy, reason):
        return body
    status = cast(Body, body.get("status") or {}) | {"healthy": healthy, "reason": reason}
    status |= {"lastSeen": last_seen} if last_seen else {}
    ctx = txn.context(ENDPOINTS_CONTROLLER)
    return txn.change(
        ENDPOINTS, body, writes.update(ENDPOINTS, body, dict(body, status=status), ctx, subresource="status")
    )
