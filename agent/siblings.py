"""The assignments of one task on this node: which of them wait for which."""

from collections.abc import Callable

from agent.dependencies import Sibling, counts, missing
from agent.instances import Key
from agent.ledger import Ledger
from apiserver.api.kinds.assignment import Assignment
from apiserver.client.informer import Informer

SIBLINGS = "siblings"


def siblings(assignment: Assignment) -> list[str]:
    """The index that finds the assignments of a task by ``namespace/task``, and those that wait for one of its entries
    by ``namespace/task/entry``."""
    task = _task(assignment)
    return [task, *(f"{task}/{entry}" for entry in assignment.spec.template.depends_on)]


def _task(assignment: Assignment) -> str:
    return f"{assignment.key[0]}/{assignment.spec.task_name}"


class Siblings:
    """Sees assignments as ``find`` does: as the server or an earlier agent told."""

    def __init__(
        self, assignments: Informer[Assignment], ledger: Ledger, find: Callable[[Key], Assignment | None]
    ) -> None:
        """The informer must have the index ``SIBLINGS``."""
        self._assignments, self._ledger, self._find = assignments, ledger, find
        self._counting: set[Key] = set()

    def missing(self, assignment: Assignment, *, trusting: bool) -> tuple[str, ...]:
        """What a start has to wait for. ``trusting``: nobody can say how it is elsewhere."""
        if not assignment.spec.template.depends_on:
            return ()
        instance = self._ledger.instances.get(assignment.key)
        has_run = instance is not None and instance.record.run > 0
        return missing(assignment, self._of(assignment), trusting=trusting and has_run)

    def dependents(self, assignment: Assignment) -> list[Key]:
        """Whose start may wait for this one."""
        waiting = self._assignments.by_index(SIBLINGS, f"{_task(assignment)}/{assignment.spec.entry}")
        if waiting:
            return [other.key for other in waiting]
        return [other.key for other in self._remembered(assignment) if assignment.spec.entry in _wanted(other)]

    def turned(self, key: Key, assignment: Assignment | None) -> bool:
        """Whether others may start because of this one, and could not when this was asked last, or the other way."""
        was = key in self._counting
        counts_now = assignment is not None and counts(assignment, self._ledger.instances.get(key))
        (self._counting.add if counts_now else self._counting.discard)(key)
        return counts_now != was

    def _of(self, assignment: Assignment) -> list[Sibling]:
        found = self._assignments.by_index(SIBLINGS, _task(assignment)) or self._remembered(assignment)
        seen = (self._find(other.key) for other in found)
        return [(other, self._ledger.instances.get(other.key)) for other in seen if other is not None]

    def _remembered(self, assignment: Assignment) -> list[Assignment]:
        """Those that an earlier agent saw; none where the server has told."""
        task = _task(assignment)
        return [other for other in self._ledger.all_remembered() if _task(other) == task]


def _wanted(assignment: Assignment) -> tuple[str, ...]:
    return assignment.spec.template.depends_on
