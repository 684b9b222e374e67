"""What a node's lease means for the node and for the assignments on it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from apiserver.api import conditions
from apiserver.api.kinds.assignment import STOPPED_FINALIZER, Assignment
from apiserver.api.kinds.lease import Lease
from apiserver.api.kinds.node import Node
from apiserver.api.meta import Condition

LOST_AFTER = timedelta(seconds=300)
"""How long a node must have been silent before what is deleted on it goes without its word."""

AGENT_READY, LEASE_EXPIRED = "AgentReady", "LeaseExpired"


@dataclass(frozen=True)
class SetReady:
    """Write the node's Ready condition."""

    condition: Condition


@dataclass(frozen=True)
class MarkUnknown:
    """Nobody knows any more how the assignment is; its agent says so again when it returns."""

    assignment: Assignment


@dataclass(frozen=True)
class Release:
    """Take away the finalizer that no agent will."""

    assignment: Assignment


Action = SetReady | MarkUnknown | Release


@dataclass(frozen=True)
class Plan:
    """What to do now, and in how many seconds to look again although nothing has changed."""

    actions: tuple[Action, ...] = ()
    look_again: float | None = None


def plan(
    node: Node | None,
    lease: Lease | None,
    assignments: Sequence[Assignment],
    *,
    now: datetime,
    lost_after: timedelta = LOST_AFTER,
    witnessed: timedelta = timedelta.max,
) -> Plan:
    """The next writes for one node and all assignments that name it; ``node`` None: there is no such node.

    How long a node has been silent is read off its stored Ready condition, but at most as long as the caller
    has ``witnessed`` it by a clock that nobody sets: a step of the wall clock must not declare a node lost.
    """
    if node is None:
        return Plan(tuple(Release(copy) for copy in assignments if is_held(copy)))
    ready = _readiness(node, lease, now)
    told = conditions.find(node.status.conditions, "Ready")
    first = () if told == ready else (SetReady(ready),)
    if ready.status == "True":
        return Plan(first)
    unknown = tuple(MarkUnknown(copy) for copy in assignments if _is_known(copy))
    held = [copy for copy in assignments if is_held(copy)]
    silent = min(witnessed, now - ready.last_transition_time) if ready.last_transition_time else timedelta()
    if held and silent < lost_after:
        return Plan((*first, *unknown), look_again=(lost_after - silent).total_seconds())
    return Plan((*first, *unknown, *map(Release, held)))


def is_held(copy: Assignment) -> bool:
    """Whether an assignment under deletion waits for its processes to be dead."""
    return copy.metadata.deletion_timestamp is not None and STOPPED_FINALIZER in copy.metadata.finalizers


def _readiness(node: Node, lease: Lease | None, now: datetime) -> Condition:
    status: Literal["True", "Unknown"] = "Unknown"
    reason, message = LEASE_EXPIRED, "the agent has not renewed the node's lease in time"
    if lease is None:
        message = "the node has no lease: its agent has not reported yet"
    elif lease.status.state == "Held":
        status, reason, message = "True", AGENT_READY, "the agent renews the node's lease"
    return conditions.renew(node.status.conditions, "Ready", status, reason=reason, message=message, now=now)


def _is_known(copy: Assignment) -> bool:
    """Whether the status still says something that nobody stands for; what no agent ever saw stays Pending."""
    return copy.status.phase not in (None, "Unknown") or conditions.is_true(copy.status.conditions, "Ready")
