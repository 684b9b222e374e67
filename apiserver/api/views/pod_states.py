"""What Kubernetes would say of an assignment's instance: phase, the container's state, conditions. Pure.

A pod's phase never says that more is to come when nothing is, and never Succeeded or Failed while something is: a
process that ended and is about to be started again is Running, as on a cluster. What was stopped on purpose, and may
be asked to run again, is Pending with the container waiting for the reason ``Stopped``.
"""

from collections.abc import Mapping
from typing import Any, Literal

from apiserver.api.meta import Body, format_time, parse_time

PodPhase = Literal["Pending", "Running", "Succeeded", "Failed", "Unknown"]

NODE_LOST = "NodeLost"
"""The pod's reason while nobody hears of its node."""

_NODE_SILENT = "NodeSilent"
"""The same as the assignment says it."""

_PHASES: dict[str, PodPhase] = {
    "": "Pending",
    "Pending": "Pending",
    "Preparing": "Pending",
    "Stopped": "Pending",
    "Running": "Running",
    "Stopping": "Running",
    "BackOff": "Running",
    "Unknown": "Unknown",
}
_FINAL: dict[str, PodPhase] = {"Exited": "Succeeded", "Failed": "Failed"}
_RESTARTS = {"Exited": ("Always",), "Failed": ("Always", "OnFailure")}
"""The restart policies with which such an end is followed by a start."""

_WAITING = {
    "BackOff": "CrashLoopBackOff",
    "Stopped": "Stopped",
    "WaitingForPredecessor": "WaitingForPredecessor",
    "WaitingForDependencies": "WaitingForDependencies",
}
CREATING = "ContainerCreating"
ARTIFACT_TROUBLE = "Artifact"
"""What reasons begin with that say why an app could not be had, or ``DiskFull``."""

UNKNOWN_EXIT, START_FAILED_EXIT = 137, 128
"""The codes that a cluster shows for an end that nobody saw, and for a start that failed."""


def phase_of(phase: str, restart_policy: str) -> PodPhase:
    """The pod's phase for an assignment's; an unknown policy is the default one."""
    if phase in _FINAL:
        is_over = (restart_policy or "Always") not in _RESTARTS[phase]
        return _FINAL[phase] if is_over else "Running"
    return _PHASES.get(phase, "Unknown")


def container_state(status: Mapping[str, Any]) -> Body:
    """``state`` of the container: exactly one of waiting, running and terminated."""
    phase = str(status.get("phase") or "")
    if phase in _FINAL:
        return {"terminated": last_end(status)}
    if phase in ("Running", "Stopping") or (phase == "Unknown" and status.get("pid")):
        return {"running": {"startedAt": _second(status.get("startedAt"))} if status.get("startedAt") else {}}
    reason = str(status.get("reason") or "")
    message = str(status.get("message") or "")
    told = unknown_because(status) if phase == "Unknown" else _waiting_reason(phase, reason)
    waiting = {"reason": told} | ({"message": message} if message else {})
    return {"waiting": waiting}


def unknown_because(status: Mapping[str, Any]) -> str:
    """Why the phase is Unknown: nobody hears of the node, or what the agent says."""
    reason = str(status.get("reason") or "")
    return NODE_LOST if reason in ("", _NODE_SILENT) else reason


def _waiting_reason(phase: str, reason: str) -> str:
    if phase in _WAITING or reason in _WAITING:
        return _WAITING.get(phase) or _WAITING[reason]
    is_trouble = reason.startswith(ARTIFACT_TROUBLE) or reason == "DiskFull"
    return reason if is_trouble else CREATING


def last_state(status: Mapping[str, Any]) -> Body:
    """``lastState`` of the container: how the run before ended, if there was one and the state does not tell."""
    phase = str(status.get("phase") or "")
    if phase in _FINAL or not status.get("finishedAt"):
        return {}
    ended = last_end(status)
    if phase not in ("BackOff", "Stopped", "Preparing") and not status.get("previousStartedAt"):
        ended.pop("startedAt", None)  # an older agent says only when the present run began
    return {"terminated": ended}


def last_end(status: Mapping[str, Any]) -> Body:
    """How the process ended last, as a cluster says it."""
    code, signal, phase = status.get("exitCode"), status.get("signal"), status.get("phase")
    reason = str(status.get("reason") or "")
    ended: Body
    if signal is not None:
        ended = {"exitCode": 128 + int(signal), "signal": int(signal), "reason": "Error"}
    elif code is not None:
        ended = {"exitCode": int(code), "reason": "Error" if code else "Completed"}
    elif phase == "Exited":
        ended = {"exitCode": 0, "reason": "Completed"}
    elif reason == "StartFailed":
        ended = {"exitCode": START_FAILED_EXIT, "reason": "StartError"}
    else:
        ended = {"exitCode": UNKNOWN_EXIT, "reason": "ContainerStatusUnknown"}
    if phase == "Exited":
        ended["reason"] = "Completed"
    elif phase == "Failed" and ended["reason"] == "Completed":
        ended["reason"] = "Error"  # it ended well, but because it was unhealthy
    if phase in _FINAL and status.get("message"):
        ended["message"] = str(status["message"])
    began = status.get("previousStartedAt") or status.get("startedAt")
    times = {"startedAt": began, "finishedAt": status.get("finishedAt")}
    return ended | {name: _second(time) for name, time in times.items() if time}


def conditions_of(body: Body, pod_phase: PodPhase, *, ready: bool, entry: str) -> list[Body]:
    """The pod's conditions. Ready and ContainersReady are the same: there is one container."""
    found = {c["type"]: c for c in (body.get("status") or {}).get("conditions") or ()}
    created = str(body["metadata"].get("creationTimestamp") or "")
    placed = bool(body["spec"].get("nodeName"))
    return [
        _condition("PodScheduled", placed, found.get("Placed"), created, "Unschedulable"),
        _condition("Initialized", _is_prepared(found, pod_phase), found.get("Prepared"), created, "Preparing"),
        *(_readiness(kind, pod_phase, found.get("Ready"), created, ready=ready, entry=entry) for kind in _READY),
    ]


_READY = ("ContainersReady", "Ready")


def _is_prepared(found: Mapping[str, Body], pod_phase: PodPhase) -> bool:
    told = found.get("Prepared")
    return told["status"] == "True" if told else pod_phase not in ("Pending", "Unknown")


def _condition(kind: str, holds: bool, told: Body | None, created: str, reason: str) -> Body:
    """A condition, with the words of the assignment's own where it does not hold."""
    made = {"type": kind, "status": "True" if holds else "False", "lastTransitionTime": _moved(told, created)}
    if holds:
        return made
    message = str(told.get("message") or "") if told else ""
    return made | {"reason": reason} | ({"message": message} if message else {})


def _readiness(kind: str, pod_phase: PodPhase, told: Body | None, created: str, *, ready: bool, entry: str) -> Body:
    made: Body = {"type": kind, "status": "True" if ready else "False", "lastTransitionTime": _moved(told, created)}
    if ready:
        return made
    if pod_phase == "Succeeded":
        return made | {"reason": "PodCompleted"}
    if pod_phase == "Failed":
        return made | {"reason": "PodFailed"}
    text = str(told.get("message") or "") if told else ""
    message = f"containers with unready status: [{entry}]" + (f": {text}" if text else "")
    return made | {"reason": "ContainersNotReady", "message": message}


def _moved(told: Body | None, created: str) -> str | None:
    return (told and told.get("lastTransitionTime")) or created or None


def _second(moment: Any) -> str | None:
    """A time of the status in the precision of pods; None where there is none."""
    return format_time(parse_time(str(moment))) if moment else None
