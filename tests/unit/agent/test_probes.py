"""What probes make of answers, step by step. All times in seconds, jitter left out."""

import random
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from agent.probes import EARLY_SECONDS, FAILED, PENDING, RUNNING, Checks, Health, Outcome, begin
from apiserver.api.kinds.probe import ProbeName, Probes

URL = "GET http://127.0.0.1:80/"
TARGETS: dict[ProbeName, str] = {"startup": URL, "readiness": URL, "liveness": URL}
PASS, FAIL = Outcome(True), Outcome(False, "answered 503")
EVERY = {"httpGet": {"port": 80}}


def checks(*, known: Health | None = None, age: float = 0.0, **probes: dict[str, Any]) -> Checks:
    found = Probes.model_validate({name: EVERY | parts for name, parts in probes.items()})
    return begin(found, TARGETS, now=0.0, jitter=0.0, age=age, known=known)


def told(checks: Checks, name: ProbeName, answers: str) -> tuple[list[Health], list[str]]:
    """The health after each regular try, and the alarms: P passes, F fails, '-' says nothing."""
    health, alarms = [], []
    for answer in answers:
        due = checks.by_name[name].due
        assert due is not None, "it is asked no more"
        outcome = {"P": PASS, "F": FAIL, "-": None}[answer]
        checks, alarm = checks.answered(name, outcome, asked=due, now=due, jitter=0.0)
        health.append(checks.health)
        alarms += [alarm] if alarm else []
    return health, alarms


def as_letters(found: list[Health]) -> str:
    """R ready, p pending, f failed, U to be restarted."""
    letters = {RUNNING: "R", PENDING: "p", FAILED: "f"}
    return "".join("U" if health.unhealthy else letters[health.reason] for health in found)


@pytest.mark.parametrize(
    ("answers", "becomes", "parts", "alarms"),
    [
        pytest.param("PP", "RR", {}, 0, id="pass"),
        pytest.param("FFFF", "ppff", {}, 1, id="fail"),
        pytest.param("PFPFFPFFFP", "RRRRRRRRfR", {}, 3, id="flapping"),
        pytest.param("FFFPPFP", "ppfffff", {"successThreshold": 3}, 2, id="a pass that is interrupted"),
        pytest.param("PPPF", "ppRR", {"successThreshold": 3}, 1, id="several passes"),
        pytest.param("PF", "Rf", {"failureThreshold": 1}, 1, id="a single failure"),
        pytest.param("PF-F-F", "RRRRRf", {}, 1, id="what says nothing counts nothing"),
    ],
)
def test_readiness_comes_and_goes(answers: str, becomes: str, parts: dict[str, Any], alarms: int) -> None:
    found, alarmed = told(checks(readiness=parts), "readiness", answers)
    assert as_letters(found) == becomes
    assert alarmed == [f"readiness: {URL}: answered 503"] * alarms


@pytest.mark.parametrize(
    ("answers", "becomes", "parts", "alarms"),
    [
        pytest.param("PP", "RR", {}, 0, id="pass"),
        pytest.param("FFF", "RRU", {}, 1, id="fail"),
        pytest.param("FFPFFPFFF", "RRRRRRRRU", {}, 3, id="flapping"),
        pytest.param("F", "U", {"failureThreshold": 1}, 1, id="a single failure"),
    ],
)
def test_liveness_asks_for_a_restart(answers: str, becomes: str, parts: dict[str, Any], alarms: int) -> None:
    found, alarmed = told(checks(liveness=parts), "liveness", answers)
    assert as_letters(found) == becomes
    assert len(alarmed) == alarms
    if becomes.endswith("U"):
        assert found[-1].unhealthy == f"liveness: {URL}: answered 503"


@pytest.mark.parametrize(
    ("answers", "becomes", "alarms"),
    [
        pytest.param("FFP", "ppR", 0, id="a slow start"),
        pytest.param("FFF", "ppU", 1, id="no start"),
    ],
)
def test_startup_has_its_time_and_no_more(answers: str, becomes: str, alarms: int) -> None:
    found, alarmed = told(checks(startup={}), "startup", answers)
    assert as_letters(found) == becomes
    assert len(alarmed) == alarms


def test_the_delays_of_the_others_begin_when_startup_has_passed() -> None:
    found = checks(startup={}, readiness={"initialDelaySeconds": 2}, liveness={"initialDelaySeconds": 3})
    assert [check.next_at for _, check in found.items()] == [0.0, None, None]
    found, _ = found.answered("startup", PASS, asked=7.0, now=7.5, jitter=0.0)
    assert [check.due for _, check in found.items()] == [None, 9.5, 10.5]
    assert found.health.started
    assert found.health.message == f"readiness: {URL}: has not passed yet"


def test_without_probes_a_process_is_ready() -> None:
    assert checks().health == Health()
    assert checks(liveness={}).health == Health()


def test_early_tries_make_a_quick_start_ready_and_a_slow_one_no_sooner_failed() -> None:
    found = checks(readiness={"initialDelaySeconds": 1})
    early: list[float] = []
    regular: list[float] = []
    for _ in range(9):
        at = found.by_name["readiness"].next_at
        assert at is not None
        (regular if found.by_name["readiness"].is_regular(at) else early).append(at)
        assert found.answered("readiness", PASS, asked=at, now=at, jitter=0.5)[0].health.ready
        found, alarm = found.answered("readiness", FAIL, asked=at, now=at, jitter=0.5)
        assert (found.health.reason == FAILED) == bool(alarm) == (len(regular) == 3)
    assert regular == [pytest.approx(1.0), pytest.approx(11.0), pytest.approx(21.0)]
    pauses = [later - before for before, later in pairwise([1.0, *early])]
    assert pauses == [pytest.approx(EARLY_SECONDS * share) for share in (0.75, 2, 4, 8, 16, 32)]


@pytest.mark.parametrize("reason", [RUNNING, PENDING, FAILED])
def test_what_was_known_stands_until_there_is_an_answer(reason: str) -> None:
    known = Health(ready=reason == RUNNING, reason=reason, message="" if reason == RUNNING else "readiness: x: y")
    found = checks(startup={}, readiness={}, known=known, age=100.0)
    assert found.health == known
    assert found.by_name["startup"].next_at is None, "it has passed"
    found, _ = found.answered("readiness", FAIL, asked=0.0, now=0.0, jitter=0.0)
    assert found.health.ready == known.ready
    found, _ = found.answered("readiness", PASS, asked=10.0, now=10.0, jitter=0.0)
    assert found.health.ready


def test_who_had_not_started_goes_on_starting() -> None:
    known = Health(started=False, ready=False, reason=PENDING, message="startup: x: y")
    found = checks(startup={"initialDelaySeconds": 30}, readiness={}, known=known, age=20.0)
    assert found.health == known
    assert found.by_name["startup"].due == 10.0
    assert found.by_name["readiness"].next_at is None


def test_a_hundred_probes_spread_over_their_period() -> None:
    rng = random.Random(7)
    probes = Probes.model_validate({"liveness": EVERY})
    first = [begin(probes, TARGETS, now=0.0, jitter=rng.random()).by_name["liveness"].due for _ in range(100)]
    seconds = Counter(int(due) for due in first if due is not None)
    assert set(seconds) == set(range(10))
    assert max(seconds.values()) <= 20
