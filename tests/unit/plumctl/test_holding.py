"""What is told of a deletion that does not come to its end."""

from typing import Any

import httpx
import pytest

from apiserver.api.kinds.assignment import STOPPED_FINALIZER, Assignment
from apiserver.api.kinds.node import Node
from plumctl.holding import told
from tests.channels import ASSIGNMENTS, NODES, assignment
from tests.unit.plumctl.conftest import Ctl


def node(name: str, ready: dict[str, str] | None) -> Node:
    body: dict[str, Any] = {"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": name}}
    conditions = [{"type": "Ready", **ready}] if ready else []
    return Node.from_body(body | {"status": {"conditions": conditions}})


DEAD = node("n1", {"status": "Unknown", "reason": "LeaseExpired", "message": "the agent is silent"})
WELL = node("n1", {"status": "True", "reason": "AgentReady"})
WAY_OUT = (
    "what is on a node that is not ready goes when its agent is back, or five minutes after its last word; "
    "if the machine will not come back: plumctl delete node n1"
)


def held(
    name: str = "web-1", *, leaving: bool = True, finalizers: tuple[str, ...] = (STOPPED_FINALIZER,)
) -> Assignment:
    body = assignment(name, "n1")
    body["metadata"] |= {"namespace": "default", "finalizers": list(finalizers)}
    body["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z"} if leaving else {}
    return Assignment.from_body(body)


@pytest.mark.parametrize(
    ("one", "found", "said"),
    [
        (held(), DEAD, f"on node n1, which is not ready (LeaseExpired: the agent is silent)\n{WAY_OUT}"),
        (held(), node("n1", None), f"on node n1, which is not ready (its agent has never reported)\n{WAY_OUT}"),
        (held(), WELL, "on node n1: its processes have not ended yet (grace period 5 s)"),
        (held(finalizers=("a/b",)), WELL, "is held by finalizers of others: a/b"),
        (
            held(leaving=False),
            WELL,
            "has not been asked to go yet: the controllers do that; see that plum-controllers runs",
        ),
    ],
)
def test_each_reason_has_its_words(one: Assignment, found: Node, said: str) -> None:
    assert told([one], {"n1": found}) == f"  assignment/web-1 {said}"


def test_of_many_some_are_named() -> None:
    lines = told([held(f"web-{number}") for number in range(12)], {"n1": DEAD}).splitlines()
    assert (len(lines), lines[10], lines[11]) == (12, "  and 2 more", WAY_OUT)
    assert told([], {}) == ""


def test_a_deletion_on_a_dead_node_says_what_it_waits_for(ctl: Ctl, server: str) -> None:
    with httpx.Client(base_url=server, trust_env=False) as http:
        http.post(NODES, json={"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": "n1"}})
        body = assignment("stuck", "n1")
        body["metadata"]["finalizers"] = [STOPPED_FINALIZER]
        assert http.post(ASSIGNMENTS, json=body).status_code == 201
    result = ctl("delete", "assignment/stuck", "--timeout", "0.2")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: assignment/stuck is still there after 0.2 s; it waits for\n")
    assert "assignment/stuck on node n1, which is not ready (its agent has never reported)" in result.stderr
    assert result.stderr.endswith("plumctl delete node n1\n")
