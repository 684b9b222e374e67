"""The original's agent under our server and controllers: real processes, from whichever door they are asked for."""

from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tests.v1.archives import app
from tests.v1.field import NODE, Field, alive, original_agent, soon
from tests.v1.objects import add_task

TREE = "#!/bin/sh\nsleep 1001 & sleep 1002 & wait\n"
WHOLE = 4
"""Processes of one instance of it: the agent's shell, the script and its two children."""

pytestmark = pytest.mark.xdist_group("original agent")


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    found = Field(tmp_path_factory.mktemp("field"))
    try:
        found.begin()
        yield found
    finally:
        found.end()


@pytest.fixture(scope="module")
def tree(field: Field) -> str:
    return field.upload(app("tree", start=TREE))


def start(field: Field, name: str, url: str, count: int = 1, cmd: str = "") -> list[str]:
    made = field.v1.create(name, {"artifactUrl": url, "startCmd": cmd, "replicas": {NODE: count}})
    instances: list[str] = made["instances"]
    return instances


def delete(field: Field, task: str, instances: list[str]) -> None:
    field.v1.delete(f"/v1/tasks/{task}").done()
    field.dead(instances)


def test_the_node_is_healthy_and_shown_at_both_doors(field: Field) -> None:
    soon("health", lambda: field.v1.get(f"/v1/nodes/{NODE}").json()["health"] == "Healthy")
    status = field.apis.read("nodes", NODE)["status"]
    assert (status["ip"], status["agent"]["name"]) == ("127.0.0.1", "v1")
    assert "Ready" in field.plumctl("get", "nodes")


def test_a_task_starts_stops_and_starts_again(field: Field, fresh: str, tree: str) -> None:
    instances = start(field, fresh, tree, 2)
    before = field.running(instances, each=WHOLE)
    first, second = instances
    field.v1.patch(f"/v1/assignments/{first}", {"desired": "Stopped"}).done()
    soon("a stop", lambda: field.told(first)["phase"] == "Stopped")
    assert field.processes(first) == []
    assert alive(before[first]) == []
    assert not field.told(first)["healthy"]
    assert field.running([second], each=WHOLE)[second] == before[second]
    field.v1.patch(f"/v1/assignments/{first}", {"desired": "Running"}).done()
    assert not set(field.running(instances, each=WHOLE)[first]) & set(before[first])
    delete(field, fresh, instances)


def test_the_stream_wakes_it(field: Field, fresh: str, tree: str) -> None:
    with original_agent(field.url, fresh, field.agents / fresh, poll="600"):
        soon("the node", lambda: field.v1.get(f"/v1/nodes/{fresh}").status == 200)
        (instance,) = field.v1.create(fresh, {"artifactUrl": tree, "replicas": {fresh: 1}})["instances"]
        soon("a start", lambda: field.v1.item(fresh, instance)["phase"] == "Running")
        field.v1.patch(f"/v1/assignments/{instance}", {"desired": "Stopped"}).done()
        soon("a stop", lambda: field.v1.item(fresh, instance)["phase"] == "Stopped")
        field.v1.delete(f"/v1/tasks/{fresh}").done()


def test_plumctl_shows_its_instances_and_stops_them(field: Field, fresh: str, tree: str) -> None:
    (instance,) = start(field, fresh, tree)
    field.running([instance], each=WHOLE)
    (row,) = [line for line in field.plumctl("get", "assignments").splitlines() if line.startswith(instance)]
    assert row.split()[1:5] == [NODE, "Running", "Running", "True"]
    field.plumctl("stop", f"task/{fresh}")
    soon("a stop", lambda: field.told(instance)["phase"] == "Stopped")
    field.dead([instance])
    field.plumctl("start", f"task/{fresh}")
    field.running([instance], each=WHOLE)
    delete(field, fresh, [instance])


def test_what_crashes_is_started_again_and_told_truthfully(field: Field, fresh: str, tree: str) -> None:
    (instance,) = start(field, fresh, tree, cmd="exec sleep 1003")
    ((before,),) = field.running([instance]).values()
    psutil.Process(before).kill()
    soon("another process", lambda: [one.pid for one in field.processes(instance)] not in ([], [before]))
    field.running([instance])
    assert field.apis.read("assignments", instance)["status"]["exitCode"] in (137, None)
    delete(field, fresh, [instance])


def test_an_app_that_fails_at_once_is_not_shown_as_healthy_for_long(field: Field, fresh: str, tree: str) -> None:
    (instance,) = start(field, fresh, tree, cmd="exit 7")

    def status() -> dict[str, Any]:
        found: dict[str, Any] = field.apis.read("assignments", instance)["status"]
        return found

    soon("a failure", lambda: status().get("exitCode") == 7)
    soon("it to be told", lambda: not field.told(instance)["healthy"])
    delete(field, fresh, [instance])


def test_a_deleted_task_leaves_nothing(field: Field, fresh: str) -> None:
    uploaded = field.v1.upload(app(fresh, start=TREE)).json()
    instances = start(field, fresh, uploaded["url"], 2)
    pids = [pid for pids in field.running(instances, each=WHOLE).values() for pid in pids]
    field.v1.delete(f"/v1/tasks/{fresh}").done()
    assert field.instances(fresh) == []
    field.dead(instances)
    assert alive(pids) == []
    field.gone(instances)
    assert not field.apis.has("tasks", fresh)
    field.v1.delete(f"/v1/apps/{uploaded['artifactId']}").done()


def test_deleted_instances_stay_gone_and_the_others_go_on(field: Field, fresh: str, tree: str) -> None:
    rest = start(field, fresh, tree, 25, "exec sleep 1004")
    before = field.running(rest)
    while len(rest) > 1:
        doomed, rest = rest[:8], rest[8:]
        for instance in doomed:
            field.v1.delete(f"/v1/assignments/{instance}").done()
        field.dead(doomed)
        field.gone(doomed)
        field.observed(fresh, len(rest))
        assert sorted(field.instances(fresh)) == sorted(rest)
    assert field.running(rest) == {one: before[one] for one in rest}
    delete(field, fresh, rest)


def test_a_crash_of_the_server_touches_no_process(field: Field, fresh: str, tree: str) -> None:
    instances = start(field, fresh, tree, 2)
    before = field.running(instances, each=WHOLE)
    field.kill_server()
    field.serve_again()
    seen = field.v1.get(f"/v1/nodes/{NODE}").json()["lastSeen"]
    soon("a heartbeat", lambda: field.v1.get(f"/v1/nodes/{NODE}").json()["lastSeen"] > seen)
    assert field.running(instances, each=WHOLE) == before
    field.v1.patch(f"/v1/assignments/{instances[0]}", {"desired": "Stopped"}).done()
    field.dead(instances[:1])
    assert field.running(instances[1:], each=WHOLE) == {instances[1]: before[instances[1]]}
    delete(field, fresh, instances)


def test_a_task_of_the_other_door_runs_here_as_well(field: Field, fresh: str, tree: str) -> None:
    assert tree
    add_task(field.apis, fresh, {"app": {"name": "tree", "version": "1.0.0"}, "nodeReplicas": {NODE: 2}})
    instances = field.created(fresh, 2)
    field.running(instances, each=WHOLE)
    task = field.apis.path("tasks", fresh)
    soon("its status", lambda: field.apis.read("tasks", fresh)["status"]["readyReplicas"] == 2)
    field.apis.merge("tasks", fresh, {"spec": {"state": "Stopped"}})
    field.dead(instances)
    soon("stops", lambda: {field.told(one)["phase"] for one in instances} == {"Stopped"})
    field.apis.merge("tasks", fresh, {"spec": {"state": "Running"}})
    field.running(instances, each=WHOLE)
    assert field.apis.ask("DELETE", task).status == 200
    field.dead(instances)
    field.gone(instances)


def test_a_rollout_reaches_it(field: Field, fresh: str, tree: str) -> None:
    before = start(field, fresh, tree, 2, "exec sleep 1005")
    field.running(before)
    entries = field.apis.read("tasks", fresh)["spec"]["entries"]
    entries[0]["startCmd"] = "exec sleep 1006"
    field.apis.merge("tasks", fresh, {"spec": {"entries": entries}})

    def rolled() -> list[str] | None:
        found = field.instances(fresh)
        return found if len(found) == 2 and not set(found) & set(before) else None

    after = soon("new instances", rolled)
    field.running(after)
    assert {field.told(one)["startCmd"] for one in after} == {"exec sleep 1006"}
    for instance in after:
        assert [one.cmdline() for one in field.processes(instance)] == [["sleep", "1006"]]
    field.dead(before)
    field.gone(before)
    delete(field, fresh, after)


def test_an_object_stays_as_long_as_a_process_of_it_lives(field: Field, fresh: str, tree: str) -> None:
    (instance,) = start(field, fresh, tree, cmd="trap : TERM; (trap : TERM; sleep 1007; sleep 1008) & wait; wait")
    (pids,) = field.running([instance], each=3).values()
    field.v1.delete(f"/v1/tasks/{fresh}").done()

    def gone() -> bool:
        left = alive(pids)
        there = field.apis.has("assignments", instance)
        assert there or not left, f"processes {left} have outlived their object"
        return not there

    soon("its end", gone)  # five seconds later, by KILL
    assert alive(pids) == []


def test_its_services_are_found_while_it_runs(field: Field, fresh: str) -> None:
    url = field.upload(app(fresh, more=f"service={fresh}-a:http:18080\nservice={fresh}-b:grpc:18081\n"))
    instances = start(field, fresh, url, 2, "exec sleep 1009")
    field.running(instances)

    def found(service: str) -> set[str]:
        return {one["instanceId"] for one in field.v1.get("/v1/discovery", service=service).json()}

    soon("two endpoints", lambda: found(f"{fresh}-a") == found(f"{fresh}-b") == set(instances))
    (one, *_) = field.v1.get("/v1/discovery", service=f"{fresh}-b").json()
    assert (one["nodeId"], one["ip"], one["port"], one["protocol"]) == (NODE, "127.0.0.1", 18081, "grpc")
    field.v1.patch(f"/v1/assignments/{instances[0]}", {"desired": "Stopped"}).done()
    assert found(f"{fresh}-a") == set(instances[1:])
    delete(field, fresh, instances)
    soon("no endpoint", lambda: found(f"{fresh}-a") == found(f"{fresh}-b") == set())
