"""What an object under deletion waits for, and the way out, in words."""

import asyncio
from collections.abc import Mapping, Sequence

from apiserver.api.conditions import find
from apiserver.api.errors import ApiError, NotFound
from apiserver.api.kinds.assignment import STOPPED_FINALIZER, TASK_LABEL, Assignment
from apiserver.api.kinds.node import Node
from apiserver.client.rest import RestClient
from plumctl.targets import Named

ASK_SECONDS = 5.0
MOST = 10
"""Objects, and nodes, that are named."""

PAGE = 500


async def explain(client: RestClient, target: Named, namespace: str) -> str:
    """What a task or an assignment still waits for; empty for other kinds, and where the server does not tell."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            holding = await _holding(client, target, namespace or client.config.namespace)
            names = sorted({one.spec.node_name for one in holding if one.spec.node_name})[:MOST]
            return told(holding, {name: await _node(client, name) for name in names})
    except (ApiError, TimeoutError):
        return ""


async def _holding(client: RestClient, target: Named, namespace: str) -> Sequence[Assignment]:
    if target.kind.name == "Assignment":
        return [await client.get(Assignment, target.name, namespace=namespace)]
    if target.kind.name != "Task":
        return []
    labels = f"{TASK_LABEL}={target.name}"
    return (await client.list(Assignment, namespace=namespace, labels=labels, limit=PAGE)).items


async def _node(client: RestClient, name: str) -> Node | None:
    try:
        return await client.get(Node, name)
    except NotFound:
        return None


def told(holding: Sequence[Assignment], nodes: Mapping[str, Node | None]) -> str:
    """A line for each assignment that is still there, and what can be done. Pure."""
    if not holding:
        return ""
    away = sorted(name for name, node in nodes.items() if node is not None and _trouble(node))
    lines = [f"  assignment/{one.metadata.name} {_why(one, nodes)}" for one in holding[:MOST]]
    if len(holding) > MOST:
        lines.append(f"  and {len(holding) - MOST} more")
    if away:
        lines.append(
            "what is on a node that is not ready goes when its agent is back, or five minutes after its last word; "
            f"if the machine will not come back: plumctl delete node {' '.join(away)}"
        )
    return "\n".join(lines)


def _why(one: Assignment, nodes: Mapping[str, Node | None]) -> str:
    others = [name for name in one.metadata.finalizers if name != STOPPED_FINALIZER]
    if one.metadata.deletion_timestamp is None:
        return "has not been asked to go yet: the controllers do that; see that plum-controllers runs"
    if STOPPED_FINALIZER not in one.metadata.finalizers:
        return f"is held by finalizers of others: {', '.join(others)}" if others else "is about to go"
    node = nodes.get(one.spec.node_name)
    trouble = _trouble(node) if node is not None else ""
    if trouble:
        return f"on node {one.spec.node_name}, which is not ready ({trouble})"
    grace = one.spec.template.termination_grace_period_seconds
    return f"on node {one.spec.node_name or '<none>'}: its processes have not ended yet (grace period {grace} s)"


def _trouble(node: Node) -> str:
    """Why nobody on the node can let go of anything; empty if it is ready."""
    ready = find(node.status.conditions, "Ready")
    if ready is None:
        return "its agent has never reported"
    return "" if ready.status == "True" else f"{ready.reason}: {ready.message}"
