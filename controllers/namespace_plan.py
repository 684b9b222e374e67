"""What a namespace under deletion still holds, what of it to delete next, and what its status says. Pure.

Tasks go first, for they would have their assignments made anew; then the assignments, whose processes have to stop;
then everything else, apps among it, which nobody needs any more by then; and events last, so that they can tell of it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from apiserver.api.conditions import renew
from apiserver.api.meta import Condition, Resource
from apiserver.api.scheme import Kind

FIRST = ("tasks", "assignments")
"""Plurals of the kinds that go before the others, one after the other."""

LAST = ("events",)
REMAINING = "NamespaceContentRemaining"
HELD = "NamespaceFinalizersRemaining"
FAILED = "NamespaceDeletionContentFailure"
CONDITIONS = (REMAINING, HELD, FAILED)
"""The condition types of namespaces, Kubernetes' own."""

_SHOWN = 5


def stages(kinds: Sequence[Kind]) -> list[list[Kind]]:
    """The kinds of which there may be something in a namespace, in the order in which they have to go."""
    namespaced = [kind for kind in kinds if kind.namespaced and {"list", "delete"} <= {*kind.verbs}]
    early = [[kind for kind in namespaced if kind.plural == plural] for plural in FIRST]
    late = [kind for kind in namespaced if kind.plural in LAST]
    rest = [kind for kind in namespaced if kind.plural not in (*FIRST, *LAST)]
    return [stage for stage in (*early, rest, late) if stage]


@dataclass(frozen=True, slots=True)
class Remains:
    """One object that is still there."""

    kind: Kind
    name: str
    uid: str
    is_leaving: bool
    """Whether its deletion was asked for."""
    finalizers: tuple[str, ...]


def remains_of(kind: Kind, obj: Resource) -> Remains:
    """What is to be known of an object."""
    meta = obj.metadata
    return Remains(kind, meta.name, meta.uid or "", meta.deletion_timestamp is not None, tuple(meta.finalizers))


def to_delete(remains: Sequence[Remains]) -> list[Remains]:
    """Whose deletion has to be asked for. What was asked once is not asked again."""
    return [one for one in remains if not one.is_leaving]


def conditions(
    remains: Sequence[Remains], failures: Sequence[str], before: Sequence[Condition], *, now: datetime
) -> tuple[Condition, ...]:
    """What the status says of what is left of the stage at work; ``failures`` are refusals of deletions, in words."""

    def told(kind: str, trouble: tuple[str, str], fine: tuple[str, str], *, is_so: bool) -> Condition:
        reason, message = trouble if is_so else fine
        return renew(before, kind, "True" if is_so else "False", reason=reason, message=message, now=now)

    left = _counted((one.kind.resource for one in remains), "{name} has {count} resource instances")
    held = (name for one in remains if one.is_leaving for name in one.finalizers)
    holders = _counted(held, "{name} in {count} resource instances")
    return (
        told(
            FAILED,
            ("ContentDeletionFailed", f"Failed to delete some content: {_some(failures)}"),
            ("ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
            is_so=bool(failures),
        ),
        told(
            REMAINING,
            ("SomeResourcesRemain", f"Some resources are remaining: {left}"),
            ("ContentRemoved", "All content successfully removed"),
            is_so=bool(left),
        ),
        told(
            HELD,
            ("SomeFinalizersRemain", f"Some content in the namespace has finalizers remaining: {holders}"),
            ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
            is_so=bool(holders),
        ),
    )


def _counted(names: Iterable[str], form: str) -> str:
    counts = Counter(names)
    return ", ".join(form.format(name=name, count=count) for name, count in sorted(counts.items()))


def _some(texts: Sequence[str]) -> str:
    return "; ".join(sorted(texts)[:_SHOWN]) + ("; …" if len(texts) > _SHOWN else "")
