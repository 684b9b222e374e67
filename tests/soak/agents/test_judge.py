"""The judge of these tests finds what it is there to find."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.soak.agents.apps import LINE, SLOW, Behaviour
from tests.soak.agents.judge import Case, Verdict, judge
from tests.soak.agents.ledgers import UNKNOWN, How, Life, is_alive, parse
from tests.soak.agents.logfiles import Found, examine

EXITS = Behaviour("exits.sh 3 1", stays=False)
ONCE = Behaviour("exits.sh 3 1", policy="Never", stays=False)
FAILS = Behaviour("fails-twice.sh 1", policy="OnFailure", stays=False)
STUBBORN = Behaviour("stubborn.sh", yields=False)
FIRST, SECOND = "start 10 100 1.0 /r/1/out.log", "start 11 200 2.0 /r/2/out.log"
THREE, TERM, KILL = How(code=3), How(signal=15), How(signal=9)
WHOLE = Found(lines=5, segments=0, first=0, size=5 * LINE, faults=())


def case(
    behaviour: Behaviour,
    notes: Sequence[str],
    *reported: How,
    requests: int = 0,
    restarts: int | None = None,
    orphaned: frozenset[int] = frozenset(),
    unheard: int = 0,
) -> Case:
    ledger = parse(notes)
    told = len(ledger.runs) - 1 if restarts is None else restarts
    return Case("app", behaviour, ledger, reported, told, requests, unheard, orphaned)


def found(one: Case) -> list[str]:
    """The kinds of what is wrong with a case."""
    verdict = Verdict()
    judge(one, verdict)
    return [fault.partition(":")[0] for fault in verdict.faults()]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (case(EXITS, [FIRST, "end code 3", SECOND], THREE, TERM), []),
        (case(ONCE, [FIRST, "end code 3", SECOND], THREE, TERM), ["unasked"]),
        (case(FAILS, [FIRST, "end code 0", SECOND], How(code=0), TERM), ["unasked"]),
        (case(FAILS, [FIRST, "end code 0", SECOND], UNKNOWN, TERM, orphaned=frozenset([0])), []),
        (case(SLOW, [FIRST, SECOND], TERM, TERM), ["unasked"]),
        (case(SLOW, [FIRST, SECOND], TERM, TERM, requests=1), []),
        (case(EXITS, [FIRST, "end code 3", SECOND, "double 10 start"], THREE, TERM), ["doubles"]),
        (case(EXITS, [FIRST, "end code 3", SECOND], How(code=4), TERM), ["wrong_ends"]),
        (case(EXITS, [FIRST, "end code 3", SECOND], TERM), ["wrong_ends"]),
        (case(EXITS, [FIRST, "end code 3", SECOND], TERM, unheard=1), []),
        (case(EXITS, [FIRST, "end code 3", SECOND], KILL, unheard=1), ["wrong_ends"]),
        (case(EXITS, [FIRST, "end code 3", SECOND], unheard=1), ["wrong_ends"]),
        (case(EXITS, [FIRST, "end code 3", SECOND], THREE, TERM, restarts=0), ["wrong_ends"]),
        (case(EXITS, [FIRST, "end signal KILL", SECOND], KILL, TERM), []),
        (case(EXITS, [FIRST, "end code 3", SECOND], UNKNOWN, TERM), ["wrong_ends"]),
        (case(EXITS, [FIRST, "end code 3", SECOND], UNKNOWN, TERM, orphaned=frozenset([0])), []),
        (case(EXITS, [FIRST], KILL), ["wrong_ends"]),
        (case(STUBBORN, [FIRST, "term"], KILL), []),
    ],
)
def test_every_fault_of_a_story_is_found(one: Case, expected: list[str]) -> None:
    assert found(one) == expected


def test_lines_that_were_written_and_are_not_there_are_missed() -> None:
    one = case(SLOW, [FIRST, "end code 0 wrote 6"], How(code=0))
    assert found(replace(one, logs={0: WHOLE})) == ["lost_lines"]
    assert found(replace(one, logs={0: replace(WHOLE, size=6 * LINE)})) == []
    assert found(replace(one, logs={0: replace(WHOLE, size=6 * LINE, faults=("twice",))})) == ["lost_lines"]


def lines(first: int, end: int) -> bytes:
    return b"".join(b"%063d\n" % number for number in range(first, end))


def test_a_log_is_read_over_its_segments_and_holes(tmp_path: Path) -> None:
    (tmp_path / f"out.log.{2 * LINE}-{5 * LINE}").write_bytes(lines(2, 5))
    (tmp_path / f"out.log.{5 * LINE}-{6 * LINE}").write_bytes(lines(5, 6))
    (tmp_path / "out.log").write_bytes(bytes(6 * LINE) + lines(6, 9))
    log = examine(tmp_path)
    assert (log.lines, log.segments, log.first, log.size, log.faults) == (7, 2, 2 * LINE, 9 * LINE, ())


@pytest.mark.parametrize(
    ("segment", "rest"),
    [
        (lines(0, 2), bytes(3 * LINE) + lines(3, 4)),  # one is lost in the segment
        (lines(0, 3), bytes(3 * LINE) + lines(2, 4)),  # one is there twice
        (lines(0, 3), bytes(4 * LINE)),  # one is lost in the rest
        (lines(0, 3), bytes(3 * LINE) + lines(3, 5)[:-1]),  # the last one is not whole
    ],
)
def test_a_line_that_is_lost_or_repeated_is_found(tmp_path: Path, segment: bytes, rest: bytes) -> None:
    (tmp_path / f"out.log.0-{3 * LINE}").write_bytes(segment)
    (tmp_path / "out.log").write_bytes(rest)
    assert examine(tmp_path).faults


def test_a_gap_between_segments_is_found(tmp_path: Path) -> None:
    (tmp_path / f"out.log.0-{LINE}").write_bytes(lines(0, 1))
    (tmp_path / f"out.log.{2 * LINE}-{3 * LINE}").write_bytes(lines(2, 3))
    (tmp_path / "out.log").write_bytes(bytes(3 * LINE))
    assert examine(tmp_path).faults


def test_a_process_is_known_by_pid_and_start() -> None:
    with open("/proc/self/stat") as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    assert is_alive(Life(os.getpid(), ticks))
    assert not is_alive(Life(os.getpid(), ticks + 1))
