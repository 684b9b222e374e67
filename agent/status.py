"""What an assignment's status should say, from what the agent knows. Pure."""

from collections.abc import Mapping
from typing import Any, Literal

from agent import offers, probes, restarts
from agent.instances import OWN_DOING, Instance, Moment
from apiserver.api import conditions
from apiserver.api.kinds.assignment import Assignment, AssignmentStatus, Phase, PortStatus
from apiserver.api.meta import Condition

OWNED = (
    "phase", "reason", "message", "exitCode", "signal", "restarts", "pid", "ip", "ports", "services", "startedAt",
    "finishedAt", "previousStartedAt",
)  # fmt: skip
"""The fields that the agent writes, beside ``reportedAt`` and its conditions."""

OWN_CONDITIONS = ("Prepared", "Ready")
QUIET = 0.5
"""Seconds of preparing or stopping before it is worth a report: mostly it is over by then."""

IN_DOUBT = "InDoubt"
"""The reason where the system does not tell what became of a start: something may be alive, and nothing is started."""

Told = tuple[Phase, str, str]
"""Phase, reason, message."""


def of(
    assignment: Assignment, instance: Instance, *, waits: bool, now: Moment, ip: str, lacks: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The agent's part of the status in wire form; ``waits``: for its predecessor to end, ``lacks``: entries that
    keep back a start."""
    phase, reason, message = told(assignment, instance, waits=waits, lacks=lacks)
    record = instance.record
    end = record.end
    up = instance.life == "up"
    status = AssignmentStatus(
        phase=phase,
        reason=reason,
        message=message[:1024],
        exit_code=end.exit.code if end else None,
        signal=end.exit.signal if end else None,
        restarts=record.restarts,
        pid=record.process.pid if up and record.process else None,
        ip=ip,
        ports=tuple(PortStatus(name=name, port=port) for name, port in sorted(record.ports.items())),
        services=offers.of(record.declared or offers.Declared(), assignment.spec.template, record.ports) if up else (),
        started_at=record.started_at,
        finished_at=record.finished_at,
        previous_started_at=record.previous_started_at,
        conditions=_conditions(assignment, instance, phase, now),
    )
    body: dict[str, Any] = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    # Said even when empty: else what the node controller wrote there while we were silent would stay its own.
    return body | {"reason": reason, "message": message[:1024]}


def differs(assignment: Assignment, wanted: Mapping[str, Any]) -> bool:
    """Whether the stored status says anything else than the agent would."""
    stored = assignment.status.model_dump(mode="json", by_alias=True, exclude_none=True)
    ours = [c for c in stored.get("conditions", ()) if c["type"] in OWN_CONDITIONS]
    return any(_said(stored, name) != _said(wanted, name) for name in OWNED) or (
        {c["type"]: c for c in ours} != {c["type"]: c for c in wanted.get("conditions", ())}
    )


def _said(status: Mapping[str, Any], name: str) -> Any:
    """A field's value; an empty text is the same as none, and a list is one in whatever order it was merged."""
    value = status.get(name)
    if isinstance(value, list):
        return sorted(value, key=repr)
    return None if value == "" else value


def tells_exit(wanted: Mapping[str, Any]) -> bool:
    """Whether a status speaks of an end."""
    return wanted.get("phase") in ("Exited", "Failed")


def told(assignment: Assignment, instance: Instance, *, waits: bool, lacks: tuple[str, ...] = ()) -> Told:
    """Phase, reason and message."""
    if instance.life == "up":
        return _up(instance)
    if instance.doubt:
        return "Unknown", IN_DOUBT, f"cannot tell whether it runs: {instance.doubt}; trying again"
    if not instance.exit_told:
        return _ended(instance)
    if assignment.spec.desired == "Stopped" or assignment.metadata.deletion_timestamp is not None:
        return "Stopped", "Stopped", ""
    if waits:
        return "Pending", "WaitingForPredecessor", f"waits for {assignment.spec.replaces} to end"
    if lacks and instance.failure is None:
        return "Pending", "WaitingForDependencies", f"waits for {', '.join(lacks)}"
    return _down(assignment, instance)


def _up(instance: Instance) -> Told:
    if instance.stopping is None:
        return "Running", "Running", ""
    health = instance.record.health
    seen = health.unhealthy if health is not None and instance.stopping.cause == "Unhealthy" else ""
    return "Stopping", instance.stopping.cause, seen


def _down(assignment: Assignment, instance: Instance) -> Told:
    end, streak = instance.record.end, instance.record.streak
    if end is not None and end.cause in OWN_DOING:
        wanted = restarts.is_wanted(assignment.spec.template.restart_policy, success=end.success)
        wanted = wanted or end.cause == "StartFailed"
        if not wanted or not restarts.is_backing_off(streak):
            return _ended(instance)
        wait = f"starts again after {restarts.delay(streak):g} s"
        return "BackOff", "BackOff", f"{describe(instance)}, {streak} times in a row; {wait}"
    if instance.failure is not None:
        return "Preparing", instance.failure.reason, instance.failure.message
    if end is not None and end.cause == "AgentStopped":
        return "Stopped", end.cause, "the node's agent was stopped"
    if instance.prepared:
        return "Preparing", "Starting", ""
    return "Preparing", "Preparing", "the artifact is being fetched and unpacked"


def _ended(instance: Instance) -> Told:
    end = instance.record.end
    if end is not None and end.success:
        return "Exited", "Completed", describe(instance)
    named = end is not None and end.cause in ("StartFailed", "Unhealthy")
    return "Failed", end.cause if end is not None and named else "Error", describe(instance)


def describe(instance: Instance) -> str:
    """The last end in words."""
    end = instance.record.end
    if end is None:
        return ""
    if end.message:
        return end.message
    if end.exit.signal is not None:
        return f"ended by signal {end.exit.signal}"
    return "ended, nobody knows how" if end.exit.code is None else f"exited with code {end.exit.code}"


def readiness(assignment: Assignment, instance: Instance, phase: Phase) -> tuple[bool, str, str]:
    """Whether it is ready, with reason and message: in the phase Running as its probes say."""
    if phase == "Unknown":
        return False, IN_DOUBT, f"cannot tell whether it runs: {instance.doubt}"
    if phase != "Running":
        return False, phase, ""
    health = instance.record.health or probes.unasked(assignment.spec.template.probes)
    return health.ready, health.reason, health.message


def _conditions(assignment: Assignment, instance: Instance, phase: Phase, now: Moment) -> tuple[Condition, ...]:
    before = assignment.status.conditions
    ready, reason, message = readiness(assignment, instance, phase)
    is_ready: Literal["True", "False", "Unknown"] = "True" if ready else "Unknown" if phase == "Unknown" else "False"
    failure = instance.failure
    prepared = instance.prepared or instance.life == "up"
    # Of what is to stand still nothing is fetched.
    lacking = "Stopped" if phase == "Stopped" else "Preparing"
    return (
        conditions.renew(
            before,
            "Prepared",
            "True" if prepared else "False",
            reason="Unpacked" if prepared else failure.reason if failure else lacking,
            message="" if prepared or not failure else failure.message[:1024],
            now=now.wall,
        ),
        conditions.renew(before, "Ready", is_ready, reason=reason, message=message[:1024], now=now.wall),
    )
