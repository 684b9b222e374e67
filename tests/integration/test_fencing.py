"""Writes of those who led once, over HTTP: every verb that writes, and the leases that tell who leads."""

from typing import Any

import httpx
import pytest

from tests.integration.test_resources import APPLY, JSON_PATCH, MERGE, TASKS, create, expect, task

LEASES = "/apis/coordination.k8s.io/v1/namespaces/plum-system/leases"
NODE_LEASES = LEASES.replace("plum-system", "plum-node-lease")


def hold(http: httpx.Client, name: str, token: int) -> None:
    config = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name},
        "spec": {"holderIdentity": "me", "leaseTransitions": token},
    }
    response = http.patch(
        f"{LEASES}/{name}", json=config, params={"fieldManager": "me", "force": "true"}, headers=APPLY
    )
    assert response.status_code in (200, 201), response.text


def test_every_verb_that_writes_is_refused_after_a_takeover(http: httpx.Client) -> None:
    hold(http, "verbs", 2)
    found = create(http, "guarded")
    url = f"{TASKS}/guarded"
    fence = {"plum-fence": "plum-system/verbs/1"}
    lease: dict[str, Any] = {"spec": {"renewTime": "2026-01-01T00:00:00.000000Z", "holderIdentity": "agent"}}
    lease |= {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
    manager = {"fieldManager": "m"}
    held = http.patch(f"{NODE_LEASES}/guarded", json=lease, params=manager, headers=APPLY)
    assert held.status_code == 201, held.text
    before = http.get(TASKS).json()["metadata"]["resourceVersion"]
    for response in (
        http.post(TASKS, json=task("other"), headers=fence),
        http.post(TASKS, json=task("other"), headers=fence, params={"dryRun": "All"}),
        http.put(url, json=found | {"spec": found["spec"] | {"state": "Stopped"}}, headers=fence),
        http.put(f"{url}/status", json=found | {"status": {"replicas": 1}}, headers=fence),
        http.patch(url, json={"spec": {"state": "Stopped"}}, headers=MERGE | fence),
        http.patch(url, json=[{"op": "add", "path": "/spec/state", "value": "Stopped"}], headers=JSON_PATCH | fence),
        http.patch(url, json=task("guarded"), headers=APPLY | fence, params=manager),
        http.patch(f"{NODE_LEASES}/guarded", json=lease, headers=APPLY | fence, params=manager),
        http.delete(url, headers=fence),
        http.delete(TASKS, headers=fence, params={"labelSelector": "test=guarded"}),
    ):
        body = expect(response, 409, "Conflict", "superseded", "token 1", "plum-system/verbs", "held under token 2")
        assert body["details"] == {"name": "verbs", "group": "coordination.k8s.io", "kind": "leases"}
    assert http.get(TASKS).json()["metadata"]["resourceVersion"] == before
    assert http.get(TASKS, headers=fence).status_code == 200
    fence = {"plum-fence": "plum-system/verbs/2"}
    assert http.delete(TASKS, headers=fence, params={"labelSelector": "test=guarded"}).status_code == 200
    expect(http.get(url), 404, "NotFound")


@pytest.mark.parametrize(
    "fence", ["", "x", "plum-system/verbs", "plum-system/verbs/-1", "plum-system//1", "a/b/c/1", "a/b/1, a/b/2"]
)
def test_a_fence_that_cannot_be_read_is_refused(http: httpx.Client, fence: str) -> None:
    expect(http.post(TASKS, json=task("bad"), headers={"plum-fence": fence}), 400, "BadRequest", "Plum-Fence")
    expect(http.delete(TASKS, headers={"plum-fence": fence}), 400, "BadRequest", "Plum-Fence")


def test_two_fences_are_refused(http: httpx.Client) -> None:
    two = [("plum-fence", "a/b/1"), ("plum-fence", "a/b/2")]
    expect(http.post(TASKS, json=task("bad"), headers=two), 400, "BadRequest", "Plum-Fence")


def test_a_token_does_not_jump_to_its_end(http: httpx.Client) -> None:
    hold(http, "jumping", 7)
    for token, words in ((2**62, "may grow by at most"), (6, "may not go down")):
        patch = {"spec": {"leaseTransitions": token}}
        refused = http.patch(f"{LEASES}/jumping", json=patch, headers=MERGE)
        expect(refused, 422, "Invalid", "spec.leaseTransitions", words)


def test_the_leases_of_our_programs_stay(http: httpx.Client) -> None:
    hold(http, "staying", 7)
    expect(http.delete(f"{LEASES}/staying"), 409, "Conflict", "plum-system/staying stays", "spec.holderIdentity")
    expect(http.delete("/api/v1/namespaces/plum-system"), 403, "Forbidden", "this namespace may not be deleted")
    elsewhere = LEASES.replace("plum-system", "default")
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "any"}}
    assert http.post(elsewhere, json=lease).status_code == 201
    assert http.delete(f"{elsewhere}/any").status_code == 200
