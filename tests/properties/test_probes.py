"""Whatever processes answer, and whenever: verdicts need their thresholds, startup gates, and nothing flaps."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from math import log2

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.probes import EARLY_SECONDS, FAILED, Checks, Health, Outcome, begin
from apiserver.api.kinds.probe import Probe, ProbeName, Probes

NAMES: list[ProbeName] = ["startup", "readiness", "liveness"]
TARGETS: dict[ProbeName, str] = dict.fromkeys(NAMES, "GET http://127.0.0.1:80/")
PASS, FAIL = Outcome(True), Outcome(False, "answered 503")


def probe(name: ProbeName) -> st.SearchStrategy[Probe]:
    return st.builds(
        lambda delay, period, successes, failures: Probe.model_validate(
            {
                "tcpSocket": {"port": 80},
                "initialDelaySeconds": delay,
                "periodSeconds": period,
                "successThreshold": successes,
                "failureThreshold": failures,
            }
        ),
        st.sampled_from([0, 3]),
        st.sampled_from([1, 10]),
        st.integers(1, 3) if name == "readiness" else st.just(1),
        st.integers(1, 5),
    )


PROBES = st.builds(Probes, **{name: st.one_of(st.none(), probe(name)) for name in NAMES})
ANSWERS = st.lists(st.sampled_from([PASS, FAIL, FAIL, None]), max_size=60)
JITTER = st.floats(0, 1, exclude_max=True)


@dataclass
class Try:
    name: ProbeName
    at: float
    regular: bool
    outcome: Outcome | None
    alarm: str
    health: Health


@dataclass
class Run:
    """A process that is asked one question after the other, each taking a moment."""

    checks: Checks
    jitter: Callable[[], float]
    took: float = 0.01
    now: float = 0.0
    tries: list[Try] = field(default_factory=list)

    def next(self) -> tuple[float, ProbeName] | None:
        due = [(check.next_at, name) for name, check in self.checks.items() if check.next_at is not None]
        return min(due, default=None)

    def answer(self, outcome: Outcome | None) -> bool:
        """Let time pass to the next try. Whether there is one."""
        found = self.next()
        if found is None:
            return False
        asked, name = max(self.now, found[0]), found[1]
        regular = self.checks.by_name[name].is_regular(asked)
        self.now = asked + self.took
        self.checks, alarm = self.checks.answered(name, outcome, asked=asked, now=self.now, jitter=self.jitter())
        self.tries.append(Try(name, asked, regular, outcome, alarm, self.checks.health))
        return True

    def of(self, name: ProbeName) -> list[Try]:
        return [one for one in self.tries if one.name == name]


def run(probes: Probes, answers: list[Outcome | None], data: st.DataObject, known: Health | None = None) -> Run:
    def jitter() -> float:
        return data.draw(JITTER)

    found = Run(begin(probes, TARGETS, now=0.0, jitter=jitter(), known=known), jitter)
    for answer in answers:
        found.answer(answer)
    return found


def counted(tries: list[Try]) -> list[bool]:
    """The answers that count: all passes, and the failures of regular tries."""
    return [one.outcome.passed for one in tries if one.outcome and (one.regular or one.outcome.passed)]


def verdict(answers: list[bool], successes: int, failures: int, first: bool | None) -> bool | None:
    """By the book: the last answer that came often enough in a row."""
    found = first
    for passed, streak in groupby(answers):
        if len([*streak]) >= (successes if passed else failures):
            found = passed
    return found


@settings(max_examples=60, deadline=None)
@given(PROBES, ANSWERS, st.data())
def test_verdicts_need_their_thresholds(probes: Probes, answers: list[Outcome | None], data: st.DataObject) -> None:
    found = run(probes, answers, data)
    for name, wanted in probes.by_name().items():
        first = True if name == "liveness" else None
        expected = verdict(counted(found.of(name)), wanted.success_threshold, wanted.failure_threshold, first)
        assert found.checks.by_name[name].verdict is expected


@settings(max_examples=60, deadline=None)
@given(PROBES, ANSWERS, st.data())
def test_startup_gates_the_others(probes: Probes, answers: list[Outcome | None], data: st.DataObject) -> None:
    found = run(probes, answers, data)
    passed = False
    for one in found.tries:
        assert probes.startup is None or passed or one.name == "startup"
        assert not (passed and one.name == "startup"), "it has passed for good"
        passed = passed or (one.name == "startup" and one.outcome == PASS)
        assert one.health.started == (passed or probes.startup is None)
        assert not one.health.ready or one.health.started


@settings(max_examples=60, deadline=None)
@given(PROBES, ANSWERS, st.data())
def test_who_is_unhealthy_is_asked_no_more(probes: Probes, answers: list[Outcome | None], data: st.DataObject) -> None:
    found = run(probes, answers, data)
    verdicts = {name: check.verdict for name, check in found.checks.items()}
    fatal = [name for name in NAMES if name != "readiness" and verdicts.get(name) is False]
    assert bool(found.checks.health.unhealthy) == bool(fatal)
    if fatal:
        assert found.next() is None
        assert found.checks.health.unhealthy == f"{fatal[0]}: {TARGETS['startup']}: {FAIL.seen}"
    elif set(verdicts) - {"startup"} or (verdicts and not found.checks.health.started):
        assert found.next() is not None


@settings(max_examples=60, deadline=None)
@given(PROBES, ANSWERS, st.data())
def test_early_tries_count_only_when_they_pass(
    probes: Probes, answers: list[Outcome | None], data: st.DataObject
) -> None:
    found = run(probes, answers, data)
    before = begin(probes, TARGETS, now=0.0, jitter=0.0).health
    for one in found.tries:
        if one.outcome is None or (not one.regular and not one.outcome.passed):
            assert one.health == before
            assert not one.alarm
        before = one.health
    for name, wanted in probes.by_name().items():
        early = [one for one in found.of(name) if not one.regular]
        assert len(early) <= 1 + log2(wanted.period_seconds / EARLY_SECONDS)
        assert name != "liveness" or not early


@settings(max_examples=60, deadline=None)
@given(PROBES, ANSWERS, st.data())
def test_regular_tries_keep_their_period_and_delay(
    probes: Probes, answers: list[Outcome | None], data: st.DataObject
) -> None:
    found = run(probes, answers, data)
    passed_at = next((one.at for one in found.of("startup") if one.outcome == PASS), 0.0)
    for name, wanted in probes.by_name().items():
        times = [one.at for one in found.of(name) if one.regular]
        apart = [later - earlier for earlier, later in pairwise(times)]
        assert all(0.9 * wanted.period_seconds - 1e-6 <= gap for gap in apart)
        assert all(gap <= 1.1 * wanted.period_seconds + found.took * len(NAMES) + 1e-6 for gap in apart)
        begun = 0.0 if name == "startup" else passed_at
        assert all(one.at >= begun + wanted.initial_delay_seconds for one in found.of(name))


@settings(max_examples=60, deadline=None)
@given(PROBES, ANSWERS, st.data())
def test_the_next_agent_goes_on_from_what_was_known(
    probes: Probes, answers: list[Outcome | None], data: st.DataObject
) -> None:
    known = run(probes, answers, data).checks.health
    if known.unhealthy:
        return  # it is being restarted
    again = run(probes, [], data, known)
    assert again.checks.health == known
    again.answer(PASS)
    assert not again.checks.health.unhealthy


@settings(max_examples=60, deadline=None)
@given(PROBES, ANSWERS, st.data())
def test_a_streak_is_told_once(probes: Probes, answers: list[Outcome | None], data: st.DataObject) -> None:
    found = run(probes, answers, data)
    for name in probes.by_name():
        tries = [one for one in found.of(name) if one.outcome and (one.regular or one.outcome.passed)]
        for passed, streak in groupby(tries, key=lambda one: one.outcome == PASS):
            alarms = [one.alarm for one in streak if one.alarm]
            assert len(alarms) <= (0 if passed else 1)
            assert all(alarm == f"{name}: {TARGETS[name]}: {FAIL.seen}" for alarm in alarms)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 200), st.data())
def test_an_endless_failure_is_told_ever_more_seldom(length: int, data: st.DataObject) -> None:
    probes = Probes.model_validate({"readiness": {"tcpSocket": {"port": 80}, "periodSeconds": 1}})
    found = run(probes, [Outcome(False, f"saw {number}") for number in range(length)], data)
    told = {one.health.message for one in found.tries}
    assert len(told) <= 3 + log2(length)
    assert found.checks.health.ready is False
    assert found.checks.health.reason == FAILED or len(counted(found.tries)) < 3
