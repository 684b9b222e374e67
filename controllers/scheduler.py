"""The scheduler: gives assignments without a home a node, once, and says why where it cannot.

All pending assignments are one piece of work: what one of them takes, the next must not count on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Literal

from apiserver.api import conditions
from apiserver.api.errors import Conflict, NotFound
from apiserver.api.expansion import is_live
from apiserver.api.kinds.assignment import NODE_LABEL, Assignment
from apiserver.api.kinds.node import Node
from apiserver.api.meta import Body, is_label_value
from apiserver.client.controller import Controller, Key, Result
from apiserver.client.events import EventRecorder
from apiserver.client.informer import Informer
from apiserver.client.interface import Client
from controllers.scheduling import Bind, Unplaced, is_pending, plan
from controllers.writing import each, version_of

MANAGER = "plum-scheduler"
CLUSTER: Key = ("", "cluster")
"""The only key there is."""

ATTENTION = "scheduler"
"""The index of the assignments that the scheduler has to look at."""

PENDING, STALE = "pending", "stale"

MAX_WRITES = 1000
"""Writes of one reconcile; what is left is planned anew right after."""

MAX_EVENTS = 10
"""Events of one reconcile."""

CONFLICT_SECONDS = 1.0
WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class Placed:
    """The assignment has a node now, and its condition still says that it has none."""

    assignment: Assignment


def attention(assignment: Assignment) -> list[str]:
    """Which of the scheduler's duties an assignment calls for; the indexer of ``scheduler``."""
    if is_pending(assignment):
        return [PENDING]
    placed = conditions.find(assignment.status.conditions, "Placed")
    if is_live(assignment) and assignment.spec.node_name and placed is not None and placed.status == "False":
        return [STALE]
    return []


class SchedulerReconciler:
    """Plans for the whole cluster at once, and binds under the precondition that nobody else has."""

    def __init__(
        self,
        client: Client,
        assignments: Informer[Assignment],
        nodes: Informer[Node],
        *,
        events: EventRecorder,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """The client must write as ``MANAGER``; the assignments need the index ``scheduler``."""
        self._client, self._events, self._now = client, events, now
        self._assignments, self._nodes = assignments, nodes

    async def reconcile(self, key: Key) -> Result:
        """Decide for all that is pending. Lost races are tried again a second later at the latest."""
        decisions = list(self._decide())
        reached = await each(decisions[:MAX_WRITES], self._write)
        await self._record(decisions)
        await self._assignments.wait_for_version(reached, timeout=WAIT_SECONDS)
        if len(decisions) > MAX_WRITES:
            return Result(requeue_after=0.0)
        lost = any(isinstance(d, Bind) and self._is_unchanged(d.assignment) for d in decisions)
        return Result(requeue_after=CONFLICT_SECONDS if lost else None)

    async def _record(self, decisions: Sequence[Bind | Unplaced | Placed]) -> None:
        """One event for all copies of an entry, and a few events in all: the conditions tell the rest."""
        unplaced = {
            (*decision.assignment.key[:1], decision.assignment.spec.task_name, decision.assignment.spec.entry): decision
            for decision in decisions
            if isinstance(decision, Unplaced)
        }
        for decision in islice(unplaced.values(), MAX_EVENTS):
            await self._events.record(decision.assignment, "Warning", decision.reason, decision.message)

    def _decide(self) -> Iterator[Bind | Unplaced | Placed]:
        """The writes that are due: what is told already is not told again."""
        for assignment in self._assignments.by_index(ATTENTION, STALE):
            yield Placed(assignment)
        pending = self._assignments.by_index(ATTENTION, PENDING)
        if not pending:
            return
        for decision in plan(pending, self._nodes.items(), self._assignments.items()):
            if isinstance(decision, Bind) or not _is_told(decision):
                yield decision

    def _is_unchanged(self, assignment: Assignment) -> bool:
        found = self._assignments.get(*assignment.key)
        return found is not None and found.metadata.resource_version == assignment.metadata.resource_version

    async def _write(self, decision: Bind | Unplaced | Placed) -> int:
        try:
            match decision:
                case Bind(assignment, node):
                    return await self._bind(assignment, node)
                case Unplaced(assignment, reason, message):
                    return await self._tell(assignment, "False", reason, message)
                case Placed(assignment):
                    message = f"placed on {assignment.spec.node_name}"
                    return await self._tell(assignment, "True", "Bound", message)
        except (Conflict, NotFound):
            return 0  # It has changed since it was seen; its next version will be looked at.

    async def _bind(self, assignment: Assignment, node: str) -> int:
        namespace, name = assignment.key
        labels = {NODE_LABEL: node} if is_label_value(node) else {}
        patch: Body = {
            "metadata": {"resourceVersion": assignment.metadata.resource_version, "labels": labels},
            "spec": {"nodeName": node},
        }
        return version_of(await self._client.patch(Assignment, name, patch, namespace=namespace))

    async def _tell(self, assignment: Assignment, status: Literal["True", "False"], reason: str, message: str) -> int:
        namespace, name = assignment.key
        placed = conditions.renew(
            assignment.status.conditions, "Placed", status, reason=reason, message=message, now=self._now()
        )
        condition = placed.model_dump(mode="json", by_alias=True, exclude_none=True)
        body: Body = {"metadata": {"uid": assignment.metadata.uid}, "status": {"conditions": [condition]}}
        stored = await self._client.apply(Assignment, name, body, namespace=namespace, subresource="status")
        return version_of(stored)


def _is_told(decision: Unplaced) -> bool:
    placed = conditions.find(decision.assignment.status.conditions, "Placed")
    return placed is not None and (placed.status, placed.reason, placed.message) == (
        "False",
        decision.reason,
        decision.message,
    )


def watch(controller: Controller, assignments: Informer[Assignment], nodes: Informer[Node]) -> None:
    """Have the cluster reconciled when an assignment needs a node, one leaves its node, or nodes change."""

    def on_assignment(old: Assignment | None, new: Assignment | None) -> None:
        left = old is not None and is_live(old) and (new is None or not is_live(new))
        if left or (new is not None and attention(new)):
            controller.enqueue(CLUSTER)

    def on_node(old: Node | None, new: Node | None) -> None:
        controller.enqueue(CLUSTER)

    assignments.add_handler(on_assignment)
    nodes.add_handler(on_node)
