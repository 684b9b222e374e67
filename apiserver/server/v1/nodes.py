"""Nodes over ``/v1``: heartbeats of the original's agents, and the fleet as its users see it."""

from dataclasses import dataclass

from starlette.responses import Response

from apiserver.api.columns import condition_status
from apiserver.api.errors import BadRequest
from apiserver.api.kinds.lease import LEASES
from apiserver.api.kinds.node import NODE_LEASES, NODES, ORIGINAL_AGENT
from apiserver.api.kinds.task import is_node_name
from apiserver.api.machinery import writes
from apiserver.api.meta import Body, format_micro_time
from apiserver.api.scheme import dig
from apiserver.server.store.snapshot import Filter, Slot
from apiserver.server.transaction import Transaction, not_found
from apiserver.server.v1.calls import Call, json_reply, no_content
from apiserver.server.v1.names import MANAGER, unix
from apiserver.server.v1.parts import Parts
from apiserver.server.v1.projections import Projection
from apiserver.server.v1.shapes import Heartbeat, NodeShown


@dataclass(frozen=True, slots=True)
class _Node:
    name: str
    ip: str
    agent: str
    labels: dict[str, str]
    own: dict[str, str]
    """The labels that heartbeats have set."""
    ready: str


class Nodes:
    """The handlers of ``/v1/nodes``."""

    def __init__(self, parts: Parts) -> None:
        self._registry, self._leases, self._clock = parts.registry, parts.registry.leases, parts.clock
        self._ttl = parts.heartbeat_ttl
        self._store = parts.registry.store
        self._node = Projection(_read, self._store.cache.tables[NODES.resource])

    async def heartbeat(self, call: Call) -> Response:
        """The node is there. One that is known and says nothing new costs no write."""
        beat = await call.body(Heartbeat)
        name = beat.node_id or ""
        if not is_node_name(name):
            raise BadRequest(f"bad request: nodeId: {name[:80]!r} is not a node name: {NODES.name_rule}")
        if not self._renew(name, beat):
            await self._registry.transact(lambda txn: self._upsert(txn, name, beat), call.actor)
            self._leases.note(name, self._renewal())
        return json_reply({"ttlSec": self._ttl})

    def _renew(self, name: str, beat: Heartbeat) -> bool:
        """Whether the lease could be renewed in memory: nothing else is new."""
        slot = self._store.get(NODES, "", name)
        if slot is None:
            return False
        node = self._node(slot)
        is_same = node.agent == ORIGINAL_AGENT and node.ip == (beat.ip or "") and self._labels(node, beat) == node.own
        return is_same and self._leases.renew(name, self._renewal()) is not None

    def _labels(self, node: _Node, beat: Heartbeat) -> dict[str, str]:
        """The labels that heartbeats own after this one: those that others have put on stay theirs."""
        if beat.labels is None:
            return node.own
        return {key: value for key, value in beat.labels.items() if key in node.own or key not in node.labels}

    def _renewal(self) -> Body:
        spec = {
            "holderIdentity": ORIGINAL_AGENT,
            "leaseDurationSeconds": self._ttl,
            "renewTime": format_micro_time(self._clock()),
        }
        return {"metadata": {}, "spec": spec}

    def _upsert(self, txn: Transaction, name: str, beat: Heartbeat) -> None:
        """Node, its status and its lease. Raises Conflict while another agent holds the lease, Invalid."""
        ctx = txn.context(MANAGER)
        old = txn.get(NODES, "", name)
        known = self._node(slot) if (slot := txn.view.slot(NODES, "", name)) else None
        labels = self._labels(known, beat) if known else beat.labels or {}
        config: Body = {"metadata": {"name": name, "labels": labels}}
        node = txn.put(NODES, old, writes.apply(NODES, old, config, ctx, force=True))
        status = {"ip": beat.ip or "", "agent": {"name": ORIGINAL_AGENT}}
        told = writes.apply(NODES, node, {"metadata": {}, "status": status}, ctx, force=True, subresource="status")
        txn.change(NODES, node, told)
        held = txn.get(LEASES, NODE_LEASES, name)
        owner = {"apiVersion": NODES.api_version, "kind": NODES.name, "name": name, "uid": node["metadata"]["uid"]}
        metadata = {"name": name, "namespace": NODE_LEASES, "ownerReferences": [owner]}
        wanted = dict(self._renewal(), metadata=metadata)
        lease = writes.apply(LEASES, held, wanted, ctx, force=True)
        txn.put(LEASES, held, self._leases.settle(held, wanted, lease))

    async def list(self, call: Call) -> Response:
        """All nodes, by id."""
        return json_reply([self._shown(slot) for slot in self._store.cache.select(Filter(NODES))])

    async def get(self, call: Call) -> Response:
        """One node. Raises NotFound."""
        slot = self._store.get(NODES, "", call.id)
        if slot is None:
            raise not_found(NODES, call.id)
        return json_reply(self._shown(slot))

    async def delete(self, call: Call) -> Response:
        """Take the node out, with its lease. Raises Conflict while an assignment names it."""

        def work(txn: Transaction) -> None:
            node = txn.get(NODES, "", call.id)
            lease = txn.get(LEASES, NODE_LEASES, call.id)
            if node is not None:
                txn.delete(NODES, node)
            if node is not None and lease is not None:
                txn.delete(LEASES, lease)

        await self._registry.transact(work, call.actor)
        return no_content()

    def _shown(self, slot: Slot) -> NodeShown:
        node = self._node(slot)
        is_ready = node.ready == "True" or (not node.ready and self._leases.is_held(node.name))
        return {
            "nodeId": node.name,
            "ip": node.ip,
            "labels": node.labels,
            "lastSeen": unix(self._leases.renewed(node.name)),
            "health": "Healthy" if is_ready else "Unhealthy",
        }


def _read(slot: Slot) -> _Node:
    body = slot.parse()
    labels = body["metadata"].get("labels") or {}
    return _Node(
        name=slot.key.name,
        ip=str(dig(body, "status.ip") or ""),
        agent=str(dig(body, "status.agent.name") or ""),
        labels=labels,
        own={key: value for key, value in labels.items() if key in writes.owned_labels(body, MANAGER)},
        ready=condition_status("Ready", body),
    )
