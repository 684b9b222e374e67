"""What to do next about each assignment of this node. Pure, level-triggered: the same look, the same answer.

A plan is short on purpose. Whatever an action changes, the next look sees; whoever dies between two
actions leaves a world from which the next plan goes on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agent import restarts, status
from agent.instances import OWN_DOING, Cause, Instance, Key, Moment, Record
from agent.probes import PENDING
from agent.remembered import Seen
from apiserver.api.kinds.assignment import RESTARTED_AT, STOPPED_FINALIZER, Assignment

TOLD_WITHIN = 2.0
"""Seconds that a restart waits for the server to hear of the exit before."""

LONGEST_DRAIN = 30.0
"""The longest grace, in seconds, when the agent itself is asked to end."""


@dataclass(frozen=True)
class Action:
    """One step for one instance."""

    key: Key


@dataclass(frozen=True)
class Remember(Action):
    """Write the changed assignment down."""


@dataclass(frozen=True)
class Adopt(Action):
    """Take over what an earlier agent started."""


@dataclass(frozen=True)
class Prepare(Action):
    """Fetch the artifact and unpack it."""


@dataclass(frozen=True)
class Start(Action):
    """Start the command. ``counted``: as a restart."""

    counted: bool = False


@dataclass(frozen=True)
class Stop(Action):
    """Ask the process group to end."""

    cause: Cause = "Stopped"
    signal: str = "TERM"
    grace: float = 0.0


@dataclass(frozen=True)
class Kill(Action):
    """KILL whatever of the instance is alive."""


@dataclass(frozen=True)
class Settle(Action):
    """Note that an ended process is now ended on request."""


@dataclass(frozen=True)
class Remove(Action):
    """Delete the instance's folder."""


@dataclass(frozen=True)
class Release(Action):
    """Take our finalizer away."""


@dataclass(frozen=True)
class Forget(Action):
    """Drop what is known: there is nothing left, here or on the server."""


@dataclass(frozen=True)
class Report(Action):
    """Write the status. ``status`` lacks only the time of the report."""

    status: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Wait(Action):
    """Look again at ``until``, in ticks."""

    until: float = 0.0


@dataclass(frozen=True)
class _Look:
    """One instance with all that its plan depends on."""

    assignment: Assignment | None
    instance: Instance
    waits: bool
    lacks: tuple[str, ...]
    """The entries that a start has to wait for."""
    draining: bool
    now: Moment
    ip: str
    known: bool

    @property
    def key(self) -> Key:
        return self.instance.key

    @property
    def leaves(self) -> bool:
        return self.assignment is None or self.assignment.metadata.deletion_timestamp is not None

    def is_free(self, work: str) -> bool:
        return work not in self.instance.busy


def newcomer(assignment: Assignment) -> Instance:
    """An assignment that this node has not seen yet."""
    namespace, name = assignment.key
    uid = assignment.metadata.uid or ""
    return Instance(Record(namespace=namespace, name=name, uid=uid, assignment=Seen.of(assignment)))


def plan(
    assignments: Mapping[Key, Assignment],
    instances: Mapping[Key, Instance],
    now: Moment,
    *,
    draining: bool = False,
    ip: str = "",
    keys: Iterable[Key] | None = None,
    known: bool = True,
    lacking: Mapping[Key, tuple[str, ...]] | None = None,
) -> list[Action]:
    """The next actions, of all instances or of ``keys``. ``draining``: the agent is to end, and everything before it.
    ``lacking``: the entries that the start of an instance has to wait for.
    ``known``: the server has told which assignments there are; before, the absence of one means nothing."""
    actions: list[Action] = []
    for key in sorted({*assignments, *instances}) if keys is None else keys:
        assignment, instance = assignments.get(key), instances.get(key)
        if instance is None and assignment is not None:
            instance = newcomer(assignment)
        if instance is None:
            continue
        if assignment is not None and assignment.metadata.uid != instance.record.uid:
            assignment = None  # another object of the same name: the old one goes first
        if assignment is not None:
            instance = _heard(instance, assignment)
        waits = assignment is not None and _is_alive(instances.get((key[0], assignment.spec.replaces)))
        actions += _plan_one(_Look(assignment, instance, waits, (lacking or {}).get(key, ()), draining, now, ip, known))
    return actions


def _heard(instance: Instance, assignment: Assignment) -> Instance:
    """The server has been told of the last end if it tells of it, whichever agent said so."""
    told = assignment.status.finished_at
    if instance.exit_told or told is None or told != instance.record.finished_at:
        return instance
    return replace(instance, exit_told=True)


def _is_alive(instance: Instance | None) -> bool:
    return instance is not None and instance.life != "down"


def _plan_one(look: _Look) -> list[Action]:
    steps: list[Action]
    if look.instance.life == "left":
        return _plan_left(look)
    if look.assignment is None and not look.known:
        return _plan_up(look) if look.draining and look.instance.life == "up" else []
    if look.assignment is not None and not _is_remembered(look.instance, look.assignment):
        return [Remember(look.key)]
    if look.instance.life == "up":
        steps = _plan_up(look)
    elif look.leaves:
        steps = _plan_leaving(look)
    elif look.draining:
        steps = []
    elif look.assignment is not None and look.assignment.spec.desired == "Stopped":
        steps = _plan_stopped(look.instance)
    else:
        steps = _plan_start(look)
        if look.instance.prepared and not look.instance.saved and not any(isinstance(step, Start) for step in steps):
            return [Remember(look.key)]  # a start brings it to the disk as well; this one may have to wait long
    return steps + _plan_report(look, steps)


def _is_remembered(instance: Instance, assignment: Assignment) -> bool:
    """Whether the record tells of the assignment as it is now."""
    return instance.record.assignment is not None and instance.record.assignment.says(assignment)


def _plan_left(look: _Look) -> list[Action]:
    """Mostly it is known in a moment what became of it; only where that cannot be found out it is told of."""
    steps: list[Action] = [Adopt(look.key)] if look.is_free("adopt") and look.is_free("start") else []
    return steps + (_plan_report(look, steps) if look.instance.doubt else [])


def _plan_up(look: _Look) -> list[Action]:
    """A process is alive: does it have to end?"""
    stopping = look.instance.stopping
    if stopping is None:
        cause = _cause_to_stop(look)
        return [_stop(look, cause)] if cause else []
    if look.now.ticks < stopping.deadline:
        return [Wait(look.key, stopping.deadline)]
    return [Kill(look.key)] if look.is_free("kill") else []


def _cause_to_stop(look: _Look) -> Cause | None:
    if look.draining:
        return "AgentStopped"
    if look.leaves or look.assignment is None or look.assignment.spec.desired == "Stopped":
        return "Stopped"
    if _restart_requested(look.assignment, look.instance):
        return "Restarted"
    health = look.instance.record.health
    return "Unhealthy" if health is not None and health.unhealthy else None


def _stop(look: _Look, cause: Cause) -> Stop:
    template = look.assignment.spec.template if look.assignment else None
    grace = float(template.termination_grace_period_seconds if template else 5)
    return Stop(
        look.key,
        cause=cause,
        signal=template.stop_signal if template else "TERM",
        grace=min(grace, LONGEST_DRAIN) if look.draining else grace,
    )


def _restart_requested(assignment: Assignment, instance: Instance) -> bool:
    wanted = assignment.metadata.annotations.get(RESTARTED_AT, "")
    return wanted not in ("", instance.record.restarted_at)


def _plan_leaving(look: _Look) -> list[Action]:
    """No process is alive, and the assignment is deleted or already gone."""
    if not look.instance.removed:
        return [Remove(look.key)] if look.is_free("remove") else []
    if look.assignment is None:
        return [] if look.instance.busy else [Forget(look.key)]
    if STOPPED_FINALIZER in look.assignment.metadata.finalizers and look.is_free("release"):
        return [_when(look, look.instance.report_after, Release(look.key))]
    return []


def _plan_stopped(instance: Instance) -> list[Action]:
    end = instance.record.end
    settled = end is None or end.cause == "Stopped" or not instance.exit_told
    return [] if settled else [Settle(instance.key)]


def _plan_start(look: _Look) -> list[Action]:
    """No process is alive, and one should be."""
    instance, assignment = look.instance, look.assignment
    assert assignment is not None
    start_at = _start_at(assignment, instance)
    if start_at is None:
        return []
    if not instance.prepared:
        retry_at = instance.failure.retry_at if instance.failure else 0.0
        return [_when(look, retry_at, Prepare(look.key))] if look.is_free("prepare") else []
    if (
        look.waits or not look.is_free("start") or not look.is_free("kill")
    ):  # a kill of the last run finds the next one by the same marker
        return []
    if _withheld(look):
        return []
    if not instance.exit_told:
        start_at = max(start_at, instance.noticed + TOLD_WITHIN)
    return [_when(look, start_at, Start(look.key, counted=_is_counted(assignment, instance)))]


def _withheld(look: _Look) -> tuple[str, ...]:
    """The entries that keep back a start which is due. What ended before tells how until then."""
    if look.assignment is None or look.instance.life != "down" or not _wants_start(look) or look.draining:
        return ()
    start_at = _start_at(look.assignment, look.instance)
    return look.lacks if start_at is not None and look.now.ticks >= start_at else ()


def _start_at(assignment: Assignment, instance: Instance) -> float | None:
    """When to start, in ticks; None: never."""
    end = instance.record.end
    if end is None or end.cause not in OWN_DOING or _restart_requested(assignment, instance):
        return instance.ended
    wanted = restarts.is_wanted(assignment.spec.template.restart_policy, success=end.success)
    if not wanted and end.cause != "StartFailed":  # what never ran is for us to try again, whatever the policy
        return None
    return instance.ended + restarts.delay(instance.record.streak)


def _is_counted(assignment: Assignment, instance: Instance) -> bool:
    end = instance.record.end
    if end is None:
        return False
    return end.cause in (*OWN_DOING, "Restarted") or _restart_requested(assignment, instance)


def _when(look: _Look, at: float, action: Action) -> Action:
    return action if look.now.ticks >= at else Wait(look.key, at)


def _plan_report(look: _Look, steps: list[Action]) -> list[Action]:
    """The status is written when the stored one says something else, whoever wrote that."""
    if look.assignment is None or not look.is_free("report"):
        return []
    if any(isinstance(step, Start | Settle | Remove | Release | Forget) for step in steps):
        return []  # what comes after it is worth telling
    if look.leaves and look.instance.life == "down" and _goes_soon(look.assignment):
        return []  # nobody would read it
    quiet_until = _quiet_until(look)
    if look.now.ticks < quiet_until:
        return [Wait(look.key, quiet_until)]
    wanted = status.of(
        look.assignment, look.instance, waits=look.waits, lacks=_withheld(look), now=look.now, ip=look.ip
    )
    if not status.differs(look.assignment, wanted):
        return []
    return [_when(look, look.instance.report_after, Report(look.key, wanted))]


def _goes_soon(assignment: Assignment) -> bool:
    """Whether nobody but us holds it."""
    return all(name == STOPPED_FINALIZER for name in assignment.metadata.finalizers)


def _quiet_until(look: _Look) -> float:
    """What is over in no time, such as unpacking a cached archive, the first answer to a probe or a prompt end, is not
    worth a write."""
    instance, health = look.instance, look.instance.record.health
    if instance.life == "left":
        return 0.0
    if instance.stopping is not None:
        return instance.stopping.since + status.QUIET
    if instance.life == "up":
        return instance.began + status.QUIET if health is not None and health.reason == PENDING else 0.0
    if instance.prepared or instance.failure or look.waits or not instance.exit_told:
        return 0.0
    if instance.preparing_since is not None:
        return instance.preparing_since + status.QUIET
    is_about_to = look.is_free("prepare") and not look.draining
    return look.now.ticks + status.QUIET if is_about_to and _wants_start(look) else 0.0


def _wants_start(look: _Look) -> bool:
    return not look.leaves and look.assignment is not None and look.assignment.spec.desired == "Running"
