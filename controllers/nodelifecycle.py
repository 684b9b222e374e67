"""The node controller: turns lease transitions into readiness, and speaks for agents that are gone."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from apiserver.api import conditions
from apiserver.api.errors import Conflict, NotFound
from apiserver.api.kinds.assignment import STOPPED_FINALIZER, Assignment
from apiserver.api.kinds.lease import Lease
from apiserver.api.kinds.node import NODE_LEASES, Node
from apiserver.api.meta import Body, Condition
from apiserver.client.controller import Controller, Key, Result
from apiserver.client.events import EventRecorder
from apiserver.client.informer import Informer
from apiserver.client.interface import Client
from controllers.node_plan import LOST_AFTER, NODE_SILENT, MarkUnknown, Release, Restore, SetReady, is_held, plan
from controllers.witness import Witness
from controllers.writing import each, version_of

log = logging.getLogger(__name__)

MANAGER = "plum-node-controller"
BY_NODE = "node"
"""The index of assignments by ``spec.nodeName``; the empty name is where those without a node are."""

RETRY_SECONDS = 1.0
WAIT_SECONDS = 5.0


class NodeReconciler:
    """One key a node, ``("", name)``; the empty name stands for assignments that have none."""

    def __init__(
        self,
        client: Client,
        nodes: Informer[Node],
        leases: Informer[Lease],
        assignments: Informer[Assignment],
        *,
        events: EventRecorder,
        lost_after: timedelta = LOST_AFTER,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """The client must write as ``MANAGER``; the assignments need the index ``node``."""
        self._client, self._events, self._lost_after, self._now = client, events, lost_after, now
        self._nodes, self._leases, self._assignments = nodes, leases, assignments
        self._silent, self._leaving = Witness[str](monotonic), Witness[str](monotonic)

    async def reconcile(self, key: Key) -> Result:
        """One step for one node. A node that the cache does not know is looked up before its processes are
        taken for dead."""
        name = key[1]
        node = self._nodes.get("", name)
        if node is None and not await self._is_absent(name):
            return Result(requeue_after=RETRY_SECONDS)
        lease = await self._lease(name)
        copies = self._assignments.by_index(BY_NODE, name)
        step = plan(
            node,
            lease,
            copies,
            now=self._now(),
            lost_after=self._lost_after,
            witnessed=self._witnessed(name, node, lease),
            leaving=self._leaving.see(name, (copy.metadata.uid or "" for copy in copies if is_held(copy))),
        )
        for action in step.actions:
            if isinstance(action, SetReady) and node is not None:
                await self._set_ready(node, action.condition)
        reached = await each((action for action in step.actions if not isinstance(action, SetReady)), self._write)
        await self._assignments.wait_for_version(reached, timeout=WAIT_SECONDS)
        if any(isinstance(action, Restore) for action in step.actions):
            return Result(requeue_after=RETRY_SECONDS)  # one that lost a race is not repeated by its agent
        return Result(requeue_after=step.look_again)

    def _witnessed(self, name: str, node: Node | None, lease: Lease | None) -> timedelta:
        """How long this process has seen the node silent."""
        is_silent = node is not None and (lease is None or lease.status.state != "Held")
        return self._silent.see(name, [name] if is_silent else []).get(name, timedelta())

    async def _lease(self, name: str) -> Lease | None:
        """From the cache if it is held, else from the server: the agent may be back, and what it says counts."""
        lease = self._leases.get(NODE_LEASES, name)
        if not name or (lease is not None and lease.status.state == "Held"):
            return lease
        try:
            return await self._client.get(Lease, name, namespace=NODE_LEASES)
        except NotFound:
            return None

    async def _is_absent(self, name: str) -> bool:
        if not name:
            return True
        try:
            await self._client.get(Node, name)
        except NotFound:
            return True
        return False

    async def _set_ready(self, node: Node, condition: Condition) -> None:
        body: Body = {"metadata": {"uid": node.metadata.uid}, "status": {"conditions": [_body(condition)]}}
        try:
            stored = await self._client.apply(Node, node.metadata.name, body, subresource="status")
        except (NotFound, Conflict):
            log.debug("node %s is gone; its status is not written", node.metadata.name)
            return
        await self._nodes.wait_for_version(version_of(stored), timeout=WAIT_SECONDS)
        is_new = conditions.find(node.status.conditions, "Ready") is None
        if is_new and condition.status != "True":
            return  # registered a moment ago, its first lease is on the way: nothing has happened yet
        reason = "NodeReady" if condition.status == "True" else "NodeNotReady"
        kind: Literal["Normal", "Warning"] = "Normal" if condition.status == "True" else "Warning"
        await self._events.record(node, kind, reason, condition.message)

    async def _write(self, action: MarkUnknown | Restore | Release) -> int:
        try:
            match action:
                case MarkUnknown(assignment):
                    return await self._mark_unknown(assignment)
                case Restore(assignment, told):
                    return await self._restore(assignment, told)
                case Release(assignment):
                    return await self._release(assignment)
        except (Conflict, NotFound):
            return 0  # It has changed since it was seen; its next version will be looked at.

    async def _mark_unknown(self, assignment: Assignment) -> int:
        namespace, name = assignment.key
        message = f"node {assignment.spec.node_name} is silent"
        ready = conditions.renew(
            assignment.status.conditions, "Ready", "Unknown", reason=NODE_SILENT, message=message, now=self._now()
        )
        status = {"phase": "Unknown", "reason": NODE_SILENT, "message": message, "conditions": [_body(ready)]}
        body: Body = {"metadata": {"uid": assignment.metadata.uid}, "status": status}
        stored = await self._client.apply(Assignment, name, body, namespace=namespace, subresource="status")
        return version_of(stored)

    async def _restore(self, assignment: Assignment, told: Condition | None) -> int:
        """Only in the state that was decided on: the agent may just have reported. What is not applied again (reason
        and message, and without a report the phase) goes, as nobody else owns it; Ready stays in any case, since
        another may own its type, and a condition without a status is none."""
        namespace, name = assignment.key
        before, now = assignment.status.conditions, self._now()
        if told is None:
            ready = conditions.renew(before, "Ready", "Unknown", reason="NotReported", now=now)
        else:
            ready = conditions.renew(before, "Ready", told.status, reason=told.reason, now=now)
        status: Body = {"conditions": [_body(ready)]} | ({"phase": told.reason} if told else {})
        metadata = {"uid": assignment.metadata.uid, "resourceVersion": assignment.metadata.resource_version}
        body: Body = {"metadata": metadata, "status": status}
        stored = await self._client.apply(Assignment, name, body, namespace=namespace, subresource="status")
        return version_of(stored)

    async def _release(self, assignment: Assignment) -> int:
        """Only in the state that was decided on: the scheduler may just have bound it."""
        namespace, name = assignment.key
        kept = [finalizer for finalizer in assignment.metadata.finalizers if finalizer != STOPPED_FINALIZER]
        patch: Body = {
            "metadata": {"resourceVersion": assignment.metadata.resource_version, "finalizers": kept or None}
        }
        return version_of(await self._client.patch(Assignment, name, patch, namespace=namespace))


def _body(condition: Condition) -> Body:
    return condition.model_dump(mode="json", by_alias=True, exclude_none=True)


def watch(
    controller: Controller, nodes: Informer[Node], leases: Informer[Lease], assignments: Informer[Assignment]
) -> None:
    """Have a node reconciled when it or its lease changes, and when an assignment there needs more than its
    agent may be able to give."""

    def on_node(old: Node | None, new: Node | None) -> None:
        for node in filter(None, (new or old,)):
            controller.enqueue(("", node.metadata.name))

    def on_lease(old: Lease | None, new: Lease | None) -> None:
        for lease in filter(None, (new or old,)):
            if lease.metadata.namespace == NODE_LEASES:
                controller.enqueue(("", lease.metadata.name))

    def on_assignment(old: Assignment | None, new: Assignment | None) -> None:
        # Not on every report from a silent node: what its agent says counts until its lease changes again.
        if new is not None and is_held(new):
            controller.enqueue(("", new.spec.node_name))

    nodes.add_handler(on_node)
    leases.add_handler(on_lease)
    assignments.add_handler(on_assignment)
