"""What the store should hold and tell, in plain Python."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from apiserver.api.errors import BadRequest
from apiserver.api.scheme import SCHEME, Kind
from apiserver.api.selectors import parse_fields, parse_labels
from apiserver.server.store.decisions import Intents, Put, Remove, View
from apiserver.server.store.engine import Key
from apiserver.server.store.following import Batch
from apiserver.server.store.snapshot import Filter
from apiserver.server.store.table import FIRST, Place
from tests.stores import body

ASSIGNMENTS, EVENTS = SCHEME.named("assignments"), SCHEME.named("events")
PLACES: Mapping[str, tuple[Kind, str]] = {
    "a": (ASSIGNMENTS, "default"),
    "b": (ASSIGNMENTS, "default"),
    "c": (ASSIGNMENTS, "other"),
    "d": (EVENTS, "default"),
}
"""Kind and namespace of an object, by its name."""


class One(NamedTuple):
    """What distinguishes an object's states."""

    node: str
    label: str


class Step(NamedTuple):
    """One object's change: what it was and what it is, None where it is not there."""

    name: str
    before: One | None
    after: One | None


class Told(NamedTuple):
    """A delivery."""

    type: str
    name: str
    version: int


State = dict[str, One]
Wish = Mapping[str, One | None]
"""What objects one operation puts, and what it removes if it is there (None)."""


@dataclass(frozen=True)
class Selection:
    """A filter of each kind, and what it means; of events only the labels are asked."""

    labels: str = ""
    fields: str = ""
    namespace: str = ""
    kinds: Sequence[Kind] = (ASSIGNMENTS,)
    means: Callable[[str, One], bool] = lambda name, one: True

    @property
    def filters(self) -> Sequence[Filter]:
        """As the store takes it."""
        return [
            Filter(kind, self.namespace, parse_labels(self.labels), parse_fields(self.fields, kind.fields))
            for kind in self.kinds
        ]

    def selects(self, name: str, one: One | None) -> bool:
        """Whether an object in this state is meant."""
        kind, namespace = PLACES[name]
        is_there = one is not None and kind in self.kinds and self.namespace in ("", namespace)
        return is_there and one is not None and self.means(name, one)


SELECTIONS = (
    Selection(),
    Selection(namespace="default"),
    Selection(kinds=(ASSIGNMENTS, EVENTS)),
    Selection("app=x", kinds=(EVENTS, ASSIGNMENTS), means=lambda name, one: one.label == "x"),
    Selection("app!=x", means=lambda name, one: one.label != "x"),
    Selection("app in (x)", namespace="default", means=lambda name, one: one.label == "x"),
    Selection(fields="spec.nodeName=nodeA", means=lambda name, one: one.node == "nodeA"),
    Selection(fields="spec.nodeName!=nodeA", means=lambda name, one: one.node != "nodeA"),
    Selection(fields="spec.nodeName=", means=lambda name, one: not one.node),
    Selection(fields="metadata.name=b", means=lambda name, one: name == "b"),
    Selection("app=x", "spec.nodeName!=nodeA", means=lambda name, one: one.label == "x" and one.node != "nodeA"),
)


@dataclass
class Model:
    """``states[v]`` is what the store held at version v, ``steps[v]`` the operation that led there."""

    states: list[State] = field(default_factory=lambda: [{}])
    steps: list[list[Step]] = field(default_factory=lambda: [[]])

    @property
    def version(self) -> int:
        """The highest one."""
        return len(self.states) - 1

    def apply(self, wish: Wish) -> bool:
        """What an operation changes; whether that is anything."""
        before = self.states[-1]
        steps = [Step(name, before.get(name), one) for name, one in wish.items() if one or name in before]
        if steps:
            self.steps.append(steps)
            changed: dict[str, One | None] = {**before, **{step.name: step.after for step in steps}}
            self.states.append({name: one for name, one in changed.items() if one is not None})
        return bool(steps)

    def told(self, selection: Selection, after: int, upto: int) -> Iterator[Told]:
        """What a watch of the selection is told of the versions behind ``after``."""
        for version in range(after + 1, upto + 1):
            for name, before, now in self.steps[version]:
                was, is_now = selection.selects(name, before), selection.selects(name, now)
                if was or is_now:
                    yield Told("DELETED" if not is_now else "MODIFIED" if was else "ADDED", name, version)

    def listed(self, selection: Selection, version: int) -> list[tuple[str, str]]:
        """The places that a list of the selection shows, in order."""
        found = [name for name, one in self.states[version].items() if selection.selects(name, one)]
        return sorted((PLACES[name][1], name) for name in found)

    def changes(self, above: int) -> int:
        """How many changes have a version above that."""
        return sum(len(steps) for steps in self.steps[above + 1 :])


@dataclass
class Following:
    """A watch, and all that it has been told since ``since``."""

    selection: Selection
    since: int
    reached: int
    told: list[Told] = field(default_factory=list)
    batches: AsyncIterator[Batch] | None = None
    """None: the server has ended since; the watch resumes."""


@dataclass
class Listing:
    """A list of some pages, and the place that it has come to."""

    selection: Selection
    version: int
    limit: int
    after: Place = FIRST


def key_of(name: str) -> Key:
    """Where the store keeps the object."""
    kind, namespace = PLACES[name]
    return Key(kind.resource, namespace, name)


def deciding(wish: Wish) -> Callable[[View], Intents]:
    """The operation as a decision of the store."""

    def decide(view: View) -> Intents:
        intents: list[Put | Remove] = []
        for name, one in wish.items():
            kind, namespace = PLACES[name]
            if one is None:
                found = view.get(kind, namespace, name)
                intents += [Remove(kind, found)] if found else []
                continue
            new = body(name, node=one.node, labels={"app": one.label})
            new["metadata"]["namespace"] = namespace
            intents.append(Put(kind, new))
        return intents

    return decide


def refusing(view: View) -> Intents:
    """A decision that is refused."""
    raise BadRequest("no")
