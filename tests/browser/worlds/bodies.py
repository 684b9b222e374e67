"""What a large fleet is written as, piece by piece."""

import hashlib
from datetime import datetime

from apiserver.api.kinds.assignment import NODE_LABEL, Assignment
from apiserver.api.kinds.node import Node
from apiserver.api.meta import Resource, format_time
from controllers.scheduling import Bind
from tests.browser.worlds import wanted
from tests.browser.worlds.door import Json


def node_status(machine: wanted.Machine, now: datetime) -> Json:
    """What its agent and the node controller say of a machine."""
    since = format_time(now)
    ready: Json = {
        "type": "Ready",
        "status": "True",
        "reason": "AgentReady",
        "message": "the agent renews the node's lease",
    }
    if machine.state == wanted.LOST:
        words = "the agent has not renewed the node's lease in time"
        ready |= {"status": "Unknown", "reason": "LeaseExpired", "message": words}
    conditions = [ready | {"lastTransitionTime": since}]
    if machine.state == wanted.DRAINING:
        conditions.append(
            {
                "type": "Draining",
                "status": "True",
                "reason": "AgentDraining",
                "message": "the agent ends all that it runs",
                "lastTransitionTime": since,
            }
        )
    return {
        "ip": machine.ip,
        "agent": {"name": "plum", "version": "0.1.0"},
        "bootID": hashlib.sha256(machine.name.encode()).hexdigest()[:32],
        "capacity": {"cpu": str(machine.cpus), "memory": f"{machine.memory}Gi"},
        "portRange": "20000-29999",
        "conditions": conditions,
    }


def bound(decision: Bind) -> Assignment:
    """The copy on its node."""
    copy = decision.assignment
    labels = {**copy.metadata.labels, NODE_LABEL: decision.node}
    metadata = copy.metadata.model_copy(update={"labels": labels})
    spec = copy.spec.model_copy(update={"node_name": decision.node})
    return copy.model_copy(update={"metadata": metadata, "spec": spec})


def as_if_ready(node: Node) -> Node:
    """The node as it was before it fell silent."""
    ready = [condition.model_copy(update={"status": "True"}) for condition in node.status.conditions[:1]]
    return node.model_copy(update={"status": node.status.model_copy(update={"conditions": tuple(ready)})})


def with_status(kind: str, name: str, status: Json) -> Json:
    """An object of a kind with a status, and nothing else."""
    return {"apiVersion": "plum.dev/v1", "kind": kind, "metadata": {"name": name}, "status": status}


def body_of(found: Resource) -> Json:
    """What is created of an object."""
    return found.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"status"})
