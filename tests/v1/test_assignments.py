"""Assignments: what a node is told, to the byte; commands, reports and deletions."""

import time
from typing import Any

import pytest

from tests.v1.client import V1, Apis, compact
from tests.v1.objects import add_assignment, add_namespace

AWKWARD = "exec ./run --a='<b>&c/d' 订单 | tee \"log\\file\"\n"


def names(v1: V1, node: str, **params: int) -> list[str]:
    return [item["instanceId"] for item in v1.items(node, **params)]


def add(v1: V1, name: str, node: str, artifact: str, count: int = 1, cmd: str = "") -> list[str]:
    """The instances of a new task on the node."""
    made = v1.create(name, {"artifactUrl": artifact, "startCmd": cmd, "replicas": {node: count}})
    instances: list[str] = made["instances"]
    return instances


def test_an_item_to_the_byte(v1: V1, fresh: str, node: str, artifact: str) -> None:
    (instance,) = add(v1, fresh, node, artifact, cmd=AWKWARD)
    reply = v1.get("/v1/assignments", nodeId=node)
    url = reply.json()["items"][0]["artifactUrl"]
    item = {
        "instanceId": instance,
        "taskId": fresh,
        "desired": "Running",
        "artifactUrl": url,
        "startCmd": AWKWARD,
        "phase": "",
        "healthy": False,
        "lastReportAt": 0,
    }
    assert reply.raw == compact({"items": [item]})
    for raw in ("<b>&c/d", "订单", r"\"log\\file\"\n"):
        assert raw.encode() in reply.raw
    assert reply.raw.count(b'"instanceId"') == 1
    assert v1.ask("GET", url).raw == v1.ask("GET", artifact).raw


def test_the_command_is_always_told(v1: V1, fresh: str, node: str, artifact: str) -> None:
    add(v1, fresh, node, artifact)
    v1.create(f"{fresh}-b", {"artifactUrl": artifact, "replicas": {node: 1}})
    assert v1.get("/v1/assignments", nodeId=node).raw.count(b'"startCmd":""') == 2


def test_the_agent_of_old_finds_what_it_searches_for(v1: V1, fresh: str, node: str, artifact: str) -> None:
    instances = add(v1, f"名 {fresh}", node, artifact, 3, "exec sleep 9")
    text = v1.get("/v1/assignments", nodeId=node).raw.decode()
    found, at = [], 0
    for _ in instances:
        values = []
        for key in ('"instanceId":"', '"desired":"', '"artifactUrl":"', '"startCmd":"'):
            begin = text.index(key, at) + len(key)
            at = text.index('"', begin)
            values.append(text[begin:at])
        found.append(values[0])
        assert values[1:] == ["Running", values[2], "exec sleep 9"]
    assert sorted(found) == sorted(instances)
    assert text.find('"instanceId":"', at) == -1


def test_an_idle_node_has_an_empty_list(v1: V1, node: str) -> None:
    assert v1.get("/v1/assignments", nodeId=node).raw == b'{"items":[]}\n'
    v1.heartbeat(node)
    assert v1.get("/v1/assignments", nodeId=node).raw == b'{"items":[]}\n'


@pytest.mark.parametrize("query", ["", "?nodeId=", "?limit=3", "?nodeid=a"])
def test_a_node_has_to_be_named(v1: V1, query: str) -> None:
    v1.ask("GET", f"/v1/assignments{query}").error(400, "nodeId required")


def test_the_oldest_comes_first_and_a_limit_cuts(v1: V1, fresh: str, node: str, artifact: str) -> None:
    made = [add(v1, f"{fresh}-{suffix}", node, artifact)[0] for suffix in ("c", "a", "d", "b")]
    v1.report(made[2], "Running", healthy=True)
    v1.patch(f"/v1/assignments/{made[0]}", {"desired": "Stopped"}).done()
    assert names(v1, node) == made
    for limit in (1, 3, 4, 1000, 10**6):
        assert names(v1, node, limit=limit) == made[:limit]


@pytest.mark.parametrize("limit", ["-1", "x", "1.5", "1e3", "9" * 30, "%20"])
def test_a_bad_limit_is_refused(v1: V1, node: str, limit: str) -> None:
    v1.ask("GET", f"/v1/assignments?nodeId={node}&limit={limit}").error(400)


def test_the_latest_command_is_told_to_all(v1: V1, apis: Apis, fresh: str, node: str, artifact: str) -> None:
    first, second = add(v1, fresh, node, artifact, 2)
    for desired in ("Stopped", "Running", "Stopped"):
        v1.patch(f"/v1/assignments/{first}", {"desired": desired}).done()
        assert v1.item(node, first)["desired"] == apis.read("assignments", first)["spec"]["desired"] == desired
        assert v1.item(node, second)["desired"] == "Running"
    apis.merge("assignments", second, {"spec": {"desired": "Stopped"}})
    assert v1.item(node, second)["desired"] == "Stopped"
    assert [one["desired"] for one in v1.task(fresh)["assignments"]] == ["Stopped", "Stopped"]


@pytest.mark.parametrize("desired", ["Paused", "running", "", None])
def test_another_command_is_refused(v1: V1, fresh: str, node: str, artifact: str, desired: str | None) -> None:
    (instance,) = add(v1, fresh, node, artifact)
    body = {} if desired is None else {"desired": desired}
    v1.patch(f"/v1/assignments/{instance}", body).error(400, "bad desired")
    assert v1.item(node, instance)["desired"] == "Running"


def test_nobody_can_be_commanded_who_is_not_there(v1: V1) -> None:
    v1.patch("/v1/assignments/nobody", {"desired": "Stopped"}).error(404)
    v1.patch("/v1/assignments/no.body", {"desired": "Stopped"}).error(404)


def test_a_deleted_instance_stays_gone(v1: V1, apis: Apis, fresh: str, node: str, artifact: str) -> None:
    first = {"artifactUrl": artifact, "replicas": {node: 3, f"{node}-b": 1}}
    made = v1.create(fresh, first, {"artifactUrl": artifact, "replicas": {node: 1}})["instances"]
    doomed = names(v1, node)[1]
    counts = counts_of(apis, fresh)
    entry = apis.read("assignments", doomed)["spec"]["entry"]
    v1.delete(f"/v1/assignments/{doomed}").done()
    assert {*names(v1, node), *names(v1, f"{node}-b")} == {*made} - {doomed}
    assert {one["instanceId"] for one in v1.task(fresh)["assignments"]} == {*made} - {doomed}
    counts[entry][node] -= 1
    assert counts_of(apis, fresh) == counts
    v1.patch(f"/v1/assignments/{doomed}", {"desired": "Running"}).error(404)


def test_the_last_instance_can_be_deleted(v1: V1, fresh: str, node: str, artifact: str) -> None:
    (instance,) = add(v1, fresh, node, artifact)
    v1.delete(f"/v1/assignments/{instance}").done()
    found = v1.task(fresh)
    assert found["assignments"] == []
    assert found["task"]["entries"][0]["replicas"].get(node, 0) == 0
    assert v1.get("/v1/assignments", nodeId=node).raw == b'{"items":[]}\n'


def counts_of(apis: Apis, task: str) -> dict[str, dict[str, int]]:
    return {entry["name"]: entry["nodeReplicas"] for entry in apis.read("tasks", task)["spec"]["entries"]}


def test_a_report_is_told(v1: V1, apis: Apis, fresh: str, node: str, artifact: str) -> None:
    first, second = add(v1, fresh, node, artifact, 2)
    now = int(time.time())
    v1.report(first, "Running", healthy=True, at=now)
    found = v1.item(node, first)
    assert (found["phase"], found["healthy"]) == ("Running", True)
    assert abs(found["lastReportAt"] - now) <= 2
    assert (v1.item(node, second)["phase"], v1.item(node, second)["lastReportAt"]) == ("", 0)
    status = apis.read("assignments", first)["status"]
    assert (status["phase"], ready(status)) == ("Running", "True")
    assert found | {"nodeId": node} in v1.task(fresh)["assignments"]


@pytest.mark.parametrize(
    ("phase", "code"), [("Stopped", 0), ("Exited", 0), ("Failed", 7), ("Failed", 137), ("Running", 0)]
)
def test_every_phase_of_the_agent_of_old(
    v1: V1, apis: Apis, fresh: str, node: str, artifact: str, phase: str, code: int
) -> None:
    (instance,) = add(v1, fresh, node, artifact)
    v1.report(instance, "Running", healthy=True, at=int(time.time()))
    v1.report(instance, phase, healthy=False, code=code, at=int(time.time()))
    found = v1.item(node, instance)
    assert (found["phase"], found["healthy"], found["desired"]) == (phase, False, "Running")
    status = apis.read("assignments", instance)["status"]
    assert (status["phase"], ready(status)) == (phase, "False")
    if phase in ("Exited", "Failed"):
        assert status["exitCode"] == code


def ready(status: dict[str, Any]) -> str:
    (found,) = [one["status"] for one in status["conditions"] if one["type"] == "Ready"]
    return str(found)


def test_a_report_of_an_original_node_says_where_and_forgets_what_another_agent_ran(
    v1: V1, apis: Apis, fresh: str, node: str
) -> None:
    v1.heartbeat(node, ip="10.0.0.7")
    add_assignment(apis, fresh, node)
    port = {"name": "web", "port": 30001}
    ran = {"phase": "Running", "ip": "10.0.0.9", "pid": 7, "restarts": 2, "ports": [port]}
    ran |= {"services": [{"name": "orders", "port": 30001, "protocol": "http"}]}
    apis.ask(
        "PATCH",
        f"{apis.path('assignments', fresh)}/status",
        json={"status": ran},
        headers={"content-type": "application/merge-patch+json"},
    )
    assert apis.read("assignments", fresh)["status"].keys() >= {"pid", "ports", "services"}
    v1.report(fresh, "Running", healthy=True)
    status = apis.read("assignments", fresh)["status"]
    assert (status["phase"], status["ip"], status["restarts"]) == ("Running", "10.0.0.7", 2)
    assert not status.keys() & {"pid", "ports", "services"}


def test_a_report_about_nobody_is_passed_over(v1: V1) -> None:
    v1.report("nobody", "Running", healthy=True)
    v1.report("no.body", "Stopped", healthy=False)


def test_a_report_of_the_other_door_is_told(v1: V1, apis: Apis, fresh: str, node: str) -> None:
    add_assignment(apis, fresh, node)
    assert (v1.item(node, fresh)["phase"], v1.item(node, fresh)["lastReportAt"]) == ("", 0)
    condition = {"type": "Ready", "status": "True", "reason": "x", "lastTransitionTime": "2026-01-02T03:04:05Z"}
    status = {"phase": "BackOff", "reportedAt": "2026-01-02T03:04:05.000000Z", "conditions": [condition]}
    changed = apis.ask(
        "PATCH",
        f"{apis.path('assignments', fresh)}/status",
        json={"status": status},
        headers={"content-type": "application/merge-patch+json"},
    )
    assert changed.status == 200
    found = v1.item(node, fresh)
    assert (found["phase"], found["healthy"], found["lastReportAt"]) == ("BackOff", True, 1767323045)


def test_a_node_is_told_of_all_namespaces_and_users_of_one(v1: V1, apis: Apis, fresh: str, node: str) -> None:
    add_namespace(apis, fresh)
    add_assignment(apis, "here", node, fresh)
    add_assignment(apis, f"{fresh}-here", node)
    assert names(v1, node) == [f"{fresh}.here", f"{fresh}-here"]
    v1.report(f"{fresh}.here", "Running", healthy=True, at=1)
    assert v1.item(node, f"{fresh}.here")["phase"] == "Running"
    assert v1.item(node, f"{fresh}-here")["phase"] == ""
    assert apis.read("assignments", "here", fresh)["status"]["phase"] == "Running"
    spec = {"entries": [{"artifactUrl": "/artifacts/sha256/" + "a" * 64}]}
    apis.create("tasks", "Task", f"{fresh}-task", fresh, spec=spec)
    v1.get(f"/v1/tasks/{fresh}-task").error(404)
    assert f"{fresh}-task".encode() not in v1.get("/v1/tasks").raw


def test_what_is_being_deleted_is_hidden(v1: V1, apis: Apis, fresh: str, node: str) -> None:
    add_assignment(apis, fresh, node)
    apis.merge("assignments", fresh, {"metadata": {"finalizers": ["plum.dev/stopped"]}})
    assert names(v1, node) == [fresh]
    apis.ask("DELETE", apis.path("assignments", fresh))
    assert apis.read("assignments", fresh)["metadata"]["deletionTimestamp"]
    assert names(v1, node) == []
