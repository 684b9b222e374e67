"""The store against a dict: writes, restarts, and watches from any version with any selector."""

import asyncio
import tempfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from apiserver.api.selectors import parse_fields, parse_labels
from apiserver.server.store.snapshot import Filter
from apiserver.server.store.sqlite import SQLiteEngine
from apiserver.server.store.store import Store
from apiserver.server.store.watchers import Watcher
from tests.stores import KIND, body, missed, put, remove, running, watching

NAMES = st.sampled_from("abcd")
NODES = st.sampled_from(["", "nodeA", "nodeB"])
LABELS = st.sampled_from(["x", "y"])
SELECTORS = st.sampled_from(
    [("", ""), ("app=x", ""), ("app!=x", ""), ("", "spec.nodeName=nodeA"), ("app=x", "spec.nodeName!=nodeA")]
)
State = dict[str, tuple[str, str]]
"""Node and label by name."""


class StoreMachine(RuleBasedStateMachine):
    """``states[v]`` is what the model says the store held at version v."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.states: list[State] = [{}]
        self.live: list[tuple[Watcher, Filter, State]] = []

    @initialize()
    def start(self) -> None:
        self.opened: AbstractAsyncContextManager[Store] = running(SQLiteEngine(Path(self.folder.name)))
        self.store = self.runner.run(self.opened.__aenter__())

    def teardown(self) -> None:
        if hasattr(self, "opened"):
            self.runner.run(self.opened.__aexit__(None, None, None))
        self.runner.close()
        self.folder.cleanup()

    @rule(names=st.lists(NAMES, min_size=1, max_size=3, unique=True), node=NODES, label=LABELS)
    def write(self, names: list[str], node: str, label: str) -> None:
        bodies = [body(name, node=node, labels={"app": label}) for name in names]
        self.runner.run(self.store.write(put(*bodies)))
        self.states.append(self.states[-1] | dict.fromkeys(names, (node, label)))

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        slots = self.runner.run(self.store.write(remove(name)))
        assert bool(slots) == (name in self.states[-1])
        if slots:
            self.states.append({key: value for key, value in self.states[-1].items() if key != name})

    @rule()
    def restart(self) -> None:
        self.live.clear()
        self.runner.run(self.opened.__aexit__(None, None, None))
        self.start()

    @rule(selector=SELECTORS)
    def watch(self, selector: tuple[str, str]) -> None:
        selection = self.select(selector)
        self.live.append((watching(self.store, selection), selection, dict(self.states[-1])))

    @rule(selector=SELECTORS, data=st.data())
    def resume(self, selector: tuple[str, str], data: st.DataObject) -> None:
        """Replaying what came after any version turns that version's selection into the present one."""
        version = data.draw(st.integers(0, len(self.states) - 1))
        selection = self.select(selector)
        self.replay(selection, self.states[version], self.runner.run(missed(self.store, selection, version)))

    @invariant()
    def reads_agree(self) -> None:
        if not hasattr(self, "store"):
            return
        assert self.store.version == len(self.states) - 1
        found = {s.key.name: s.parse() for s in self.store.cache.select(Filter(KIND))}
        assert {
            name: (one["spec"]["nodeName"], one["metadata"]["labels"]["app"]) for name, one in found.items()
        } == self.states[-1]

    @invariant()
    def live_watches_agree(self) -> None:
        still = []
        for watcher, selection, before in self.live:
            self.replay(selection, before, watcher.take())
            still.append((watcher, selection, dict(self.states[-1])))
        self.live = still

    def select(self, selector: tuple[str, str]) -> Filter:
        return Filter(KIND, "", parse_labels(selector[0]), parse_fields(selector[1], KIND.fields))

    def selected(self, selection: Filter, state: State) -> set[str]:
        return {
            name
            for name, (node, label) in state.items()
            if selection.labels.matches({"app": label}) and selection.fields.matches({"spec.nodeName": node})
        }

    def replay(self, selection: Filter, before: State, deliveries: list) -> None:  # type: ignore[type-arg]
        names = self.selected(selection, before)
        last = (0, "")
        for delivery in deliveries:
            name = delivery.event.slot.key.name
            assert delivery.event.version >= last[0]
            assert (delivery.event.version, name) != last
            last = (delivery.event.version, name)
            assert (name in names) == (delivery.type != "ADDED")
            names = names - {name} if delivery.type == "DELETED" else names | {name}
        assert names == self.selected(selection, self.states[-1])


TestStore = StoreMachine.TestCase
TestStore.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
