"""The endpoints of services as those who look them up get them, prepared for being asked often."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson

from apiserver.api.kinds.endpoint import ENDPOINTS
from apiserver.api.scheme import dig
from apiserver.api.selectors import equal
from apiserver.server.endpoint_leases import EndpointLeases
from apiserver.server.leases import NodeLeases
from apiserver.server.store.snapshot import Filter, Slot
from apiserver.server.store.store import Store
from apiserver.server.v1.names import shown_id, unix
from apiserver.server.v1.projections import Projection, in_turns
from apiserver.server.v1.shapes import EndpointShown

MAX_KEPT = 1000
"""Services whose endpoints are kept at hand."""


@dataclass(frozen=True, slots=True)
class EndpointView:
    """One endpoint."""

    slot: Slot
    shown: EndpointShown
    """As it is shown, but for the time when it was seen last."""
    seen: str
    """When it was heard of, as stored."""
    head: bytes
    """The same as JSON, up to that time."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """The endpoints of a service, as long as no endpoint changes."""

    changes: int
    all: Sequence[EndpointView]
    healthy: Sequence[EndpointView]


class Directory:
    """Looks endpoints up by service."""

    def __init__(self, store: Store, leases: NodeLeases, endpoint_leases: EndpointLeases) -> None:
        self._store, self._leases, self._endpoint_leases = store, leases, endpoint_leases
        self._table = store.cache.tables[ENDPOINTS.resource]
        self._view = Projection(_read, self._table)
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()

    def of(self, namespace: str, service: str) -> Sequence[EndpointView]:
        """All endpoints of a service, in a fixed order."""
        return self._of(namespace, service).all

    def healthy(self, namespace: str, service: str) -> Sequence[EndpointView]:
        """Those of them that can be used."""
        return self._of(namespace, service).healthy

    def _of(self, namespace: str, service: str) -> "_Kept":
        key = (namespace, service)
        kept = self._kept.get(key)
        if kept is not None and kept.changes == self._table.changes:
            self._kept.move_to_end(key)
            return kept
        selection = Filter(ENDPOINTS, namespace, fields=equal("spec.service", service))
        found = [self._view(slot) for slot in self._store.cache.select(selection)]
        kept = _Kept(self._table.changes, found, [view for view in found if view.shown["healthy"]])
        self._kept[key] = kept
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return kept

    async def all(self, namespace: str) -> list[EndpointView]:
        """The endpoints of all services, in a fixed order and of one state, whatever changes while others have their
        turns in between."""
        slots, _ = self._store.cache.state(Filter(ENDPOINTS, namespace), version=self._store.version)
        return [self._view(slot) async for slot in in_turns(slots)]

    def shown(self, view: EndpointView) -> bytes:
        """An endpoint as JSON."""
        return b"%b%d}" % (view.head, self._last_seen(view))

    def _last_seen(self, view: EndpointView) -> int:
        """The last sign of life: of the endpoint itself, or of the node that it is on."""
        told = self._endpoint_leases.last_seen(view.slot) or self._leases.renewed(view.shown["nodeId"]) or ""
        return max(unix(told), unix(view.seen))


def _read(slot: Slot) -> EndpointView:
    body = slot.parse()
    spec = body["spec"]
    shown: dict[str, Any] = {
        "serviceName": spec["service"],
        "instanceId": shown_id(slot.key.namespace, spec["assignment"]) if spec.get("assignment") else "",
        "nodeId": spec.get("nodeName", ""),
        "ip": spec["ip"],
        "port": spec["port"],
        "protocol": spec["protocol"],
        "version": spec.get("version", ""),
        "labels": spec.get("labels") or {},
        "healthy": bool(dig(body, "status.healthy")),
    }
    seen = str(dig(body, "status.lastSeen") or body["metadata"]["creationTimestamp"])
    head = orjson.dumps(shown)[:-1] + b',"lastSeen":'
    return EndpointView(slot, cast(EndpointShown, shown), seen, head)
