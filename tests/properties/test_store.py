"""The store against a model: operations, compaction, crashes and faults; watches that resume from any version,
through overflow and restart; pages of one state while writes go on."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, ExitStack, suppress
from functools import partial
from pathlib import Path
from shutil import copy
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from apiserver.api.errors import BadRequest, Expired, ServiceUnavailable
from apiserver.server.store import following
from apiserver.server.store.engine import Engine
from apiserver.server.store.following import Batch, follow
from apiserver.server.store.memory import MemoryEngine
from apiserver.server.store.retention import SLACK, Retention
from apiserver.server.store.snapshot import Filter
from apiserver.server.store.sqlite import DATABASE, SQLiteEngine
from apiserver.server.store.store import Store
from apiserver.server.store.table import FIRST
from apiserver.server.store.watchers import Watcher
from tests.properties.store_model import (
    ASSIGNMENTS,
    EVENTS,
    PLACES,
    SELECTIONS,
    Following,
    Listing,
    Model,
    One,
    Selection,
    Told,
    deciding,
    key_of,
    refusing,
)
from tests.soak import faulty_server
from tests.stores import running

NAMES = st.sampled_from(list(PLACES))
ONES = st.builds(One, st.sampled_from(["", "nodeA", "nodeB"]), st.sampled_from("xy"))
WISHES = st.dictionaries(NAMES, st.none() | ONES, min_size=1, max_size=3)
FAULTS = st.sampled_from(["statement", "begin", "commit, rolled back", "commit, left open", "commit, stored"])
CHANGES = 20
"""How long the log may be."""

OF_ONE_KIND = st.sampled_from([one for one in SELECTIONS if len(one.kinds) == 1])
RING_BYTES = 6000
BUFFERED = 3


class StoreMachine(RuleBasedStateMachine):
    """Over the engine that forgets; a restart opens it again."""

    def __init__(self) -> None:
        super().__init__()
        self.runner, self.exits = asyncio.Runner(), ExitStack()
        self.model = Model()
        self.watches: list[Following] = []
        self.lists: list[Listing] = []
        small = partial(Watcher, limit=BUFFERED)
        self.exits.enter_context(patch.object(following, "Watcher", small))
        self.opened: AbstractAsyncContextManager[Store] | None = None
        self.engine = self.make()

    def make(self) -> Engine:
        return MemoryEngine()

    @initialize()
    def start(self) -> None:
        self.opened = running(self.engine, ring_bytes=RING_BYTES, keep=Retention(changes=CHANGES))
        self.store = self.runner.run(self.opened.__aenter__())

    def stop(self) -> None:
        if self.opened is not None:
            for watch in self.watches:
                watch.batches = None
            self.runner.run(self.opened.__aexit__(None, None, None))

    def teardown(self) -> None:
        self.stop()
        self.runner.close()
        self.exits.close()

    @rule(wish=WISHES)
    def write(self, wish: dict[str, One | None]) -> None:
        slots = self.runner.run(self.store.write(deciding(wish)))
        assert bool(slots) == self.model.apply(wish)
        assert {slot.version for slot in slots} <= {self.model.version}

    @rule(wishes=st.lists(WISHES, min_size=2, max_size=4))
    def write_together(self, wishes: list[dict[str, One | None]]) -> None:
        """Several operations of one batch, one of them refused."""

        async def all_of_them() -> None:
            refused = asyncio.create_task(self.store.write(refusing))
            await asyncio.gather(*(self.store.write(deciding(wish)) for wish in wishes))
            with pytest.raises(BadRequest):
                await refused

        self.runner.run(all_of_them())
        for wish in wishes:
            self.model.apply(wish)

    @rule()
    def maintain(self) -> None:
        """Within its bounds, and no shorter than they demand."""
        before = self.model.changes(self.store.maintenance.compacted)
        self.runner.run(self.store.maintenance.step())
        left = self.model.changes(self.store.maintenance.compacted)
        assert left <= CHANGES
        assert left == before or left > SLACK * CHANGES - 4

    @rule(data=st.data())
    def compact(self, data: st.DataObject) -> None:
        """Anywhere, as an age may demand."""
        version = data.draw(st.integers(self.store.maintenance.compacted, self.model.version))
        self.engine.compact(version)
        self.store.maintenance.compacted = version

    @rule()
    def restart(self) -> None:
        self.stop()
        self.start()

    @rule(selection=st.sampled_from(SELECTIONS), data=st.data())
    def watch(self, selection: Selection, data: st.DataObject) -> None:
        """From any version."""
        since = data.draw(st.integers(0, self.model.version) | st.just(self.model.version))
        watch = Following(selection, since, since)
        is_forgotten = since < self.store.floor
        assert self.pull(watch) == (not is_forgotten)
        if not is_forgotten:
            self.watches.append(watch)

    @precondition(lambda self: self.watches)
    @rule(data=st.data(), batches=st.integers(1, 4))
    def go_on(self, data: st.DataObject, batches: int) -> None:
        watch = data.draw(st.sampled_from(self.watches))
        for _ in range(batches):
            if not self.pull(watch):
                self.watches.remove(watch)
                return

    def pull(self, watch: Following) -> bool:
        """One batch; False where what comes next is forgotten."""
        if watch.batches is None:
            watch.batches = follow(self.store, watch.selection.filters, watch.reached, idle=0.0)
        try:
            batch = self.runner.run(self.next_of(watch.batches))
        except Expired:
            assert watch.reached < self.store.floor
            return False
        watch.told += [Told(one.type, one.event.slot.key.name, one.event.version) for one in batch.deliveries]
        assert watch.reached <= batch.version <= self.model.version
        watch.reached = batch.version
        assert watch.told == list(self.model.told(watch.selection, watch.since, watch.reached))
        return True

    async def next_of(self, batches: AsyncIterator[Batch]) -> Batch:
        return await anext(batches)

    @rule(selection=OF_ONE_KIND, limit=st.integers(1, 2), wishes=st.lists(WISHES, min_size=1, max_size=4))
    def list_while_writing(self, selection: Selection, limit: int, wishes: "list[dict[str, One | None]]") -> None:
        listing = Listing(selection, self.model.version, limit)
        self.page(listing)
        for wish in wishes:
            self.write(wish)
        while self.page(listing) and listing.after < max(self.model.listed(selection, listing.version), default=FIRST):
            pass

    @rule(selection=OF_ONE_KIND, limit=st.integers(1, 3))
    def list(self, selection: Selection, limit: int) -> None:
        listing = Listing(selection, self.model.version, limit)
        assert self.page(listing)
        self.lists.append(listing)

    @precondition(lambda self: self.lists)
    @rule(data=st.data())
    def next_page(self, data: st.DataObject) -> None:
        listing = data.draw(st.sampled_from(self.lists))
        is_forgotten = listing.version < self.store.cache.oldest_state
        assert self.page(listing) == (not is_forgotten)
        if is_forgotten:
            self.lists.remove(listing)

    def page(self, listing: Listing) -> bool:
        (selection,) = listing.selection.filters
        reading = self.store.page(selection, version=listing.version, after=listing.after, limit=listing.limit)
        try:
            slots, more = self.runner.run(reading)
        except Expired:
            return False
        rest = [place for place in self.model.listed(listing.selection, listing.version) if place > listing.after]
        found = [(slot.key.namespace, slot.key.name) for slot in slots]
        assert found == rest[: listing.limit]
        assert bool(more) == (len(rest) > listing.limit) or not selection.is_open
        assert not selection.is_open or more == len(rest) - len(found)
        for slot in slots:
            one, read = self.model.states[listing.version][slot.key.name], slot.parse()
            assert (read["spec"]["nodeName"], read["metadata"]["labels"]["app"]) == one
            assert int(read["metadata"]["resourceVersion"]) == slot.version <= listing.version
        listing.after = found[-1] if found else listing.after
        return True

    @rule(name=NAMES)
    def history(self, name: str) -> None:
        """All that the log must hold of an object; it holds more after a compaction that failed."""
        found = self.engine.history(key_of(name), before=self.model.version, limit=1000)
        told = self.model.told(Selection(kinds=(ASSIGNMENTS, EVENTS)), 0, self.model.version)
        expected = [(one.type, one.version) for one in told if one.name == name]
        assert [(change.type, change.version) for change in found] == expected[::-1][: len(found)]
        assert len(found) >= sum(version > self.store.maintenance.compacted for _, version in expected)

    @invariant()
    def reads_agree(self) -> None:
        if self.opened is None:
            return
        assert self.store.version == self.model.version
        slots = [slot for kind in (ASSIGNMENTS, EVENTS) for slot in self.store.cache.select(Filter(kind))]
        bodies = {slot.key.name: slot.parse() for slot in slots}
        assert {
            name: (read["spec"]["nodeName"], read["metadata"]["labels"]["app"]) for name, read in bodies.items()
        } == self.model.states[-1]
        log = self.engine.changes_after(0, size=1 << 30)
        assert len(log) == self.engine.log_size[0] >= self.model.changes(self.store.maintenance.compacted)


class SQLiteMachine(StoreMachine):
    """Over the engine that does not forget, whose database fails now and then."""

    def make(self) -> Engine:
        self.fault = ""
        self.exits.enter_context(patch.object(faulty_server, "draw", lambda name: name == self.fault))
        faulty_server.spoil(lambda *where: self.exits.enter_context(patch.object(*where)))
        return SQLiteEngine(self.folder())

    def folder(self) -> Path:
        return Path(self.exits.enter_context(tempfile.TemporaryDirectory()))

    @rule()
    def restart(self) -> None:
        self.stop()
        self.engine = SQLiteEngine(self.path.parent)
        self.start()

    @property
    def path(self) -> Path:
        assert isinstance(self.engine, SQLiteEngine)
        return self.engine._path

    @rule()
    def crash(self) -> None:
        """What a killed server leaves is what is in its files at that moment."""
        folder = self.folder()
        for name in (DATABASE, f"{DATABASE}-wal"):
            with suppress(FileNotFoundError):
                copy(self.path.with_name(name), folder)
        self.stop()
        self.engine = SQLiteEngine(folder)
        self.start()

    @rule(wish=WISHES, fault=FAULTS)
    def write_with_a_fault(self, wish: dict[str, One | None], fault: str) -> None:
        """It is stored if and only if it is acknowledged."""
        self.fault = fault
        try:
            self.runner.run(self.store.write(deciding(wish)))
        except ServiceUnavailable:
            return
        finally:
            self.fault = ""
        self.model.apply(wish)

    @rule(fault=FAULTS)
    def maintain_with_a_fault(self, fault: str) -> None:
        """What it has done is known once the next write has been settled."""
        self.fault = fault
        with suppress(Exception):
            self.runner.run(self.store.maintenance.step())
        self.fault = ""
        self.runner.run(self.store.committer._probe())


TestMemory, TestSQLite = StoreMachine.TestCase, SQLiteMachine.TestCase
TestMemory.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
TestSQLite.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
