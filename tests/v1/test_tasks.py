"""Tasks: how they are made, told, relabelled and deleted."""

import re
from typing import Any

import pytest

from tests.v1.client import V1, Apis, compact
from tests.v1.objects import add_task

SHELL_SAFE = re.compile(r"[A-Za-z0-9._-]+")
SHOWN = {"instanceId", "taskId", "nodeId", "desired", "artifactUrl", "startCmd", "phase", "healthy", "lastReportAt"}


def ids(v1: V1) -> list[str]:
    return [found["taskId"] for found in v1.get("/v1/tasks").json()]


def listed(v1: V1, task: str) -> dict[str, Any]:
    (found,) = [one for one in v1.get("/v1/tasks").json() if one["taskId"] == task]
    assert isinstance(found, dict)
    return found


def test_the_reply_names_the_instances_and_the_task(v1: V1, fresh: str, node: str, artifact: str) -> None:
    reply = v1.post("/v1/tasks", {"name": fresh, "entries": [{"artifactUrl": artifact, "replicas": {node: 2}}]})
    made = reply.json()
    assert made["taskId"] == fresh
    assert reply.raw == compact({"instances": made["instances"], "taskId": fresh})
    assert len(set(made["instances"])) == 2
    assert all(SHELL_SAFE.fullmatch(instance) for instance in made["instances"])


def test_the_instances_exist_when_the_reply_is_there(v1: V1, apis: Apis, fresh: str, artifact: str) -> None:
    nodes = [f"{fresh}-a", f"{fresh}-b"]
    made = v1.create(fresh, {"artifactUrl": artifact, "replicas": {nodes[0]: 1, nodes[1]: 2}})
    found = [len(v1.items(node)) for node in nodes]
    assert found == [1, 2]
    assert {item["instanceId"] for node in nodes for item in v1.items(node)} == set(made["instances"])
    for name in made["instances"]:
        spec = apis.read("assignments", name)["spec"]
        assert (spec["taskName"], spec["desired"], spec["home"]) == (fresh, "Running", spec["nodeName"])


def test_the_single_form_of_old(v1: V1, apis: Apis, fresh: str, node: str, artifact: str) -> None:
    body = {"name": fresh, "artifactUrl": artifact, "startCmd": "exec sleep 5", "replicas": {node: 1}}
    made = v1.post("/v1/tasks", body | {"labels": {"team": "a"}}).json()
    assert v1.item(node, made["instances"][0])["startCmd"] == "exec sleep 5"
    found = v1.task(made["taskId"])["task"]
    assert found["labels"] == {"team": "a"}
    (entry,) = found["entries"]
    assert (entry["startCmd"], entry["replicas"]) == ("exec sleep 5", {node: 1})
    (entry,) = apis.read("tasks", fresh)["spec"]["entries"]
    assert (entry["name"], entry["nodeReplicas"]) == ("main", {node: 1})


def test_entries_have_names_and_the_details_tell_all(v1: V1, apis: Apis, fresh: str, node: str, artifact: str) -> None:
    entries = [{"artifactUrl": artifact, "startCmd": cmd, "replicas": {node: 1}} for cmd in ("", "a", "b")]
    made = v1.create(fresh, *entries, labels={"team": "a"})
    assert [entry["name"] for entry in apis.read("tasks", fresh)["spec"]["entries"]] == ["main", "main-2", "main-3"]
    found = v1.task(fresh)
    assert set(found) == {"task", "assignments"}
    assert set(found["task"]) == {"taskId", "name", "labels", "entries"}
    assert (found["task"]["taskId"], found["task"]["name"], found["task"]["labels"]) == (fresh, fresh, {"team": "a"})
    assert [entry | want for entry, want in zip(found["task"]["entries"], entries, strict=True)] == found["task"][
        "entries"
    ]
    assert {one["instanceId"] for one in found["assignments"]} == set(made["instances"])
    for one in found["assignments"]:
        assert set(one) == SHOWN
        assert (one["taskId"], one["nodeId"], one["desired"], one["phase"]) == (fresh, node, "Running", "")
        assert (one["healthy"], one["lastReportAt"]) == (False, 0)


def test_nodes_may_be_named_before_they_report(v1: V1, fresh: str, node: str, artifact: str) -> None:
    v1.get(f"/v1/nodes/{node}").error(404)
    v1.create(fresh, {"artifactUrl": artifact, "replicas": {node: 1}})
    assert len(v1.items(node)) == 1


def test_a_count_may_be_nought(v1: V1, fresh: str, node: str, artifact: str) -> None:
    reply = v1.post("/v1/tasks", {"name": fresh, "entries": [{"artifactUrl": artifact, "replicas": {node: 0}}]})
    assert reply.json()["instances"] == []
    assert v1.task(fresh)["assignments"] == []
    assert listed(v1, fresh) == {"taskId": fresh, "name": fresh, "labels": {}, "instances": 0}


@pytest.mark.parametrize(
    "name", ["演示任务", "演示 任务 {}", "Demo Task", "demo_task", "Ünïcode/'\"<>&", "n" * 60, "-"]
)
def test_any_name_will_do(v1: V1, apis: Apis, fresh: str, node: str, artifact: str, name: str) -> None:
    given = f"{name}{fresh}"
    made = v1.create(given, {"artifactUrl": artifact, "replicas": {node: 1}})
    task = made["taskId"]
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", task)
    assert SHELL_SAFE.fullmatch(made["instances"][0])
    assert v1.task(task)["task"]["name"] == listed(v1, task)["name"] == given
    assert given in v1.get("/v1/tasks").raw.decode().replace('\\"', '"')
    assert given in apis.read("tasks", task)["metadata"]["annotations"].values()
    again = {"name": given, "entries": [{"artifactUrl": artifact, "replicas": {node: 1}}]}
    v1.post("/v1/tasks", again).error(409)
    assert len(v1.items(node)) == 1


def test_names_that_look_alike_are_different_tasks(v1: V1, fresh: str, node: str, artifact: str) -> None:
    names = [f"{fresh} 甲", f"{fresh} 乙", f"{fresh}-", f"{fresh.upper()}", fresh]
    made = {v1.create(name, {"artifactUrl": artifact, "replicas": {node: 1}})["taskId"] for name in names}
    assert len(made) == len(names)


def test_a_name_is_taken_whatever_door_it_came_through(v1: V1, apis: Apis, fresh: str, artifact: str) -> None:
    add_task(apis, fresh, {"artifactUrl": artifact})
    v1.post("/v1/tasks", {"name": fresh, "entries": [{"artifactUrl": artifact, "replicas": {"n": 1}}]}).error(409)
    assert v1.items("n") == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, ""),
        ({"name": "x"}, "missing fields"),
        ({"name": "x", "entries": []}, "missing fields"),
        ({"name": "x", "artifactUrl": "/a.zip"}, "missing fields"),
        ({"name": "x", "replicas": {"n": 1}}, "missing fields"),
        ({"entries": [{"artifactUrl": "/a.zip", "replicas": {"n": 1}}]}, "name required"),
        ({"name": "", "entries": [{"artifactUrl": "/a.zip", "replicas": {"n": 1}}]}, "name required"),
        ({"name": 7, "entries": [{"artifactUrl": "/a.zip", "replicas": {"n": 1}}]}, "bad request"),
        ({"name": "x", "entries": {"artifactUrl": "/a.zip"}}, "bad request"),
        ({"name": "x", "entries": ["/a.zip"]}, "bad request"),
        ({"name": "x", "entries": [{"artifactUrl": 7, "replicas": {"n": 1}}]}, "bad request"),
        ({"name": "x", "entries": [{"artifactUrl": "/a.zip", "replicas": 1}]}, "bad request"),
        ({"name": "x", "entries": [{"artifactUrl": "/a.zip", "replicas": {"n": "1"}}]}, "bad request"),
        ({"name": "x", "entries": [{"artifactUrl": "/a.zip", "replicas": {"n": 1.5}}]}, "bad request"),
        ({"name": "x", "labels": ["a"], "entries": [{"artifactUrl": "/a.zip", "replicas": {"n": 1}}]}, "bad request"),
    ],
)
def test_an_incomplete_task_is_refused_in_the_words_of_old(v1: V1, body: object, words: str) -> None:
    v1.post("/v1/tasks", body).error(400, words)


@pytest.mark.parametrize("count", [-1, 10_001, 2**31, 2**63, 10**30])
def test_a_count_out_of_bounds_is_refused(v1: V1, fresh: str, artifact: str, count: int) -> None:
    entry = {"artifactUrl": artifact, "replicas": {"n": count}}
    v1.post("/v1/tasks", {"name": fresh, "entries": [entry]}).error(400)
    v1.get(f"/v1/tasks/{fresh}").error(404)


@pytest.mark.parametrize("more", [{"labels": {"a": "no label!"}}, {"labels": {"a b": "c"}}, {"labels": {"a": 1}}])
def test_labels_are_those_of_kubernetes(v1: V1, fresh: str, artifact: str, more: dict[str, Any]) -> None:
    body = {"name": fresh, "entries": [{"artifactUrl": artifact, "replicas": {"n": 1}}]}
    v1.post("/v1/tasks", body | more).error(400)


@pytest.mark.parametrize("url", ["http://h:abc/x.zip", "http://h:65536/x.zip", "http://h/\x01", "/a\nb", "ftp://h/x"])
def test_an_address_that_no_node_could_fetch_from_is_refused(v1: V1, fresh: str, url: str) -> None:
    body = {"name": fresh, "entries": [{"artifactUrl": url, "replicas": {"n": 1}}]}
    assert "artifactUrl" in v1.post("/v1/tasks", body).error(400)


def test_a_node_name_that_no_node_can_have_is_refused(v1: V1, fresh: str, artifact: str) -> None:
    body = {"name": fresh, "entries": [{"artifactUrl": artifact, "replicas": {"a/b": 1}}]}
    v1.post("/v1/tasks", body).error(400)


def test_tasks_are_told_newest_first(v1: V1, apis: Apis, fresh: str, node: str, artifact: str) -> None:
    entry = {"artifactUrl": artifact, "replicas": {node: 1}}
    made = [v1.create(f"{fresh}-{suffix}", entry)["taskId"] for suffix in "bca"]  # all within one second
    add_task(apis, f"{fresh}-0", {"artifactUrl": artifact})
    v1.patch(f"/v1/tasks/{made[0]}", {"labels": {"changed": "later"}}).json()
    assert ids(v1)[:4] == [f"{fresh}-0", *made[::-1]]


def test_the_list_counts_those_wanted_running(v1: V1, fresh: str, node: str, artifact: str) -> None:
    made = v1.create(fresh, {"artifactUrl": artifact, "replicas": {node: 3}}, labels={"a": "b"})
    assert listed(v1, fresh) == {"taskId": fresh, "name": fresh, "labels": {"a": "b"}, "instances": 3}
    v1.patch(f"/v1/assignments/{made['instances'][0]}", {"desired": "Stopped"}).done()
    assert listed(v1, fresh)["instances"] == 2


def test_a_task_of_the_other_door_is_shown(v1: V1, apis: Apis, fresh: str, node: str, artifact: str) -> None:
    entry = {"artifactUrl": artifact, "startCmd": "x", "nodeReplicas": {node: 2}}
    add_task(apis, fresh, entry, labels={"team": "b"})
    found = v1.task(fresh)["task"]
    assert (found["taskId"], found["name"], found["labels"]) == (fresh, fresh, {"team": "b"})
    assert (found["entries"][0]["startCmd"], found["entries"][0]["replicas"]) == ("x", {node: 2})
    assert found["entries"][0]["artifactUrl"] == artifact
    assert listed(v1, fresh)["labels"] == {"team": "b"}


def test_a_task_of_an_app_shows_where_the_app_is(v1: V1, apis: Apis, fresh: str, artifact: str) -> None:
    add_task(apis, fresh, {"app": {"name": "sleeper", "version": "1.0.0"}, "replicas": 3})
    (entry,) = v1.task(fresh)["task"]["entries"]
    assert isinstance(entry["replicas"], dict)
    assert v1.ask("GET", entry["artifactUrl"]).raw == v1.ask("GET", artifact).raw


def test_new_labels_keep_everything_else(v1: V1, apis: Apis, fresh: str, node: str, artifact: str) -> None:
    entry = {
        "name": "web",
        "artifactUrl": artifact,
        "nodeReplicas": {node: 1},
        "env": [{"name": "COLOUR", "value": "red"}],
        "ports": [{"name": "http"}],
        "services": [{"name": "orders", "port": "http", "protocol": "http"}],
        "labels": {"tier": "front"},
        "restartPolicy": "OnFailure",
        "terminationGracePeriodSeconds": 7,
        "stopSignal": "INT",
    }
    other = {"name": "batch", "app": {"name": "sleeper", "version": "1.0.0"}, "replicas": 2}
    add_task(apis, fresh, entry, other, labels={"team": "a"}, state="Stopped", strategy={"maxSurge": 2})
    apis.merge("tasks", fresh, {"metadata": {"annotations": {"note": "mine"}}})
    before = apis.read("tasks", fresh)
    reply = v1.patch(f"/v1/tasks/{fresh}", {"labels": {"team": "b", "more": "x"}})
    assert reply.json() == {"taskId": fresh}
    after = apis.read("tasks", fresh)
    assert after["spec"] == before["spec"]
    assert after["metadata"]["annotations"] == before["metadata"]["annotations"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert v1.task(fresh)["task"]["labels"] == after["metadata"]["labels"] == {"team": "b", "more": "x"}


def test_new_labels_orphan_no_instance(v1: V1, fresh: str, node: str, artifact: str) -> None:
    made = v1.create(f"Labelled {fresh}", {"artifactUrl": artifact, "replicas": {node: 2}}, labels={"a": "1"})
    v1.report(made["instances"][0], "Running", healthy=True, at=1_700_000_000)
    before = v1.task(made["taskId"])
    assert v1.patch(f"/v1/tasks/{made['taskId']}", {"labels": {"a": "2"}}).json() == {"taskId": made["taskId"]}
    after = v1.task(made["taskId"])
    assert after["assignments"] == before["assignments"]
    assert after["task"] == before["task"] | {"labels": {"a": "2"}}


def test_a_change_of_nothing_says_nothing(v1: V1, fresh: str, artifact: str) -> None:
    name = f"Same {fresh}"
    task = v1.create(name, {"artifactUrl": artifact, "replicas": {"m": 1}}, labels={"a": "b"})["taskId"]
    v1.patch(f"/v1/tasks/{task}", {}).done()
    v1.patch(f"/v1/tasks/{task}", {"name": name}).done()
    assert v1.patch(f"/v1/tasks/{task}", {"name": name, "labels": {"a": "c"}}).json() == {"taskId": task}
    assert v1.task(task)["task"]["labels"] == {"a": "c"}


def test_a_name_never_changes(v1: V1, fresh: str, artifact: str) -> None:
    task = v1.create(fresh, {"artifactUrl": artifact, "replicas": {"m": 1}}, labels={"a": "b"})["taskId"]
    v1.patch(f"/v1/tasks/{task}", {"name": "other"}).error(400, "task name is immutable")
    v1.patch(f"/v1/tasks/{task}", {"name": "other", "labels": {}}).error(400, "task name is immutable")
    assert v1.task(task)["task"]["labels"] == {"a": "b"}


def test_an_unknown_task_is_not_found_and_can_be_deleted(v1: V1) -> None:
    v1.get("/v1/tasks/nothing").error(404)
    v1.get("/v1/tasks/没有").error(404)
    v1.patch("/v1/tasks/nothing", {"labels": {}}).error(404)
    v1.delete("/v1/tasks/nothing").done()


def test_a_deletion_takes_the_instances_along(v1: V1, apis: Apis, fresh: str, node: str, artifact: str) -> None:
    entry = {"artifactUrl": artifact, "replicas": {node: 2}}
    made = v1.create(fresh, entry)
    kept = v1.create(f"{fresh}-kept", entry)
    v1.delete(f"/v1/tasks/{made['taskId']}").done()
    assert {item["instanceId"] for item in v1.items(node)} == set(kept["instances"])
    v1.get(f"/v1/tasks/{fresh}").error(404)
    assert fresh not in ids(v1)
    v1.patch(f"/v1/assignments/{made['instances'][0]}", {"desired": "Stopped"}).error(404)
    for name in made["instances"]:
        found = apis.ask("GET", apis.path("assignments", name))
        assert found.status == 404 or b'"deletionTimestamp"' in found.raw
    v1.delete(f"/v1/tasks/{fresh}").done()
