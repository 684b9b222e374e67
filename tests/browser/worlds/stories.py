"""What has been told about a large fleet: the events of its tasks, assignments and nodes."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.node import Node
from apiserver.api.kinds.task import Task
from apiserver.api.meta import Resource, format_time
from tests.browser.worlds.door import Json

MAX_EVENTS = 700


def events_of(rng: random.Random, tasks: Sequence[Task], copies: Sequence[Assignment], now: datetime) -> Iterator[Json]:
    """Of what is not well all, of what is well some."""
    told = 0
    for copy in copies:
        for kind, reason, message, count in _about(copy):
            if kind == "Warning" or rng.random() < 0.25:
                told += 1
                last = now - timedelta(seconds=rng.uniform(3, 3600 if kind == "Warning" else 20_000))
                yield _event(copy, kind, reason, message, last, count, "plum-agent", copy.spec.node_name)
        if told > MAX_EVENTS:
            break
    for task in tasks:
        if rng.random() < 0.3:
            message = f"created {task.status.replicas} assignments"
            last = now - timedelta(seconds=rng.uniform(60, 40_000))
            yield _event(task, "Normal", "Created", message, last, 1, "plum-task-controller")
        for condition in task.status.conditions:
            if condition.status == "False" and condition.reason in ("ArtifactMissing", "NoSuchNode"):
                yield _event(
                    task,
                    "Warning",
                    condition.reason,
                    condition.message,
                    now,
                    rng.randint(2, 60),
                    "plum-task-controller",
                )


def node_events(nodes: Sequence[Node], now: datetime) -> Iterator[Json]:
    """Who fell silent, and who came."""
    for node in nodes:
        ready = node.status.conditions[0]
        if ready.status == "True":
            last = now - timedelta(hours=7)
            yield _event(node, "Normal", "NodeReady", ready.message, last, 1, "plum-node-controller")
        else:
            last = now - timedelta(minutes=12)
            yield _event(node, "Warning", "NodeNotReady", ready.message, last, 1, "plum-node-controller")


def _about(copy: Assignment) -> Iterator[tuple[str, str, str, int]]:
    status, node = copy.status, copy.spec.node_name
    ready = next((one for one in status.conditions if one.type == "Ready"), None)
    placed = next((one for one in status.conditions if one.type == "Placed"), None)
    if placed is not None and placed.status == "False":
        yield "Warning", placed.reason, placed.message, 1
    elif status.phase == "BackOff":
        words = f"exited with code {status.exit_code}" if status.exit_code else "ended by signal 9"
        yield "Warning", "Failed", words, status.restarts + 1
        yield "Warning", "BackOff", "starts again after 300 s", max(1, status.restarts - 5)
    elif status.phase == "Preparing" and status.reason != "Preparing":
        yield "Warning", status.reason, status.message, 14
    elif status.phase == "Failed":
        yield "Warning", "Failed", status.message, 1
    elif status.phase == "Running" and ready is not None and ready.status == "False":
        yield "Warning", "Unhealthy", ready.message, 96
    elif status.phase == "Running":
        yield "Normal", "Started", f"started on {node}", 1
    elif status.phase == "Exited":
        yield "Normal", "Exited", status.message, 1


def _event(
    about: Resource, kind: str, reason: str, message: str, last: datetime, count: int, by: str, host: str = ""
) -> Json:
    meta = about.metadata
    first = last - timedelta(seconds=97 * (count - 1))
    reference = {"apiVersion": about.api_version, "kind": about.kind, "name": meta.name, "uid": meta.uid}
    if meta.namespace:
        reference["namespace"] = meta.namespace
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{meta.name}.{reason.lower()}.{int(last.astimezone(UTC).timestamp()):x}"},
        "involvedObject": reference,
        "reason": reason,
        "message": message[:1024],
        "type": kind,
        "source": {"component": by} | ({"host": host} if host else {}),
        "count": count,
        "firstTimestamp": format_time(first),
        "lastTimestamp": format_time(last),
    }
