"""What must not happen: foreign web pages, doubled agents, lost locks, objects that outlive their room."""

import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from apiserver.api.errors import ServiceUnavailable
from apiserver.server.store.sqlite import SQLiteEngine
from tests.integration.test_resources import APPLY, MERGE, TASKS, create, expect, task
from tests.stores import body, put, running

LEASES = "/apis/coordination.k8s.io/v1/namespaces/plum-node-lease/leases"
NAMESPACES = "/api/v1/namespaces"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"host": "rebound.example"},
        {"host": "127.0.0.1.evil.example:80"},
    ],
)
def test_foreign_web_pages_are_refused(http: httpx.Client, headers: dict[str, str]) -> None:
    expect(http.post(TASKS, json=task("evil"), headers=headers), 403, "Forbidden")
    expect(http.get(TASKS, headers=headers), 403, "Forbidden")


@pytest.mark.parametrize("header", ["Impersonate-User", "Impersonate-Group", "Impersonate-Uid", "impersonate-extra-x"])
def test_nothing_is_done_in_anothers_name(http: httpx.Client, header: str) -> None:
    expect(http.get(TASKS, headers={header: "bob"}), 403, "Forbidden", "cannot impersonate")
    expect(http.post(TASKS, json=task("theirs"), headers={header: "bob"}), 403, "Forbidden")
    expect(http.get(f"{TASKS}/theirs"), 404, "NotFound")


def test_our_own_pages_and_names_are_served(http: httpx.Client) -> None:
    host = f"{http.base_url.host}:{http.base_url.port}"
    for headers in ({"origin": f"http://{host}"}, {"sec-fetch-site": "same-origin"}, {"host": "localhost:1"}):
        assert http.get(TASKS, headers=headers).status_code == 200


def renew(http: httpx.Client, holder: str, name: str = "n1", **query: str) -> httpx.Response:
    lease: dict[str, Any] = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 1, "renewTime": "2026-01-01T00:00:00.000000Z"},
    }
    query = {"fieldManager": "agent", "force": "true"} | query
    return http.patch(f"{LEASES}/{name}", json=lease, params=query, headers=APPLY)


def test_a_lease_has_one_holder_and_only_it_keeps_it_alive(http: httpx.Client) -> None:
    first = renew(http, "one").json()
    assert first["status"]["state"] == "Held"
    again = renew(http, "one").json()
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    expect(renew(http, "two"), 409, "Conflict", "held by another agent (one)")

    query = {"watch": "poll", "timeoutSeconds": "20", "resourceVersion": first["metadata"]["resourceVersion"]}
    batch = http.get(LEASES, params=query, timeout=30).json()
    assert [item["object"]["status"]["state"] for item in batch["items"]] == ["Expired"]
    assert renew(http, "two", dryRun="All").json()["status"]["state"] == "Held"
    labelled = http.patch(f"{LEASES}/n1", json={"metadata": {"labels": {"a": "b"}}}, headers=MERGE).json()
    assert labelled["status"]["state"] == "Expired"
    assert renew(http, "two").json()["status"]["state"] == "Held"


def test_a_lease_that_is_given_back_is_free_at_once(http: httpx.Client) -> None:
    held = renew(http, "one", "n-free").json()
    expect(renew(http, "two", "n-free"), 409, "Conflict")
    assert renew(http, "", "n-free").json()["status"]["state"] == "Expired"
    found = http.get(f"{LEASES}/n-free").json()
    assert (found["status"]["state"], found["spec"]["holderIdentity"]) == ("Expired", "")
    assert found["metadata"]["resourceVersion"] != held["metadata"]["resourceVersion"], "whoever watches is told"
    assert renew(http, "two", "n-free").json()["status"]["state"] == "Held"
    assert renew(http, "", "n-free").status_code == 200


def test_a_node_that_is_away_can_be_taken_out_in_spite_of_what_is_being_deleted_there(http: httpx.Client) -> None:
    """For that is what lets it go; while the node is ready its agent does."""
    nodes, assignments = "/apis/plum.dev/v1/nodes", "/apis/plum.dev/v1/namespaces/default/assignments"
    node = {"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": "n-away"}}
    assert http.post(nodes, json=node).status_code == 201
    template = {"artifactUrl": "http://x/y.zip", "sha256": "a" * 64}
    spec = {"taskName": "t", "entry": "main", "nodeName": "n-away", "template": template, "templateHash": "h"}
    meta = {"name": "stuck", "finalizers": ["plum.dev/stopped"]}
    body = {"apiVersion": "plum.dev/v1", "kind": "Assignment", "metadata": meta, "spec": spec}
    assert http.post(assignments, json=body).status_code == 201
    expect(http.delete(f"{nodes}/n-away"), 409, "Conflict", "node in use: 1 assignment (stuck)")
    assert http.delete(f"{assignments}/stuck").status_code == 200
    for status, code in (("True", 409), ("Unknown", 200)):
        ready = {"status": {"conditions": [{"type": "Ready", "status": status}]}}
        assert http.patch(f"{nodes}/n-away/status", json=ready, headers=MERGE).status_code == 200
        assert http.delete(f"{nodes}/n-away").status_code == code


def test_a_namespace_under_deletion_takes_nothing_in(http: httpx.Client) -> None:
    held = {"metadata": {"name": "leaving", "finalizers": ["test/hold"]}}
    assert http.post(NAMESPACES, json=held).status_code == 201
    inside = TASKS.replace("default", "leaving")
    assert http.delete(f"{NAMESPACES}/leaving").status_code == 200
    expect(http.post(inside, json=task("late")), 403, "Forbidden", "because it is being terminated")
    assert (
        http.patch(f"{NAMESPACES}/leaving", json={"metadata": {"finalizers": None}}, headers=MERGE).status_code == 200
    )
    expect(http.get(f"{NAMESPACES}/leaving"), 404, "NotFound")


def test_an_apply_of_one_certain_object_does_not_make_another(http: httpx.Client) -> None:
    for metadata in ({"uid": "gone"}, {"resourceVersion": "1"}):
        config = task("certain")
        config["metadata"] |= metadata
        refused = http.patch(f"{TASKS}/certain", json=config, params={"fieldManager": "m"}, headers=APPLY)
        expect(refused, 409, "Conflict", "does not exist any more")


def test_keys_given_twice_in_a_patch_are_found(http: httpx.Client) -> None:
    create(http, "twice")
    twice = b'{"metadata": {"labels": {"a": "1", "a": "2"}}}'
    strict = {"fieldValidation": "Strict"}
    refused = http.patch(f"{TASKS}/twice", content=twice, params=strict, headers=MERGE)
    expect(refused, 400, "BadRequest", 'duplicate field "metadata.labels.a"')


async def test_a_lock_on_the_database_fails_writes_and_not_the_server(tmp_path: Path) -> None:
    engine = SQLiteEngine(tmp_path)
    engine._reading().exec_driver_sql("PRAGMA busy_timeout=50")
    async with running(engine, inline=False) as store:
        await store.write(put(body("a")))
        other = sqlite3.connect(tmp_path / "plum.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ServiceUnavailable, match="not stored: database is locked"):
            await store.write(put(body("b")))
        other.execute("ROLLBACK")
        other.close()
        assert [slot.version for slot in await store.write(put(body("b")))] == [2]
