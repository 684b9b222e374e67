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
    """Where the node fetches the app: a path of this server or an http(s) URL."""
    sha256: str
    """Empty where nobody knows what is at the address."""
    app_name: Annotated[str, Field(exclude_if=is_empty)] = ""
    """The name of the app; empty where the entry gives an address."""
    app_version: Annotated[str, Field(exclude_if=is_empty)] = ""
    """The version of the app; empty where the entry gives an address."""
    start_cmd: Annotated[str, Field(exclude_if=is_empty)] = ""
    """Run by ``/bin/sh -c`` in the instance's own folder; empty means ``./start.sh``."""
    # Lists as in the task's entry.
    env: Annotated[Listed[EnvVar], ListMap("name")] = ()
    """Environment variables."""
    ports: Annotated[Listed[Port], ListMap("name")] = ()
    """Ports the app listens on."""
    services: Annotated[Listed[OfferedService], ListMap("name")] = ()
    """What the copy is found under, besides what the app's ``meta.ini`` says."""
    restart_policy: RestartPolicy = "Always"
    """When an ended process is started again."""
    termination_grace_period_seconds: int = 5
    """Seconds between the stop signal and KILL."""
    stop_signal: StopSignal = "TERM"
    """The signal that asks the process group to end."""
    depends_on: Annotated[Listed[str], ListSet()] = ()
    """The entries of the task that come first."""
    probes: Annotated[Probes, Field(exclude_if=asks_nothing)] = NO_PROBES
    """How it is found out whether the copy has started, is ready and is alive."""
    logs: Logs | None = None
    """How much is kept of what the copy writes; by default 5 rotated files of 10Mi."""
    restarted_at: Annotated[str, Field(exclude_if=is_empty)] = ""
    """Copied from the task's annotation, so that a restart of the task is a rollout."""


class AssignmentSpec(Model):
    """Which copy, where, and whether it should run."""

    task_name: str
    """The task that the copy is of."""
    entry: str
    """The entry of the task that the copy is of."""
    home: Annotated[str, Field(exclude_if=is_empty)] = ""
    """The node that ``nodeReplicas`` names; empty where the scheduler places."""
    ordinal: Annotated[int, Field(ge=0)] = 0
    """Which copy of the entry in its home it is, counted from 0."""
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
    """What the node needs to run it."""
    template_hash: str
    """A digest of the template: copies with the same one run the same."""


class PortStatus(Model):
    """A port as the process got it."""

    name: str
    """The name of the port."""
    port: int
    """The number, which the process finds in ``PLUM_PORT_<NAME>``."""


class Offer(Model):
    """A service that the process offers while it runs."""

    name: ServiceName
    """The name under which it is found."""
    port: int
    """The port that it answers on."""
    protocol: Protocol = "tcp"
    """What is spoken there, for example http."""
    version: Annotated[str, Field(exclude_if=is_empty)] = ""
    """Of the app, or of what it offers."""


class AssignmentStatus(Status):
    """What the agent saw."""

    phase: Phase | None = None
    """Pending (no node yet), Preparing (the artifact is fetched), Running (whether it is ready is the condition Ready),
    Stopping, Stopped, Exited (code 0), Failed (another code, or a signal), BackOff (waits before the next start),
    Unknown (its node is silent)."""
    reason: Annotated[str, Field(exclude_if=is_empty)] = ""
    """Why, in a CamelCase word for programs."""
    message: Annotated[str, Field(exclude_if=is_empty)] = ""
    """Why, in a sentence for people."""
    exit_code: int | None = None
    """The last exit's code, if the process ended by itself."""
    signal: int | None = None
    """The signal that ended the process last, if one did."""
    restarts: int = 0
    """How often the process has been started again after it had ended."""
    pid: int | None = None
    """The process id of the instance's first process on its node."""
    ip: Annotated[str, Field(exclude_if=is_empty)] = ""
    """The address of the node."""
    # A port's name is what the entry calls it. A service may be offered on several ports and in several protocols.
    ports: Annotated[Listed[PortStatus], ListMap("name")] = ()
    """The ports as the process got them."""
    services: Annotated[Listed[Offer], ListMap("name", "port", "protocol")] = ()
    """What the app's ``meta.ini`` and its entry declare, with the ports as they are."""
    started_at: MicroTime | None = None
    """When the process started last."""
    finished_at: MicroTime | None = None
    """When the process ended last."""
    previous_started_at: MicroTime | None = None
    """When the process that ended last had started."""
    reported_at: MicroTime | None = None
    """When the agent wrote the status."""
    conditions: Conditions = ()
    """Placed: it has a node. Prepared: what it runs is on the node. Ready: it can be used."""


class Assignment(Resource):
    """One copy of one entry of a task."""

    api_version: Literal["plum.dev/v1"] = "plum.dev/v1"
    kind: Literal["Assignment"] = "Assignment"
    spec: AssignmentSpec
    """What the agent obeys."""
    status: AssignmentStatus = AssignmentStatus()
    """What has become of it."""


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
        selectable=("spec.nodeName", "spec.taskName", "spec.template.restartPolicy", "status.phase"),
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
