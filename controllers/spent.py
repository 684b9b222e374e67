"""Attempts that are spent: the names of copies that are gone do not come back while this controller runs."""

from apiserver.api.expansion import renewed
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.task import Task

MAX_TASKS = 10_000
"""Tasks that are remembered; of more, those that had a copy go first are not."""

Slot = tuple[str, str, int]
"""Entry, home, ordinal."""


class Spent:
    """The highest attempt of each slot whose copy has gone, by the task's uid. A copy with nothing left to stop goes
    before anybody plans its successor, which would otherwise get its name; the first controller after a start does
    not know, and may give a name again."""

    def __init__(self) -> None:
        self._attempts: dict[str, dict[Slot, int]] = {}

    def note(self, old: Assignment | None, new: Assignment | None) -> None:
        """To be told of every change of an assignment."""
        if old is None or new is not None:
            return
        for owner in old.metadata.owner_references:
            if owner.controller:
                attempts = self._attempts.setdefault(owner.uid, {})
                if len(self._attempts) > MAX_TASKS:
                    del self._attempts[next(iter(self._attempts))]
                attempts[_slot(old)] = max(old.spec.attempt, attempts.get(_slot(old), 0))

    def forget(self, old: Task | None, new: Task | None) -> None:
        """To be told of every change of a task."""
        if old is not None and new is None:
            self._attempts.pop(old.metadata.uid or "", None)

    def fresh(self, task: Task, copy: Assignment) -> Assignment:
        """The copy that is to be made, under an attempt that no earlier one in its slot had."""
        uid = task.metadata.uid or ""
        last = self._attempts.get(uid, {}).get(_slot(copy), 0)
        return renewed(copy, uid, last + 1) if copy.spec.attempt <= last else copy


def _slot(copy: Assignment) -> Slot:
    return copy.spec.entry, copy.spec.home, copy.spec.ordinal
