"""Which processes are probed, when, and who hears of it; the answers come from a list."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.instances import Key
from agent.probe_commands import Place
from agent.probes import FAILED, PENDING, Health, Outcome
from agent.probing import Hands, Probing, Subject
from agent.runtime import Process
from apiserver.api.kinds.probe import Probe, ProbeName, Probes
from tests.unit.agent.waiting import eventually

KEY: Key = ("default", "web")
PASS, FAIL = Outcome(True), Outcome(False, "answered 503")
PERIOD = 0.02
"""Shorter than one may ask for."""


@dataclass
class Answers:
    """What processes answer, by their uid: the last answer stays."""

    by_uid: dict[str, list[Outcome | Exception | None]]
    asked: list[str] = field(default_factory=list)
    hanging: int = 0
    hang: bool = False

    async def ask(self, name: ProbeName, probe: Probe, ports: Mapping[str, int], place: Place) -> Outcome | None:
        self.asked.append(place.uid)
        if self.hang:
            self.hanging += 1
            try:
                await asyncio.sleep(1000)
            finally:
                self.hanging -= 1
        left = self.by_uid[place.uid]
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Told:
    """What probing has said."""

    health: list[tuple[int, Health]] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)

    def states(self, pid: int) -> list[str]:
        return [health.unhealthy or health.reason for of, health in self.health if of == pid]


def process(pid: int) -> Process:
    return Process(uid="uid", boot_id="boot", pid=pid)


def subject(pid: int, uid: str, **probes: dict[str, Any]) -> Subject:
    found = Probes.model_validate({name: {"tcpSocket": {"port": 80}} | parts for name, parts in probes.items()})
    quick: dict[str, Probe] = {
        name: one.model_copy(update={"period_seconds": PERIOD}) for name, one in found.by_name().items()
    }
    return Subject(process(pid), found.model_copy(update=quick), {}, Place(uid, Path("/"), {}), 0.0, None)


@asynccontextmanager
async def probing(answers: Answers) -> AsyncIterator[tuple[Probing, Told]]:
    told = Told()
    found = Probing(
        Hands(
            answers,
            time.monotonic,
            random.Random(1),
            lambda key, process, health: told.health.append((process.pid, health)),
            lambda key, seen: told.alarms.append(seen),
        )
    )
    yield found, told
    await found.close()


async def test_a_change_is_told_once_and_liveness_ends_the_asking() -> None:
    answers = Answers({"a": [FAIL, FAIL, FAIL]})
    async with probing(answers) as (found, told):
        found.follow(KEY, process(1), lambda: subject(1, "a", liveness={}))
        await eventually(lambda: told.states(1)[-1:] == ["liveness: connect to 127.0.0.1:80: answered 503"])
        asked = len(answers.asked)
        await asyncio.sleep(3 * PERIOD)
        assert len(answers.asked) == asked == 3
    assert len(told.health) == 2
    assert told.alarms == ["liveness: connect to 127.0.0.1:80: answered 503"]


async def test_a_process_that_is_followed_again_goes_on() -> None:
    answers = Answers({"a": [PASS]})
    async with probing(answers) as (found, told):
        for _ in range(5):
            found.follow(KEY, process(1), lambda: subject(1, "a", readiness={}))
            await eventually(lambda: told.states(1) == [PENDING, "Running"])


async def test_another_process_begins_anew() -> None:
    answers = Answers({"a": [PASS], "b": [FAIL]})
    async with probing(answers) as (found, told):
        found.follow(KEY, process(1), lambda: subject(1, "a", readiness={}))
        await eventually(lambda: told.states(1) == [PENDING, "Running"])
        found.follow(KEY, process(2), lambda: subject(2, "b", readiness={}))
        await eventually(lambda: told.states(2)[-1:] == [FAILED])
        asked = answers.asked.count("a")
        await asyncio.sleep(3 * PERIOD)
        assert answers.asked.count("a") == asked


async def test_who_is_not_followed_is_left_in_peace() -> None:
    answers = Answers({"a": [FAIL]}, hang=True)
    async with probing(answers) as (found, told):
        found.follow(KEY, process(1), lambda: subject(1, "a", liveness={}, readiness={}))
        await eventually(lambda: answers.hanging == 2)
        found.follow(KEY, None, lambda: subject(1, "a"))
        await eventually(lambda: answers.hanging == 0)
        await asyncio.sleep(3 * PERIOD)
        assert len(answers.asked) == 2
    assert told.alarms == []


async def test_an_end_waits_for_what_it_abandons() -> None:
    answers = Answers({"a": [FAIL]}, hang=True)
    async with probing(answers) as (found, _):
        found.follow(KEY, process(1), lambda: subject(1, "a", liveness={}))
        await eventually(lambda: answers.hanging == 1)
        await found.close()
        assert answers.hanging == 0


async def test_a_fault_of_ours_ends_no_probe() -> None:
    answers = Answers({"a": [ValueError("a fault"), None, PASS]})
    async with probing(answers) as (found, told):
        found.follow(KEY, process(1), lambda: subject(1, "a", readiness={}))
        await eventually(lambda: told.states(1)[-1:] == ["Running"])
    assert len(answers.asked) >= 3
