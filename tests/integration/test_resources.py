"""The verbs over HTTP, to the letter of the Kubernetes API."""

import hashlib
from typing import Any

import httpx
import pytest

TASKS = "/apis/plum.dev/v1/namespaces/default/tasks"
TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
MERGE = {"content-type": "application/merge-patch+json"}
JSON_PATCH = {"content-type": "application/json-patch+json"}
APPLY = {"content-type": "application/apply-patch+yaml"}
DIGEST = "a" * 64


def task(name: str, **spec: Any) -> dict[str, Any]:
    entry = {"artifactUrl": f"/artifacts/sha256/{DIGEST}"}
    return {
        "apiVersion": "plum.dev/v1",
        "kind": "Task",
        "metadata": {"name": name, "labels": {"test": name}},
        "spec": {"entries": [entry]} | spec,
    }


def create(http: httpx.Client, name: str, **spec: Any) -> dict[str, Any]:
    response = http.post(TASKS, json=task(name, **spec))
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    return body


def expect(response: httpx.Response, code: int, reason: str, *words: str) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["kind"], body["reason"], body["code"]) == (code, "Status", reason, code), body
    for word in words:
        assert word in body["message"]
    return body


def test_create_fills_in_what_the_server_owns(http: httpx.Client) -> None:
    body = task("fresh") | {"status": {"replicas": 9}}
    found = http.post(TASKS, json=body, params={"fieldManager": "me"}).json()
    metadata = found["metadata"]
    assert metadata["generation"] == 1
    assert metadata["namespace"] == "default"
    assert metadata["uid"]
    assert metadata["creationTimestamp"].endswith("Z")
    assert metadata["managedFields"][0]["manager"] == "me"
    assert found["status"]["replicas"] == 0
    assert found["spec"]["entries"][0]["name"] == "main"
    expect(http.post(TASKS, json=task("fresh")), 409, "AlreadyExists", 'tasks.plum.dev "fresh" already exists')


def test_generated_names(http: httpx.Client) -> None:
    body = task("x")
    body["metadata"] = {"generateName": "gen-"}
    names = {http.post(TASKS, json=body).json()["metadata"]["name"] for _ in range(5)}
    assert len(names) == 5
    assert all(name.startswith("gen-") and len(name) == 9 for name in names)


def test_wrong_input_names_the_field_and_changes_nothing(http: httpx.Client) -> None:
    before = http.get(TASKS).json()["metadata"]["resourceVersion"]
    strict = {"fieldValidation": "Strict"}
    body = task("wrong")
    body["spec"]["entries"][0]["replicaz"] = 1
    expect(http.post(TASKS, json=body, params=strict), 400, "BadRequest", 'unknown field "spec.entries[0].replicaz"')
    twice = b'{"apiVersion":"plum.dev/v1","kind":"Task","metadata":{"name":"a","name":"b"},"spec":{"entries":[]}}'
    expect(http.post(TASKS, content=twice, params=strict), 400, "BadRequest", 'duplicate field "metadata.name"')
    for spec, field in (
        ({"entries": [{"artifactUrl": "/x", "replicas": -1}]}, "spec.entries[0].replicas"),
        ({"entries": [{"artifactUrl": "/x", "replicas": "two"}]}, "spec.entries[0].replicas"),
        ({"entries": [{"artifactUrl": "/x", "replicas": 1, "nodeReplicas": {"a": 1}}]}, "spec.entries[0]"),
        ({"entries": [{}]}, "spec.entries[0]"),
        ({"entries": []}, "spec.entries"),
        ({"entries": [{"name": "a", "artifactUrl": "/x"}, {"name": "a", "artifactUrl": "/x"}]}, "spec.entries[1].name"),
        (
            {"entries": [{"artifactUrl": "/x", "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 80}]}]},
            "spec.entries[0].ports[1].port",
        ),
        ({"entries": [{"name": "a", "artifactUrl": "/x", "dependsOn": ["a"]}]}, "spec.entries[0].dependsOn"),
        ({"entries": [{"name": "a", "artifactUrl": "/x", "dependsOn": ["b"]}]}, "spec.entries[0].dependsOn[0]"),
    ):
        status = expect(http.post(TASKS, json=task("wrong", **spec)), 422, "Invalid", field)
        assert status["details"]["causes"][0]["field"] == field
    expect(http.post(TASKS, json=task("n" * 41)), 422, "Invalid", "metadata.name", "40")
    expect(http.post(TASKS, content=b"{"), 400, "BadRequest")
    expect(http.post(TASKS, content=b" " * 4_000_000), 413, "RequestEntityTooLarge")
    elsewhere = TASKS.replace("default", "nowhere")
    expect(http.post(elsewhere, json=task("x")), 404, "NotFound", 'namespaces "nowhere" not found')
    assert http.get(TASKS).json()["metadata"]["resourceVersion"] == before


def test_warn_prunes_and_warns(http: httpx.Client) -> None:
    body = task("warned")
    body["spec"]["colour"] = "red"
    response = http.post(TASKS, json=body)
    assert response.status_code == 201
    assert 'unknown field \\"spec.colour\\"' in response.headers["warning"]
    assert "colour" not in response.json()["spec"]
    body = task("broken") | {"spec": task("broken")["spec"] | {"a\r\nset-cookie: x": 1}}
    response = http.post(TASKS, json=body)
    assert response.status_code == 201
    assert "set-cookie" not in response.headers
    assert "a??set-cookie: x" in response.headers["warning"]


def test_update_needs_the_version_and_keeps_status_and_identity(http: httpx.Client) -> None:
    found = create(http, "updated")
    url = f"{TASKS}/updated"
    found["spec"]["state"] = "Stopped"
    found["metadata"]["uid"] = found["metadata"]["uid"]
    found["status"] = {"replicas": 7}
    stored = http.put(url, json=found).json()
    assert (stored["metadata"]["generation"], stored["status"]["replicas"]) == (2, 0)
    expect(http.put(url, json=found), 409, "Conflict", "the object has been modified")
    del found["metadata"]["resourceVersion"]
    expect(http.put(url, json=found), 422, "Invalid", "resourceVersion")


def test_patches(http: httpx.Client) -> None:
    create(http, "patched")
    url = f"{TASKS}/patched"
    merged = http.patch(url, json={"metadata": {"labels": {"a": "1", "test": None}}}, headers=MERGE).json()
    assert merged["metadata"]["labels"] == {"a": "1"}
    assert merged["metadata"]["generation"] == 1
    again = http.patch(url, json={"metadata": {"labels": {"a": "1"}}}, headers=MERGE).json()
    assert again["metadata"]["resourceVersion"] == merged["metadata"]["resourceVersion"]
    ops = [
        {"op": "test", "path": "/spec/state", "value": "Running"},
        {"op": "replace", "path": "/spec/state", "value": "Stopped"},
    ]
    assert http.patch(url, json=ops, headers=JSON_PATCH).json()["spec"]["state"] == "Stopped"
    expect(http.patch(url, json=ops, headers=JSON_PATCH), 422, "Invalid")
    expect(http.patch(url, json={}, headers=JSON_PATCH), 400, "BadRequest")
    expect(http.patch(url, json=[], headers=MERGE), 400, "BadRequest")
    strategic = {"content-type": "application/strategic-merge-patch+json"}
    expect(http.patch(url, json={}, headers=strategic), 415, "UnsupportedMediaType", "accepted media types include")
    status = http.patch(f"{url}/status", json={"status": {"replicas": 3, "operator": {"x": []}}}, headers=MERGE).json()
    assert (status["status"]["replicas"], status["status"]["operator"]) == (3, {"x": []})
    assert status["metadata"]["generation"] == 2


def test_server_side_apply(http: httpx.Client) -> None:
    url = f"{TASKS}/applied"
    config = task("applied")
    created = http.patch(url, json=config, params={"fieldManager": "one"}, headers=APPLY)
    assert created.status_code == 201
    repeated = http.patch(url, json=config, params={"fieldManager": "one"}, headers=APPLY)
    assert (repeated.status_code, repeated.json()) == (200, created.json())
    config["spec"]["state"] = "Stopped"
    assert http.patch(url, json=config, params={"fieldManager": "one"}, headers=APPLY).status_code == 200
    other = task("applied", state="Running")
    del other["metadata"]["labels"]
    status = expect(http.patch(url, json=other, params={"fieldManager": "two"}, headers=APPLY), 409, "Conflict")
    assert status["details"]["causes"][0]["field"] == ".spec.state"
    forced = http.patch(url, json=other, params={"fieldManager": "two", "force": "true"}, headers=APPLY).json()
    assert forced["spec"]["state"] == "Running"
    del config["spec"]["state"]
    del config["metadata"]["labels"]
    left = http.patch(url, json=config, params={"fieldManager": "one"}, headers=APPLY).json()
    assert left["spec"]["state"] == "Running"
    assert "labels" not in left["metadata"]
    expect(http.patch(url, json=config, headers=APPLY), 422, "Invalid", "fieldManager")


def test_delete_finalizers_and_preconditions(http: httpx.Client) -> None:
    found = create(http, "deleted")
    url = f"{TASKS}/deleted"
    wrong = {"preconditions": {"uid": "other"}}
    expect(http.request("DELETE", url, json=wrong), 409, "Conflict", "Precondition failed")
    dry = http.request("DELETE", url, json={"dryRun": ["All"]})
    assert dry.status_code == 200
    http.patch(url, json={"metadata": {"finalizers": ["test/hold"]}}, headers=MERGE)
    marked = http.delete(url).json()
    assert marked["metadata"]["deletionTimestamp"]
    assert http.delete(url).json()["metadata"]["resourceVersion"] == marked["metadata"]["resourceVersion"]
    more = {"metadata": {"finalizers": ["test/hold", "test/more"]}}
    expect(http.patch(url, json=more, headers=MERGE), 422, "Invalid", "no new finalizers")
    gone = http.patch(url, json={"metadata": {"finalizers": None}}, headers=MERGE)
    assert gone.status_code == 200
    expect(http.get(url), 404, "NotFound", 'tasks.plum.dev "deleted" not found')
    again = create(http, "deleted")
    assert again["metadata"]["uid"] != found["metadata"]["uid"]
    status = http.delete(url).json()
    assert (status["status"], status["details"]["uid"]) == ("Success", again["metadata"]["uid"])


def test_dry_run_stores_nothing(http: httpx.Client) -> None:
    shown = http.post(TASKS, json=task("dry"), params={"dryRun": "All"})
    assert shown.status_code == 201
    assert shown.json()["metadata"]["uid"]
    expect(http.get(f"{TASKS}/dry"), 404, "NotFound")
    expect(http.post(TASKS, json=task("dry"), params={"dryRun": "Some"}), 422, "Invalid")


def test_pages_and_selectors(http: httpx.Client) -> None:
    names = [f"page-{number}" for number in range(7)]
    for name in names:
        create(http, name)
    seen: list[str] = []
    params = {"limit": "3", "labelSelector": f"test in ({','.join(names)})"}
    versions = set()
    while True:
        page = http.get(TASKS, params=params).json()
        seen += [item["metadata"]["name"] for item in page["items"]]
        versions.add(page["metadata"]["resourceVersion"])
        if not page["metadata"].get("continue"):
            break
        params["continue"] = page["metadata"]["continue"]
    assert seen == names
    assert len(versions) == 1
    one = http.get("/apis/plum.dev/v1/tasks", params={"fieldSelector": "metadata.name=page-3,metadata.name=page-3"})
    assert [item["metadata"]["name"] for item in one.json()["items"]] == ["page-3"]
    expect(http.get(TASKS, params={"labelSelector": "a=(b"}), 400, "BadRequest", "label selector")
    expect(
        http.get(TASKS, params={"fieldSelector": "spec.x=1"}), 400, "BadRequest", "field label not supported: spec.x"
    )
    expect(http.get(TASKS, params={"continue": "%%%"}), 400, "BadRequest")
    expect(http.get(TASKS, params={"limit": "-1"}), 400, "BadRequest", "limit")
    expect(http.get(TASKS, params={"watch": "maybe"}), 400, "BadRequest", "watch")
    expect(http.get(TASKS, params={"resourceVersionMatch": "Exact"}), 422, "Invalid", "resourceVersion")
    expect(http.get(TASKS, params={"resourceVersionMatch": "Some"}), 422, "Invalid", "NotOlderThan")


def labelled(http: httpx.Client, name: str, value: str) -> None:
    body = task(name)
    body["metadata"]["labels"] = {"test": value}
    assert http.post(TASKS, json=body).status_code == 201


def test_pages_show_one_state_whatever_happens_meanwhile(http: httpx.Client) -> None:
    for number in range(4):
        labelled(http, f"still-{number}", "still")
    params = {"limit": "2", "labelSelector": "test=still"}
    first = http.get(TASKS, params=params).json()
    http.delete(f"{TASKS}/still-2")
    labelled(http, "still-9", "still")
    second = http.get(TASKS, params=params | {"continue": first["metadata"]["continue"]}).json()
    shown = [item["metadata"]["name"] for page in (first, second) for item in page["items"]]
    assert shown == ["still-0", "still-1", "still-2", "still-3"]
    exact = {"resourceVersion": first["metadata"]["resourceVersion"], "resourceVersionMatch": "Exact"}
    then = http.get(TASKS, params=exact | {"labelSelector": "test=still"}).json()
    assert [item["metadata"]["name"] for item in then["items"]] == shown
    now = http.get(TASKS, params={"labelSelector": "test=still"}).json()
    assert [item["metadata"]["name"] for item in now["items"]] == ["still-0", "still-1", "still-3", "still-9"]
    deleted = http.request("DELETE", TASKS, params={"labelSelector": "test in (still,other)"})
    assert len(deleted.json()["items"]) == 4


def test_tables(http: httpx.Client) -> None:
    create(http, "tabled")
    listed = http.get(TASKS, headers=TABLE, params={"fieldSelector": "metadata.name=tabled"}).json()
    assert listed["kind"] == "Table"
    assert [column["name"] for column in listed["columnDefinitions"]][:3] == ["Name", "State", "Ready"]
    assert listed["rows"][0]["cells"][:3] == ["tabled", "Running", "0/1"]
    assert listed["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    one = http.get(f"{TASKS}/tabled", headers=TABLE).json()
    assert one["rows"][0]["cells"][0] == "tabled"


def test_node_and_app_in_use(http: httpx.Client) -> None:
    node = {"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": "Edge_1"}}
    assert http.post("/apis/plum.dev/v1/nodes", json=node).status_code == 201
    app = {
        "apiVersion": "plum.dev/v1",
        "kind": "App",
        "metadata": {"name": "a-1"},
        "spec": {"name": "a", "version": "1", "sha256": DIGEST, "sizeBytes": 3},
    }
    apps = "/apis/plum.dev/v1/namespaces/default/apps"
    expect(http.post(apps, json=app), 422, "Invalid", "spec.sha256", "upload the archive first")
    expect(http.delete("/api/v1/namespaces/default"), 403, "Forbidden", "this namespace may not be deleted")
    content = b"zip"
    digest = hashlib.sha256(content).hexdigest()
    expect(http.put(f"/artifacts/sha256/{DIGEST}", content=content), 400, "BadRequest", "SHA-256")
    assert http.put(f"/artifacts/sha256/{digest}", content=content).status_code == 201
    assert http.put(f"/artifacts/sha256/{digest}", content=content).status_code == 200
    part = http.get(f"/artifacts/sha256/{digest}", headers={"range": "bytes=1-"})
    assert (part.status_code, part.content, part.headers["etag"]) == (206, b"ip", f'"{digest}"')
    assert http.head(f"/artifacts/sha256/{DIGEST}").status_code == 404
    for evil in ("..%2f..%2fplum.db", "..", "A" * 64):
        assert http.get(f"/artifacts/sha256/{evil}").status_code == 404
    app["spec"] |= {"sha256": digest}  # type: ignore[operator]
    assert http.post(apps, json=app).status_code == 201
    create(http, "user", entries=[{"app": {"name": "a", "version": "1"}}])
    expect(http.delete(f"{apps}/a-1"), 409, "Conflict", "artifact in use: 1 user (user)")
    http.post("/api/v1/namespaces", json={"metadata": {"name": "team"}}).raise_for_status()
    far = {"metadata": {"name": "far"}, "spec": {"entries": [{"artifactUrl": f"/artifacts/sha256/{digest}"}]}}
    http.post("/apis/plum.dev/v1/namespaces/team/tasks", json=far).raise_for_status()
    refused = expect(http.delete(f"{apps}/a-1"), 409, "Conflict", "artifact in use: 2 users (far, user)")
    causes = [(cause["reason"], cause["field"]) for cause in refused["details"]["causes"]]
    assert causes == [("InUse", "tasks/default/user"), ("InUse", "tasks/team/far")]
    patch = {"spec": {"version": "2"}}
    expect(http.patch(f"{apps}/a-1", json=patch, headers=MERGE), 422, "Invalid", "immutable")


@pytest.mark.parametrize("path", ["/apis/", "/apis", "/api/", "/version/", "/apis/plum.dev/", "/apis/plum.dev/v1/"])
def test_discovery_answers_with_and_without_a_slash(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 200


def test_discovery(http: httpx.Client) -> None:
    resources = {found["name"]: found for found in http.get("/apis/plum.dev/v1").json()["resources"]}
    assert resources["tasks"]["shortNames"] == ["tk"]
    assert resources["tasks/status"]["verbs"] == ["get", "patch", "update"]
    assert not resources["nodes"]["namespaced"]
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
    for path in ("/api", "/apis"):
        found = http.get(path, headers={"accept": accept})
        assert found.headers["content-type"] == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        assert found.json()["items"][0]["versions"][0]["resources"]
    expect(http.get("/apis/none.dev"), 404, "NotFound")
    expect(http.get("/apis/plum.dev/v1/namespaces/default/things"), 404, "NotFound", "the server could not find")
    expect(http.post("/version"), 405, "MethodNotAllowed")
    expect(http.put(TASKS, json={}), 405, "MethodNotAllowed")
    expect(http.get(TASKS, headers={"accept": "image/png"}), 406, "NotAcceptable")


def test_health_and_metrics(http: httpx.Client) -> None:
    for path in ("/healthz", "/livez", "/readyz"):
        assert http.get(path).text == "ok"
    text = http.get("/metrics").text
    assert "apiserver_request_total" in text
    assert "plum_store_version" in text
    assert http.get("/version").json()["gitVersion"].startswith("v1.32.")
