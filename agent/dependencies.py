"""What an instance waits for before it starts: entries of its task that come first. Pure.

What is on this node is judged by what the agent sees itself. Of the rest the task controller says whether it is
ready, by a condition of the assignment. What runs is never stopped for want of anything here.
"""

from collections import defaultdict
from collections.abc import Iterable

from agent import restarts, status
from agent.instances import Instance
from apiserver.api import conditions
from apiserver.api.kinds.assignment import DEPENDENCIES_READY, Assignment

Sibling = tuple[Assignment, Instance | None]
"""An assignment of the same task on this node, and what is known of its instance."""


def missing(assignment: Assignment, siblings: Iterable[Sibling], *, trusting: bool = False) -> tuple[str, ...]:
    """The entries that a start has to wait for. ``trusting``: what is not on this node is taken to be ready."""
    wanted = assignment.spec.template.depends_on
    if not wanted:
        return ()
    here = defaultdict[str, list[Sibling]](list)
    for sibling in siblings:
        if _is_to_run(sibling[0]):
            here[sibling[0].spec.entry].append(sibling)
    elsewhere = trusting or conditions.is_true(assignment.status.conditions, DEPENDENCIES_READY)
    ready = {entry: any(counts(*sibling) for sibling in found) for entry, found in here.items()}
    return tuple(entry for entry in wanted if not ready.get(entry, elsewhere))


def counts(assignment: Assignment, instance: Instance | None) -> bool:
    """Whether others may start because of this one: it is ready, or it has completed."""
    if instance is None or instance.record.uid != assignment.metadata.uid or not _is_to_run(assignment):
        return False
    if instance.life == "up":
        return instance.stopping is None and status.readiness(assignment, instance, "Running")[0]
    end = instance.record.end
    if instance.life != "down" or end is None or end.cause != "Exited" or not end.exit.success:
        return False
    return not restarts.is_wanted(assignment.spec.template.restart_policy, success=True)


def _is_to_run(assignment: Assignment) -> bool:
    return assignment.spec.desired == "Running" and assignment.metadata.deletion_timestamp is None
