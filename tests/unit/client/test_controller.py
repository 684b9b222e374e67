import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from apiserver.api.errors import ServiceUnavailable
from apiserver.client.backoff import Backoff
from apiserver.client.controller import Controller, Key, Result
from apiserver.client.workqueue import WorkQueue

A: Key = ("default", "a")
B: Key = ("default", "b")


class Scripted:
    """Does what each step says and remembers the keys; then succeeds."""

    def __init__(self, *steps: Exception | Result | Callable[[], Awaitable[Result]]) -> None:
        self._steps = list(steps)
        self.keys: list[Key] = []

    async def reconcile(self, key: Key) -> Result:
        self.keys.append(key)
        step = self._steps.pop(0) if self._steps else Result()
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, Result) else await step()


def controller(reconciler: Scripted, *, workers: int = 1, timeout: float = 60) -> Controller:
    queue = WorkQueue[Key](backoff=Backoff(base=0.001, cap=0.01))
    return Controller("test", reconciler, workers=workers, timeout=timeout, queue=queue)


@asynccontextmanager
async def running(made: Controller) -> AsyncIterator[None]:
    task = asyncio.create_task(made.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def test_every_key_is_reconciled() -> None:
    reconciler = Scripted()
    made = controller(reconciler, workers=2)
    async with running(made):
        made.enqueue(A)
        made.enqueue(B)
        await until(lambda: len(reconciler.keys) == 2)
    assert sorted(reconciler.keys) == [A, B]


async def test_a_failure_is_tried_again_and_logged_once_a_streak(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    reconciler = Scripted(*[ServiceUnavailable("no server")] * 5, Result(), ValueError("bug"))
    made = controller(reconciler)
    async with running(made):
        made.enqueue(A)
        await until(lambda: "reconciled after 5 failures" in caplog.text)
        made.enqueue(A)
        await until(lambda: len(reconciler.keys) == 8)
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.getMessage() for record in warnings] == [
        "test: default/a: ServiceUnavailable: no server; trying again",
        "test: default/a: trying again",
    ]
    assert warnings[1].exc_info


async def test_a_result_can_ask_to_be_called_again() -> None:
    reconciler = Scripted(Result(requeue_after=0.001), Result(requeue_after=0))
    made = controller(reconciler)
    async with running(made):
        made.enqueue(A)
        await until(lambda: len(reconciler.keys) == 3)


async def test_enqueue_after_waits() -> None:
    reconciler = Scripted()
    made = controller(reconciler)
    async with running(made):
        made.enqueue_after(A, 0.005)
        await until(lambda: reconciler.keys == [A])


async def test_a_reconcile_that_hangs_has_failed_and_is_tried_again() -> None:
    async def hang() -> Result:
        await asyncio.Event().wait()
        return Result()

    reconciler = Scripted(hang)
    made = controller(reconciler, timeout=0.01)
    async with running(made):
        made.enqueue(A)
        await until(lambda: reconciler.keys == [A, A])


async def test_one_key_is_in_one_worker_at_a_time() -> None:
    inside = 0

    async def slow() -> Result:
        nonlocal inside
        inside += 1
        assert inside == 1
        made.enqueue(A)
        for _ in range(5):
            await asyncio.sleep(0)
        inside -= 1
        return Result()

    reconciler = Scripted(*[slow] * 3)
    made = controller(reconciler, workers=3)
    async with running(made):
        made.enqueue(A)
        await until(lambda: len(reconciler.keys) == 4)


async def test_work_starts_when_the_caches_are_full() -> None:
    synced, reconciler = asyncio.Event(), Scripted()
    made = Controller("test", reconciler, after=[synced])
    async with running(made):
        made.enqueue(A)
        for _ in range(5):
            await asyncio.sleep(0)
        assert reconciler.keys == []
        synced.set()
        await until(lambda: reconciler.keys == [A])


async def test_a_shut_down_controller_finishes_and_returns() -> None:
    reconciler = Scripted()
    made = controller(reconciler, workers=2)
    made.enqueue(A)
    made.shut_down()
    await asyncio.wait_for(made.run(), 5)
    assert reconciler.keys == [A]


class Ear:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def added(self) -> None:
        self.heard.append("added")

    def waiting(self, keys: int) -> None:
        self.heard.append(f"{keys} waiting")

    def retried(self) -> None:
        self.heard.append("retried")

    def reconciled(self, seconds: float, *, failed: bool) -> None:
        assert 0 <= seconds < 60
        self.heard.append("failed" if failed else "reconciled")


async def test_an_observer_hears_of_every_step() -> None:
    ear, reconciler = Ear(), Scripted(ValueError("bug"))
    made = Controller("test", reconciler, observer=ear)
    made.enqueue(A)
    made.enqueue(A)
    async with running(made):
        await until(lambda: "reconciled" in ear.heard)
        made.enqueue(B)
        await until(lambda: ear.heard.count("reconciled") == 2)
    step = ["added", "1 waiting", "0 waiting"]
    assert ear.heard == [*step, "failed", "retried", *step, "reconciled", *step, "reconciled", "0 waiting"]
