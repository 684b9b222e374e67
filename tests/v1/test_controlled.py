"""What ``/v1`` tells while the controllers run: health that follows leases, and what comes by the other door."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster import wait_for
from tests.e2e.proxy import running_proxy
from tests.e2e.test_leader import controllers
from tests.servers import start_apiserver
from tests.v1.archives import app
from tests.v1.client import V1, Apis

Doors = tuple[V1, Apis]


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("controlled")
    with (
        start_apiserver(folder / "data") as url,
        controllers(url, folder / "controllers.log"),
        V1(url) as v1,
        Apis(url) as apis,
    ):
        yield v1, apis


def soon(what: str, condition: Any) -> None:
    wait_for(what, condition, 5)


def instances(v1: V1, service: str) -> list[str]:
    return sorted(one["instanceId"] for one in v1.get("/v1/discovery", service=service).json())


def test_an_endpoint_of_the_other_door_is_found(doors: Doors, fresh: str) -> None:
    v1, apis = doors
    spec = {"service": fresh, "assignment": f"{fresh}-i", "nodeName": "n", "ip": "10.0.0.9", "port": 80}
    apis.create("endpoints", "Endpoint", fresh, spec=spec | {"protocol": "http"})
    soon("the endpoint", lambda: instances(v1, fresh) == [f"{fresh}-i"])
    found = v1.get("/v1/resolve", service=fresh).json()
    assert (found["instanceId"], found["ip"], found["port"]) == (f"{fresh}-i", "10.0.0.9", 80)
    apis.merge("endpoints", fresh, {"spec": {"healthOverride": False}})
    soon("its refusal", lambda: instances(v1, fresh) == [])


def test_an_endpoint_follows_what_the_other_door_says_of_its_instance(doors: Doors, fresh: str) -> None:
    v1, apis = doors
    v1.heartbeat(fresh)
    url = v1.upload(app(fresh)).json()["url"]
    (instance,) = v1.create(fresh, {"artifactUrl": url, "replicas": {fresh: 1}})["instances"]
    endpoint = {"serviceName": fresh, "protocol": "http", "port": 80}
    body = {"instanceId": instance, "nodeId": fresh, "ip": "10.0.0.1", "endpoints": [endpoint]}
    v1.post("/v1/services/register", body).done()
    v1.report(instance, "Running", healthy=True)
    assert instances(v1, fresh) == [instance]
    for state, found in (("Stopped", []), ("Running", [instance])):
        apis.merge("tasks", fresh, {"spec": {"state": state}})
        soon(state, lambda found=found: instances(v1, fresh) == found)
    assert apis.ask("DELETE", apis.path("tasks", fresh)).status == 200
    soon("the end", lambda: instances(v1, fresh) == [])


def test_a_task_of_the_other_door_gets_its_instances(doors: Doors, fresh: str) -> None:
    v1, apis = doors
    entry = {"artifactUrl": v1.upload(app(fresh)).json()["url"], "nodeReplicas": {fresh: 2}}
    apis.create("tasks", "Task", fresh, spec={"entries": [entry]})
    soon("instances", lambda: len(v1.items(fresh)) == 2)
    assert {item["instanceId"] for item in v1.items(fresh)} == {
        one["instanceId"] for one in v1.task(fresh)["assignments"]
    }


def test_the_controllers_leave_what_a_reply_has_named(doors: Doors, fresh: str) -> None:
    v1, apis = doors
    entry = {"artifactUrl": v1.upload(app(fresh)).json()["url"], "replicas": {fresh: 3}}
    made = {f"{fresh}-{number}": v1.create(f"{fresh}-{number}", entry)["instances"] for number in range(10)}
    for task, replied in made.items():
        soon("a look", lambda task=task: apis.read("tasks", task)["status"]["replicas"] == 3)
        assert {one["instanceId"] for one in v1.task(task)["assignments"]} == set(replied)
    every = [instance for replied in made.values() for instance in replied]
    assert sorted(item["instanceId"] for item in v1.items(fresh)) == sorted(every)


def test_the_latest_command_wins(doors: Doors, fresh: str) -> None:
    v1, apis = doors
    url = v1.upload(app(fresh)).json()["url"]
    first, second = v1.create(fresh, {"artifactUrl": url, "replicas": {fresh: 2}})["instances"]

    def desired() -> tuple[str, str]:
        return v1.item(fresh, first)["desired"], v1.item(fresh, second)["desired"]

    v1.patch(f"/v1/assignments/{first}", {"desired": "Stopped"}).done()
    apis.merge("tasks", fresh, {"spec": {"state": "Stopped"}})
    soon("a stop", lambda: desired() == ("Stopped", "Stopped"))
    v1.patch(f"/v1/assignments/{second}", {"desired": "Running"}).done()
    v1.patch(f"/v1/tasks/{fresh}", {"labels": {"more": "x"}}).json()
    apis.merge("tasks", fresh, {"metadata": {"annotations": {"seen": "by the controller"}}})
    observed = {"observedGeneration": apis.read("tasks", fresh)["metadata"]["generation"]}
    soon("a look", lambda: apis.read("tasks", fresh)["status"].items() >= observed.items())
    assert desired() == ("Stopped", "Running")
    apis.merge("tasks", fresh, {"spec": {"state": "Running"}})
    soon("a start", lambda: desired() == ("Running", "Running"))


def test_a_deleted_instance_stays_gone_even_if_the_controllers_hear_of_the_lower_count_late(tmp_path: Path) -> None:
    with (
        start_apiserver(tmp_path / "data") as url,
        running_proxy(url, late=b"/tasks?") as slow,
        controllers(slow.url, tmp_path / "controllers.log"),
        V1(url) as v1,
        Apis(url) as apis,
    ):
        artifact = v1.upload(app("a")).json()["url"]
        first, second, third = v1.create("a", {"artifactUrl": artifact, "replicas": {"n": 3}})["instances"]
        soon("a look", lambda: apis.read("tasks", "a")["status"]["replicas"] == 3)
        v1.delete(f"/v1/assignments/{second}").done()
        generation = apis.read("tasks", "a")["metadata"]["generation"]
        soon("another", lambda: apis.read("tasks", "a")["status"]["observedGeneration"] == generation)
        assert sorted(item["instanceId"] for item in v1.items("n")) == sorted([first, third])


def test_health_follows_the_heartbeats(tmp_path: Path) -> None:
    with (
        start_apiserver(tmp_path / "data", "--heartbeat-ttl", "1") as url,
        controllers(url, tmp_path / "controllers.log"),
        V1(url) as v1,
    ):

        def health(*, beating: bool) -> str:
            if beating:
                assert v1.heartbeat("nodeA").raw == b'{"ttlSec":1}\n'
            return str(v1.get("/v1/nodes/nodeA").json()["health"])

        wait_for("health", lambda: health(beating=True) == "Healthy", 10)
        wait_for("its end", lambda: health(beating=False) == "Unhealthy", 10)
        wait_for("its return", lambda: health(beating=True) == "Healthy", 10)
