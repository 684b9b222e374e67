"""What a task's status says about its assignments. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime

from apiserver.api import conditions
from apiserver.api.expansion import Resolution, group, is_live, template_hash, wanted_template
from apiserver.api.kinds.assignment import TASK_LABEL, Assignment
from apiserver.api.kinds.task import EntryStatus, Task, TaskStatus
from apiserver.api.meta import Condition
from controllers.rollout import is_completed, is_ready, wanted_running

CONDITIONS = ("Available", "Progressing", "Placed")
"""The condition types that the task controller owns."""

NO_SUCH_NODE = "NoSuchNode"
MOST_NAMES = 5
"""Names of nodes in one message."""


def summarize(
    task: Task,
    assignments: Sequence[Assignment],
    resolution: Resolution,
    *,
    now: datetime,
    absent: Collection[str] = (),
) -> TaskStatus:
    """The status for a task that controls ``assignments``; it pins the digests of ``resolution``. ``absent`` are the
    nodes that copies name and that do not exist.

    Transition times move only where a condition flips, so that an unchanged world has an unchanged status.
    """
    live = [copy for copy in assignments if is_live(copy)]
    return TaskStatus(
        observed_generation=task.metadata.generation or 0,
        replicas=len(live),
        ready_replicas=sum(map(is_ready, live)),
        updated_replicas=_updated(task, live, resolution),
        entries=_entries(task, live, resolution),
        selector=f"{TASK_LABEL}={task.metadata.name}",
        conditions=_conditions(
            task, (_available(task, live), _progressing(task, live, resolution), _placed(live, absent)), now
        ),
    )


def is_current(status: TaskStatus, wanted: TaskStatus) -> bool:
    """Whether a stored status says all that ``wanted`` says; what others wrote there does not count."""
    return _ours(status) == _ours(wanted)


def _ours(status: TaskStatus) -> TaskStatus:
    known = {name: getattr(status, name) for name in TaskStatus.model_fields}
    ours = [condition for condition in status.conditions if condition.type in CONDITIONS]
    return TaskStatus(
        **known
        | {
            "conditions": tuple(sorted(ours, key=lambda condition: condition.type)),
            "entries": tuple(sorted(status.entries, key=lambda entry: entry.name)),
        }
    )


def _updated(task: Task, live: Sequence[Assignment], resolution: Resolution) -> int:
    wanted = {
        entry.name: template_hash(wanted_template(task, entry, artifact))
        for entry in task.spec.entries
        if (artifact := resolution.artifacts.get(entry.name)) is not None
    }
    return sum(copy.spec.template_hash == wanted.get(copy.spec.entry) for copy in live)


def _entries(task: Task, live: Sequence[Assignment], resolution: Resolution) -> tuple[EntryStatus, ...]:
    by_entry: dict[str, list[Assignment]] = {entry.name: [] for entry in task.spec.entries}
    for copy in live:
        by_entry.get(copy.spec.entry, []).append(copy)
    statuses = []
    for entry in task.spec.entries:
        copies, artifact = by_entry[entry.name], resolution.artifacts.get(entry.name)
        statuses.append(
            EntryStatus(
                name=entry.name,
                desired=sum(entry.counts().values()),
                running=sum(copy.status.phase == "Running" for copy in copies),
                ready=sum(map(is_ready, copies)),
                sha256=artifact.sha256 if artifact else "",
                artifact_url=artifact.url if artifact else "",
            )
        )
    return tuple(statuses)


def _conditions(task: Task, facts: Sequence[Condition], now: datetime) -> tuple[Condition, ...]:
    return tuple(
        conditions.renew(
            task.status.conditions,
            fact.type,
            fact.status,
            reason=fact.reason,
            message=fact.message,
            now=now,
            observed_generation=task.metadata.generation,
        )
        for fact in facts
    )


def _available(task: Task, live: Sequence[Assignment]) -> Condition:
    """Every entry has all its copies but ``maxUnavailable``, and at least one of those it should have; what has
    completed is not missing."""
    if task.spec.state == "Stopped":
        return Condition(type="Available", status="False", reason="TaskStopped", message="the task is stopped")
    groups = group(live)
    for entry in task.spec.entries:
        homes = {home: copies for (name, home), copies in groups.items() if name == entry.name}
        wanted = wanted_running(task, entry, homes)
        ready = sum(is_ready(copy) or is_completed(copy) for copies in homes.values() for copy in copies.live)
        least = max(min(1, wanted), wanted - task.spec.strategy.max_unavailable)
        if ready < least:
            message = f"entry {entry.name}: {ready} of {wanted} copies are ready, at least {least} should be"
            return Condition(type="Available", status="False", reason="TooFewReady", message=message)
    return Condition(type="Available", status="True", reason="EnoughReady")


def _progressing(task: Task, live: Sequence[Assignment], resolution: Resolution) -> Condition:
    if resolution.missing:
        message = "; ".join(missing.message for missing in resolution.missing)
        return Condition(type="Progressing", status="False", reason="ArtifactMissing", message=message)
    wanted = sum(sum(entry.counts().values()) for entry in task.spec.entries)
    updated = _updated(task, live, resolution)
    if updated == len(live) == wanted:
        return Condition(type="Progressing", status="True", reason="RolloutComplete")
    message = f"{updated} of {wanted} copies are up to date, {len(live) - updated} old ones are left"
    return Condition(type="Progressing", status="True", reason="RollingOut", message=message)


def _placed(live: Sequence[Assignment], absent: Collection[str]) -> Condition:
    waiting = sorted((copy for copy in live if not copy.spec.node_name), key=lambda copy: copy.metadata.name)
    if not waiting:
        return _on_nodes(live, absent)
    found = (conditions.find(copy.status.conditions, "Placed") for copy in waiting)
    why = next((c for c in found if c is not None and c.status == "False"), None)
    message = f"{len(waiting)} of {len(live)} copies have no node"
    return Condition(
        type="Placed",
        status="False",
        reason=why.reason if why else "Scheduling",
        message=f"{message}: {why.message}" if why else message,
    )


def _on_nodes(live: Sequence[Assignment], absent: Collection[str]) -> Condition:
    """All copies name a node; but there may be no such node, or none any more. They start when it comes."""
    lost = [copy.spec.node_name for copy in live if copy.spec.node_name in absent]
    if not lost:
        return Condition(type="Placed", status="True", reason="AllPlaced")
    names = sorted(set(lost))
    shown = ", ".join(names[:MOST_NAMES]) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")
    message = (
        f"{len(lost)} of {len(live)} copies are for nodes that do not exist: {shown}; "
        "start plum-agent with that --node, or correct nodeReplicas"
    )
    return Condition(type="Placed", status="False", reason=NO_SUCH_NODE, message=message)
