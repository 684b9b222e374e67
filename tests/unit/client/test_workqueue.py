import asyncio
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.client.backoff import Backoff
from apiserver.client.workqueue import QueueShutDown, WorkQueue


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def is_empty(queue: WorkQueue[str]) -> bool:
    getting = asyncio.create_task(queue.get())
    for _ in range(3):
        await asyncio.sleep(0)
    getting.cancel()
    return isinstance((await asyncio.gather(getting, return_exceptions=True))[0], asyncio.CancelledError)


async def test_many_adds_before_a_get_are_one() -> None:
    queue = WorkQueue[str]()
    for key in ("a", "b", "a"):
        queue.add(key)
    assert len(queue) == 2
    assert [await queue.get(), await queue.get()] == ["a", "b"]
    assert await is_empty(queue)


async def test_an_add_while_processing_comes_back_after_done() -> None:
    queue = WorkQueue[str]()
    queue.add("a")
    await queue.get()
    queue.add("a")
    assert await is_empty(queue)
    queue.done("a")
    assert await queue.get() == "a"


async def test_a_waiting_get_wakes_when_a_delay_is_over() -> None:
    queue = WorkQueue[str]()
    getting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add_after("late", 0.05)
    queue.add_after("soon", 0.01)
    assert await asyncio.wait_for(getting, 5) == "soon"
    assert await asyncio.wait_for(queue.get(), 5) == "late"


async def test_of_several_times_the_earliest_counts() -> None:
    clock = Clock()
    queue = WorkQueue[str](clock=clock)
    for delay in (5, 3, 9):
        queue.add_after("a", delay)
    clock.now += 3
    assert await queue.get() == "a"
    queue.done("a")
    clock.now += 10
    assert await is_empty(queue)


async def test_bringing_a_key_forward_forever_keeps_the_queue_small() -> None:
    clock = Clock()
    queue = WorkQueue[str](clock=clock)
    for delay in range(10_000, 0, -1):
        queue.add_after("a", delay)
    assert len(queue._heap) < 100
    clock.now += 1
    assert await queue.get() == "a"


async def test_failures_wait_longer_until_forgotten() -> None:
    clock = Clock()
    queue = WorkQueue[str](clock=clock, backoff=Backoff(base=1, cap=4), rng=random.Random(1))
    for longest in (1, 2, 4, 4):
        queue.add_rate_limited("a")
        clock.now += longest / 2 - 0.001
        assert await is_empty(queue)
        clock.now += longest / 2 + 0.002
        assert await queue.get() == "a"
        queue.done("a")
    assert queue.failures("a") == 4
    queue.forget("a")
    assert queue.failures("a") == 0


async def test_a_shut_down_queue_gives_out_what_it_has() -> None:
    queue = WorkQueue[str]()
    queue.add("a")
    queue.add_after("b", 1000)
    queue.shut_down()
    queue.add("c")
    assert await queue.get() == "a"
    with pytest.raises(QueueShutDown):
        await queue.get()


async def test_shut_down_wakes_all_who_wait() -> None:
    queue = WorkQueue[str]()
    waiting = [asyncio.create_task(queue.get()) for _ in range(3)]
    await asyncio.sleep(0)
    queue.shut_down()
    outcomes = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 5)
    assert all(isinstance(outcome, QueueShutDown) for outcome in outcomes)


async def test_many_producers_and_workers() -> None:
    queue, rng = WorkQueue[int](), random.Random(0)
    holding: Counter[int] = Counter()
    added, handled = set(), set()

    async def produce() -> None:
        for _ in range(200):
            key = rng.randrange(50)
            added.add(key)
            queue.add(key) if rng.random() < 0.5 else queue.add_after(key, rng.random() / 1000)
            await asyncio.sleep(0)

    async def work() -> None:
        while True:
            try:
                key = await queue.get()
            except QueueShutDown:
                return
            holding[key] += 1
            assert holding[key] == 1
            await asyncio.sleep(0)
            holding[key] -= 1
            handled.add(key)
            queue.done(key)

    workers = [asyncio.create_task(work()) for _ in range(5)]
    await asyncio.gather(*(produce() for _ in range(10)))
    async with asyncio.timeout(10):
        while handled != added:
            await asyncio.sleep(0.001)
        queue.shut_down()
        await asyncio.gather(*workers)


@settings(max_examples=50, deadline=None)
@given(failures=st.integers(0, 100_000), seed=st.integers())
def test_waits_grow_to_the_cap_and_are_never_less_than_half(failures: int, seed: int) -> None:
    delay = Backoff(base=0.2, cap=10).delay(failures, random.Random(seed))
    full = min(10.0, 0.2 * 2 ** min(failures, 20))
    assert full / 2 <= delay <= full
