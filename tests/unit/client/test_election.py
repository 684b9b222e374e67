"""The decisions of an election one by one; that they are safe together is a property of its own."""

from datetime import UTC, datetime

import pytest

from apiserver.api.kinds.lease import Lease, LeaseSpec
from apiserver.api.meta import ObjectMeta, parse_time
from apiserver.client import election
from apiserver.client.election import Look, Renew, State, Take, Timing, Wait, decide

T = Timing(term=3, give_up_after=2.0, renew_every=1.0, look_every=0.5)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def lease(holder: str | None = "other", token: int | None = 4, version: str = "1", term: int | None = 3) -> Lease:
    spec = LeaseSpec(holder_identity=holder, lease_transitions=token, lease_duration_seconds=term, renew_time=NOW)
    return Lease(metadata=ObjectMeta(name="x", resource_version=version), spec=spec)


def seen(found: Lease | None, at: float = 100.0) -> State:
    return election.saw(State(), found, "me", at, T, pause=0.5)


def held(at: float = 100.0, token: int = 5) -> State:
    return election.wrote(State(), lease("me", token), at, at + 0.1, T)


@pytest.mark.parametrize(
    ("expected", "state", "now"),
    [
        pytest.param(Look(), State(), 100, id="nothing is known"),
        pytest.param(Take(1), seen(None), 100, id="no lease"),
        pytest.param(Take(5), seen(lease(None)), 100, id="released"),
        pytest.param(Take(5), seen(lease("")), 100, id="released by an empty name"),
        pytest.param(Take(1), seen(lease(None, None)), 100, id="never held"),
        pytest.param(Take(5), seen(lease("me")), 100, id="ours, but not led by us any more"),
        pytest.param(Wait(0.5), seen(lease()), 100, id="held by another"),
        pytest.param(Look(), seen(lease()), 100.5, id="time to look again"),
        pytest.param(Wait(0.25), State(lease(), 97.25, True, 101), 100, id="free before the next look"),
        pytest.param(Take(5), State(lease(), 97, True, 101), 100, id="silent for a term"),
        pytest.param(Wait(1), State(lease(term=9), 97, True, 101), 100, id="another program's longer term"),
        pytest.param(Wait(1), State(lease(term=1), 99, True, 101), 100, id="a term is never shorter than ours"),
        pytest.param(Wait(1), State(lease(None), 97, False, 101), 100, id="a write failed: not before a look"),
        pytest.param(Look(), State(lease(None), 97, False, 100), 100, id="a write failed: look"),
        pytest.param(Wait(0.5), held(), 100.5, id="leading"),
        pytest.param(Renew(), held(), 101, id="time to renew"),
        pytest.param(Renew(), held(), 101.99, id="late to renew"),
        pytest.param(Look(), held(), 102, id="the deadline"),
        pytest.param(Wait(0.5), election.missed(held(), 101, 0.75), 101.25, id="a renewal failed"),
        pytest.param(Wait(0.25), election.missed(held(), 101, 5), 101.75, id="the deadline comes before the next try"),
        pytest.param(Look(), election.missed(held(), 101, 0.5), 101.5, id="a renewal failed: whose is it?"),
    ],
)
def test_what_is_next(expected: Wait | Look | Take | Renew, state: State, now: float) -> None:
    assert decide(state, "me", now, T) == expected


def test_only_a_change_counts_as_a_sign_of_the_holder() -> None:
    first = seen(lease(version="1"), 100)
    same = election.saw(first, lease(version="1"), "me", 102, T, pause=0.5)
    changed = election.saw(first, lease(version="2"), "me", 102, T, pause=0.5)
    assert (same.changed_at, changed.changed_at) == (100, 102)


@pytest.mark.parametrize("found", [None, lease("other", 6), lease("me", 6), lease(None, 5)])
def test_a_leader_that_sees_another_lease_has_lost_it(found: Lease | None) -> None:
    state = election.saw(election.missed(held(), 101, 0), found, "me", 101, T, pause=0.5)
    assert election.leading(state, 101, T) is None


def test_a_leader_whose_lease_was_touched_by_others_renews_at_once() -> None:
    state = election.saw(election.missed(held(), 101, 0), lease("me", 5, "2"), "me", 101, T, pause=0.5)
    assert election.leading(state, 101, T) == 5
    assert decide(state, "me", 101, T) == Renew()


def test_leading_counts_from_when_the_renewal_was_sent() -> None:
    state = election.wrote(State(), lease("me", 5), 100, 101.5, T)
    assert election.leading(state, 101.9, T) == 5
    assert election.leading(state, 102, T) is None


def test_an_acknowledgement_after_the_deadline_comes_too_late() -> None:
    state = election.wrote(held(100), lease("me", 5), 101.9, 102.1, T)
    assert election.leading(state, 102.1, T) is None
    anew = election.wrote(state, lease("me", 6), 102.2, 102.3, T)
    assert election.leading(anew, 102.3, T) == 6


def test_a_renewal_is_always_a_change() -> None:
    (text,) = election.renewal(lease("me"), NOW).values()
    assert parse_time(text) > NOW


@pytest.mark.parametrize("times", [(3, 2, 2), (3, 3, 1), (2, 3, 1), (3, 2, 0)])
def test_times_that_would_let_two_lead_are_refused(times: tuple[int, float, float]) -> None:
    term, give_up_after, renew_every = times
    with pytest.raises(ValueError, match="renew_every < give_up_after < term"):
        Timing(term, give_up_after, renew_every)
