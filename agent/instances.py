"""What is known of one instance, and how that changes. Pure: every change returns a new value.

A ``Record`` is what survives the agent; it is on disk before anything it speaks of happens. An
``Instance`` is the record and what only a living agent knows.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field

from agent import restarts
from agent.offers import Declared
from agent.probes import Health
from agent.remembered import Remembered, Seen
from agent.runtime import Adopted, Exit, Process
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.meta import Model

Key = tuple[str, str]
"""``(namespace, name)`` of the assignment."""

Cause = Literal[
    "Exited", "StartFailed", "Unhealthy", "Stopped", "Restarted", "AgentRestarted", "NodeRestarted", "AgentStopped"
]
"""Why a process ended. Unhealthy: a probe asked for it, which is a failure whatever its exit. The last three are no
fault of the app: it starts again at once, uncounted. AgentRestarted: in the middle of a start, which was withdrawn."""

OWN_DOING: tuple[Cause, ...] = ("Exited", "StartFailed", "Unhealthy")
"""The ends that are the app's own doing: what follows is for the restart policy to say."""

Life = Literal["down", "up", "left"]
"""``down``: no process is alive. ``left``: one may be, which an earlier agent started, and is to be adopted."""

Work = Literal["prepare", "start", "adopt", "kill", "remove", "release", "report"]
"""What goes on beside the plan, each at most once an instance."""


@dataclass(frozen=True)
class Moment:
    """The two clocks, read together: ``ticks`` (monotonic seconds) to decide by, ``wall`` to tell."""

    ticks: float
    wall: datetime


class End(Model):
    """The last end of the process."""

    cause: Cause
    exit: Exit = Exit()
    message: str = ""

    @property
    def success(self) -> bool:
        """Whether it ended well."""
        return self.exit.success and self.cause != "Unhealthy"


class Stop(Model):
    """A stop that has begun; the next agent asks again."""

    cause: Cause
    signal: str
    grace: float


FORMAT = 1
"""The version of a record's form. It grows when an agent of this version would misread what a later one writes."""


class Record(Model):
    """What the next agent has to know, which may be of another version."""

    format: int = FORMAT
    namespace: str
    name: str
    uid: str
    assignment: Remembered | None = None
    """The assignment as last seen, without its status: to go on without a server."""
    run: int = 0
    """The number of the last run; each start is a run of its own."""
    process: Process | None = None
    """Set before a start, cleared after the whole tree is dead."""
    stop: Stop | None = None
    """A stop under way."""
    health: Health | None = None
    """What probes say of the process."""
    ports: dict[str, Annotated[int, Field(ge=1, le=65535)]] = {}
    """By port name; kept over restarts."""
    declared: Declared | None = None
    """What the app's ``meta.ini`` said when its folder was made: later the app may have written there. None: it
    has not been read."""
    restarts: int = 0
    streak: int = 0
    """Ends in a row, without a long run between them."""
    restarted_at: str = ""
    """The value of the annotation at the last start."""
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    previous_started_at: AwareDatetime | None = None
    """When what ended last had started."""
    end: End | None = None
    untold: bool = False
    """Whether the server may not have been told of that end; written down with it, and not again when it was."""

    @property
    def key(self) -> Key:
        """The assignment's key."""
        return self.namespace, self.name


@dataclass(frozen=True)
class Failure:
    """A preparation that did not succeed."""

    reason: str
    message: str
    count: int
    retry_at: float


@dataclass(frozen=True)
class Stopping:
    """A stop under way."""

    cause: Cause
    since: float
    grace: float

    @property
    def deadline(self) -> float:
        """When what is left gets KILL."""
        return self.since + self.grace


@dataclass(frozen=True)
class Instance:
    """One assignment on this node, as the agent sees it."""

    record: Record
    saved: bool = False
    """Whether there is a record on disk, or about to be."""
    life: Life = "down"
    prepared: bool = False
    """Whether its folder is ready to start in."""
    preparing_since: float | None = None
    failure: Failure | None = None
    began: float = 0.0
    ended: float = 0.0
    noticed: float = 0.0
    """When this agent learned of the last end, which may have been while no agent was there."""
    exit_told: bool = True
    """Whether the server was told of the last exit, or an attempt was made."""
    report_after: float = 0.0
    """No report before this, after one that failed."""
    failed_reports: int = 0
    stopping: Stopping | None = None
    doubt: str = ""
    """Why nobody can say what became of a start; only where life is ``left``."""
    removed: bool = False
    """Whether its folder is gone and nothing is left on the node."""
    busy: frozenset[Work] = field(default_factory=frozenset)

    @property
    def key(self) -> Key:
        """The assignment's key."""
        return self.record.key

    @property
    def is_probed(self) -> bool:
        """Whether its process is one to ask: it runs, and nothing is about to end it."""
        health = self.record.health
        return self.life == "up" and self.stopping is None and not (health and health.unhealthy)

    def occupied(self, work: Work) -> Self:
        """Work has begun beside the plan."""
        return replace(self, busy=self.busy | {work})

    def unoccupied(self, work: Work) -> Self:
        """That work is over, however it went."""
        return replace(self, busy=self.busy - {work})

    def preparing(self, now: Moment) -> Self:
        """Its folder is being made."""
        return replace(self, preparing_since=now.ticks).occupied("prepare")

    def ready(self, declared: Declared) -> Self:
        """Its folder is made, and this is what the app in it declares."""
        record = self.record.model_copy(update={"declared": declared})
        return replace(self, record=record, prepared=True, preparing_since=None, failure=None)

    def unready(self, failure: Failure) -> Self:
        """Its folder could not be made."""
        return replace(self, preparing_since=None, failure=failure)

    def remembering(self, assignment: Assignment) -> Self:
        """The assignment has changed, or is new; that is about to be on disk."""
        return replace(self, saved=True, record=self.record.model_copy(update={"assignment": Seen.of(assignment)}))

    def starting(
        self, process: Process, now: Moment, *, run: int, ports: dict[str, int], restarted_at: str, counted: bool
    ) -> Self:
        """A start is about to happen; to be on disk before it does. Until it is known how it went, something
        may be alive."""
        record = self.record.model_copy(
            update={
                "process": process,
                "run": run,
                "started_at": now.wall,
                "health": None,
                "ports": ports,
                "restarted_at": restarted_at,
                "restarts": self.record.restarts + counted,
            }
        )
        return replace(self, record=record, saved=True, life="left", doubt="")

    def doubted(self, why: str) -> Self:
        """The system did not tell what became of a start, or of what an earlier agent left: something may be alive."""
        return replace(self, doubt=why) if self.life == "left" else self

    def started(self, process: Process, now: Moment) -> Self:
        """The command runs."""
        record = self.record.model_copy(update={"process": process})
        return replace(self, record=record, life="up", began=now.ticks, stopping=None)

    def adopted(self, adopted: Adopted, now: Moment) -> Self:
        """What an earlier agent started is ours now. A stop that was under way begins anew."""
        began = now.ticks - max(0.0, (now.wall - adopted.started_at).total_seconds())
        started_at = self.record.started_at or adopted.started_at
        record = self.record.model_copy(update={"process": adopted.process, "started_at": started_at})
        stop = record.stop
        stopping = Stopping(stop.cause, now.ticks, stop.grace) if stop else None
        return replace(self, record=record, life="up", began=began, prepared=True, stopping=stopping, doubt="")

    def never_ran(self, now: Moment) -> Self:
        """What an earlier agent was about to start did not run. That is no end: what is told of the last one stays."""
        before = self.record.end or End(cause="AgentRestarted", message="the agent ended before the start")
        end = before.model_copy(update={"cause": "AgentRestarted"})
        record = self.record.model_copy(update={"process": None, "stop": None, "end": end})
        return replace(self, record=record, life="down", ended=now.ticks, doubt="")

    def judged(self, health: Health | None) -> Self:
        """What its probes say has changed."""
        return replace(self, record=self.record.model_copy(update={"health": health}))

    def stopped_by(self, stop: Stop, now: Moment) -> Self:
        """The processes are about to be asked to end; to be on disk before they are."""
        record = self.record.model_copy(update={"stop": stop})
        return replace(self, record=record, stopping=Stopping(stop.cause, now.ticks, stop.grace))

    def down(self, exit: Exit, now: Moment, *, ended_at: datetime | None = None) -> Self:
        """The whole tree is dead; ``ended_at``: since then, if that was while no agent was there."""
        cause: Cause = self.stopping.cause if self.stopping else "Exited"
        seen = self.record.health.unhealthy if self.record.health and cause == "Unhealthy" else ""
        end = End(cause=cause, exit=exit, message=seen)
        return self._ended(end, now, ended_at=ended_at)

    def not_started(self, message: str, now: Moment) -> Self:
        """The system refused the start."""
        return replace(self, began=now.ticks)._ended(End(cause="StartFailed", message=message), now)

    def _ended(self, end: End, now: Moment, *, ended_at: datetime | None = None) -> Self:
        own_doing = end.cause in OWN_DOING
        ended = now.ticks - max(0.0, (now.wall - ended_at).total_seconds()) if ended_at else now.ticks
        streak = restarts.next_streak(self.record.streak, ran_for=ended - self.began) if own_doing else 0
        if end.cause == "AgentStopped":
            streak = self.record.streak
        record = self.record.model_copy(
            update={
                "process": None,
                "stop": None,
                "streak": streak,
                "finished_at": ended_at or now.wall,
                "previous_started_at": self.record.started_at,
                "end": end,
                "untold": own_doing,
            }
        )
        after = replace(self, record=record, life="down", stopping=None, ended=ended)
        return replace(after, noticed=now.ticks, exit_told=not own_doing)

    def settled(self) -> Self:
        """It ended earlier, and since then it was asked to be stopped: the next start is a new beginning."""
        end = self.record.end and self.record.end.model_copy(update={"cause": "Stopped"})
        return replace(self, record=self.record.model_copy(update={"end": end, "streak": 0}))

    def reported(self, *, exit_told: bool) -> Self:
        """A status has reached the server."""
        return replace(self._told(exit_told), report_after=0.0, failed_reports=0)

    def unreported(self, *, exit_told: bool, retry_at: float) -> Self:
        """A status has not reached the server, or nobody knows."""
        return replace(self._told(exit_told), report_after=retry_at, failed_reports=self.failed_reports + 1)

    def _told(self, exit_told: bool) -> Self:
        if self.exit_told or not exit_told:
            return self
        return replace(self, record=self.record.model_copy(update={"untold": False}), exit_told=True)

    def gone(self) -> Self:
        """Nothing of it is left on the node."""
        return replace(self, removed=True, prepared=False)


def recalled(record: Record, *, prepared: bool, boot_id: str, now: Moment) -> Instance:
    """An instance as an earlier agent left it. What it declares is found out, as part of a preparation, where the
    record does not say it."""
    instance = Instance(
        record,
        saved=True,
        prepared=prepared and record.declared is not None,
        ended=now.ticks,
        noticed=now.ticks,
        exit_told=not record.untold,
    )
    if record.process is None:
        return instance
    if record.process.boot_id == boot_id:
        return replace(instance, life="left")
    end = End(cause="NodeRestarted", message="the machine was restarted")
    began = record.started_at
    changes = {"process": None, "stop": None, "finished_at": now.wall, "previous_started_at": began, "end": end}
    return replace(instance, record=record.model_copy(update=changes))
