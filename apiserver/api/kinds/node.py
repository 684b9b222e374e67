"""Node: one machine with an agent."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from apiserver.api.columns import AGE, NAME, condition_status
from apiserver.api.kinds.task import is_node_name
from apiserver.api.meta import Body, Conditions, Model, Resource, Status, is_empty
from apiserver.api.scheme import SCHEME, Column, Kind, Subresource, at, dig

NODE_LEASES = "plum-node-lease"
"""The namespace of node leases; a node's lease has the node's name."""

DRAINING = "Draining"
"""The condition that the agent sets: True while it ends all that it runs, so that nothing more is to come."""

ORIGINAL_AGENT = "v1"
"""``status.agent.name`` of a node whose agent is the original Plum's, and the holder of its lease."""


class NodeSpec(Model):
    """What people decide about the machine."""

    unschedulable: Annotated[bool, Field(exclude_if=is_empty)] = False
    """Whether the scheduler passes it over; what runs there goes on."""


class AgentInfo(Model):
    """Which agent speaks for the node."""

    name: Literal["plum", "v1"] = "plum"
    """plum, or v1 for the agent of the original Plum."""
    version: str = ""
    """The version of the agent."""


class Resources(Model):
    """What the machine has; Kubernetes quantities."""

    cpu: str = ""
    """Processors, for example 4 or 500m."""
    memory: str = ""
    """Memory in bytes, for example 16Gi."""


class NodeStatus(Status):
    """What the agent and the node controller know about the machine."""

    ip: str = ""
    """The address of the machine, under which its instances are reached."""
    agent: AgentInfo | None = None
    """Which agent speaks for the node."""
    boot_id: Annotated[str, Field(alias="bootID")] = ""
    """Changes with every boot of the machine."""
    capacity: Resources | None = None
    """What the machine has."""
    port_range: str = ""
    """The ports that the agent gives out, ``first-last``."""
    conditions: Conditions = ()
    """Ready: its agent is alive, and starts what it is told to."""


class Node(Resource):
    """One machine of the fleet."""

    api_version: Literal["plum.dev/v1"] = "plum.dev/v1"
    kind: Literal["Node"] = "Node"
    spec: NodeSpec = NodeSpec()
    """What is wanted of the machine."""
    status: NodeStatus = NodeStatus()
    """What the machine is, and how it is."""


def is_original(node: Node) -> bool:
    """Whether the original Plum's agent speaks for the node: it heartbeats and reports, and does no more."""
    return node.status.agent is not None and node.status.agent.name == ORIGINAL_AGENT


def _status(body: Body, now: datetime) -> str:
    ready = {"True": "Ready", "False": "NotReady"}.get(condition_status("Ready", body), "Unknown")
    draining = ",Draining" if condition_status(DRAINING, body) == "True" else ""
    return f"{ready}{draining}{',SchedulingDisabled' if dig(body, 'spec.unschedulable') else ''}"


NODES = SCHEME.register(
    Kind(
        model=Node,
        plural="nodes",
        short_names=("no",),
        namespaced=False,
        is_name=is_node_name,
        subresources=(
            Subresource("usage", ("get", "update"), "NodeUsage"),
            Subresource("statuses", ("create",), "NodeStatuses"),
        ),
        name_rule="letters, digits, '.', '_' and '-', at most 63 characters",
        columns=(
            NAME,
            Column("Status", _status),
            Column("IP", at("status.ip", default="")),
            AGE,
            Column("Version", at("status.agent.version", default="")),
            Column("CPU", at("status.capacity.cpu", default=""), priority=1),
            Column("Memory", at("status.capacity.memory", default=""), priority=1),
            Column("Ports", at("status.portRange", default=""), priority=1),
        ),
    )
)
