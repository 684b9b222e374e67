"""The node controller's plan: it converges, speaks for a silent agent once, and never lets go too early."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from apiserver.api import conditions
from apiserver.api.kinds.assignment import REPORTED, STOPPED_FINALIZER, Assignment
from apiserver.api.kinds.lease import Lease
from apiserver.api.kinds.node import Node
from apiserver.api.meta import Condition, format_time
from controllers.node_plan import (
    LOST_AFTER,
    NODE_SILENT,
    Action,
    MarkUnknown,
    Release,
    Restore,
    SetReady,
    is_held,
    plan,
)

START = datetime(2026, 1, 1, tzinfo=UTC)

moments = st.integers(0, 700).map(lambda seconds: START + timedelta(seconds=seconds))
ready = st.none() | st.tuples(st.sampled_from(["True", "Unknown"]), st.just(START))
leases = st.sampled_from([None, "", "Held", "Expired", "GivenBack"])
rows = st.lists(
    st.tuples(st.sampled_from([None, "Running", "Stopped", "Unknown"]), st.booleans(), st.booleans()), max_size=5
)


Row = tuple[str | None, bool, bool]
"""Phase, whether under deletion, whether it has the finalizer."""

V1Row = tuple[Row, str | None, bool]
"""With what an original agent reported last, and whether healthy; None: nothing."""


def node(told: tuple[str, datetime] | None, agent: str = "plum") -> Node:
    body: dict[str, Any] = {"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": "nodeA"}}
    body["status"] = {"agent": {"name": agent}}
    if told:
        condition = {"type": "Ready", "status": told[0], "lastTransitionTime": format_time(told[1])}
        body["status"]["conditions"] = [condition]
    return Node.from_body(body)


def lease(state: str | None) -> Lease | None:
    if state is None:
        return None
    body: dict[str, Any] = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "nodeA"}}
    if state == "GivenBack":
        body, state = body | {"spec": {"holderIdentity": ""}}, "Expired"
    return Lease.from_body(body | {"status": {"state": state} if state else {}})


def copy(number: int, phase: str | None, leaving: bool, held: bool) -> Assignment:
    meta: dict[str, Any] = {"name": f"a-{number}", "namespace": "default", "uid": f"u-{number}"}
    meta |= {"deletionTimestamp": format_time(START)} if leaving else {}
    meta |= {"finalizers": [STOPPED_FINALIZER]} if held else {}
    template = {"artifactUrl": "/x", "sha256": "0" * 64}
    spec = {"taskName": "web", "entry": "main", "nodeName": "nodeA", "template": template, "templateHash": "h"}
    body: dict[str, Any] = {"apiVersion": "plum.dev/v1", "kind": "Assignment", "metadata": meta, "spec": spec}
    return Assignment.from_body(body | ({"status": {"phase": phase}} if phase else {}))


class World:
    def __init__(self, told: tuple[str, datetime] | None, copies: list[tuple[str | None, bool, bool]]) -> None:
        self.node = node(told)
        self.copies = {f"a-{number}": copy(number, *row) for number, row in enumerate(copies)}

    @classmethod
    def of_original(cls, told: tuple[str, datetime] | None, rows: list[V1Row]) -> "World":
        """One whose node has an original agent."""
        world = cls(told, [row for row, _, _ in rows])
        world.node = node(told, "v1")
        for found, (_, reported, healthy) in zip(list(world.copies.values()), rows, strict=True):
            if reported:
                condition = Condition(type=REPORTED, status="True" if healthy else "False", reason=reported)
                world.store(found, found.status.phase, (condition,))
        return world

    def store(self, copy: Assignment, phase: Any, told: tuple[Condition, ...], reason: str = "") -> None:
        """Write the status of a copy, and of its conditions only these and what was reported last."""
        reported = tuple(c for c in copy.status.conditions if c.type == REPORTED)
        found = {c.type: c for c in (*reported, *told)}
        update = {"phase": phase, "reason": reason, "conditions": tuple(found.values())}
        status = copy.status.model_copy(update=update)
        self.copies[copy.metadata.name] = copy.model_copy(update={"status": status})

    def perform(self, action: Action) -> None:
        match action:
            case SetReady(condition):
                status = self.node.status.model_copy(update={"conditions": (condition,)})
                self.node = self.node.model_copy(update={"status": status})
            case MarkUnknown(assignment):
                unknown = Condition(type="Ready", status="Unknown", reason=NODE_SILENT)
                self.store(assignment, "Unknown", (unknown,), NODE_SILENT)
            case Restore(assignment, None):
                self.store(assignment, None, (Condition(type="Ready", status="Unknown", reason="NotReported"),))
            case Restore(assignment, told):
                assert told is not None
                ready = Condition(type="Ready", status=told.status, reason=told.reason)
                self.store(assignment, told.reason, (ready,))
            case Release(assignment):
                del self.copies[assignment.metadata.name]


@settings(max_examples=200, deadline=None)
@given(ready, leases, rows, moments, st.integers(0, 8))
def test_it_converges_from_any_prefix(
    told: tuple[str, datetime] | None,
    state: str | None,
    copies: list[tuple[str | None, bool, bool]],
    now: datetime,
    cut: int,
) -> None:
    world = World(told, copies)
    for _ in range(2):
        for action in plan(world.node, lease(state), list(world.copies.values()), now=now).actions[:cut]:
            world.perform(action)
        cut = 100
    for _ in range(2):
        step = plan(world.node, lease(state), list(world.copies.values()), now=now)
        for action in step.actions:
            world.perform(action)
    step = plan(world.node, lease(state), list(world.copies.values()), now=now)
    assert step.actions == ()
    is_ready = conditions.is_true(world.node.status.conditions, "Ready")
    assert is_ready == (state == "Held")
    if not is_ready:
        said = {"Stopped"} if state == "GivenBack" else set()
        assert {found.status.phase for found in world.copies.values()} <= {None, "Unknown", *said}
        waiting = any(map(is_held, world.copies.values()))
        assert not (waiting and state == "GivenBack"), "nothing runs there: nobody waits for it"
        assert (step.look_again is not None) == waiting


@settings(max_examples=200, deadline=None)
@given(ready, leases, rows, moments)
@example(("Unknown", START), "Expired", [("Running", True, True)], START + timedelta(seconds=100))
def test_a_finalizer_goes_only_when_nobody_else_can_take_it(
    told: tuple[str, datetime] | None,
    state: str | None,
    copies: list[tuple[str | None, bool, bool]],
    now: datetime,
) -> None:
    world = World(told, copies)
    step = plan(world.node, lease(state), list(world.copies.values()), now=now)
    released = [action for action in step.actions if isinstance(action, Release)]
    silent = told is not None and told[0] == "Unknown" and now - told[1] >= LOST_AFTER
    held = [found for found in world.copies.values() if is_held(found)]
    assert [action.assignment for action in released] == (
        held if (silent and state != "Held") or state == "GivenBack" else []
    )
    if step.look_again is not None:
        later = now + timedelta(seconds=step.look_again)
        for action in step.actions:
            world.perform(action)
        again = plan(world.node, lease(state), list(world.copies.values()), now=later).actions
        assert [action for action in again if isinstance(action, Release)]
        # No later than it has to be.
        before = later - timedelta(milliseconds=1)
        early = plan(world.node, lease(state), list(world.copies.values()), now=before).actions
        assert not [action for action in early if isinstance(action, Release)]


@given(rows)
def test_without_a_node_all_that_is_held_is_released(copies: list[tuple[str | None, bool, bool]]) -> None:
    world = World(None, copies)
    step = plan(None, None, list(world.copies.values()), now=START)
    assert step.actions == tuple(Release(found) for found in world.copies.values() if is_held(found))
