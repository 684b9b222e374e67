"""Deletion over HTTP: what the options say, collections, and namespaces of a server whose controllers are away."""

from typing import Any

import httpx
import pytest

from tests.integration.test_resources import JSON_PATCH, MERGE, TASKS, create, expect, task

NAMESPACES = "/api/v1/namespaces"


def delete(http: httpx.Client, url: str, body: Any = None, **query: str) -> httpx.Response:
    return http.request("DELETE", url, json=body, params=query)


@pytest.mark.parametrize(
    ("body", "query", "finalizers"),
    [
        ({"propagationPolicy": "Orphan"}, {}, ["orphan"]),
        ({"propagationPolicy": "Foreground"}, {}, ["foregroundDeletion"]),
        (None, {"propagationPolicy": "Foreground"}, ["foregroundDeletion"]),
        ({"orphanDependents": True}, {}, ["orphan"]),
        (None, {"orphanDependents": "true"}, ["orphan"]),
        ({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Orphan"}, {}, ["orphan"]),
    ],
)
def test_ways_to_ask_for_a_propagation(http: httpx.Client, body: Any, query: dict[str, str], finalizers: Any) -> None:
    create(http, "held")
    url = f"{TASKS}/held"
    marked = delete(http, url, body, **query).json()
    assert marked["kind"] == "Task"
    assert marked["metadata"]["finalizers"] == finalizers
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 0
    again = delete(http, url, body, **query).json()
    assert again["metadata"] == marked["metadata"], "a second deletion changes nothing"
    http.patch(url, json=[{"op": "remove", "path": "/metadata/finalizers"}], headers=JSON_PATCH).raise_for_status()
    expect(http.get(url), 404, "NotFound")


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"propagationPolicy": "Sometimes"}, 422, 'propagationPolicy: Unsupported value: "Sometimes"'),
        ({"propagationPolicy": "Orphan", "orphanDependents": True}, 422, "cannot be both set"),
        ({"gracePeriodSeconds": -1}, 422, "gracePeriodSeconds"),
        ({"gracePeriodSeconds": "soon"}, 422, "gracePeriodSeconds"),
        ({"dryRun": ["Some"]}, 422, "dryRun"),
        ({"dryRun": "All"}, 400, "dryRun"),
        ({"preconditions": []}, None, ""),
        ({"preconditions": "x"}, 400, "preconditions"),
        ({"preconditions": {"resourceVersion": "1"}}, 409, "Precondition failed: ResourceVersion"),
        ({"kind": "Task"}, 400, "DeleteOptions"),
        ([], 400, "object"),
    ],
)
def test_options_that_cannot_be_meant(http: httpx.Client, body: Any, code: int | None, words: str) -> None:
    http.post(TASKS, json=task("kept"))
    answer = delete(http, f"{TASKS}/kept", body)
    if code is None:
        assert answer.status_code == 200
        return
    assert (answer.status_code, answer.json()["kind"]) == (code, "Status")
    assert words in answer.json()["message"]
    assert http.get(f"{TASKS}/kept").status_code == 200


def test_a_dry_run_in_body_or_query_deletes_nothing(http: httpx.Client) -> None:
    made = create(http, "dry-d")
    url = f"{TASKS}/dry-d"
    for answer in (delete(http, url, {"dryRun": ["All"]}), delete(http, url, dryRun="All")):
        assert (answer.status_code, answer.json()["status"]) == (200, "Success")
    assert delete(http, url, {"propagationPolicy": "Orphan", "dryRun": ["All"]}).json()["metadata"]["finalizers"]
    assert http.get(url).json() == made
    yaml = http.request(
        "DELETE",
        url,
        content=b"kind: DeleteOptions\npropagationPolicy: Background\n",
        headers={"content-type": "application/yaml"},
    )
    assert yaml.json()["details"] == {
        "name": "dry-d",
        "kind": "tasks",
        "uid": made["metadata"]["uid"],
        "group": "plum.dev",
    }
    protobuf = http.request(
        "DELETE", url, content=b"k8s\0", headers={"content-type": "application/vnd.kubernetes.protobuf"}
    )
    expect(protobuf, 415, "UnsupportedMediaType", "application/json")


def test_collections_go_by_selector_and_in_pages(http: httpx.Client) -> None:
    for number in range(40):
        body = task(f"many-{number:02}")
        body["metadata"]["labels"] = {"group": "many"}
        http.post(TASKS, json=body).raise_for_status()
    chosen = {"labelSelector": "group=many"}
    dry = delete(http, TASKS, {"dryRun": ["All"]}, **chosen).json()
    assert len(dry["items"]) == 40
    page = delete(http, TASKS, None, limit="15", **chosen).json()
    assert (page["kind"], len(page["items"])) == ("TaskList", 15)
    assert page["metadata"]["continue"]
    assert [item["metadata"]["name"] for item in page["items"]] == [f"many-{number:02}" for number in range(15)]
    rest = http.get(TASKS, params=chosen).json()["items"]
    assert len(rest) == 25
    one = delete(http, TASKS, None, fieldSelector="metadata.name=many-20").json()
    assert [item["metadata"]["name"] for item in one["items"]] == ["many-20"]
    held = delete(http, TASKS, {"propagationPolicy": "Orphan"}, **chosen).json()["items"]
    assert {tuple(item["metadata"]["finalizers"]) for item in held} == {("orphan",)}
    expect(delete(http, TASKS, None, sendInitialEvents="true"), 422, "Invalid", "forbidden for list")
    expect(delete(http, NAMESPACES), 405, "MethodNotAllowed")


def test_a_collection_goes_only_where_preconditions_hold(http: httpx.Client) -> None:
    for name in ("meant", "other"):
        body = task(name)
        body["metadata"]["labels"] = {"group": "held"}
        http.post(TASKS, json=body).raise_for_status()
    chosen, meant = {"labelSelector": "group=held"}, http.get(f"{TASKS}/meant").json()["metadata"]
    for precondition in ({"uid": "nobody's"}, {"resourceVersion": "1"}):
        refused = delete(http, TASKS, {"preconditions": precondition}, **chosen)
        expect(refused, 409, "Conflict", "Precondition failed")
    assert len(http.get(TASKS, params=chosen).json()["items"]) == 2
    one = {"fieldSelector": "metadata.name=meant"}
    assert delete(http, TASKS, {"preconditions": {"uid": meant["uid"]}}, **one).json()["items"]
    delete(http, TASKS, None, **chosen).raise_for_status()


def namespace(http: httpx.Client, name: str, **more: Any) -> dict[str, Any]:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} | more
    answer = http.post(NAMESPACES, json=body, params={"fieldValidation": "Strict"})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_namespace_is_held_by_its_content(http: httpx.Client) -> None:
    made = namespace(http, "team", spec={}, status={})
    assert (made["spec"], made["status"]) == ({"finalizers": ["kubernetes"]}, {"phase": "Active"})
    inside = TASKS.replace("default", "team")
    http.post(inside, json=task("a")).raise_for_status()
    url = f"{NAMESPACES}/team"
    marked = delete(http, url, {"propagationPolicy": "Background"}).json()
    assert marked["status"]["phase"] == "Terminating"
    assert marked["metadata"]["deletionTimestamp"]
    assert delete(http, url).json() == marked
    table = http.get(url, headers={"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}).json()
    assert table["rows"][0]["cells"][:2] == ["team", "Terminating"]
    late = expect(http.post(inside, json=task("b")), 403, "Forbidden", 'tasks.plum.dev "b" is forbidden: unable to ')
    assert late["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    dry = http.post(inside, json=task("b"), params={"dryRun": "All"})
    expect(dry, 403, "Forbidden", "because it is being terminated")
    free = {"spec": {"finalizers": None}}
    held = expect(http.patch(url, json=free, headers=MERGE), 409, "Conflict", "namespace in use: 1 object (task/a)")
    user = {"reason": "InUse", "message": "task team/a", "field": "tasks/team/a"}
    assert held["details"]["causes"] == [user]
    more = {"spec": {"finalizers": ["kubernetes", "more"]}}
    expect(http.patch(url, json=more, headers=MERGE), 422, "Invalid", "spec.finalizers")
    http.delete(f"{inside}/a").raise_for_status()
    assert http.patch(url, json=free, headers=MERGE).status_code == 200
    expect(http.get(url), 404, "NotFound", 'namespaces "team" not found')
    expect(http.post(inside, json=task("c")), 404, "NotFound", 'namespaces "team" not found')


def test_an_empty_namespace_goes_at_once(http: httpx.Client) -> None:
    made = namespace(http, "empty")
    gone = delete(http, f"{NAMESPACES}/empty").json()
    assert (gone["status"], gone["details"]["uid"]) == ("Success", made["metadata"]["uid"])
    assert namespace(http, "empty")["metadata"]["uid"] != made["metadata"]["uid"]


def test_namespaces_of_the_server_stay_and_others_keep_their_hold(http: httpx.Client) -> None:
    for name in ("default", "plum-system", "plum-node-lease"):
        words = f'namespaces "{name}" is forbidden: this namespace may not be deleted'
        expect(delete(http, f"{NAMESPACES}/{name}"), 403, "Forbidden", words)
    namespace(http, "holding")
    patched = http.patch(f"{NAMESPACES}/holding", json={"spec": {"finalizers": None}}, headers=MERGE).json()
    assert patched["spec"] == {"finalizers": ["kubernetes"]}


def test_an_app_whose_archive_another_has_is_not_held_by_users_elsewhere(http: httpx.Client) -> None:
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert http.put(f"/artifacts/sha256/{digest}", content=b"x").is_success
    namespace(http, "shop")
    urls = [f"/apis/plum.dev/v1/namespaces/{room}/apps" for room in ("default", "shop")]
    app = {"metadata": {"name": "a-1"}, "spec": {"name": "a", "version": "1", "sha256": digest, "sizeBytes": 1}}
    for url in urls:
        http.post(url, json=app).raise_for_status()
    create(http, "user", entries=[{"artifactUrl": f"/artifacts/sha256/{digest}"}])
    expect(http.delete(f"{urls[0]}/a-1"), 409, "Conflict", "artifact in use")
    assert http.delete(f"{urls[1]}/a-1").status_code == 200
    expect(http.delete(f"{urls[0]}/a-1"), 409, "Conflict", "artifact in use")


@pytest.mark.parametrize("url", ["/apis/plum.dev/v1/tasks", "/apis/plum.dev/v1/assignments", "/api/v1/pods"])
def test_no_request_empties_all_namespaces(http: httpx.Client, url: str) -> None:
    create(http, "stays")
    refused = expect(delete(http, url), 405, "MethodNotAllowed")
    assert "only within one namespace" in refused["message"]
    assert http.get(f"{TASKS}/stays").status_code == 200
    delete(http, f"{TASKS}/stays")
