"""The scheduler's plan against a slow reference that looks at every node for every assignment."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.api.expansion import is_live
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.node import Node, is_original
from controllers.scheduling import (
    NEEDS_PLUM_AGENT,
    NO_READY_NODE,
    PORT_TAKEN,
    Bind,
    Unplaced,
    fixed_ports,
    is_pending,
    is_usable,
    plan,
)

NODES = ("nodeA", "nodeB", "nodeC", "nodeD")


def node(name: str, ready: str, unschedulable: bool, agent: str) -> Node:
    return Node.from_body(
        {
            "apiVersion": "plum.dev/v1",
            "kind": "Node",
            "metadata": {"name": name},
            "spec": {"unschedulable": unschedulable},
            "status": {"agent": {"name": agent}, "conditions": [{"type": "Ready", "status": ready}]},
        }
    )


def assignment(number: int, task: str, node_name: str, port: int | None, leaving: bool) -> Assignment:
    meta: dict[str, Any] = {"name": f"a-{number:03}", "namespace": "default", "uid": str(number)}
    if leaving:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    ports = [] if port == 0 else [{"name": "p", **({"port": port} if port else {})}]
    spec = {
        "taskName": task,
        "entry": "main",
        "nodeName": node_name,
        "template": {"artifactUrl": "/x", "sha256": "0" * 64, "ports": ports},
        "templateHash": "h",
    }
    return Assignment.from_body({"apiVersion": "plum.dev/v1", "kind": "Assignment", "metadata": meta, "spec": spec})


def bound(copy: Assignment, name: str) -> Assignment:
    return copy.model_copy(update={"spec": copy.spec.model_copy(update={"node_name": name})})


nodes = st.lists(
    st.builds(
        node,
        st.sampled_from(NODES),
        st.sampled_from(["True", "True", "Unknown"]),
        st.booleans(),
        st.sampled_from(["plum", "v1"]),
    ),
    unique_by=lambda found: found.metadata.name,
)
copies = st.lists(
    st.tuples(
        st.sampled_from(["web", "db"]),
        st.sampled_from(["", "", *NODES]),
        st.sampled_from([0, 0, None, 80, 81]),
        st.sampled_from([False, False, False, True]),
    ),
    max_size=24,
).map(lambda rows: [assignment(number, *row) for number, row in enumerate(rows)])


def best(copy: Assignment, fleet: Sequence[Node], world: Sequence[Assignment]) -> str | None:
    """The node that the rules choose, by looking at all of them."""

    def load(name: str) -> tuple[int, int, str]:
        there = [other for other in world if is_live(other) and other.spec.node_name == name]
        return sum(other.spec.task_name == copy.spec.task_name for other in there), len(there), name

    def has_ports_free(name: str) -> bool:
        there = (other for other in world if is_live(other) and other.spec.node_name == name)
        return not any(fixed_ports(other) & fixed_ports(copy) for other in there)

    def can_give(found: Node) -> bool:
        return not is_original(found) or not copy.spec.template.ports

    names = [found.metadata.name for found in fleet if is_usable(found) and can_give(found)]
    return min((name for name in names if has_ports_free(name)), key=load, default=None)


@settings(max_examples=150, deadline=None)
@given(nodes, copies, st.randoms(use_true_random=False), st.integers(0, 24))
def test_every_decision_is_the_best_at_its_time(fleet: list[Node], world: list[Assignment], rng: Any, cut: int) -> None:
    pending = [copy for copy in world if is_pending(copy)]
    decisions = plan(pending, fleet, world)
    assert sorted(d.assignment.metadata.name for d in decisions) == [copy.metadata.name for copy in pending]
    now = {copy.metadata.name: copy for copy in world}
    for decision in decisions:
        choice = best(decision.assignment, fleet, list(now.values()))
        if isinstance(decision, Bind):
            assert decision.node == choice
            now[decision.assignment.metadata.name] = bound(decision.assignment, decision.node)
        else:
            assert choice is None
            usable = [found for found in fleet if is_usable(found)]
            only_original = usable and all(map(is_original, usable))
            reason = NO_READY_NODE if not usable else NEEDS_PLUM_AGENT if only_original else PORT_TAKEN
            assert decision.reason == reason
    shuffled = [rng.sample(part, len(part)) for part in (pending, fleet, world)]
    assert plan(shuffled[0], shuffled[1], shuffled[2]) == decisions

    # Once all is bound nothing is left to do, and a crash half-way leaves just the rest.
    after = list(now.values())
    assert not any(isinstance(d, Bind) for d in plan([c for c in after if is_pending(c)], fleet, after))
    for decision in decisions[:cut]:
        if isinstance(decision, Bind):
            name = decision.assignment.metadata.name
            world = [bound(copy, decision.node) if copy.metadata.name == name else copy for copy in world]
    rest = plan([copy for copy in world if is_pending(copy)], fleet, world)
    assert {d.assignment.metadata.name for d in rest if isinstance(d, Unplaced)} <= {
        d.assignment.metadata.name for d in decisions[:cut] if isinstance(d, Unplaced)
    } | {d.assignment.metadata.name for d in decisions[cut:]}
    for decision in rest:
        if isinstance(decision, Bind):
            world = [
                bound(copy, decision.node) if copy.metadata.name == decision.assignment.metadata.name else copy
                for copy in world
            ]
    assert not any(isinstance(d, Bind) for d in plan([c for c in world if is_pending(c)], fleet, world))
