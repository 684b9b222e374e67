"""The work queue against a model: no key twice at once, nothing lost, a shut-down queue drains."""

import asyncio
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from apiserver.client.workqueue import QueueShutDown, WorkQueue

KEYS = st.sampled_from("abcd")
DRAINED = "drained"


class WorkQueueMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.queue = WorkQueue[str](clock=lambda: self.now)
        self.runner = asyncio.Runner()
        self.wanted: set[str] = set()
        self.held: set[str] = set()
        self.later: dict[str, float] = {}
        self.closed = False

    def poll(self) -> str | None:
        """What a worker that comes now gets: a key, DRAINED, or None where it would wait."""

        async def attempt() -> str | None:
            getting = asyncio.create_task(self.queue.get())
            for _ in range(3):
                await asyncio.sleep(0)
            if getting.done():
                return getting.result()
            getting.cancel()
            await asyncio.gather(getting, return_exceptions=True)
            return None

        try:
            return self.runner.run(attempt())
        except QueueShutDown:
            return DRAINED

    @rule(key=KEYS)
    def add(self, key: str) -> None:
        self.queue.add(key)
        if not self.closed:
            self.wanted.add(key)

    @rule(key=KEYS, delay=st.sampled_from([-1.0, 0.0, 1.0, 2.0, 5.0]))
    def add_after(self, key: str, delay: float) -> None:
        self.queue.add_after(key, delay)
        if self.closed:
            return
        if delay <= 0:
            self.wanted.add(key)
        else:
            self.later[key] = min(self.later.get(key, self.now + delay), self.now + delay)

    @rule(seconds=st.sampled_from([0.5, 1.0, 3.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def get(self) -> None:
        for key in [key for key, due in self.later.items() if due <= self.now]:
            del self.later[key]
            self.wanted.add(key)
        got = self.poll()
        if got == DRAINED:
            assert self.closed
            assert not self.wanted
        elif got is None:
            assert not self.wanted - self.held
            assert not self.closed or self.wanted
        else:
            assert got in self.wanted - self.held
            self.wanted.remove(got)
            self.held.add(got)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def done(self, data: Any) -> None:
        key = data.draw(st.sampled_from(sorted(self.held)))
        self.held.remove(key)
        self.queue.done(key)

    @precondition(lambda self: not self.closed)
    @rule()
    def shut_down(self) -> None:
        self.queue.shut_down()
        self.closed = True
        self.later.clear()

    def teardown(self) -> None:
        for key in self.held:
            self.queue.done(key)
        self.held.clear()
        self.now += 10
        while self.wanted or self.later:
            self.get()
            for key in self.held:
                self.queue.done(key)
            self.held.clear()
        assert self.poll() == (DRAINED if self.closed else None)
        self.runner.close()


TestWorkQueue = WorkQueueMachine.TestCase
TestWorkQueue.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
