"""Nodes: heartbeats, what is told of them, and when they may go."""

import time
from pathlib import Path

import pytest

from tests.e2e.cluster import wait_for
from tests.servers import start_apiserver
from tests.v1.client import V1, Apis
from tests.v1.objects import add_assignment

KEYS = {"nodeId", "ip", "labels", "lastSeen", "health"}


def test_a_heartbeat_makes_the_node(v1: V1, apis: Apis, node: str) -> None:
    assert v1.heartbeat(node, labels={"zone": "a"}).raw == b'{"ttlSec":15}\n'
    found = v1.get(f"/v1/nodes/{node}").json()
    assert set(found) == KEYS
    assert (found["nodeId"], found["ip"], found["labels"]) == (node, "10.0.0.1", {"zone": "a"})
    assert found["health"] in ("Healthy", "Unhealthy")
    assert abs(found["lastSeen"] - time.time()) < 5
    body = apis.read("nodes", node)
    assert (body["status"]["ip"], body["status"]["agent"]["name"]) == ("10.0.0.1", "v1")
    assert body["metadata"]["labels"] == {"zone": "a"}


def test_a_node_without_labels_has_an_empty_map_of_them(v1: V1, node: str) -> None:
    v1.heartbeat(node)
    assert v1.get(f"/v1/nodes/{node}").json()["labels"] == {}


def test_heartbeats_move_the_address_and_the_time(v1: V1, node: str) -> None:
    v1.heartbeat(node)
    first = v1.get(f"/v1/nodes/{node}").json()

    def later() -> bool:
        v1.heartbeat(node, ip="10.0.0.2").json()
        found = v1.get(f"/v1/nodes/{node}").json()
        assert found["ip"] == "10.0.0.2"
        return bool(found["lastSeen"] > first["lastSeen"])

    wait_for("a later lastSeen", later, 5)


def test_a_heartbeat_touches_its_own_labels_only(v1: V1, apis: Apis, node: str) -> None:
    v1.heartbeat(node, labels={"zone": "a", "disk": "ssd"})
    apis.merge("nodes", node, {"metadata": {"labels": {"owner": "ops"}}})
    v1.heartbeat(node, labels={"zone": "b"})
    assert v1.get(f"/v1/nodes/{node}").json()["labels"] == {"zone": "b", "owner": "ops"}
    v1.heartbeat(node, labels={"zone": "b"})
    assert apis.read("nodes", node)["metadata"]["labels"] == {"zone": "b", "owner": "ops"}


def test_a_heartbeat_leaves_the_rest_of_the_node_alone(v1: V1, apis: Apis, node: str) -> None:
    v1.heartbeat(node)
    apis.merge("nodes", node, {"spec": {"unschedulable": True}})
    v1.heartbeat(node)
    assert apis.read("nodes", node)["spec"] == {"unschedulable": True}


@pytest.mark.parametrize("name", ["", "a/b", "a b", "a'b", '"', "..", "n" * 64, "节点"])
def test_a_name_that_no_node_can_have_is_refused(v1: V1, name: str) -> None:
    before = v1.get("/v1/nodes").raw
    v1.heartbeat(name).error(400)
    assert v1.get("/v1/nodes").raw == before


def test_a_heartbeat_without_a_node_is_refused(v1: V1) -> None:
    v1.post("/v1/nodes/heartbeat", {"ip": "10.0.0.1"}).error(400)


def test_nodes_are_sorted_by_id(v1: V1, node: str) -> None:
    for name in (f"{node}-b", f"{node}-a", f"{node}-C", f"{node}-10", f"{node}-9"):
        v1.heartbeat(name)
    names = [found["nodeId"] for found in v1.get("/v1/nodes").json() if found["nodeId"].startswith(f"{node}-")]
    assert names == sorted(names)
    assert len(names) == 5
    assert all(set(found) == KEYS for found in v1.get("/v1/nodes").json())


def test_capitals_tell_nodes_apart(v1: V1, node: str) -> None:
    v1.heartbeat(node)
    v1.get(f"/v1/nodes/{node.lower()}").error(404)


def test_a_node_that_has_never_reported_is_shown_and_not_healthy(v1: V1, apis: Apis, node: str) -> None:
    apis.create("nodes", "Node", node, metadata={"labels": {"a": "b"}})
    found = v1.get(f"/v1/nodes/{node}").json()
    assert (found["nodeId"], found["labels"], found["lastSeen"], found["health"]) == (node, {"a": "b"}, 0, "Unhealthy")


def test_an_unknown_node_is_not_found_and_can_be_deleted(v1: V1) -> None:
    v1.get("/v1/nodes/nobody").error(404)
    v1.delete("/v1/nodes/nobody").done()


def test_a_node_that_assignments_name_stays(v1: V1, node: str, fresh: str, artifact: str) -> None:
    v1.heartbeat(node)
    made = v1.create(fresh, {"artifactUrl": artifact, "replicas": {node: 1}})
    assert made["instances"][0] in v1.delete(f"/v1/nodes/{node}").error(409, "node in use")
    assert v1.get(f"/v1/nodes/{node}").status == 200


def test_a_node_goes_when_nothing_names_it(v1: V1, apis: Apis, node: str, fresh: str) -> None:
    v1.heartbeat(node)
    add_assignment(apis, fresh, node)
    assert fresh in v1.delete(f"/v1/nodes/{node}").error(409, "node in use")
    apis.ask("DELETE", apis.path("assignments", fresh))
    v1.delete(f"/v1/nodes/{node}").done()
    v1.get(f"/v1/nodes/{node}").error(404)
    assert not apis.has("nodes", node)
    v1.delete(f"/v1/nodes/{node}").done()


def test_the_variable_of_old_sets_the_time_to_live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARTBEAT_TTL_SEC", "7")
    with start_apiserver(tmp_path / "data") as url, V1(url) as v1:
        assert v1.heartbeat("nodeA").raw == b'{"ttlSec":7}\n'
        lease = "/apis/coordination.k8s.io/v1/namespaces/plum-node-lease/leases/nodeA"
        assert b'"leaseDurationSeconds":7' in v1.ask("GET", lease).raw
