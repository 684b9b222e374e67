"""Assignment: one copy of a task's entry, bound to a node. The agent obeys it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from apiserver.api.columns import AGE, NAME, condition_status
from apiserver.api.errors import Cause
from apiserver.api.kinds.probe import NO_PROBES, Probes, asks_nothing
from apiserver.api.kinds.task import (
    EnvVar,
    Logs,
    OfferedService,
    Port,
    Protocol,
    RestartPolicy,
    ServiceName,
    State,
    StopSignal,
    is_node_name,
)
from apiserver.api.meta import Body, Conditions, Listed, ListMap, ListSet, MicroTime, Model, Resource, Status, is_empty
from apiserver.api.scheme import SCHEME, Column, Kind, Subresource, at, dig

STOPPED_FINALIZER = "plum.dev/stopped"
"""Held until the whole process tree is dead; released by the agent, or for a lost node by the node controller."""

TASK_LABEL, ENTRY_LABEL, NODE_LABEL = "plum.dev/task", "plum.dev/entry", "plum.dev/node"
RESTARTED_AT = "plum.dev/restartedAt"
"""Annotation: a new value on a task rolls it, on an assignment restarts the process in place."""

DEPENDENCIES_READY = "DependenciesReady"
"""Condition of copies that depend on other entries: whether each of those has a copy that is ready or completed."""

REPORTED = "Reported"
"""Condition: what an agent of the original said last, its phase as the reason. It says everything once."""

Phase = Literal["Pending", "Preparing", "Running", "Stopping", "Stopped", "Exited", "Failed", "BackOff", "Unknown"]


class Template(Model):
    """Everything of the entry that the node needs, resolved; it never changes."""

    artifact_url: str
    sha256: str
    """Empty where nobody knows what is at the address."""
    app_name: Annotated[str, Field(exclude_if=is_empty)] = ""
    app_version: Annotated[str, Field(exclude_if=is_empty)] = ""
    start_cmd: Annotated[str, Field(exclude_if=is_empty)] = ""
    # Lists as in the task's entry.
    env: Annotated[Listed[EnvVar], ListMap("name")] = ()
    ports: Annotated[Listed[Port], ListMap("name")] = ()
    services: Annotated[Listed[OfferedService], ListMap("name")] = ()
    restart_policy: RestartPolicy = "Always"
    termination_grace_period_seconds: int = 5
    stop_signal: StopSignal = "TERM"
    depends_on: Annotated[Listed[str], ListSet()] = ()
    """The entries of the task that come first."""
    probes: Annotated[Probes, Field(exclude_if=asks_nothing)] = NO_PROBES
    logs: Logs | None = None
    restarted_at: Annotated[str, Field(exclude_if=is_empty)] = ""
    """Copied from the task's annotation, so that a restart of the task is a rollout."""


class AssignmentSpec(Model):
    """Which copy, where, and whether it should run."""

    task_name: str
    entry: str
    home: Annotated[str, Field(exclude_if=is_empty)] = ""
    """The node that ``nodeReplicas`` names; empty where the scheduler places."""
    ordinal: Annotated[int, Field(ge=0)] = 0
    attempt: Annotated[int, Field(ge=0)] = 0
    """Grows with every new assignment of the slot, so that a name does not come back."""
    replaces: Annotated[str, Field(exclude_if=is_empty)] = ""
    """The assignment of the same slot that this one follows; it starts when that one has ended."""
    node_name: Annotated[str, Field(exclude_if=is_empty)] = ""
    """Set once: by the controller for a home, else by the scheduler."""
    desired: State = "Running"
    """What people asked for last; the agent obeys it."""
    task_state: State = "Running"
    """The task's state when the controller last copied it."""
    template: Template
    template_hash: str


class PortStatus(Model):
    """A port as the process got it."""

    name: str
    port: int


class Offer(Model):
    """A service that the process offers while it runs."""

    name: ServiceName
    port: int
    protocol: Protocol = "tcp"
    version: Annotated[str, Field(exclude_if=is_empty)] = ""


class AssignmentStatus(Status):
    """What the agent saw."""

    phase: Phase | None = None
    reason: Annotated[str, Field(exclude_if=is_empty)] = ""
    message: Annotated[str, Field(exclude_if=is_empty)] = ""
    exit_code: int | None = None
    """The last exit's code, if the process ended by itself."""
    signal: int | None = None
    """The signal that ended the process last, if one did."""
    restarts: int = 0
    pid: int | None = None
    ip: Annotated[str, Field(exclude_if=is_empty)] = ""
    # A port's name is what the entry calls it. A service may be offered on several ports and in several protocols.
    ports: Annotated[Listed[PortStatus], ListMap("name")] = ()
    services: Annotated[Listed[Offer], ListMap("name", "port", "protocol")] = ()
    """What the app's ``meta.ini`` and its entry declare, with the ports as they are."""
    started_at: MicroTime | None = None
    finished_at: MicroTime | None = None
    reported_at: MicroTime | None = None
    conditions: Conditions = ()


class Assignment(Resource):
    """One copy of one entry of a task."""

    api_version: Literal["plum.dev/v1"] = "plum.dev/v1"
    kind: Literal["Assignment"] = "Assignment"
    spec: AssignmentSpec
    status: AssignmentStatus = AssignmentStatus()


def _rules(new: Body, old: Body | None) -> Sequence[Cause]:
    """A copy is placed once: moving means a new assignment."""
    node = str(new["spec"].get("nodeName", ""))
    causes = []
    if node and not is_node_name(node):
        causes.append(Cause("spec.nodeName", f'Invalid value: "{node}": is not a node name'))
    if old is not None and (before := old["spec"].get("nodeName")) and before != node:
        causes.append(Cause("spec.nodeName", "Forbidden: is set once and never changes", "FieldValueForbidden"))
    return causes


def _phase(body: Body, now: datetime) -> str:
    return str(dig(body, "status.phase") or "Pending")


def _ports(body: Body, now: datetime) -> str:
    return ",".join(f"{port['name']}:{port['port']}" for port in dig(body, "status.ports") or ())


ASSIGNMENTS = SCHEME.register(
    Kind(
        model=Assignment,
        plural="assignments",
        short_names=("asg",),
        categories=("all",),
        selectable=("spec.nodeName", "spec.taskName", "status.phase"),
        indexed=("spec.nodeName", "spec.taskName"),
        immutable=(
            "spec.taskName",
            "spec.entry",
            "spec.home",
            "spec.ordinal",
            "spec.attempt",
            "spec.replaces",
            "spec.template",
            "spec.templateHash",
        ),
        rules=_rules,
        subresources=(Subresource("log", ("get",), "Assignment"),),
        columns=(
            NAME,
            Column("Node", at("spec.nodeName", default="")),
            Column("Desired", at("spec.desired")),
            Column("Phase", _phase),
            Column("Ready", lambda body, now: condition_status("Ready", body) or "False"),
            Column("Restarts", at("status.restarts", default=0), "integer"),
            AGE,
            Column("Ports", _ports, priority=1),
            Column("Pid", at("status.pid"), "integer", priority=1),
            Column("Task", at("spec.taskName"), priority=1),
            Column("Message", at("status.message", default=""), priority=1),
        ),
    )
)
