"""Field managers over HTTP: whoever writes is on the books, and what cannot be on them is refused."""

from typing import Any

import httpx
import pytest

from tests.integration.test_resources import APPLY, JSON_PATCH, MERGE, TASKS, create, expect, task

Body = dict[str, Any]


def books(body: Body) -> dict[tuple[str, str, str], Body]:
    found = body["metadata"]["managedFields"]
    return {(one["manager"], one["operation"], one.get("subresource", "")): one["fieldsV1"] for one in found}


def test_every_way_to_write_is_on_the_books(http: httpx.Client) -> None:
    url = f"{TASKS}/written"
    body = http.post(TASKS, json=task("written"), params={"fieldManager": "creator"}).json()
    body["metadata"]["labels"]["put"] = "1"
    http.put(url, json=body, params={"fieldManager": "putter"})
    http.patch(url, json={"metadata": {"labels": {"merge": "1"}}}, headers=MERGE, params={"fieldManager": "merger"})
    label = [{"op": "add", "path": "/metadata/labels/json", "value": "1"}]
    http.patch(url, json=label, headers=JSON_PATCH | {"user-agent": "patcher/1.0 (linux)"})
    http.patch(f"{url}/status", json={"status": {"x": 1}}, headers=MERGE, params={"fieldManager": "teller"})
    config = task("written") | {"status": {"y": {"z": 1}}}
    http.patch(f"{url}/status", json=config, headers=APPLY, params={"fieldManager": "applier"})
    found = books(http.get(url).json())
    for manager, key in (("putter", "put"), ("merger", "merge"), ("patcher", "json")):
        assert found[manager, "Update", ""] == {"f:metadata": {"f:labels": {f"f:{key}": {}}}}
    assert found["teller", "Update", "status"] == {"f:status": {"f:x": {}}}
    assert found["applier", "Apply", "status"] == {"f:status": {"f:y": {"f:z": {}}}}
    assert "f:spec" in found["creator", "Update", ""]


def test_what_is_written_through_the_original_api_is_on_the_books(http: httpx.Client) -> None:
    entry = {"artifactUrl": f"/artifacts/sha256/{'a' * 64}", "replicas": {"N": 1}}
    assert http.post("/v1/tasks", json={"name": "by-v1", "entries": [entry]}).is_success
    made = http.get(f"{TASKS}/by-v1").json()
    assert {key[:2] for key in books(made)} == {("plum-v1", "Update")}


def test_a_write_that_changes_nothing_moves_no_time(http: httpx.Client) -> None:
    body = create(http, "unmoved")
    url = f"{TASKS}/unmoved"
    assert http.put(url, json=body, params={"fieldManager": "other"}).json() == body
    assert http.patch(url, json={"metadata": {"labels": {"test": "unmoved"}}}, headers=MERGE).json() == body


def test_names_of_managers_are_bounded(http: httpx.Client) -> None:
    create(http, "named")
    url, label = f"{TASKS}/named", {"metadata": {"labels": {"a": "1"}}}
    for name in ("m" * 129, "a\nb"):
        refused = http.patch(url, json=label, headers=MERGE, params={"fieldManager": name})
        expect(refused, 422, "Invalid", "fieldManager: Invalid value: must be printable and have at most 128")
        applied = http.patch(url, json=task("named"), headers=APPLY, params={"fieldManager": name})
        expect(applied, 422, "Invalid", "fieldManager")
    long = http.patch(url, json=label, headers=MERGE | {"user-agent": "u" * 500}).json()
    assert ("u" * 128, "Update", "") in books(long)
    forced = http.patch(url, json=label, headers=MERGE, params={"force": "true"})
    expect(forced, 422, "Invalid", "force: Forbidden: may not be specified for non-apply patch")


@pytest.mark.parametrize(
    "change", [{"fieldsV1": {"nonsense": {}}}, {"apiVersion": "v9"}, {"operation": "Steal"}, {"fieldsV1": [1]}]
)
def test_books_that_are_none_are_not_stored(http: httpx.Client, change: Body) -> None:
    url = f"{TASKS}/claimed"
    before = http.get(url)
    body = before.json() if before.is_success else create(http, "claimed")
    entry = {"manager": "eve", "operation": "Update", "apiVersion": "plum.dev/v1", "fieldsV1": {}} | change
    claim = {"metadata": {"managedFields": [entry]}}
    expect(http.patch(url, json=claim, headers=MERGE), 422, "Invalid", "metadata.managedFields[0].")
    assert http.get(url).json() == body
    told = http.patch(url, json=task("claimed") | claim, headers=APPLY, params={"fieldManager": "eve"})
    assert told.status_code == 400


def test_books_can_be_thrown_away_and_begin_anew(http: httpx.Client) -> None:
    create(http, "anew")
    url = f"{TASKS}/anew"
    resets: list[list[Body]] = [[], [{}]]
    for reset in resets:
        cleared = http.patch(url, json={"metadata": {"managedFields": reset}}, headers=MERGE).json()
        assert "managedFields" not in cleared["metadata"]
    config = task("anew")
    config["metadata"]["labels"] = {"test": "other"}
    refused = http.patch(url, json=config, headers=APPLY, params={"fieldManager": "me"})
    expect(refused, 409, "Conflict", 'conflict with "before-first-apply" using plum.dev/v1 at ')


@pytest.mark.parametrize("left_out", ["apiVersion", "kind"])
def test_an_applied_configuration_says_what_it_is_of(http: httpx.Client, left_out: str) -> None:
    config = {"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": {"name": "nameless"}}
    del config[left_out]
    answer = http.patch(f"{TASKS}/nameless", json=config, headers=APPLY, params={"fieldManager": "me"})
    assert (answer.status_code, answer.json()["reason"]) == (400, "BadRequest")
    assert answer.json()["message"].startswith(f"{left_out}: Required value")
    assert http.get(f"{TASKS}/nameless").status_code == 404
