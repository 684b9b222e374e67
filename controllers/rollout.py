"""How one entry's copies get from what they are to what is wanted. Pure.

The budget: by our own doing an entry never has fewer ready copies than ``maxUnavailable`` allows. Copies that
are not ready, or that people have stopped, cost nothing; so they go first. With ``maxSurge`` new copies come
before old ones go. What a lowered count takes away at its own home is the user's doing, not ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from apiserver.api import conditions
from apiserver.api.expansion import Artifact, Group, fill, template_hash, wanted_template
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.task import Entry, Task


def is_ready(copy: Assignment) -> bool:
    """Whether a live copy does its work as far as anyone knows."""
    return (
        copy.metadata.deletion_timestamp is None
        and copy.spec.desired == "Running"
        and copy.status.phase != "Unknown"
        and conditions.is_true(copy.status.conditions, "Ready")
    )


def is_completed(copy: Assignment) -> bool:
    """Whether a live copy has done its work for good: it ended well, and will not start again by itself."""
    ended_well = copy.metadata.deletion_timestamp is None and copy.status.phase == "Exited"
    return ended_well and copy.spec.template.restart_policy != "Always"


def wanted_running(task: Task, entry: Entry, homes: Mapping[str, Group]) -> int:
    """How many copies of the entry should run: those of a stopped task, or that people stopped, should not."""
    if task.spec.state == "Stopped":
        return 0
    return sum(max(0, number - _stopped(homes.get(home))) for home, number in entry.counts().items())


def _stopped(copies: Group | None) -> int:
    return sum(copy.spec.desired == "Stopped" for copy in copies.live) if copies else 0


@dataclass(frozen=True)
class Rollout:
    """What to do next for one entry. A deletion comes with the creation of its follower in the same slot, if
    there is one, so that any prefix of the whole leaves no more slots empty than it must."""

    deletions: tuple[Assignment, ...]
    creations: tuple[Assignment, ...]


def plan_entry(task: Task, entry: Entry, artifact: Artifact, homes: Mapping[str, Group]) -> Rollout:
    """The next step for an entry whose live and leaving copies are ``homes``, by home."""
    step = _Step(task, entry, artifact, homes)
    step.drop_strays()
    step.replace_old()
    creations: list[Assignment] = []
    for home in step.homes_with_most_extra_first():
        allowed = step.shrink(home)
        creations += step.grow(home, allowed)
    return Rollout(tuple(step.doomed), tuple(creations))


class _Step:
    """The book-keeping of one plan: what is left of the groups and of the budgets as decisions are taken."""

    def __init__(self, task: Task, entry: Entry, artifact: Artifact, homes: Mapping[str, Group]) -> None:
        self._task, self._entry, self._artifact = task, entry, artifact
        self._hash = template_hash(wanted_template(task, entry, artifact))
        self._counts = entry.counts()
        groups = {home: homes.get(home) or Group() for home in {**homes, **self._counts}}
        self._live = {home: {copy.metadata.name: copy for copy in group.live} for home, group in groups.items()}
        self._leaving = {home: list(group.leaving) for home, group in groups.items()}
        self._ready = {home: sum(map(is_ready, group.live)) for home, group in groups.items()}
        self._all_ready = sum(self._ready.values())
        self._least = max(0, wanted_running(task, entry, homes) - task.spec.strategy.max_unavailable)
        self._surge = task.spec.strategy.max_surge
        self.doomed: list[Assignment] = []

    def drop_strays(self) -> None:
        """Copies at homes that the entry no longer names."""
        for home in self._live.keys() - self._counts.keys():
            for copy in list(self._live[home].values()):
                self._doom(copy)

    def replace_old(self) -> None:
        """Copies of another template: those that cost nothing all at once, ready ones as the budget allows."""
        old = [copy for home in self._counts for copy in self._live[home].values() if self._is_old(copy)]
        # Where a surplus waits for an old copy to go, it has waited long enough.
        order = {home: position for position, home in enumerate(self.homes_with_most_extra_first())}
        old.sort(key=lambda copy: (is_ready(copy), order[copy.spec.home], -copy.spec.ordinal))
        for copy in old:
            if not is_ready(copy) or self._all_ready > self._least:
                self._doom(copy)

    def homes_with_most_extra_first(self) -> list[str]:
        """Those that use the surge already come before those that might."""
        return sorted(self._counts, key=lambda home: (-self._extra(home), home))

    def shrink(self, home: str) -> int:
        """Take away what is over the count and the surge; returns how many extra copies the home may have."""
        allowed = min(self._surge, sum(map(self._is_old, self._live[home].values())))
        for copy in sorted(self._live[home].values(), key=self._worst_first):
            if self._extra(home) <= allowed:
                break
            if not is_ready(copy) or self._can_spare(home):
                self._doom(copy)
        return allowed

    def grow(self, home: str, allowed: int) -> list[Assignment]:
        """New copies up to the count, and over it for old ones that may not go yet."""
        number = max(0, allowed - self._extra(home))
        self._surge -= max(0, self._extra(home) + number)
        copies = Group(list(self._live[home].values()), self._leaving[home])
        return fill(self._task, self._entry, self._artifact, home, number, copies)

    def _can_spare(self, home: str) -> bool:
        return self._all_ready > self._least or self._ready[home] > self._counts[home]

    def _doom(self, copy: Assignment) -> None:
        home = copy.spec.home
        del self._live[home][copy.metadata.name]
        self._leaving[home].append(copy)
        self.doomed.append(copy)
        if is_ready(copy):
            self._ready[home] -= 1
            self._all_ready -= 1

    def _extra(self, home: str) -> int:
        return len(self._live[home]) - self._counts[home]

    def _is_old(self, copy: Assignment) -> bool:
        return copy.spec.template_hash != self._hash

    def _worst_first(self, copy: Assignment) -> tuple[bool, bool, bool, int]:
        return not self._is_old(copy), is_ready(copy), bool(copy.spec.node_name), -copy.spec.ordinal
