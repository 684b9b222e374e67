"""What the scheduler takes into account of agents: the original's can give an app little."""

from typing import Any

import pytest

from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.node import Node
from controllers.scheduling import NEEDS_PLUM_AGENT, PORT_TAKEN, Bind, Unplaced, beyond_original, plan


def node(name: str, agent: str) -> Node:
    status = {"agent": {"name": agent}, "conditions": [{"type": "Ready", "status": "True"}]}
    body = {"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": name}, "status": status}
    return Node.from_body(body)


def copy(name: str = "web-main-1", node_name: str = "", **template: Any) -> Assignment:
    spec = {
        "taskName": "web",
        "entry": "main",
        "nodeName": node_name,
        "template": {"artifactUrl": "/x", "sha256": "0" * 64, **template},
        "templateHash": "h",
    }
    meta = {"name": name, "namespace": "default", "uid": name}
    return Assignment.from_body({"apiVersion": "plum.dev/v1", "kind": "Assignment", "metadata": meta, "spec": spec})


@pytest.mark.parametrize(
    ("template", "beyond"),
    [
        ({}, []),
        ({"startCmd": "./run"}, []),
        ({"services": [{"name": "web", "port": 80}]}, []),
        ({"env": [{"name": "A"}]}, ["env"]),
        ({"ports": [{"name": "http"}]}, ["ports"]),
        ({"ports": [{"name": "http", "port": 80}]}, ["ports"]),
        ({"services": [{"name": "web", "port": "http"}]}, ["services on named ports"]),
        ({"restartPolicy": "Never"}, ["restartPolicy"]),
        ({"stopSignal": "INT"}, ["stopSignal"]),
        ({"probes": {"readiness": {"tcpSocket": {"port": 80}}}}, ["probes"]),
        ({"terminationGracePeriodSeconds": 6}, ["terminationGracePeriodSeconds"]),
        ({"dependsOn": ["db"]}, ["dependsOn"]),
        ({"env": [{"name": "A"}], "stopSignal": "INT"}, ["env", "stopSignal"]),
    ],
)
def test_what_is_beyond_the_original_agent_goes_elsewhere(template: dict[str, Any], beyond: list[str]) -> None:
    wanted = copy(**template)
    assert beyond_original(wanted.spec.template) == beyond
    original, ours = node("nodeA", "v1"), node("nodeB", "plum")
    assert plan([wanted], [original, ours], [wanted]) == [Bind(wanted, "nodeB" if beyond else "nodeA")]
    (alone,) = plan([wanted], [original], [wanted])
    if not beyond:
        assert alone == Bind(wanted, "nodeA")
        return
    assert isinstance(alone, Unplaced)
    assert alone.reason == NEEDS_PLUM_AGENT
    assert alone.message.startswith("the only ready nodes run the original agent, which gives apps no env, ports")
    assert f"the entry asks for {', '.join(beyond)}: add a node with plum-agent" in alone.message


def test_a_port_taken_on_ours_is_the_reason_where_there_is_one_of_ours() -> None:
    ports = [{"name": "http", "port": 80}]
    there, wanted = copy("a", "nodeB", ports=ports), copy("b", ports=ports)
    (decision,) = plan([wanted], [node("nodeA", "v1"), node("nodeB", "plum")], [there, wanted])
    assert isinstance(decision, Unplaced)
    assert decision.reason == PORT_TAKEN


def test_copies_are_spread_over_both() -> None:
    wanted = [copy(f"c-{number}") for number in range(4)]
    fleet = [node("nodeA", "v1"), node("nodeB", "plum")]
    decisions = plan(wanted, fleet, wanted)
    assert [d.node for d in decisions if isinstance(d, Bind)] == ["nodeA", "nodeB", "nodeA", "nodeB"]
