"""Services: who registers what, how long it counts, and who is found."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from apiserver.api.discovery import ENDPOINTS_CONTROLLER, MANAGED_BY
from tests.e2e.cluster import wait_for
from tests.servers import start_apiserver
from tests.v1.client import V1, Apis
from tests.v1.objects import add_assignment

KEYS = {
    "serviceName",
    "instanceId",
    "nodeId",
    "ip",
    "port",
    "protocol",
    "version",
    "labels",
    "healthy",
    "lastSeen",
}


def offer(service: str, port: int = 8080, protocol: str = "http", **more: Any) -> dict[str, Any]:
    return {"serviceName": service, "protocol": protocol, "port": port} | more


def register(v1: V1, instance: str, *endpoints: dict[str, Any], ip: str = "10.0.0.1", node: str = "nodeA") -> None:
    body = {"instanceId": instance, "nodeId": node, "ip": ip, "endpoints": endpoints}
    v1.post("/v1/services/register", body).done()


def say(v1: V1, instance: str, service: str, *, healthy: bool, port: int = 8080) -> None:
    """The app's own word on its health."""
    health = {"serviceName": service, "ip": "10.0.0.1", "port": port, "protocol": "http", "healthy": healthy}
    v1.post("/v1/services/heartbeat", {"instanceId": instance, "health": [health]}).done()


def discover(v1: V1, service: str, **params: str | int) -> list[dict[str, Any]]:
    found = v1.get("/v1/discovery", service=service, **params).json()
    assert isinstance(found, list)
    return found


def instances(v1: V1, service: str, **params: str | int) -> list[str]:
    return sorted(one["instanceId"] for one in discover(v1, service, **params))


def resolved(v1: V1, service: str, **params: str) -> str:
    return str(v1.get("/v1/resolve", service=service, **params).json()["instanceId"])


def test_what_was_derived_from_an_offer_of_earlier_becomes_its_registrants(
    v1: V1, apis: Apis, fresh: str, node: str
) -> None:
    v1.heartbeat(node)
    add_assignment(apis, fresh, node)
    v1.report(fresh, "Running", healthy=True)
    register(v1, fresh, offer(fresh), node=node)
    (name,) = [one["metadata"]["name"] for one in apis.all("endpoints", fieldSelector=f"spec.service={fresh}")]
    derived = {"metadata": {"labels": {MANAGED_BY: ENDPOINTS_CONTROLLER}}, "spec": {"leaseSeconds": None}}
    offers = [{"name": fresh, "port": 8080, "protocol": "http"}]
    for services, is_left in ((offers, False), ([], True)):
        apis.ask(
            "PATCH",
            f"{apis.path('assignments', fresh)}/status",
            json={"status": {"services": services}},
            headers={"content-type": "application/merge-patch+json"},
        )
        apis.merge("endpoints", name, derived)
        register(v1, fresh, offer(fresh), node=node)
        assert (MANAGED_BY not in apis.read("endpoints", name)["metadata"].get("labels", {})) == is_left
    found = apis.read("endpoints", name)
    assert found["spec"]["leaseSeconds"] > 0
    assert instances(v1, fresh) == [fresh]


def test_what_registers_is_found(v1: V1, apis: Apis, fresh: str) -> None:
    register(v1, f"{fresh}-i", offer(fresh, 9090, version="1.2", labels={"zone": "甲/<a>"}))
    (found,) = discover(v1, fresh)
    assert set(found) == KEYS
    assert abs(found.pop("lastSeen") - time.time()) < 5
    assert found == {
        "serviceName": fresh,
        "instanceId": f"{fresh}-i",
        "nodeId": "nodeA",
        "ip": "10.0.0.1",
        "port": 9090,
        "protocol": "http",
        "version": "1.2",
        "labels": {"zone": "甲/<a>"},
        "healthy": True,
    }
    assert v1.get("/v1/resolve", service=fresh).json() | {"lastSeen": 0} == found | {"lastSeen": 0}
    (spec,) = [one["spec"] for one in apis.all("endpoints", fieldSelector=f"spec.service={fresh}")]
    assert (spec["assignment"], spec["nodeName"], spec["ip"], spec["port"]) == (f"{fresh}-i", "nodeA", "10.0.0.1", 9090)


def test_what_is_not_said_is_empty(v1: V1, fresh: str) -> None:
    register(v1, f"{fresh}-i", offer(fresh))
    (found,) = discover(v1, fresh)
    assert (found["version"], found["labels"]) == ("", {})


@pytest.mark.parametrize("service", ["订单服务 {}", "Orders API/{}", "orders.v1.{}", "{}<&>\"'"])
def test_a_service_may_have_any_name(v1: V1, fresh: str, service: str) -> None:
    name = service.format(fresh)
    register(v1, f"{fresh}-i", offer(name))
    assert instances(v1, name) == [f"{fresh}-i"]
    assert resolved(v1, name) == f"{fresh}-i"
    assert name in v1.get("/v1/services/list").json()
    assert instances(v1, name.upper()) == []


def test_registering_again_replaces(v1: V1, apis: Apis, fresh: str) -> None:
    register(v1, f"{fresh}-i", offer(fresh, 1), offer(fresh, 2), offer(f"{fresh}-b", 3))
    register(v1, f"{fresh}-j", offer(fresh, 9))
    register(v1, f"{fresh}-i", offer(fresh, 2, version="2"), offer(f"{fresh}-c", 4))
    assert sorted((one["port"], one["version"]) for one in discover(v1, fresh)) == [(2, "2"), (9, "")]
    assert instances(v1, f"{fresh}-b") == []
    assert instances(v1, f"{fresh}-c") == [f"{fresh}-i"]
    assert len(apis.all("endpoints", fieldSelector=f"spec.assignment={fresh}-i")) == 2


def test_the_names_are_told_sorted_and_once(v1: V1, fresh: str) -> None:
    register(v1, f"{fresh}-i", *(offer(f"{fresh}-{suffix}", port) for port, suffix in enumerate("cab", 1)))
    register(v1, f"{fresh}-j", offer(f"{fresh}-a"))
    names = v1.get("/v1/services/list").json()
    assert names == sorted(set(names))
    assert [name for name in names if name.startswith(f"{fresh}-")] == [f"{fresh}-{suffix}" for suffix in "abc"]


def test_filters(v1: V1, fresh: str) -> None:
    register(v1, f"{fresh}-1", offer(fresh, 1, "http", version="1"))
    register(v1, f"{fresh}-2", offer(fresh, 2, "http", version="2"))
    register(v1, f"{fresh}-3", offer(fresh, 3, "grpc", version="2"))
    every = [f"{fresh}-{number}" for number in (1, 2, 3)]
    for params, found in (
        ({}, every),
        ({"version": "", "protocol": ""}, every),
        ({"version": "2"}, every[1:]),
        ({"protocol": "http"}, every[:2]),
        ({"version": "2", "protocol": "grpc"}, every[2:]),
        ({"version": "3"}, []),
    ):
        assert instances(v1, fresh, **params) == found
        if found:
            assert resolved(v1, fresh, **params) in found
        else:
            v1.get("/v1/resolve", service=fresh, **params).error(404, "no healthy endpoint")
    assert len(discover(v1, fresh, limit=2)) == 2
    assert len(discover(v1, fresh, limit=20)) == 3
    for limit in ("-1", "x"):
        v1.get("/v1/discovery", service=fresh, limit=limit).error(400)


def test_the_apps_own_word_on_its_health_counts_until_its_next(v1: V1, fresh: str) -> None:
    instance = f"{fresh}-i"
    register(v1, instance, offer(fresh), offer(fresh, 8081))
    say(v1, instance, fresh, healthy=False)
    assert [one["port"] for one in discover(v1, fresh)] == [8081]
    v1.post("/v1/services/heartbeat", {"instanceId": instance}).done()
    register(v1, instance, offer(fresh), offer(fresh, 8081))
    assert [one["port"] for one in discover(v1, fresh)] == [8081]
    say(v1, instance, fresh, healthy=False, port=8081)
    assert v1.get("/v1/discovery", service=fresh).raw == b"[]\n"
    v1.get("/v1/resolve", service=fresh).error(404, "no healthy endpoint")
    say(v1, instance, fresh, healthy=True)
    assert [one["port"] for one in discover(v1, fresh)] == [8080]


def test_the_endpoint_of_an_instance_follows_it(v1: V1, fresh: str, node: str, artifact: str) -> None:
    (instance,) = v1.create(fresh, {"artifactUrl": artifact, "replicas": {node: 1}})["instances"]
    register(v1, instance, offer(fresh), node=node)
    assert discover(v1, fresh) == []
    now = int(time.time())
    v1.report(instance, "Running", healthy=True, at=now)
    assert instances(v1, fresh) == [instance]
    v1.patch(f"/v1/assignments/{instance}", {"desired": "Stopped"}).done()
    assert discover(v1, fresh) == []
    v1.patch(f"/v1/assignments/{instance}", {"desired": "Running"}).done()
    assert instances(v1, fresh) == [instance]
    v1.report(instance, "Failed", healthy=False, code=1, at=now)
    assert discover(v1, fresh) == []
    v1.report(instance, "Running", healthy=False, at=now)
    assert discover(v1, fresh) == []
    say(v1, instance, fresh, healthy=True)
    assert instances(v1, fresh) == [instance]
    v1.delete(f"/v1/tasks/{fresh}").done()
    assert discover(v1, fresh) == []


def test_an_endpoint_does_not_come_alive_by_the_end_of_its_instance(v1: V1, apis: Apis, fresh: str, node: str) -> None:
    add_assignment(apis, fresh, node)
    v1.report(fresh, "Running", healthy=True)
    register(v1, fresh, offer(fresh), node=node)
    assert instances(v1, fresh) == [fresh]
    v1.delete(f"/v1/assignments/{fresh}").done()
    assert not apis.has("assignments", fresh)
    assert discover(v1, fresh) == []
    say(v1, fresh, fresh, healthy=True)
    assert discover(v1, fresh) == []


def test_what_leaves_is_not_found(v1: V1, apis: Apis, fresh: str) -> None:
    register(v1, f"{fresh}-i", offer(fresh))
    register(v1, f"{fresh}-j", offer(fresh))
    v1.delete("/v1/services", instanceId=f"{fresh}-i").done()
    assert instances(v1, fresh) == [f"{fresh}-j"]
    assert apis.all("endpoints", fieldSelector=f"spec.assignment={fresh}-i") == []
    v1.delete("/v1/services", instanceId=f"{fresh}-i").done()
    v1.delete("/v1/services", instanceId=f"{fresh}-j").done()
    assert fresh not in v1.get("/v1/services/list").json()


def test_a_beat_of_nobody_is_no_error(v1: V1, fresh: str) -> None:
    v1.post("/v1/services/heartbeat", {"instanceId": f"{fresh}-nobody"}).done()
    say(v1, f"{fresh}-nobody", fresh, healthy=True)
    assert discover(v1, fresh) == []


GOOD = {"instanceId": "i", "nodeId": "n", "ip": "10.0.0.1", "endpoints": [offer("refused")]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"instanceId": ""}, "missing fields"),
        ({"nodeId": ""}, "missing fields"),
        ({"ip": ""}, "missing fields"),
        ({"endpoints": [offer("")]}, ""),
        ({"endpoints": [offer("refused", 0)]}, ""),
        ({"endpoints": [offer("refused", 65536)]}, ""),
        ({"endpoints": [offer("refused") | {"port": "80"}]}, "bad request"),
        ({"endpoints": offer("refused")}, "bad request"),
        ({"instanceId": 3}, "bad request"),
    ],
)
def test_an_incomplete_registration_is_refused(v1: V1, change: dict[str, Any], words: str) -> None:
    v1.post("/v1/services/register", GOOD | change).error(400, words)
    assert "refused" not in v1.get("/v1/services/list").json()


@pytest.mark.parametrize("field", ["instanceId", "nodeId", "ip", "endpoints"])
def test_a_registration_names_all_its_fields(v1: V1, field: str) -> None:
    body = {key: value for key, value in GOOD.items() if key != field}
    v1.post("/v1/services/register", body).error(400, "missing fields")


def test_what_else_has_to_be_named(v1: V1) -> None:
    v1.post("/v1/services/heartbeat", {}).error(400, "missing instanceId")
    v1.post("/v1/services/heartbeat", {"instanceId": ""}).error(400, "missing instanceId")
    v1.delete("/v1/services").error(400, "instanceId required")
    v1.ask("DELETE", "/v1/services?instanceId=").error(400, "instanceId required")
    v1.get("/v1/discovery").error(400, "service required")
    v1.get("/v1/discovery", service="").error(400, "service required")
    v1.get("/v1/resolve").error(400)


def test_what_the_controller_derives_is_no_registration(v1: V1, apis: Apis, fresh: str) -> None:
    instance, derived = f"{fresh}-i", f"{fresh}-derived"
    spec = {"service": fresh, "assignment": instance, "ip": "10.0.0.1", "port": 8080, "protocol": "http"}
    labels = {"plum.dev/managed-by": "plum-endpoints-controller"}
    apis.create("endpoints", "Endpoint", derived, metadata={"labels": labels}, spec=spec)
    register(v1, instance, offer(fresh, 81))
    register(v1, instance, offer(fresh, 82))
    say(v1, instance, fresh, healthy=False)
    assert apis.read("endpoints", derived)["spec"]["healthOverride"] is False
    v1.delete("/v1/services", instanceId=instance).done()
    (left,) = apis.all("endpoints", fieldSelector=f"spec.service={fresh}")
    assert left["metadata"]["name"] == derived
    assert "healthOverride" not in left["spec"]
    assert (left["status"]["healthy"], left["status"]["reason"]) == (True, "Registered")


def test_an_unknown_service_has_no_endpoint(v1: V1, fresh: str) -> None:
    assert v1.get("/v1/discovery", service=fresh).raw == b"[]\n"
    for strategy in ("random", "round_robin", "hash"):
        v1.get("/v1/resolve", service=fresh, strategy=strategy, hashKey="k").error(404, "no healthy endpoint")


def test_an_unknown_strategy_is_refused(v1: V1, fresh: str) -> None:
    register(v1, f"{fresh}-i", offer(fresh))
    v1.get("/v1/resolve", service=fresh, strategy="nearest").error(400)
    v1.get("/v1/resolve", service=fresh, strategy="nearest", hashKey="k").error(400)


def test_random_finds_everyone_in_time(v1: V1, fresh: str) -> None:
    for number in range(3):
        register(v1, f"{fresh}-{number}", offer(fresh))
    # Each is missed by 90 calls once in 10^15 runs.
    assert len({resolved(v1, fresh, strategy="random") for _ in range(90)}) == 3
    assert resolved(v1, fresh).startswith(fresh)


def test_round_robin_serves_everyone_the_same(v1: V1, fresh: str) -> None:
    for number in range(4):
        register(v1, f"{fresh}-{number}", offer(fresh))
    turns = [resolved(v1, fresh, strategy="round_robin") for _ in range(12)]
    assert len(set(turns[:4])) == 4
    assert turns[4:8] == turns[8:] == turns[:4]
    say(v1, turns[0], fresh, healthy=False)
    assert set(Counter(resolved(v1, fresh, strategy="round_robin") for _ in range(9)).values()) == {3}


def test_a_hash_key_keeps_its_endpoint(v1: V1, fresh: str) -> None:
    for number in range(10):
        register(v1, f"{fresh}-{number}", offer(fresh))
    keys = [f"用户 {number}" for number in range(80)]
    before = {key: resolved(v1, fresh, strategy="hash", hashKey=key) for key in keys}
    assert len(set(before.values())) >= 6
    assert {key: resolved(v1, fresh, strategy="hash", hashKey=key) for key in keys[:20]}.items() <= before.items()
    gone = before[keys[0]]
    v1.delete("/v1/services", instanceId=gone).done()
    after = {key: resolved(v1, fresh, strategy="hash", hashKey=key) for key in keys}
    moved = [key for key in keys if before[key] != gone and after[key] != before[key]]
    assert len(moved) <= 8
    register(v1, gone, offer(fresh))
    assert resolved(v1, fresh, strategy="hash", hashKey=keys[0]) == gone


def test_an_endpoint_counts_as_long_as_it_is_heard_of(tmp_path: Path) -> None:
    with start_apiserver(tmp_path / "data", "--heartbeat-ttl", "1") as url, V1(url) as v1:
        register(v1, "beating", offer("orders"))
        register(v1, "silent", offer("orders"))
        assert instances(v1, "orders") == ["beating", "silent"]

        def alone() -> bool:
            v1.post("/v1/services/heartbeat", {"instanceId": "beating"}).done()
            return instances(v1, "orders") == ["beating"]

        wait_for("the end of silence", alone, 5)
        assert resolved(v1, "orders") == "beating"
        register(v1, "silent", offer("orders"))
        assert instances(v1, "orders") == ["beating", "silent"]
