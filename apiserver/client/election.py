"""Who leads, decided purely: one process's part in the election by a Lease. ``leader`` acts on it.

A lease is written only on the condition that it is still the one that was seen, so of two who take it one is
refused. Its holder leads until ``give_up_after`` seconds from when the last renewal that was acknowledged
*was sent*; the others wait ``term`` seconds from when they *saw* the record change. A change is seen after it
was sent, so the holder has given up before anybody takes over, as long as no clock runs faster than another
by ``term / give_up_after``. What the clocks show does not matter, and the times in the lease are for people.

Times are seconds of the process's own clock, which never goes back.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from apiserver.api.kinds.lease import Lease
from apiserver.api.meta import Body, format_micro_time


@dataclass(frozen=True)
class Timing:
    """How patient everybody is, in seconds. Raises ValueError for what would let two lead at a time."""

    term: int = 3
    """How long others wait for a sign of the holder."""
    give_up_after: float = 2.0
    """How long a holder leads without an acknowledged renewal."""
    renew_every: float = 1.0
    look_every: float = 0.5
    """The pause of those who wait between two looks."""

    def __post_init__(self) -> None:
        """Check the order that safety rests on."""
        if not 0 < self.renew_every < self.give_up_after < self.term:
            raise ValueError("timing: wanted is 0 < renew_every < give_up_after < term")


@dataclass(frozen=True)
class State:
    """What a process knows of the lease, and whether it leads."""

    lease: Lease | None = None
    """The lease as last seen or written; None: there is none."""
    changed_at: float = 0.0
    """When this process saw it change last."""
    fresh: bool = False
    """Whether the last request was answered; if not, whatever was to be written, look first."""
    due: float = float("-inf")
    """When to look, or while leading to renew, next."""
    token: int | None = None
    """The fencing token of the leadership, which counts only until its deadline."""
    renewed_at: float = 0.0
    """When the last acknowledged renewal was sent."""


@dataclass(frozen=True)
class Wait:
    """Nothing to do for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Look:
    """Read the lease."""


@dataclass(frozen=True)
class Take:
    """Become the holder of the lease as seen, under a new token."""

    token: int


@dataclass(frozen=True)
class Renew:
    """Show that the holder is alive."""


def decide(state: State, me: str, now: float, timing: Timing) -> Wait | Look | Take | Renew:
    """What to do next. Whoever holds the lease but leads no more takes it anew, so that what it once sent and
    what it sends now carry different tokens."""
    if leading(state, now, timing) is not None:
        if now < state.due:
            return Wait(min(state.due, deadline(state, timing)) - now)
        return Renew() if state.fresh else Look()
    if now >= state.due:
        return Look()
    if not state.fresh:
        return Wait(state.due - now)
    free_at = _free_at(state, me, timing)
    if now >= free_at:
        return Take(token_of(state.lease) + 1)
    return Wait(min(state.due, free_at) - now)


def leading(state: State, now: float, timing: Timing) -> int | None:
    """The token under which the process leads now; None: it does not lead."""
    return state.token if now < deadline(state, timing) else None


def deadline(state: State, timing: Timing) -> float:
    """When a leadership ends unless a renewal is acknowledged before."""
    return state.renewed_at + timing.give_up_after


def saw(state: State, lease: Lease | None, me: str, now: float, timing: Timing, *, pause: float) -> State:
    """The state after a look, which a candidate repeats after ``pause`` seconds. A leader looks when a renewal
    has failed: if the lease is still its own it renews at once, else it has lost it."""
    token = leading(state, now, timing)
    changed = _version(lease) != _version(state.lease)
    still = lease is not None and lease.spec.holder_identity == me and token_of(lease) == token
    return replace(
        state,
        lease=lease,
        changed_at=now if changed else state.changed_at,
        fresh=True,
        due=now if still else now + pause,
        token=token if still else None,
    )


def wrote(state: State, lease: Lease, sent_at: float, now: float, timing: Timing) -> State:
    """The state after an acknowledged take or renewal that was sent at ``sent_at``. What is acknowledged after
    the deadline comes too late: that leadership has ended, and the next one has another token."""
    token = token_of(lease)
    too_late = state.token == token and leading(state, now, timing) is None
    return replace(
        state,
        lease=lease,
        changed_at=now,
        fresh=True,
        due=sent_at + timing.renew_every,
        token=None if too_late else token,
        renewed_at=sent_at,
    )


def missed(state: State, now: float, pause: float) -> State:
    """The state after a request that was refused, or whose fate is not known."""
    return replace(state, fresh=False, due=now + pause)


def claim(me: str, token: int, now: datetime, timing: Timing) -> Body:
    """The ``spec`` of a lease that is taken."""
    return {
        "holderIdentity": me,
        "leaseDurationSeconds": timing.term,
        "acquireTime": format_micro_time(now),
        "renewTime": format_micro_time(now),
        "leaseTransitions": token,
    }


def renewal(lease: Lease, now: datetime) -> Body:
    """The change of ``spec`` that renews a lease; always a change, or nobody would see it."""
    return {"renewTime": format_micro_time(now + timedelta(microseconds=now == lease.spec.renew_time))}


def token_of(lease: Lease | None) -> int:
    """The fencing token; that of a lease which is not there is 0."""
    return (lease.spec.lease_transitions or 0) if lease is not None else 0


def _free_at(state: State, me: str, timing: Timing) -> float:
    """From when on the lease may be taken. A holder of another program may have promised another term."""
    spec = state.lease.spec if state.lease is not None else None
    if spec is None or spec.holder_identity in (None, "", me):
        return float("-inf")
    return state.changed_at + max(timing.term, spec.lease_duration_seconds or 0)


def _version(lease: Lease | None) -> str | None:
    return lease.metadata.resource_version if lease is not None else None
