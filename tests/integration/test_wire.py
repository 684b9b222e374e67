"""Corners of the wire: how clients put their requests, and what they are answered to the letter."""

import json
from typing import Any

import httpx
import pytest

from tests.integration.test_resources import APPLY, JSON_PATCH, MERGE, TABLE, TASKS, create, expect, task

EVENTS = "/api/v1/namespaces/default/events"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


@pytest.fixture
def scaled(http: httpx.Client) -> str:
    """The scale of a task with one entry."""
    http.post(TASKS, json=task("web", entries=[{"artifactUrl": "/x", "replicas": 1}]))
    return f"{TASKS}/web/scale"


@pytest.mark.parametrize("path", [TASKS, f"{TASKS}/slashed", f"{TASKS}/slashed/status", f"{TASKS}/slashed/scale"])
def test_a_slash_at_the_end_is_no_matter(http: httpx.Client, path: str) -> None:
    http.post(f"{TASKS}/", json=task("slashed"))
    answer = http.get(f"{path}/")
    assert (answer.status_code, answer.is_redirect) == (200, False)


def test_a_body_without_a_content_type_is_json(http: httpx.Client) -> None:
    made = http.post(TASKS, content=json.dumps(task("bare")))
    assert "content-type" not in made.request.headers
    assert made.status_code == 201
    put = http.put(f"{TASKS}/bare", content=json.dumps(made.json()), params={"pretty": "true", "timeout": "32s"})
    assert put.status_code == 200
    assert http.request("DELETE", f"{TASKS}/bare", content=b'{"propagationPolicy":"Background"}').status_code == 200


@pytest.mark.parametrize(
    ("accept", "code"),
    [
        (None, 200),
        ("*/*", 200),
        ("application/*", 200),
        ("application/json, */*", 200),
        ("application/vnd.kubernetes.protobuf,application/json", 200),
        ("application/json;q=0.8", 200),
        ("application/yaml", 200),
        ("application/json;as=Wish;v=v1;g=meta.k8s.io,application/json", 200),
        ("application/vnd.kubernetes.protobuf", 406),
        ("text/html", 406),
        ("application/json;as=Wish;v=v1;g=meta.k8s.io", 406),
    ],
)
def test_what_clients_accept(http: httpx.Client, accept: str | None, code: int) -> None:
    request = http.build_request("GET", TASKS)
    request.headers.pop("accept")
    if accept is not None:
        request.headers["accept"] = accept
    answer = http.send(request)
    assert (answer.status_code, answer.headers["content-type"]) == (code, "application/json")
    if code == 406:
        expect(answer, 406, "NotAcceptable", "only the following media types are accepted: application/json")


def test_bodies_that_are_not_taken(http: httpx.Client) -> None:
    protobuf = {"content-type": "application/vnd.kubernetes.protobuf"}
    words = "application/json"
    expect(http.post(TASKS, content=b"k8s\0", headers=protobuf), 415, "UnsupportedMediaType", words)
    http.post(TASKS, json=task("typed"))
    expect(http.put(f"{TASKS}/typed", content=b"k8s\0", headers=protobuf), 415, "UnsupportedMediaType", words)
    strategic = {"content-type": "application/strategic-merge-patch+json"}
    refused = http.patch(f"{TASKS}/typed", json={"metadata": {"labels": {"a": "b"}}}, headers=strategic)
    expect(refused, 415, "UnsupportedMediaType", "application/merge-patch+json", "application/apply-patch+yaml")
    expect(http.patch(f"{TASKS}/typed", content=b"{}"), 415, "UnsupportedMediaType")


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ([{"op": "test", "path": "/metadata/resourceVersion", "value": "1"}], 422),
        ([{"op": "test", "path": "/spec/nothing", "value": 1}], 422),
        ([{"op": "remove", "path": "/metadata/labels/none"}], 422),
        ([{"op": "replace", "path": "/spec/entries/7/replicas", "value": 1}], 422),
        ([{"op": "add", "path": "spec", "value": 1}], 400),
        ([{"op": "wish", "path": "/spec"}], 400),
        ([{"op": "add", "path": "/spec"}], 400),
        (["x"], 400),
        ({"op": "add"}, 400),
        ("text", 400),
        (None, 400),
    ],
)
def test_json_patches_that_cannot_be(http: httpx.Client, patch: Any, code: int) -> None:
    http.post(TASKS, json=task("patchy"))
    answer = http.patch(f"{TASKS}/patchy", json=patch, headers=JSON_PATCH) if patch is not None else None
    answer = answer or http.patch(f"{TASKS}/patchy", content=b"[{", headers=JSON_PATCH)
    expect(answer, code, {400: "BadRequest", 422: "Invalid"}[code])


def test_a_version_in_a_merge_patch_is_a_condition(http: httpx.Client) -> None:
    made = create(http, "conditional")
    url, version = f"{TASKS}/conditional", made["metadata"]["resourceVersion"]
    patch = {"metadata": {"resourceVersion": version, "labels": {"a": "b"}}}
    assert http.patch(url, json=patch, headers=MERGE).status_code == 200
    expect(http.patch(url, json=patch, headers=MERGE), 409, "Conflict", "the object has been modified")


@pytest.mark.parametrize("reset", [[], [{}]])
def test_books_of_field_managers_can_be_reset(http: httpx.Client, reset: Any) -> None:
    http.post(TASKS, json=task("booked"))
    left = http.patch(f"{TASKS}/booked", json={"metadata": {"managedFields": reset}}, headers=MERGE).json()
    assert "managedFields" not in left["metadata"]
    http.delete(f"{TASKS}/booked")


def test_kubectl_migrates_the_books_in_one_patch(http: httpx.Client) -> None:
    """As kubectl does after the first server-side apply of what was applied client-side."""
    made = create(http, "migrated")
    entry = made["metadata"]["managedFields"][0] | {"manager": "kubectl", "operation": "Apply"}
    patch = [
        {"op": "replace", "path": "/metadata/managedFields", "value": [entry]},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": made["metadata"]["resourceVersion"]},
    ]
    done = http.patch(f"{TASKS}/migrated", json=patch, headers=JSON_PATCH).json()
    assert done["metadata"]["managedFields"] == [entry]
    expect(http.patch(f"{TASKS}/migrated", json=patch, headers=JSON_PATCH), 409, "Conflict")


def test_annotations_are_bounded_together(http: httpx.Client) -> None:
    url = f"{TASKS}/noted"
    http.post(TASKS, json=task("noted"))
    big = {"metadata": {"annotations": {"kopf.dev/a": "x" * (256 * 1024 - 10)}}}
    assert http.patch(url, json=big, headers=MERGE).status_code == 200
    more = {"metadata": {"annotations": {"kopf.dev/b": "y" * 10}}}
    refused = expect(http.patch(url, json=more, headers=MERGE), 422, "Invalid", "metadata.annotations: Too long")
    assert refused["details"]["causes"][0]["field"] == "metadata.annotations"


def test_objects_without_all_but_their_metadata(http: httpx.Client) -> None:
    made = create(http, "meta-only")
    whole = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": made["metadata"]}
    one = http.get(
        f"{TASKS}/meta-only", headers={"accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"}
    )
    assert one.json() == whole
    accept = f"application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{PARTIAL_LIST}"
    query = {"fieldSelector": "metadata.name=meta-only", "limit": "1"}
    found = http.get(TASKS, headers={"accept": accept}, params=query).json()
    assert (found["kind"], found["apiVersion"]) == ("PartialObjectMetadataList", "meta.k8s.io/v1")
    assert found["items"] == [whole]
    assert found["metadata"]["resourceVersion"]
    patched = http.patch(
        f"{TASKS}/meta-only",
        json={"metadata": {"labels": {"a": "b"}}},
        headers=MERGE | {"accept": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"},
    )
    assert set(patched.json()) == {"kind", "apiVersion", "metadata"}


@pytest.mark.parametrize(
    "query",
    [
        {"resourceVersion": "0"},
        {"resourceVersion": "0", "resourceVersionMatch": "NotOlderThan"},
        {"fieldSelector": "metadata.name=listed,metadata.name=listed", "resourceVersion": "0"},
        {"labelSelector": "test in (listed),test", "limit": "0"},
        {"resourceVersion": "1", "timeout": "3s", "watch": "false", "unknown": "x"},
    ],
)
def test_lists_however_they_are_asked_for(http: httpx.Client, query: dict[str, str]) -> None:
    http.post(TASKS, json=task("listed"))
    found = http.get(TASKS, params=query).json()
    assert "listed" in [item["metadata"]["name"] for item in found["items"]]
    assert all((item["apiVersion"], item["kind"]) == ("plum.dev/v1", "Task") for item in found["items"])


def test_scale_is_found_by_discovery(http: httpx.Client) -> None:
    listed = http.get("/apis/plum.dev/v1").json()["resources"]
    entry = next(one for one in listed if one["name"] == "tasks/scale")
    assert entry == {
        "name": "tasks/scale",
        "singularName": "",
        "namespaced": True,
        "group": "autoscaling",
        "version": "v1",
        "kind": "Scale",
        "verbs": ["get", "patch", "update"],
    }
    expect(http.get("/apis/plum.dev/v1/nodes/x/scale"), 404, "NotFound", "could not find the requested resource")


def test_scale_by_every_verb(http: httpx.Client, scaled: str) -> None:
    found = http.get(scaled).json()
    found["spec"]["replicas"] = 2
    put = http.put(scaled, content=httpx.Response(200, json=found).content)
    assert (put.status_code, put.json()["kind"], put.json()["spec"]) == (200, "Scale", {"replicas": 2})
    expect(http.put(scaled, json=found), 409, "Conflict", 'tasks.plum.dev "web": the object has been modified')
    whole = http.get(f"{TASKS}/web").json()
    assert whole["spec"]["entries"][0]["replicas"] == 2
    assert put.json()["metadata"]["resourceVersion"] == whole["metadata"]["resourceVersion"]
    merged = http.patch(scaled, json={"spec": {"replicas": 3}}, headers=MERGE).json()
    assert merged["spec"] == {"replicas": 3}
    again = http.patch(scaled, json={"spec": {"replicas": 3}}, headers=MERGE).json()
    assert again["metadata"] == merged["metadata"], "what changes nothing has no version of its own"
    stepped = http.patch(scaled, json=[{"op": "replace", "path": "/spec/replicas", "value": 4}], headers=JSON_PATCH)
    assert stepped.json()["spec"] == {"replicas": 4}
    config = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 5}}
    query = {"fieldManager": "hpa"}
    expect(http.patch(scaled, json=config, params=query, headers=APPLY), 409, "Conflict", ".spec.replicas")
    forced = http.patch(scaled, json=config, params=query | {"force": "true"}, headers=APPLY)
    assert (forced.status_code, forced.json()["spec"]) == (200, {"replicas": 5})
    entries = http.get(f"{TASKS}/web").json()["metadata"]["managedFields"]
    assert [one["operation"] for one in entries if one.get("subresource") == "scale"] == ["Apply"]
    then = {"resourceVersion": put.json()["metadata"]["resourceVersion"], "resourceVersionMatch": "Exact"}
    assert http.get(scaled, params=then).json() == put.json()
    table = http.get(scaled, headers=TABLE).json()
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Desired", "Available", "Age"]
    assert table["rows"][0]["cells"][:3] == ["web", 5, 0]


def test_scale_refuses_and_tries(http: httpx.Client, scaled: str) -> None:
    before = http.get(f"{TASKS}/web").json()
    dry = http.patch(scaled, json={"spec": {"replicas": 9}}, headers=MERGE, params={"dryRun": "All"}).json()
    assert dry["spec"] == {"replicas": 9}
    for patch, code, reason, word in (
        ({"spec": {"replicas": -1}}, 422, "Invalid", "spec.replicas"),
        ({"spec": {"replicas": "many"}}, 422, "Invalid", "spec.replicas"),
        ({"spec": {"replicas": 10_001}}, 422, "Invalid", "spec.entries[0].replicas"),
        ({"kind": "Task"}, 400, "BadRequest", "kind"),
        ({"metadata": {"name": "other"}}, 400, "BadRequest", "name"),
        ({"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 2}}, 409, "Conflict", "modified"),
    ):
        expect(http.patch(scaled, json=patch, headers=MERGE), code, reason, word)
    stale = MERGE | {"plum-fence": "plum-system/plum-controllers/1"}
    expect(http.patch(scaled, json={"spec": {"replicas": 2}}, headers=stale), 409, "Conflict", "superseded")
    strict = {"fieldValidation": "Strict"}
    refused = http.patch(scaled, json={"spec": {"replicaz": 2}}, headers=MERGE, params=strict)
    expect(refused, 400, "BadRequest", 'unknown field "spec.replicaz"')
    assert http.get(f"{TASKS}/web").json() == before
    expect(http.get(scaled.replace("web", "none")), 404, "NotFound", 'tasks.plum.dev "none" not found')
    expect(http.delete(scaled), 405, "MethodNotAllowed")
    http.post(TASKS, json=task("two", entries=[{"artifactUrl": "/x"}, {"artifactUrl": "/y"}]))
    words = "spec.entries: Forbidden: the task has 2 entries (main, main-2)", "plumctl scale task/two/main=3"
    expect(http.get(f"{TASKS}/two/scale"), 422, "Invalid", *words)
    expect(http.patch(f"{TASKS}/two/scale", json={"spec": {"replicas": 1}}, headers=MERGE), 422, "Invalid", *words)


def test_an_event_as_operators_post_it(http: httpx.Client) -> None:
    """kopf and client-go: a generated name, a reporting component, the newer fields beside the older ones."""
    about = {"apiVersion": "plum.dev/v1", "kind": "Task", "name": "web", "namespace": "default", "uid": "u-1"}
    body = {
        "metadata": {"namespace": "default", "generateName": "kopf-event-"},
        "action": "Action?",
        "type": "Normal",
        "reason": "Logging",
        "message": "Handler 'create_fn' succeeded.",
        "reportingComponent": "kopf",
        "reportingInstance": "dev",
        "source": {"component": "kopf"},
        "involvedObject": about,
        "firstTimestamp": "2026-01-01T00:00:00.000000Z",
        "lastTimestamp": "2026-01-01T00:00:00.000000Z",
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "related": about,
        "series": {"count": 3, "lastObservedTime": "2026-01-01T00:05:00.000000Z"},
    }
    made = http.post(EVENTS, json=body, params={"fieldValidation": "Strict"})
    assert made.status_code == 201, made.text
    name = made.json()["metadata"]["name"]
    assert name.startswith("kopf-event-")
    other = body | {"involvedObject": about | {"name": "db"}, "type": "Warning", "source": {}, "reason": "Other"}
    other["reportingComponent"] = "elsewhere"
    http.post(EVENTS, json=other).raise_for_status()
    for selector in (
        "involvedObject.kind=Task,involvedObject.name=web,involvedObject.namespace=default",
        "involvedObject.apiVersion=plum.dev/v1,reason=Logging",
        "involvedObject.uid=u-1,type=Normal",
        "source=kopf",
        "type!=Warning",
        "reportingComponent=kopf,involvedObject.fieldPath=",
    ):
        found = http.get(EVENTS, params={"fieldSelector": selector}).json()["items"]
        assert [item["metadata"]["name"] for item in found] == [name], selector
    elsewhere = http.get("/api/v1/events", params={"fieldSelector": "source=elsewhere"}).json()["items"]
    assert [item["reason"] for item in elsewhere] == ["Other"]
    table = http.get(EVENTS, params={"fieldSelector": "source=kopf"}, headers=TABLE).json()
    cells = dict(zip([column["name"] for column in table["columnDefinitions"]], table["rows"][0]["cells"], strict=True))
    assert (cells["Object"], cells["Count"], cells["Source"]) == ("task/web", 3, "kopf")


def test_names_are_generated_until_one_is_free(http: httpx.Client) -> None:
    body = task("x") | {"metadata": {"generateName": "made-"}}
    names = {http.post(TASKS, json=body).json()["metadata"]["name"] for _ in range(10)}
    assert len(names) == 10
    dry = http.post(TASKS, json=body, params={"dryRun": "All"}).json()
    assert dry["metadata"]["name"].startswith("made-")
    expect(http.get(f"{TASKS}/{dry['metadata']['name']}"), 404, "NotFound")
    expect(http.post(TASKS, json=task("x") | {"metadata": {}}), 422, "Invalid", "name or generateName is required")


@pytest.mark.parametrize("count", [2, 300])
def test_long_lists_are_compressed_for_who_asks(http: httpx.Client, count: int) -> None:
    """In one piece and in slices."""
    chosen = {"labelSelector": f"long={count}"}
    size = 300_000 // count
    for number in range(count):
        body = task(f"long-{count}-{number}")
        body["metadata"] |= {"labels": {"long": str(count)}, "annotations": {"a/b": "x" * size}}
        http.post(TASKS, json=body).raise_for_status()
    plain = http.get(TASKS, params=chosen, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for accept in ({}, TABLE, {"accept": PARTIAL_LIST}):
        answer = http.get(TASKS, params=chosen, headers={"accept-encoding": "deflate, gzip;q=0.5"} | accept)
        assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "accept-encoding")
        assert int(answer.num_bytes_downloaded) < len(answer.content) / 5
        assert len(answer.json()["rows" if accept is TABLE else "items"]) == count
    again = http.get(TASKS, params=chosen, headers={"accept-encoding": "gzip;q=0.0, identity"})
    assert again.json() == plain.json()
    assert "content-encoding" not in again.headers
    short = http.get(TASKS, params=chosen | {"limit": "1"}, headers={"accept-encoding": "gzip"})
    assert ("content-encoding" in short.headers) == (size > 128 * 1024)
