"""What a node's lease means for the node and for the assignments on it. Pure.

Our agents release what is deleted when its processes are dead, and repeat what they know after every silence. The
original's do neither: they post a status once, when it changes, and never say that something is gone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from apiserver.api import conditions
from apiserver.api.kinds.assignment import REPORTED, STOPPED_FINALIZER, Assignment, Phase
from apiserver.api.kinds.lease import Lease
from apiserver.api.kinds.node import Node, is_original
from apiserver.api.meta import Condition

LOST_AFTER = timedelta(seconds=300)
"""How long a node must have been silent before what is deleted on it goes without its word."""

V1_QUIET = timedelta(seconds=15)
"""How long after its deletion an assignment goes of which an original agent has never reported anything: it asks for
its assignments every few seconds, and would have told what it had begun."""

V1_STOP = timedelta(seconds=60)
"""How long after its deletion an assignment goes whatever an original agent has said: it kills after 5 s, so by then
its one report has been lost."""

AGENT_READY, AGENT_STOPPED, LEASE_EXPIRED, NODE_SILENT = "AgentReady", "AgentStopped", "LeaseExpired", "NodeSilent"
_ENDED = ("Stopped", "Exited", "Failed")
_PHASES = frozenset(get_args(Phase)) - {"Unknown"}


@dataclass(frozen=True)
class SetReady:
    """Write the node's Ready condition."""

    condition: Condition


@dataclass(frozen=True)
class MarkUnknown:
    """Nobody knows any more how the assignment is; its agent says so again when it returns."""

    assignment: Assignment


@dataclass(frozen=True)
class Restore:
    """The agent is back and will not say again how the assignment is; ``told`` is what it said last, if it did."""

    assignment: Assignment
    told: Condition | None


@dataclass(frozen=True)
class Release:
    """Take away the finalizer that no agent will."""

    assignment: Assignment


Action = SetReady | MarkUnknown | Restore | Release


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
    leaving: Mapping[str, timedelta] | None = None,
) -> Plan:
    """The next writes for one node and all assignments that name it; ``node`` None: there is no such node.

    How long a node has been silent is read off its stored Ready condition, but at most as long as the caller
    has ``witnessed`` it by a clock that nobody sets: a step of the wall clock must not declare a node lost. How
    long an assignment has been under deletion is only what the caller has seen by that clock: ``leaving``, by
    uid; one that is not in it is taken to be new there.
    """
    if node is None:
        return Plan(tuple(Release(copy) for copy in assignments if is_held(copy)))
    ready = _readiness(node, lease, now)
    told = conditions.find(node.status.conditions, "Ready")
    first = () if told == ready else (SetReady(ready),)
    if is_original(node):
        rest = _with_original_agent(assignments, leaving or {}, is_here=ready.status == "True")
        return Plan((*first, *rest.actions), rest.look_again)
    if ready.status == "True":
        return Plan(first)
    if ready.reason == AGENT_STOPPED:
        return Plan((*first, *_after_a_drain(assignments)))
    unknown = tuple(MarkUnknown(copy) for copy in assignments if _is_known(copy))
    held = [copy for copy in assignments if is_held(copy)]
    silent = min(witnessed, now - ready.last_transition_time) if ready.last_transition_time else timedelta()
    if held and silent < lost_after:
        return Plan((*first, *unknown), look_again=(lost_after - silent).total_seconds())
    return Plan((*first, *unknown, *map(Release, held)))


def _after_a_drain(copies: Sequence[Assignment]) -> Iterator[Action]:
    """The agent gave the lease back when it had ended everything: what it said of that stands, and nothing is left to
    wait for."""
    for copy in copies:
        is_told = copy.status.phase in _ENDED and not conditions.is_true(copy.status.conditions, "Ready")
        if _is_known(copy) and not is_told:
            yield MarkUnknown(copy)
        if is_held(copy):
            yield Release(copy)


def _with_original_agent(copies: Sequence[Assignment], leaving: Mapping[str, timedelta], *, is_here: bool) -> Plan:
    """What to do on a node whose agent only heartbeats and reports."""
    held = [copy for copy in copies if is_held(copy)]
    if not is_here:
        unknown = (MarkUnknown(copy) for copy in copies if _is_known(copy) and not is_held(copy))
        return Plan((*unknown, *map(Release, held)))
    restored = (Restore(copy, _last_report(copy)) for copy in copies if _is_marked(copy))
    waits = [_patience(copy) - leaving.get(copy.metadata.uid or "", timedelta()) for copy in held]
    due = (Release(copy) for copy, wait in zip(held, waits, strict=True) if wait <= timedelta())
    later = (wait.total_seconds() for wait in waits if wait > timedelta())
    return Plan((*restored, *due), look_again=min(later, default=None))


def _patience(copy: Assignment) -> timedelta:
    """How long after its deletion an original agent is waited for."""
    if copy.status.phase in _ENDED:
        return timedelta()
    return V1_QUIET if copy.status.phase in (None, "Pending") else V1_STOP


def _is_marked(copy: Assignment) -> bool:
    """Whether anything of MarkUnknown is left, also when the agent has reported since."""
    ready = conditions.find(copy.status.conditions, "Ready")
    reasons = (copy.status.reason, ready.reason if ready else "")
    return copy.status.phase == "Unknown" or NODE_SILENT in reasons


def _last_report(copy: Assignment) -> Condition | None:
    found = conditions.find(copy.status.conditions, REPORTED)
    return found if found is not None and found.reason in _PHASES else None


def is_held(copy: Assignment) -> bool:
    """Whether an assignment under deletion waits for its processes to be dead."""
    return copy.metadata.deletion_timestamp is not None and STOPPED_FINALIZER in copy.metadata.finalizers


def _readiness(node: Node, lease: Lease | None, now: datetime) -> Condition:
    status: Literal["True", "False", "Unknown"] = "Unknown"
    reason, message = LEASE_EXPIRED, "the agent has not renewed the node's lease in time"
    if lease is None:
        message = "the node has no lease: its agent has not reported yet"
    elif lease.status.state == "Held":
        status, reason, message = "True", AGENT_READY, "the agent renews the node's lease"
    elif lease.spec.holder_identity == "":
        status, reason = "False", AGENT_STOPPED
        message = "the agent was stopped, and before it all that it ran; start plum-agent to have it back"
    return conditions.renew(node.status.conditions, "Ready", status, reason=reason, message=message, now=now)


def _is_known(copy: Assignment) -> bool:
    """Whether the status still says something that nobody stands for; what no agent ever saw stays Pending."""
    return copy.status.phase not in (None, "Unknown") or conditions.is_true(copy.status.conditions, "Ready")
