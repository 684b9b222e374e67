"""What apps wrote down against what the server was told and what lies on disk. Every count must be 0."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.soak.agents.apps import LINE, Behaviour
from tests.soak.agents.ledgers import UNKNOWN, How, Ledger, Run
from tests.soak.agents.logfiles import Found

TERM, KILL = How(signal=15), How(signal=9)


@dataclass(frozen=True)
class Case:
    """One app with all that is known of it, after it was asked to end for good."""

    name: str
    behaviour: Behaviour
    ledger: Ledger
    reported: Sequence[How]
    """How it ended, in the order in which the server was told."""
    restarts: int
    """As the status says."""
    requests: int = 0
    """How often it was asked to restart."""
    unheard: int = 0
    """How often the server did not answer a report within its time: it may not have heard of so many ends."""
    orphaned: frozenset[int] = frozenset()
    """The runs, by their place, whose shim was killed: how they ended may be unknown."""
    logs: Mapping[int, Found] = field(default_factory=dict)
    """By the place of the run."""


@dataclass
class Verdict:
    """What was found wrong, in words, by what it is."""

    unasked: list[str] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)
    wrong_ends: list[str] = field(default_factory=list)
    lost_lines: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    foreign_signals: list[str] = field(default_factory=list)

    def counts(self) -> str:
        """For the reader of a long run."""
        names = ("restarts not asked for", "doubles", "wrong exit codes", "lost or repeated lines", "orphans",
                 "signals to foreign pids")  # fmt: skip
        return ", ".join(f"{len(found)} {name}" for name, found in zip(names, vars(self).values(), strict=True))

    def faults(self) -> list[str]:
        """All of them."""
        return [f"{kind}: {text}" for kind, found in vars(self).items() for text in found]


def judge(case: Case, verdict: Verdict) -> None:
    """Compare one app's stories."""
    verdict.unasked += _unasked(case)
    if case.ledger.doubles:
        verdict.doubles.append(f"{case.name}: {case.ledger.doubles}")
    verdict.wrong_ends += _wrong_ends(case)
    verdict.lost_lines += _lost_lines(case)


def _unasked(case: Case) -> list[str]:
    """Starts after the first one that neither the policy nor a request explains."""
    spare = case.requests
    found = []
    for number, run in enumerate(case.ledger.runs[:-1]):
        if run.end is not None and _wants_restart(case.behaviour, run.end):
            continue
        if number in case.orphaned and case.behaviour.policy == "OnFailure":
            continue  # what is not known to be a success is none
        if spare:
            spare -= 1
        else:
            found.append(f"{case.name}: start {number + 2} after {run}")
    return found


def _wants_restart(behaviour: Behaviour, end: How) -> bool:
    return behaviour.policy == "Always" or (behaviour.policy == "OnFailure" and end.code != 0)


def _wrong_ends(case: Case) -> list[str]:
    runs: Sequence[Run] = case.ledger.runs
    reported: list[How | None] = list(case.reported)
    found = []
    if len(runs) - case.unheard <= len(reported) < len(runs):
        reported = _with_gaps(case)
    if len(runs) != len(reported):
        found.append(f"{case.name}: ended {len(runs)} times, told {len(reported)}: {reported} of {runs}")
    else:
        found += [
            f"{case.name}: run {number + 1} told as {how}, it was {run}"
            for number, (run, how) in enumerate(zip(runs, reported, strict=True))
            if how is not None and not _is_right(case, number, run, how)
        ]
    if runs and case.restarts != len(runs) - 1:
        found.append(f"{case.name}: {case.restarts} restarts told, there were {len(runs) - 1}")
    return found


def _with_gaps(case: Case) -> list[How | None]:
    """What was told, each where it is right for a run, and None for runs between, of which the server did not hear."""
    left = list(case.reported)
    found: list[How | None] = []
    for number, run in enumerate(case.ledger.runs):
        fits = bool(left) and _is_right(case, number, run, left[0])
        found.append(left.pop(0) if fits else None)
    return [*found, *left]


def _is_right(case: Case, number: int, run: Run, how: How) -> bool:
    if how == UNKNOWN:
        return number in case.orphaned
    if run.end is None:  # asked to end: by TERM before it could note anything, or by KILL if it ignores that
        return how in ((TERM,) if case.behaviour.yields else (TERM, KILL))
    return how == run.end


def _lost_lines(case: Case) -> list[str]:
    found = []
    for number, log in case.logs.items():
        wrote = case.ledger.runs[number].wrote
        found += [f"{case.name}: {fault}" for fault in log.faults]
        if wrote is not None and log.size != wrote * LINE:
            found.append(f"{case.name}: run {number + 1} wrote {wrote} lines, its log has {log.size / LINE:g}")
    return found
