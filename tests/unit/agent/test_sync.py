from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agent import status, sync
from agent.instances import End, Failure, Instance, Moment, Stop, Stopping, recalled
from agent.offers import Declared
from agent.probes import PENDING, Health
from agent.runtime import Exit, Process
from apiserver.api.kinds.assignment import RESTARTED_AT, Assignment
from tests.unit.agent.objects import assignment

KEY = ("default", "web-1")
NOW = Moment(1000.0, datetime(2026, 1, 1, tzinfo=UTC))
DELETED = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
PROCESS = Process(uid="uid-web-1", boot_id="b", pid=7, start_time=1)


def instance(one: Assignment, *, record: dict[str, Any] | None = None, **changes: Any) -> Instance:
    """What is known of it, with the assignment written down as it is."""
    base = sync.newcomer(one)
    return replace(base, record=base.record.model_copy(update=record), **{"saved": True} | changes)


def seen(known: Instance | None, one: Assignment | None) -> Instance | None:
    """With the assignment written down as it is now, if it is the same object."""
    same = known and one and known.record.uid == one.metadata.uid and one.metadata.generation is None
    return known.remembering(one) if known and one and same else known


def plan(one: Assignment | None, known: Instance | None, *, draining: bool = False) -> list[sync.Action]:
    """The plan of one instance without reports, which have tests of their own."""
    known = seen(known, one)
    actions = sync.plan({KEY: one} if one else {}, {KEY: known} if known else {}, NOW, draining=draining, keys=[KEY])
    return [action for action in actions if not isinstance(action, sync.Report)]


def ended(code: int, *, streak: int, at: float = NOW.ticks) -> dict[str, Any]:
    return {
        "record": {"streak": streak, "end": End(cause="Exited", exit=Exit(code=code))},
        "prepared": True,
        "ended": at,
        "noticed": at,
    }


WEB = assignment("web-1")
STOPPED = assignment("web-1", spec={"desired": "Stopped"})
GOING = assignment("web-1", metadata=DELETED)
UP = instance(WEB, life="up", prepared=True, record={"process": PROCESS})


@pytest.mark.parametrize(
    ("one", "known", "expected"),
    [
        pytest.param(WEB, None, [sync.Prepare(KEY), sync.Wait(KEY, 1000.5)], id="a new one is prepared, quietly"),
        pytest.param(WEB, instance(WEB, prepared=True), [sync.Start(KEY)], id="a prepared one is started"),
        pytest.param(WEB, UP, [], id="a running one runs"),
        pytest.param(
            WEB,
            instance(WEB, prepared=True, busy=frozenset({"kill"})),
            [],
            id="not before a kill of what ran before is over",
        ),
        pytest.param(STOPPED, UP, [sync.Stop(KEY, "Stopped", "TERM", 5)], id="an unwanted one is stopped"),
        pytest.param(
            assignment("web-1", metadata=DELETED, template={"stopSignal": "INT", "terminationGracePeriodSeconds": 9}),
            UP,
            [sync.Stop(KEY, "Stopped", "INT", 9)],
            id="its own way",
        ),
        pytest.param(None, UP, [sync.Stop(KEY, "Stopped", "TERM", 5)], id="a vanished one too"),
        pytest.param(
            STOPPED,
            replace(UP, stopping=Stopping("Stopped", 998, 5)),
            [sync.Wait(KEY, 1003)],
            id="one that is stopping has its grace",
        ),
        pytest.param(
            STOPPED, replace(UP, stopping=Stopping("Stopped", 995, 5)), [sync.Kill(KEY)], id="and then it is killed"
        ),
        pytest.param(WEB, replace(UP, life="left"), [sync.Adopt(KEY)], id="what an earlier agent left is adopted"),
        pytest.param(None, replace(UP, life="left"), [sync.Adopt(KEY)], id="whoever wants it"),
        pytest.param(
            WEB, replace(UP, life="left", busy=frozenset({"adopt"})), [], id="which is done once at a time, too"
        ),
        pytest.param(
            assignment("web-1", metadata={"generation": 2}), UP, [sync.Remember(KEY)], id="what changed is written down"
        ),
        pytest.param(
            STOPPED, instance(WEB, **ended(1, streak=3)), [sync.Settle(KEY)], id="stopping forgives earlier ends"
        ),
        pytest.param(GOING, instance(GOING), [sync.Remove(KEY)], id="a deleted one is removed"),
        pytest.param(GOING, instance(GOING, removed=True), [sync.Release(KEY)], id="and its finalizer released"),
        pytest.param(
            GOING, instance(GOING, removed=True, busy=frozenset({"release"})), [], id="which is done once at a time"
        ),
        pytest.param(None, instance(WEB, removed=True), [sync.Forget(KEY)], id="then it is forgotten"),
        pytest.param(
            None, instance(WEB, removed=True, busy=frozenset({"report"})), [], id="but not while somebody works on it"
        ),
        pytest.param(
            assignment("web-1", uid="another"), UP, [sync.Stop(KEY, "Stopped", "TERM", 5)], id="a namesake comes second"
        ),
        pytest.param(
            WEB, instance(WEB, **ended(1, streak=1)), [sync.Wait(KEY, 1001)], id="the first restart waits a second"
        ),
        pytest.param(
            WEB,
            instance(WEB, **ended(1, streak=1, at=999)),
            [sync.Start(KEY, counted=True)],
            id="and is counted",
        ),
        pytest.param(
            WEB,
            replace(instance(WEB, **ended(1, streak=1, at=999)), exit_told=False),
            [sync.Wait(KEY, 1001)],
            id="not before the exit is told",
        ),
        pytest.param(
            WEB,
            replace(instance(WEB, **ended(1, streak=1, at=900)), noticed=1000, exit_told=False),
            [sync.Wait(KEY, 1002)],
            id="nor if it was long ago, without an agent",
        ),
        pytest.param(
            WEB,
            replace(instance(WEB, **ended(1, streak=1, at=998)), exit_told=False),
            [sync.Start(KEY, counted=True)],
            id="or two seconds have passed",
        ),
        pytest.param(
            assignment("web-1", template={"restartPolicy": "OnFailure"}),
            instance(WEB, **ended(0, streak=1)),
            [],
            id="success ends an OnFailure",
        ),
        pytest.param(
            assignment("web-1", template={"restartPolicy": "Never"}),
            instance(WEB, **ended(1, streak=1)),
            [],
            id="any end ends a Never",
        ),
        pytest.param(
            assignment("web-1", template={"restartPolicy": "Never"}),
            instance(WEB, **ended(1, streak=1)).settled(),
            [sync.Start(KEY)],
            id="but stopped and wanted again, it starts",
        ),
        pytest.param(
            assignment("web-1", template={"restartPolicy": "Never"}, metadata={"annotations": {RESTARTED_AT: "2"}}),
            instance(WEB, **ended(1, streak=9)),
            [sync.Start(KEY, counted=True)],
            id="and so it does when a restart is asked for",
        ),
        pytest.param(
            assignment("web-1", metadata={"annotations": {RESTARTED_AT: "2"}}),
            UP,
            [sync.Stop(KEY, "Restarted", "TERM", 5)],
            id="a restart begins with a stop",
        ),
        pytest.param(
            WEB,
            instance(WEB, failure=Failure("ArtifactUnavailable", "no", 1, 1003)),
            [sync.Wait(KEY, 1003)],
            id="a preparation that failed is tried again",
        ),
    ],
)
def test_plan(one: Assignment | None, known: Instance | None, expected: list[sync.Action]) -> None:
    assert plan(one, known) == expected


def test_a_successor_is_prepared_but_waits_for_its_predecessor() -> None:
    successor = assignment("web-2", spec={"replaces": "web-1"})
    key = successor.key
    known = {KEY: UP, key: sync.newcomer(successor)}
    assert sync.Prepare(key) in sync.plan({key: successor}, known, NOW, keys=[key])
    known[key] = known[key].ready(Declared())
    assert sync.plan({key: successor}, known, NOW, keys=[key]) == [sync.Remember(key)], "who knows how long it waits"
    known[key] = known[key].remembering(successor)
    (report,) = sync.plan({key: successor}, known, NOW, keys=[key])
    assert isinstance(report, sync.Report)
    assert (report.status["phase"], report.status["reason"]) == ("Pending", "WaitingForPredecessor")
    known[KEY] = replace(UP, life="down")
    assert sync.plan({key: successor}, known, NOW, keys=[key]) == [sync.Start(key)]


def test_an_agent_that_ends_starts_nothing_and_stops_everything() -> None:
    assert plan(WEB, instance(WEB, prepared=True), draining=True) == []
    slow = assignment("web-1", template={"terminationGracePeriodSeconds": 3600})
    assert plan(slow, UP, draining=True) == [sync.Stop(KEY, "AgentStopped", "TERM", 30)]


def test_before_the_server_has_told_absence_means_nothing() -> None:
    for known in (UP, instance(WEB, **ended(1, streak=1, at=0.0)), instance(WEB, removed=True)):
        assert sync.plan({}, {KEY: known}, NOW, keys=[KEY], known=False) == []
    (stop,) = sync.plan({}, {KEY: UP}, NOW, keys=[KEY], known=False, draining=True)
    assert isinstance(stop, sync.Stop)
    assert stop.cause == "AgentStopped"


def told(one: Assignment, known: Instance, *, waits: bool = False) -> tuple[str, str]:
    wanted = status.of(one, known, waits=waits, now=NOW, ip="10.0.0.1")
    return wanted["phase"], wanted.get("reason", "")


@pytest.mark.parametrize(
    ("one", "known", "expected"),
    [
        pytest.param(WEB, UP, ("Running", "Running"), id="running"),
        pytest.param(STOPPED, replace(UP, stopping=Stopping("Stopped", 1, 5)), ("Stopping", "Stopped"), id="stopping"),
        pytest.param(STOPPED, instance(WEB), ("Stopped", "Stopped"), id="never started"),
        pytest.param(WEB, instance(WEB), ("Preparing", "Preparing"), id="preparing"),
        pytest.param(
            WEB,
            instance(WEB, failure=Failure("ArtifactCorrupt", "no", 1, 2)),
            ("Preparing", "ArtifactCorrupt"),
            id="not",
        ),
        pytest.param(WEB, instance(WEB, **ended(0, streak=1)), ("Exited", "Completed"), id="exited"),
        pytest.param(WEB, instance(WEB, **ended(3, streak=1)), ("Failed", "Error"), id="failed"),
        pytest.param(WEB, instance(WEB, **ended(3, streak=2)), ("BackOff", "BackOff"), id="backing off"),
        pytest.param(
            WEB,
            replace(instance(WEB, **ended(3, streak=2)), exit_told=False),
            ("Failed", "Error"),
            id="every exit is told before the wait",
        ),
        pytest.param(
            STOPPED,
            replace(instance(WEB, **ended(3, streak=2)), exit_told=False),
            ("Failed", "Error"),
            id="and before the stop",
        ),
    ],
)
def test_phases(one: Assignment, known: Instance, expected: tuple[str, str]) -> None:
    assert told(one, known) == expected


def test_a_status_is_written_when_it_says_something_else_whoever_wrote_it() -> None:
    (report,) = sync.plan({KEY: WEB}, {KEY: UP}, NOW, ip="10.0.0.1")
    assert isinstance(report, sync.Report)
    as_told = assignment("web-1", status=report.status | {"reportedAt": "2026-01-01T00:00:00.000000Z"})
    assert sync.plan({KEY: as_told}, {KEY: UP}, NOW, ip="10.0.0.1") == []
    lost = assignment("web-1", status=report.status | {"phase": "Unknown"})
    assert sync.plan({KEY: lost}, {KEY: UP}, NOW, ip="10.0.0.1") == [report]


def test_conditions_of_others_are_none_of_our_business() -> None:
    (report,) = sync.plan({KEY: WEB}, {KEY: UP}, NOW)
    assert isinstance(report, sync.Report)
    placed = {"type": "Placed", "status": "True", "reason": "Scheduled"}
    with_placed = report.status | {"conditions": [placed, *report.status["conditions"]]}
    assert sync.plan({KEY: assignment("web-1", status=with_placed)}, {KEY: UP}, NOW) == []
    assert {c["type"] for c in report.status["conditions"]} == {"Prepared", "Ready"}


@pytest.mark.parametrize(("one", "reason"), [(WEB, "Preparing"), (STOPPED, "Stopped")])
def test_nothing_is_said_to_be_prepared_for_what_is_to_stand_still(one: Assignment, reason: str) -> None:
    wanted = status.of(one, instance(one), waits=False, now=NOW, ip="10.0.0.1")
    (prepared,) = (c for c in wanted["conditions"] if c["type"] == "Prepared")
    assert (prepared["status"], prepared["reason"]) == ("False", reason)


def test_a_report_that_failed_waits() -> None:
    late = UP.unreported(exit_told=False, retry_at=1004)
    assert sync.plan({KEY: WEB}, {KEY: late}, NOW) == [sync.Wait(KEY, 1004)]


SEEN = "liveness: GET http://127.0.0.1:80/: answered 500"


def probed(**health: Any) -> Instance:
    return instance(WEB, life="up", prepared=True, record={"process": PROCESS, "health": Health(**health)}, began=999.8)


def test_who_is_unhealthy_is_stopped_and_that_is_a_failure() -> None:
    sick = probed(unhealthy=SEEN)
    assert plan(WEB, sick) == [sync.Stop(KEY, "Unhealthy", "TERM", 5)]
    assert plan(STOPPED, sick) == [sync.Stop(KEY, "Stopped", "TERM", 5)], "whoever wants it gone comes first"
    stopping = sick.stopped_by(Stop(cause="Unhealthy", signal="TERM", grace=5), NOW)
    assert status.told(WEB, stopping, waits=False) == ("Stopping", "Unhealthy", SEEN)
    down = stopping.down(Exit(code=0), NOW)
    assert status.told(WEB, down, waits=False) == ("Failed", "Unhealthy", SEEN)
    down = down.reported(exit_told=True)
    assert plan(WEB, down) == [sync.Wait(KEY, NOW.ticks + 1)], "it starts again after the usual wait"
    once, never = (assignment("web-1", template={"restartPolicy": policy}) for policy in ("OnFailure", "Never"))
    assert plan(once, down) == [sync.Wait(KEY, NOW.ticks + 1)]
    assert plan(never, down) == []
    (start,) = plan(WEB, replace(down, ended=NOW.ticks - 1))
    assert start == sync.Start(KEY, counted=True)


def test_the_first_answer_is_waited_for_but_not_long() -> None:
    pending = probed(ready=False, reason=PENDING)
    assert sync.plan({KEY: WEB}, {KEY: pending}, NOW) == [sync.Wait(KEY, pending.began + status.QUIET)]
    later = Moment(pending.began + status.QUIET, NOW.wall)
    (report,) = sync.plan({KEY: WEB}, {KEY: pending}, later)
    assert isinstance(report, sync.Report)
    assert (report.status["phase"], ready(report.status)) == ("Running", "False")
    (report,) = sync.plan({KEY: WEB}, {KEY: probed()}, NOW)
    assert isinstance(report, sync.Report)
    assert ready(report.status) == "True"


def ready(status: dict[str, Any]) -> str:
    return next(str(one["status"]) for one in status["conditions"] if one["type"] == "Ready")


def test_an_agent_that_starts_has_the_last_end_told_before_the_next_start() -> None:
    """The one before may have been killed between the end and its report."""
    end = {"streak": 1, "end": End(cause="Exited", exit=Exit(code=3)), "finished_at": NOW.wall, "untold": True}
    end["declared"] = Declared()
    left = recalled(instance(WEB, record=end).record, prepared=True, boot_id="b", now=NOW)
    later = Moment(NOW.ticks + 1, NOW.wall)
    wait, report = sync.plan({KEY: WEB}, {KEY: left}, later)
    assert wait == sync.Wait(KEY, NOW.ticks + sync.TOLD_WITHIN)
    assert isinstance(report, sync.Report)
    assert (report.status["phase"], report.status["exitCode"]) == ("Failed", 3)
    told = assignment("web-1", status={"finishedAt": "2026-01-01T00:00:00.000000Z"})
    assert sync.plan({KEY: told}, {KEY: left}, later) == [sync.Start(KEY, counted=True)]


def test_a_start_that_never_happened_leaves_the_end_before_it_to_be_told() -> None:
    end = {"end": End(cause="Exited", exit=Exit(code=3)), "finished_at": NOW.wall, "untold": True, "process": PROCESS}
    left = recalled(instance(WEB, record=end).record, prepared=True, boot_id="b", now=NOW).never_ran(NOW)
    assert left.record.finished_at == NOW.wall
    again = recalled(left.record, prepared=True, boot_id="b", now=NOW)
    assert status.told(WEB, again, waits=False) == ("Failed", "Error", "exited with code 3")
    assert status.told(WEB, left, waits=False) == ("Failed", "Error", "exited with code 3")
