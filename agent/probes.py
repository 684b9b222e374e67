"""What probes make of the answers they get: when to ask next, what counts, what follows. Pure.

As in Kubernetes: startup gates the others; a verdict needs its threshold of answers in a row; readiness begins as
not ready, liveness as alive; who has failed startup or liveness is asked no more until the process is another one.
Two things are ours. The first try comes at a random part of the period, so that many probes spread. And until startup
or readiness has passed, there are early tries between the regular ones, soon after the start and then ever fewer: of
these only a pass counts, so that a quick start is seen quickly and the time to fail stays what was asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from apiserver.api.kinds.probe import Probe, ProbeName, Probes
from apiserver.api.meta import Model

EARLY_SECONDS = 0.1
"""The first early try; each later one after twice the pause, as long as that is well below the period."""

RUNNING, PENDING, FAILED = "Running", "ProbePending", "ProbeFailed"
"""Reasons of the condition Ready while the process runs."""


@dataclass(frozen=True)
class Outcome:
    """One try: whether it passed, and else what it saw, in words."""

    passed: bool
    seen: str = ""


class Health(Model):
    """What the probes say of a running process; kept on disk, so that the next agent goes on from there."""

    started: bool = True
    """Whether startup has passed, or nobody asked."""
    ready: bool = True
    reason: str = RUNNING
    message: str = ""
    """What the probe saw that is in the way."""
    unhealthy: str = ""
    """What the probe saw for which the process is to be restarted; empty: nothing."""


@dataclass(frozen=True)
class Check:
    """Where one probe of a process stands."""

    probe: Probe
    target: str
    """Which probe it is and what it asks, in words."""
    due: float | None = None
    """The next regular try, in ticks; None: not now."""
    early: float | None = None
    """The next try between regular ones."""
    pause: float = EARLY_SECONDS
    passes: int = 0
    failures: int = 0
    """Answers in a row, of the kind that came last."""
    verdict: bool | None = None
    has_passed: bool = False
    told: str = ""
    """What stands in the way, as it is told: not every try is worth telling."""

    @property
    def next_at(self) -> float | None:
        """When to ask next; None: not at all, as things are."""
        if self.due is None or self.early is None:
            return self.due
        return min(self.due, self.early)

    def scheduled(self, now: float, *, delay: float, jitter: float, early: bool) -> Self:
        """Asked from now on, after a delay."""
        due = now + delay + jitter * self.probe.period_seconds
        if not early:
            return replace(self, due=due, early=None)
        return replace(self, due=due, pause=0.0)._earlier(now + delay, jitter)

    def _earlier(self, now: float, jitter: float) -> Self:
        pause = max(EARLY_SECONDS, self.pause * 2)
        if pause * 2 > self.probe.period_seconds:
            return replace(self, early=None)
        return replace(self, early=now + pause * (0.75 + jitter / 2), pause=pause)

    def unanswered(self, asked: float, now: float, jitter: float) -> Self:
        """A try that says nothing of the process."""
        return self._asked(asked, now, jitter)

    def answered(self, outcome: Outcome, asked: float, now: float, jitter: float) -> Self:
        """A try that was begun at ``asked``."""
        check = self._asked(asked, now, jitter)
        if outcome.passed:
            return check._passed()
        return check._failed(outcome.seen) if self.is_regular(asked) else check

    def is_regular(self, asked: float) -> bool:
        """Whether a try begun then counts, however it goes."""
        return self.due is not None and asked >= self.due

    def _asked(self, asked: float, now: float, jitter: float) -> Self:
        if not self.is_regular(asked):
            return self._earlier(now, jitter)
        return replace(self, due=max(now, asked + self.probe.period_seconds * (0.9 + jitter / 5)))

    def _passed(self) -> Self:
        check = replace(self, passes=self.passes + 1, failures=0, early=None, has_passed=True)
        return replace(check, verdict=True, told="") if check.passes >= self.probe.success_threshold else check

    def _failed(self, seen: str) -> Self:
        check = replace(self, passes=0, failures=self.failures + 1)
        failed = check.failures >= self.probe.failure_threshold
        if failed:
            check = replace(check, verdict=False)
        return replace(check, told=f"{self.target}: {seen}") if check._is_worth_telling else check

    @property
    def _is_worth_telling(self) -> bool:
        """At its threshold, and ever more seldom in a row: what it saw may have changed."""
        return self.failures == self.probe.failure_threshold or self.failures & (self.failures - 1) == 0

    @property
    def is_alarming(self) -> bool:
        """Whether a streak of failures has just begun, or, of a probe that never passed, has just reached its
        threshold: before that it is what startup and readiness are there for."""
        return self.failures == (1 if self.has_passed else self.probe.failure_threshold)


@dataclass(frozen=True)
class Checks:
    """All probes of one process."""

    by_name: Mapping[ProbeName, Check]

    @property
    def health(self) -> Health:
        """What they say."""
        startup, readiness = self.by_name.get("startup"), self.by_name.get("readiness")
        started = startup is None or startup.verdict is True
        gate = readiness if started else startup
        ready = started and (gate is None or gate.verdict is True)
        fatal = (check for name, check in self.by_name.items() if name != "readiness" and check.verdict is False)
        unhealthy = next((check.told for check in fatal), "")
        if ready or gate is None:
            return Health(unhealthy=unhealthy)
        reason = PENDING if gate.verdict is None else FAILED
        message = gate.told or f"{gate.target}: has not passed yet"
        return Health(started=started, ready=False, reason=reason, message=message, unhealthy=unhealthy)

    def answered(
        self, name: ProbeName, outcome: Outcome | None, *, asked: float, now: float, jitter: float
    ) -> tuple["Checks", str]:
        """After a try that was begun at ``asked``; None: it says nothing of the process. With it what is worth an
        event, or nothing."""
        before = self.by_name[name]
        if outcome is None:
            return self._with(name, before.unanswered(asked, now, jitter)), ""
        after = before.answered(outcome, asked, now, jitter)
        alarm = f"{after.target}: {outcome.seen}" if after.failures > before.failures and after.is_alarming else ""
        if name == "startup" and after.verdict:
            return self._with(name, replace(after, due=None, early=None))._begun(now, jitter), ""
        if name != "readiness" and after.verdict is False:
            return self._with(name, after)._on_hold(), alarm
        return self._with(name, after), alarm

    def items(self) -> list[tuple[ProbeName, Check]]:
        """The checks by name."""
        return [*self.by_name.items()]

    def _with(self, name: ProbeName, check: Check) -> "Checks":
        return Checks({**self.by_name, name: check})

    def _on_hold(self) -> "Checks":
        return Checks({name: replace(check, due=None, early=None) for name, check in self.by_name.items()})

    def _begun(self, now: float, jitter: float, *, age: float = 0.0) -> "Checks":
        """Readiness and liveness are asked from now on; their delays began ``age`` seconds ago."""
        begun = {
            name: check
            if name == "startup"
            else check.scheduled(
                now,
                delay=max(0.0, check.probe.initial_delay_seconds - age),
                jitter=jitter,
                early=name == "readiness" and not check.has_passed,
            )
            for name, check in self.by_name.items()
        }
        return Checks(begun)


def unasked(probes: Probes) -> Health:
    """The health of a process of which nobody has asked anything yet."""
    if probes.startup is None and probes.readiness is None:
        return Health()
    gate = "readiness" if probes.startup is None else "startup"
    message = f"{gate}: nobody has asked yet"
    return Health(started=probes.startup is None, ready=False, reason=PENDING, message=message)


def begin(
    probes: Probes,
    targets: Mapping[ProbeName, str],
    *,
    now: float,
    jitter: float,
    age: float = 0.0,
    known: Health | None = None,
) -> Checks:
    """The checks of a process that has run for ``age`` seconds; ``known`` is what earlier ones said of it. ``targets``
    say what each asks."""
    checks = Checks({name: _newcomer(name, probe, targets[name]) for name, probe in probes.by_name().items()})
    if known is not None:
        checks = _recalled(checks, known)
    startup = checks.by_name.get("startup")
    if startup is None or startup.verdict:
        return checks._begun(now, jitter, age=age)
    delay = max(0.0, startup.probe.initial_delay_seconds - age)
    return checks._with("startup", startup.scheduled(now, delay=delay, jitter=jitter, early=True))


def _newcomer(name: ProbeName, probe: Probe, target: str) -> Check:
    is_alive = name == "liveness"
    return Check(probe, f"{name}: {target}", verdict=True if is_alive else None, has_passed=is_alive)


def _recalled(checks: Checks, known: Health) -> Checks:
    """Verdicts that stand until there are others."""
    startup, readiness = checks.by_name.get("startup"), checks.by_name.get("readiness")
    gate: ProbeName = "readiness" if known.started else "startup"
    if startup is not None and known.started:
        checks = checks._with("startup", replace(startup, verdict=True, has_passed=True))
    if readiness is not None and known.ready:
        return checks._with("readiness", replace(readiness, verdict=True, has_passed=True))
    if (check := checks.by_name.get(gate)) and not known.ready:
        failed = gate == "readiness" and known.reason == FAILED
        checks = checks._with(gate, replace(check, verdict=False if failed else None, told=known.message))
    return checks
