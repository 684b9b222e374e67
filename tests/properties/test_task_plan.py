"""The task controller's plan against a world in which people, nodes and crashes do what they like.

Safety: no name is used twice, and by our own doing no entry has fewer ready copies than it may.
Liveness: once people and faults stop, the world converges and the plan of the converged world is empty.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from apiserver.api import conditions
from apiserver.api.expansion import Artifact, Resolution, group, is_live, template_hash, wanted_template
from apiserver.api.kinds.assignment import DEPENDENCIES_READY, Assignment
from apiserver.api.kinds.task import Task
from apiserver.api.meta import Condition
from controllers.dependencies import TellDependencies
from controllers.rollout import is_ready, wanted_running
from controllers.task_plan import Action, Create, Delete, SetLabels, SetState, plan
from controllers.task_status import is_current, summarize

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MANAGER = "plum-task-controller"
ARTIFACTS = {name: Artifact("/artifacts/sha256/" + "a" * 64, "a" * 64) for name in ("main", "side")}
HOMES = ("nodeA", "nodeB")

pick = st.integers(0, 1000)
counts = st.one_of(
    st.fixed_dictionaries({"replicas": st.integers(0, 4)}),
    st.fixed_dictionaries({"nodeReplicas": st.dictionaries(st.sampled_from(HOMES), st.integers(0, 3), min_size=1)}),
)
strategies = st.tuples(st.integers(0, 2), st.integers(0, 2)).filter(any)
entries = st.dictionaries(st.sampled_from(("main", "side")), counts, min_size=1)


def changed(copy: Assignment, **change: Any) -> Assignment:
    """The copy with other metadata, spec or status fields: ``spec__desired="Stopped"``."""
    parts: dict[str, dict[str, Any]] = {}
    for path, value in change.items():
        part, field = path.split("__")
        parts.setdefault(part, {})[field] = value
    return copy.model_copy(update={p: getattr(copy, p).model_copy(update=f) for p, f in parts.items()})


def with_condition(copy: Assignment, condition: Condition) -> tuple[Condition, ...]:
    return (*(found for found in copy.status.conditions if found.type != condition.type), condition)


class TaskWorld(RuleBasedStateMachine):
    """One task, the assignments it has, and everybody who acts on them."""

    def __init__(self) -> None:
        super().__init__()
        self.copies: dict[str, Assignment] = {}
        self.names: set[str] = set()
        self.noticed: set[str] = set()
        """Copies that the controller has deleted, or whose deletion it has seen and acted on: they may go."""
        self.state, self.generation, self.command = "Running", 0, ""
        self.counts: dict[str, dict[str, Any]] = {}
        self.strategy = (1, 0)
        self.ordered = False
        """Whether main depends on side."""

    def task(self) -> Task:
        spec_entries = [
            {"name": name, "artifactUrl": ARTIFACTS[name].url, "startCmd": self.command, **count, **self.order(name)}
            for name, count in self.counts.items()
        ]
        return Task.from_body(
            {
                "metadata": {"name": "web", "namespace": "default", "uid": "u1", "generation": self.generation},
                "spec": {
                    "state": self.state,
                    "entries": spec_entries,
                    "strategy": {"maxUnavailable": self.strategy[0], "maxSurge": self.strategy[1]},
                },
                "apiVersion": "plum.dev/v1",
                "kind": "Task",
            }
        )

    def order(self, name: str) -> dict[str, Any]:
        return {"dependsOn": ["side"]} if name == "main" and self.ordered and "side" in self.counts else {}

    # What people do.

    @initialize(first=entries, strategy=strategies)
    def create_task(self, first: dict[str, dict[str, Any]], strategy: tuple[int, int]) -> None:
        self.counts, self.strategy, self.generation = first, strategy, 1

    @rule(wanted=entries)
    def scale(self, wanted: dict[str, dict[str, Any]]) -> None:
        self.counts, self.generation = wanted, self.generation + 1

    @rule(command=st.sampled_from(["", "run", "serve"]))
    def change_template(self, command: str) -> None:
        self.command, self.generation = command, self.generation + 1

    @rule()
    def change_order(self) -> None:
        self.ordered, self.generation = not self.ordered, self.generation + 1

    @rule(state=st.sampled_from(["Running", "Stopped"]))
    def change_state(self, state: str) -> None:
        self.state, self.generation = state, self.generation + 1

    @rule(index=pick, state=st.sampled_from(["Running", "Stopped"]))
    def command_one(self, index: int, state: str) -> None:
        self.edit(index, is_live, lambda copy: changed(copy, spec__desired=state))

    @rule(index=pick)
    def delete_one(self, index: int) -> None:
        self.edit(index, is_live, lambda copy: changed(copy, metadata__deletion_timestamp=NOW))

    # What scheduler and agents do.

    @rule(index=pick)
    def bind_one(self, index: int) -> None:
        self.edit(index, lambda c: is_live(c) and not c.spec.node_name, lambda c: changed(c, spec__node_name="nodeA"))

    @rule(index=pick, status=st.sampled_from(["True", "True", "True", "False", "Unknown"]))
    def report_one(self, index: int, status: str) -> None:
        self.edit(index, is_live, lambda copy: self.reported(copy, status))

    @rule(index=pick)
    def finish_one(self, index: int) -> None:
        leaving = [name for name, copy in self.copies.items() if not is_live(copy) and name in self.noticed]
        if leaving:
            del self.copies[leaving[index % len(leaving)]]

    # What the controller does, as far as it gets.

    @rule(cut=st.integers(0, 6))
    def reconcile_and_crash(self, cut: int) -> None:
        self.perform(self.plan()[:cut])

    @rule()
    def reconcile(self) -> None:
        self.act()

    def act(self) -> list[Action]:
        actions = self.plan()
        self.perform(actions)
        self.noticed |= {name for name, copy in self.copies.items() if not is_live(copy)}
        return actions

    @precondition(lambda self: bool(self.counts))
    @rule()
    def converge(self) -> None:
        """Faults stop: everything that may happen does, and the plan becomes empty."""
        for _ in range(40):
            actions = self.act()
            settled = not actions and all(map(is_live, self.copies.values()))
            self.copies = {
                name: self.reported(copy, "True") if copy.spec.desired == "Running" else copy
                for name, copy in self.copies.items()
                if is_live(copy)
            }
            if settled and not self.plan():
                return self.check_converged()
        raise AssertionError(f"no convergence, still planning {self.plan()}")

    def teardown(self) -> None:
        if self.counts:
            self.converge()

    # The model.

    def edit(self, index: int, which: Callable[[Assignment], bool], change: Callable[[Assignment], Assignment]) -> None:
        found = [name for name, copy in self.copies.items() if which(copy)]
        if found:
            name = found[index % len(found)]
            self.copies[name] = change(self.copies[name])

    @staticmethod
    def reported(copy: Assignment, status: str) -> Assignment:
        phase = {"True": "Running", "False": "Failed", "Unknown": "Unknown"}[status]
        ready = Condition.model_validate({"type": "Ready", "status": status})
        return changed(copy, status__phase=phase, status__conditions=with_condition(copy, ready))

    def resolution(self) -> Resolution:
        return Resolution({name: ARTIFACTS[name] for name in self.counts})

    def plan(self) -> list[Action]:
        actions = plan(self.task(), self.resolution(), list(self.copies.values()), manager=MANAGER)
        self.check_availability(actions)
        return actions

    def perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Create(copy):
                    assert copy.metadata.name not in self.names, "a name is used twice"
                    self.names.add(copy.metadata.name)
                    self.copies[copy.metadata.name] = changed(copy, metadata__uid=f"uid-{len(self.names)}")
                case Delete(name, uid):
                    assert self.copies[name].metadata.uid == uid
                    self.copies[name] = changed(self.copies[name], metadata__deletion_timestamp=NOW)
                    self.noticed.add(name)
                case SetState(name, state):
                    self.copies[name] = changed(self.copies[name], spec__task_state=state, spec__desired=state)
                case SetLabels(name, changes):
                    labels = {**self.copies[name].metadata.labels, **changes}
                    kept = {key: value for key, value in labels.items() if value is not None}
                    self.copies[name] = changed(self.copies[name], metadata__labels=kept)
                case TellDependencies(copy, status, reason, message):
                    told = Condition(type=DEPENDENCIES_READY, status=status, reason=reason, message=message)
                    self.tell(copy.metadata.name, told)

    def tell(self, name: str, condition: Condition) -> None:
        copy = self.copies[name]
        assert copy.spec.template.depends_on == ("side",)
        assert is_live(copy)
        self.copies[name] = changed(copy, status__conditions=with_condition(copy, condition))

    def check_availability(self, actions: list[Action]) -> None:
        """After all deletions of a plan enough ready copies are left, unless people lowered a home's count."""
        gone = {action.name for action in actions if isinstance(action, Delete)}
        task, before = self.task(), group(self.copies.values())
        for entry in task.spec.entries:
            homes = {home: copies for (name, home), copies in before.items() if name == entry.name}
            least = wanted_running(task, entry, homes) - self.strategy[0]
            ready = Counter(c.spec.home for g in homes.values() for c in g.live if is_ready(c))
            left = Counter(
                c.spec.home for g in homes.values() for c in g.live if is_ready(c) and c.metadata.name not in gone
            )
            by_people = {home for home in ready if left[home] >= entry.counts().get(home, 0)}
            ours = {home for home in ready if left[home] < ready[home]} - by_people
            assert not ours or left.total() >= least, f"{entry.name}: {left} are too few, at least {least}"

    def check_converged(self) -> None:
        task, groups = self.task(), group(self.copies.values())
        wanted = {(e.name, home): n for e in task.spec.entries for home, n in e.counts().items() if n}
        assert {key: len(copies.live) for key, copies in groups.items()} == wanted
        for entry in task.spec.entries:
            digest = template_hash(wanted_template(task, entry, ARTIFACTS[entry.name]))
            copies = [copy for copy in self.copies.values() if copy.spec.entry == entry.name]
            assert {copy.spec.template_hash for copy in copies} <= {digest}
            assert {copy.spec.task_state for copy in copies} <= {self.state}
        self.check_order()
        for members in groups.values():
            ordinals = [copy.spec.ordinal for copy in members.live]
            assert len(set(ordinals)) == len(ordinals)
        status = summarize(task, list(self.copies.values()), self.resolution(), now=NOW)
        assert status.updated_replicas == status.replicas == sum(wanted.values())
        again = task.model_copy(update={"status": status})
        assert is_current(status, summarize(again, list(self.copies.values()), self.resolution(), now=NOW))

    def check_order(self) -> None:
        side_is_ready = any(is_ready(copy) for copy in self.copies.values() if copy.spec.entry == "side")
        for copy in self.copies.values():
            told = conditions.find(copy.status.conditions, DEPENDENCIES_READY)
            if self.order(copy.spec.entry):
                assert told is not None
                assert (told.status == "True") == side_is_ready
            else:
                assert told is None


TestTaskWorld = TaskWorld.TestCase
TestTaskWorld.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
