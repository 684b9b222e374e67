"""Which writes bring a task's assignments closer to its spec. Pure; any prefix of a plan may be all that happens."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from apiserver.api.expansion import Group, Resolution, group, is_live, wanted_labels
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.task import Entry, State, Task
from controllers import dependencies, labels
from controllers.dependencies import TellDependencies
from controllers.rollout import Rollout, plan_entry


@dataclass(frozen=True)
class Create:
    """Store a new assignment."""

    assignment: Assignment


@dataclass(frozen=True)
class Delete:
    """Ask for the deletion of that very assignment."""

    name: str
    uid: str


@dataclass(frozen=True)
class SetState:
    """Pass on the task's new state, over whatever people asked of this assignment before."""

    name: str
    state: State


@dataclass(frozen=True)
class SetLabels:
    """Change labels in place; None takes one away."""

    name: str
    changes: Mapping[str, str | None]


Action = Create | Delete | SetState | SetLabels | TellDependencies


def plan(task: Task, resolution: Resolution, assignments: Sequence[Assignment], *, manager: str) -> list[Action]:
    """The next writes for a task that controls ``assignments`` (all of them, also those under deletion).

    ``manager`` is the field manager that writes labels: those it owns and no longer wants go. Copies of an
    entry whose artifact is missing stay. A task under deletion gets an empty plan: the garbage collector sees
    to its dependents. A converged world gets an empty plan. Copies that must wait for others are told so before any
    is told to run.
    """
    if task.metadata.deletion_timestamp is not None:
        return []
    homes = _by_entry(assignments)
    known = {entry.name for entry in task.spec.entries}
    strays = [copy for name, groups in homes.items() if name not in known for g in groups.values() for copy in g.live]
    rollouts = [
        plan_entry(task, entry, artifact, homes[entry.name])
        for entry in task.spec.entries
        if (artifact := resolution.artifacts.get(entry.name)) is not None
    ]
    changes = [action for rollout in rollouts for action in _in_pairs(rollout)]
    doomed = {copy.metadata.name for rollout in rollouts for copy in rollout.deletions}
    doomed |= {copy.metadata.name for copy in strays}
    staying = [copy for copy in assignments if is_live(copy) and copy.metadata.name not in doomed]
    told = dependencies.tell(staying)
    return [*told, *_commands(task, staying), *map(_delete, strays), *changes, *_relabel(task, staying, manager)]


def rests_on_counts(task: Task, actions: Iterable[Action]) -> bool:
    """Whether the plan would do harm had only a part of a commit been seen, that of the task or that of its
    assignments: it adds copies or takes some away, and not for the first time."""
    is_new = task.status.observed_generation == 0
    return not is_new and any(isinstance(action, Create | Delete) for action in actions)


def _by_entry(assignments: Iterable[Assignment]) -> Mapping[str, dict[str, Group]]:
    homes = defaultdict[str, dict[str, Group]](dict)
    for (entry, home), copies in group(assignments).items():
        homes[entry][home] = copies
    return homes


def _in_pairs(rollout: Rollout) -> Iterator[Action]:
    """Every deletion right before the creation that follows it in its slot."""
    followers = {copy.spec.replaces: copy for copy in rollout.creations if copy.spec.replaces}
    for copy in rollout.deletions:
        yield _delete(copy)
        if follower := followers.pop(copy.metadata.name, None):
            yield Create(follower)
    yield from (Create(copy) for copy in rollout.creations if not copy.spec.replaces)
    yield from map(Create, followers.values())


def _delete(copy: Assignment) -> Delete:
    return Delete(copy.metadata.name, copy.metadata.uid or "")


def _commands(task: Task, staying: Sequence[Assignment]) -> Iterator[SetState]:
    state = task.spec.state
    return (SetState(copy.metadata.name, state) for copy in staying if copy.spec.task_state != state)


def _relabel(task: Task, staying: Sequence[Assignment], manager: str) -> Iterator[SetLabels]:
    entries = {entry.name: entry for entry in task.spec.entries}
    for copy in staying:
        if changes := _label_changes(task, entries[copy.spec.entry], copy, manager):
            yield SetLabels(copy.metadata.name, changes)


def _label_changes(task: Task, entry: Entry, copy: Assignment, manager: str) -> dict[str, str | None]:
    wanted = wanted_labels(task.metadata.name, entry, copy.spec.node_name)
    return labels.changes(copy.metadata.labels, wanted, labels.owned(copy, manager, "metadata"))
