"""Start order between the entries of a task: which copies may start as far as others are concerned. Pure.

A copy whose entry depends on others has the condition ``DependenciesReady``. Its agent starts it when that is
True, or by what it sees itself where copies of those entries are on the same node; what runs is never stopped.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from apiserver.api import conditions
from apiserver.api.kinds.assignment import DEPENDENCIES_READY, Assignment
from controllers.rollout import is_completed, is_ready

WAITING = "WaitingForDependencies"


@dataclass(frozen=True)
class TellDependencies:
    """Say of a copy whether what it depends on is ready."""

    assignment: Assignment
    status: Literal["True", "False"]
    reason: str
    message: str


def tell(copies: Sequence[Assignment]) -> list[TellDependencies]:
    """What the live copies of one task do not say yet, or not any more; first those that must wait."""
    by_entry = defaultdict[str, list[Assignment]](list)
    for copy in copies:
        by_entry[copy.spec.entry].append(copy)
    ready = {entry for entry, found in by_entry.items() if any(is_ready(copy) or is_completed(copy) for copy in found)}
    found = (_fact(copy, by_entry, ready) for copy in copies if copy.spec.template.depends_on)
    return sorted((fact for fact in found if not _is_told(fact)), key=lambda fact: fact.status)


def _fact(copy: Assignment, by_entry: Mapping[str, Sequence[Assignment]], ready: set[str]) -> TellDependencies:
    missing = [entry for entry in copy.spec.template.depends_on if entry not in ready]
    if not missing:
        return TellDependencies(copy, "True", "DependenciesReady", "")
    message = f"waits for {', '.join(_described(missing, by_entry))}"
    return TellDependencies(copy, "False", WAITING, message)


def _described(missing: Sequence[str], by_entry: Mapping[str, Sequence[Assignment]]) -> Iterator[str]:
    return (entry if by_entry.get(entry) else f"{entry} (which has no copies)" for entry in missing)


def _is_told(fact: TellDependencies) -> bool:
    found = conditions.find(fact.assignment.status.conditions, DEPENDENCIES_READY)
    return found is not None and (found.status, found.reason, found.message) == (
        fact.status,
        fact.reason,
        fact.message,
    )
