"""Node leases: renewed in memory, timed on the monotonic clock; only transitions are stored.

A fleet of thousands renews hundreds of times a second; none of that is news. What is news, a node falling
silent or coming back, is stored as ``status.state`` and reaches controllers by their ordinary watch. After
a start every held lease has a fresh term, because the server cannot know what it missed. This is the one
exception to "acknowledged is durable".
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from apiserver.api.errors import ApiError, Conflict, Details
from apiserver.api.kinds.lease import LEASES
from apiserver.api.kinds.node import NODE_LEASES
from apiserver.api.meta import Body, format_micro_time
from apiserver.api.scheme import Kind, dig
from apiserver.server.store.decisions import Actor, Intents, Put, View
from apiserver.server.store.snapshot import Filter, Slot
from apiserver.server.store.store import Store

log = logging.getLogger(__name__)

DEFAULT_TERM = 15
CHECK_EVERY = 0.5
"""Seconds between two looks for expired leases."""

STALL_SECONDS = 2.0
"""A look that comes later than this by itself was held up: renewals could not be heard in that time."""

ACTOR = Actor(user="system:apiserver", manager="plum-apiserver")


class Expiring(Protocol):
    """Terms that end unless they are renewed."""

    async def expire(self) -> None:
        """Store what has ended by now. Raises ApiError."""
        ...

    def forgive(self, late: float) -> None:
        """Give back the seconds that this server was not there to hear anybody, if they are many."""
        ...


async def expire_for_ever(terms: Expiring, monotonic: Callable[[], float]) -> None:
    """Look twice a second for terms that have ended; what cannot be stored is tried again at the next look."""
    while True:
        before = monotonic()
        await asyncio.sleep(CHECK_EVERY)
        terms.forgive(monotonic() - before - CHECK_EVERY)
        try:
            await terms.expire()
        except ApiError as error:
            log.warning("%s: what has expired was not stored, trying again: %s", type(terms).__name__, error)


def is_node_lease(kind: Kind, namespace: str) -> bool:
    """Whether an object is a node's lease."""
    return kind is LEASES and namespace == NODE_LEASES


@dataclass(slots=True)
class _Term:
    """A lease as it is stored, read once, and when it was renewed."""

    slot: Slot
    body: Body
    is_held: bool
    seconds: float
    renewed: float
    """By the monotonic clock."""
    told: str
    """The time of that for people to read; empty: as it is stored."""


class NodeLeases:
    """When each node's lease was renewed last."""

    def __init__(self, store: Store, *, monotonic: Callable[[], float], clock: Callable[[], datetime]) -> None:
        self._store, self._monotonic, self._clock = store, monotonic, clock
        self._terms: dict[str, _Term] = {}
        for slot in self._present():
            self._term(slot)

    def renew(self, name: str, config: Body) -> Body | None:
        """Take a renewal that changes nothing but the time; the lease as it is then, or None where the
        write is more than that and has to go through the store."""
        slot = self._store.get(LEASES, NODE_LEASES, name)
        if slot is None:
            return None
        term = self._term(slot)
        if not term.is_held or not (is_renewal(config) and _only_renews(term.body, config)):
            return None
        self._note(term)
        return _as_of(term)

    def settle(self, old: Body | None, config: Body, new: Body) -> Body:
        """``new`` as Held, if ``config`` is a renewal at all, or as Expired, if its holder is empty: it is given back,
        and nobody has to wait for the end of its term. Raises Conflict while another holds the lease: two agents of one
        name would run everything twice."""
        if not is_renewal(config):
            return new
        holder, claimed = dig(old or {}, "spec.holderIdentity"), dig(config, "spec.holderIdentity")
        if claimed == "":
            return dict(new, status=dict(new.get("status") or {}, state="Expired"))
        if dig(old or {}, "status.state") == "Held" and holder != claimed:
            name = str(new["metadata"]["name"])
            raise Conflict(
                f"the lease of node {name} is held by another agent ({holder}): stop that one, or give this one "
                "another --node; a lease that is not renewed is free when its term ends",
                details=Details(name=name, group=LEASES.group, kind=LEASES.plural),
            )
        return dict(new, status=dict(new.get("status") or {}, state="Held"))

    def note(self, name: str, config: Body) -> None:
        """The write of a lease has been stored; if it was a renewal, its term begins anew."""
        slot = self._store.get(LEASES, NODE_LEASES, name)
        if slot is not None and is_renewal(config):
            self._note(self._term(slot))

    def freshen(self, slot: Slot) -> Body:
        """The lease with the renewal time that memory holds; an earlier state of it as it was stored."""
        current = self._store.get(LEASES, NODE_LEASES, slot.key.name)
        return _as_of(self._term(slot)) if slot is current else slot.parse()

    def is_held(self, name: str) -> bool:
        """Whether the node's agent is known to be alive."""
        slot = self._store.get(LEASES, NODE_LEASES, name)
        return slot is not None and self._term(slot).is_held

    def renewed(self, name: str) -> str | None:
        """When the node's lease was renewed last, in RFC 3339; None where there is no lease."""
        slot = self._store.get(LEASES, NODE_LEASES, name)
        if slot is None:
            return None
        term = self._term(slot)
        return term.told or str(dig(term.body, "spec.renewTime") or "")

    async def run(self) -> None:
        """Store every transition from Held to Expired, for ever."""
        await expire_for_ever(self, self._monotonic)

    def forgive(self, late: float) -> None:
        """Give back the seconds that this server was not there to hear anybody, if they are many."""
        if late > STALL_SECONDS:
            log.warning("the server stood still for %.1f s; all leases get that time back", late)
            for term in self._terms.values():
                term.renewed += late

    async def expire(self) -> None:
        """Store the leases that have expired by now as such, in one commit."""
        present = list(self._present())
        if len(self._terms) > len(present):
            names = {slot.key.name for slot in present}
            self._terms = {name: term for name, term in self._terms.items() if name in names}
        if any(self._is_overdue(slot) for slot in present):
            await self._store.write(self._expiries, ACTOR)

    def _present(self) -> Iterator[Slot]:
        return self._store.cache.select(_NODE_LEASES)

    def _expiries(self, view: View) -> Intents:
        overdue = [slot for slot in view.select(_NODE_LEASES) if self._is_overdue(slot)]
        return [Put(LEASES, dict(_as_of(self._term(slot)), status={"state": "Expired"})) for slot in overdue]

    def _is_overdue(self, slot: Slot) -> bool:
        term = self._term(slot)
        return term.is_held and self._monotonic() - term.renewed > term.seconds

    def _term(self, slot: Slot) -> _Term:
        """What is known of the lease; one that was not known begins its term now. What a batch is only about to
        store is not remembered: it may come to nothing."""
        known = self._terms.get(slot.key.name)
        if known is not None and known.slot is slot:
            return known
        body = slot.parse()
        is_held = dig(body, "status.state") == "Held"
        seconds = float(dig(body, "spec.leaseDurationSeconds") or DEFAULT_TERM)
        renewed, told = (known.renewed, known.told) if known else (self._monotonic(), "")
        term = _Term(slot, body, is_held, seconds, renewed, told)
        if slot is self._store.get(LEASES, NODE_LEASES, slot.key.name):
            self._terms[slot.key.name] = term
        return term

    def _note(self, term: _Term) -> None:
        term.renewed, term.told = self._monotonic(), format_micro_time(self._clock())


_NODE_LEASES = Filter(LEASES, namespace=NODE_LEASES)


def _as_of(term: _Term) -> Body:
    """The lease with the time of its last renewal; shared parts may not be changed."""
    return dict(term.body, spec=dict(term.body.get("spec") or {}, renewTime=term.told)) if term.told else term.body


def is_renewal(config: Body) -> bool:
    """Whether an applied lease says that its holder is alive, rather than, say, labels it."""
    return bool(dig(config, "spec.renewTime"))


def _only_renews(body: Body, config: Body) -> bool:
    wanted: dict[str, Any] = config.get("spec") or {}
    have: dict[str, Any] = body.get("spec") or {}
    same_spec = all(have.get(key) == value for key, value in wanted.items() if key != "renewTime")
    metadata = config.get("metadata") or {}
    owners = metadata.get("ownerReferences")
    same_owners = owners is None or owners == body["metadata"].get("ownerReferences")
    known = {"name", "namespace", "ownerReferences"}
    return same_spec and same_owners and set(metadata) <= known
