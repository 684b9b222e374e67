"""The documents as a server serves them, and what it stores and answers against them."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from apiserver.api import schema
from apiserver.api.meta import ObjectMeta
from apiserver.api.scheme import SCHEME, Kind
from tests.integration.test_resources import MERGE, TASKS, expect, task
from tests.integration.test_usage import API, assignment, node, report
from tests.openapi import closed, documents, faults, validator
from tests.specimens import specimens

PLUM = "apis/plum.dev/v1"
METHODS = {"get", "put", "post", "patch", "delete"}
PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


@pytest.fixture
def document(http: httpx.Client) -> dict[str, Any]:
    return closed(documents(http)[PLUM])


def test_the_index_leads_to_documents_that_may_be_kept(http: httpx.Client) -> None:
    answer = http.get("/openapi/v3")
    assert answer.headers["cache-control"] == "no-cache"
    paths = answer.json()["paths"]
    assert {PLUM, "api/v1", "apis/coordination.k8s.io/v1"} <= set(paths)
    address = paths[PLUM]["serverRelativeURL"]
    kept = http.get(address)
    assert kept.headers["content-type"] == "application/json"
    assert "immutable" in kept.headers["cache-control"]
    for other in (address.partition("?")[0], f"{address}0"):
        assert http.get(other).headers["cache-control"] == "no-cache"
        assert http.get(other).content == kept.content


def test_what_a_client_has_is_not_sent_again(http: httpx.Client) -> None:
    for path in ("/openapi/v3", f"/openapi/v3/{PLUM}"):
        tag = http.get(path).headers["etag"]
        for header in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            answer = http.get(path, headers={"if-none-match": header})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
        assert http.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_version_2_is_as_much_as_kubectl_needs(http: httpx.Client) -> None:
    answer = http.get("/openapi/v2", headers={"accept": PROTOBUF})
    assert answer.headers["content-type"] == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    assert answer.content.startswith(b"\x0a\x032.0")
    assert http.get("/openapi/v2").json()["swagger"] == "2.0"


def test_paths_that_lead_nowhere(http: httpx.Client) -> None:
    for path in ("/openapi/v3/apis/plum.dev/v2", "/openapi/v3/..%2f..", "/openapi/v4", "/openapi"):
        expect(http.get(path), 404, "NotFound")
    expect(http.post("/openapi/v3"), 405, "MethodNotAllowed")


def test_the_server_does_what_the_documents_say_and_nothing_else(http: httpx.Client) -> None:
    """By names that nobody has and bodies of no known type: whoever refuses them has understood what is asked."""
    for path, item in ((path, item) for found in documents(http).values() for path, item in found["paths"].items()):
        where = re.sub(r"\{\w+\}", "none", path)
        for method in sorted(METHODS & set(item)):
            answer = http.request(method, where, headers={"content-type": "text/x-none"}, content=b"x")
            assert answer.status_code != 405, (method, path)
            assert "could not find the requested resource" not in answer.text, (method, path)
        for method in sorted(METHODS - set(item)):
            answer = http.request(method, where, json={})
            is_hint = method == "post" and "in a namespace: POST" in answer.text
            assert answer.status_code == 405 or is_hint, (method, path)


def test_stored_objects_are_as_the_documents_say(http: httpx.Client) -> None:
    found = {document["info"]["description"]: closed(document) for document in documents(http).values()}
    for kind, body in stored(http):
        document = found[f"The API {kind.api_version}."]
        assert faults(document, body) == []
        assert faults(document, http.get(kind.path()).json()) == []
        assert faults(document, body | {"stranger": 1}) == [
            "[]: Additional properties are not allowed ('stranger' was unexpected)"
        ]


def stored(http: httpx.Client) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """Each specimen as the server has it, with its status."""
    digest = hashlib.sha256(b"x").hexdigest()
    assert http.put(f"/artifacts/sha256/{digest}", content=b"x").is_success
    for plural, body in specimens(digest).items():
        kind = SCHEME.named(plural)
        created = http.post(kind.path("default"), json=body, params={"fieldValidation": "Strict"})
        assert created.status_code == 201, created.text
        if kind.has_status:
            path = kind.path("default", "specimen", "status")
            answer = http.patch(path, json={"status": body["status"]}, headers=MERGE)
            assert answer.status_code == 200, answer.text
        yield kind, http.get(kind.path("default", "specimen")).json()


def test_specimens_have_every_field() -> None:
    found = specimens("0" * 64)
    for kind in SCHEME:
        given: dict[type[BaseModel], set[str]] = {}
        note(kind.schema, found[kind.plural], given)
        for model, names in given.items():
            if model is not ObjectMeta:
                assert names == set(schema.of_model(model).fields), (kind.name, model)


def note(place: schema.Schema, value: Any, given: dict[type[BaseModel], set[str]]) -> None:
    """Which fields of which models a value has."""
    if place.model is not None:
        given.setdefault(place.model, set()).update(value)
        for name, inner in value.items():
            note(place.fields[name], inner, given)
    if place.type == "array" and place.items is not None:
        for item in value:
            note(place.items, item, given)


def test_what_is_no_object_is_as_the_document_says(http: httpx.Client, document: dict[str, Any]) -> None:
    usage = node(http, "described")
    one = assignment(http, "described-1", "described")
    assert http.put(usage, json=report(one | {"cpu": 0.5}, cpus=4)).status_code == 204
    said = {key: one[key] for key in ("namespace", "name", "uid")} | {"status": {"phase": "Running"}}
    statuses, past = usage.replace("/usage", "/statuses"), f"{TASKS}/described"
    http.post(TASKS, json=task("described"))
    http.patch(past, json={"metadata": {"labels": {"a": "b"}}}, headers=MERGE)
    for method, path, code, sent in (
        ("get", usage, 200, {}),
        ("get", f"{API}/usage", 200, {}),
        ("post", statuses, 200, {"json": {"items": [said, said | {"name": "none"}]}}),
        ("get", f"{past}/history", 200, {}),
        ("get", f"{past}/revisions", 200, {}),
        ("get", f"{API}/watch", 200, {"params": {"watch": "poll", "resources": "tasks,nodes"}}),
        ("get", f"{TASKS}/none", 404, {}),
        ("post", TASKS, 422, {"json": task("UPPER")}),
        ("delete", past, 200, {}),
        ("delete", TASKS, 200, {}),
    ):
        answer = http.request(method, path, **sent)
        assert answer.status_code == code, answer.text
        judge = validator(document, answer_of(document, method, path, code))
        assert [str(found) for found in judge.iter_errors(answer.json())] == [], (method, path)


def answer_of(document: dict[str, Any], method: str, path: str, code: int) -> dict[str, Any]:
    """The schema of what a request is answered with."""
    for pattern, item in document["paths"].items():
        if method in item and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path):
            answers = item[method]["responses"]
            found: dict[str, Any] = answers.get(str(code), answers["default"])["content"]["application/json"]["schema"]
            return found
    raise AssertionError(f"no {method} {path}")
