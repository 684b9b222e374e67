"""The node controller's plan for nodes of the original agent, which reports once and releases nothing."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.api import conditions
from apiserver.api.kinds.assignment import Assignment
from controllers.node_plan import V1_QUIET, V1_STOP, Release, is_held, plan
from tests.properties.test_node_plan import START, V1Row, World, lease, leases, moments, ready

v1_rows = st.lists(
    st.tuples(
        st.tuples(
            st.sampled_from([None, "Pending", "Running", "Stopped", "Exited", "Failed", "Unknown"]),
            st.booleans(),
            st.booleans(),
        ),
        st.sampled_from([None, "Running", "Failed", "Unknown", "Starting"]),
        st.booleans(),
    ),
    max_size=5,
)
ages = st.lists(st.integers(0, 90).map(lambda seconds: timedelta(seconds=seconds)), min_size=5, max_size=5)


@settings(max_examples=300, deadline=None)
@given(ready, leases, v1_rows, moments, st.integers(0, 8), ages)
def test_with_an_original_agent_it_converges_from_any_prefix(
    told: tuple[str, datetime] | None, state: str | None, rows: list[V1Row], now: datetime, cut: int, ages: Any
) -> None:
    world = World.of_original(told, rows)
    leaving = {f"u-{number}": age for number, age in enumerate(ages)}
    for limit in (cut, 100, 100, 100):
        copies = list(world.copies.values())
        for action in plan(world.node, lease(state), copies, now=now, leaving=leaving).actions[:limit]:
            world.perform(action)
    left = list(world.copies.values())
    step = plan(world.node, lease(state), left, now=now, leaving=leaving)
    assert step.actions == ()
    phases = {found.metadata.name: found.status.phase for found in left}
    if state != "Held":
        assert set(phases.values()) <= {None, "Unknown"}
        assert not any(map(is_held, left))
        return
    assert (step.look_again is not None) == any(map(is_held, left))
    for number, ((before, _, _), reported, healthy) in enumerate(rows):
        if before == "Unknown" and f"a-{number}" in phases:
            is_phase = reported in ("Running", "Failed")
            assert phases[f"a-{number}"] == (reported if is_phase else None)
            if is_phase:
                assert conditions.is_true(world.copies[f"a-{number}"].status.conditions, "Ready") == healthy


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["Running", "Stopped", "Exited", "Failed"]), st.booleans()), max_size=5))
def test_what_was_said_last_holds_again_after_a_silence(said: list[tuple[str, bool]]) -> None:
    world = World.of_original(None, [((phase, False, True), phase, healthy) for phase, healthy in said])
    for state in ("Held", "Expired", "Held"):
        for action in plan(world.node, lease(state), list(world.copies.values()), now=START).actions:
            world.perform(action)
    for found, (phase, healthy) in zip(world.copies.values(), said, strict=True):
        assert (found.status.phase, found.status.reason) == (phase, "")
        assert conditions.is_true(found.status.conditions, "Ready") == healthy


@settings(max_examples=300, deadline=None)
@given(ready, leases, v1_rows, moments, ages)
def test_an_original_agent_is_waited_for_just_so_long(
    told: tuple[str, datetime] | None, state: str | None, rows: list[V1Row], now: datetime, ages: Any
) -> None:
    world = World.of_original(told, rows)
    copies = list(world.copies.values())
    leaving = {f"u-{number}": age for number, age in enumerate(ages)}
    step = plan(world.node, lease(state), copies, now=now, leaving=leaving)

    def is_due(found: Assignment) -> bool:
        patience = {None: V1_QUIET, "Pending": V1_QUIET, "Running": V1_STOP, "Unknown": V1_STOP}
        return state != "Held" or leaving[found.metadata.uid or ""] >= patience.get(found.status.phase, timedelta())

    released = [action.assignment for action in step.actions if isinstance(action, Release)]
    assert released == [found for found in copies if is_held(found) and is_due(found)]
    # No step of the wall clock hastens or delays it.
    for other in (now - timedelta(days=1), now + timedelta(days=1)):
        again = plan(world.node, lease(state), copies, now=other, leaving=leaving)
        assert [action.assignment for action in again.actions if isinstance(action, Release)] == released
        assert again.look_again == step.look_again
    if step.look_again is not None:
        later = {uid: age + timedelta(seconds=step.look_again) for uid, age in leaving.items()}
        again = plan(world.node, lease(state), copies, now=now, leaving=later)
        assert len([action for action in again.actions if isinstance(action, Release)]) > len(released)
