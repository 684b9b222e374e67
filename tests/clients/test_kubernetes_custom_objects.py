"""``kubernetes``: CustomObjectsApi, what most programs for kinds of one's own use."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from tests.clients.bodies import GROUP, PLURAL, VERSION, task, with_replicas


@pytest.fixture
def api(kubeconfig: Path) -> Iterator[client.ApiClient]:
    with config.new_client_from_config(str(kubeconfig)) as found:
        yield found


class Tasks:
    """The tasks of one namespace, without the words that each call repeats."""

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self.api = client.CustomObjectsApi(api)
        self.where = (GROUP, VERSION, namespace, PLURAL)

    def create(self, name: str, **fields: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.api.create_namespaced_custom_object(*self.where, task(name, **fields))
        return found

    def get(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get_namespaced_custom_object(*self.where, name)
        return found

    def names(self, **selection: Any) -> list[str]:
        found = self.api.list_namespaced_custom_object(*self.where, **selection)
        return [item["metadata"]["name"] for item in found["items"]]

    def patch(self, name: str, body: Any, **options: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.api.patch_namespaced_custom_object(*self.where, name, body, **options)
        return found


@pytest.fixture
def tasks(api: client.ApiClient, namespace: str) -> Tasks:
    return Tasks(api, namespace)


def status_of(error: ApiException) -> dict[str, Any]:
    """The Status that the server answered with."""
    found: dict[str, Any] = json.loads(error.body or "{}")
    return found


def test_the_life_of_an_object(tasks: Tasks) -> None:
    made = tasks.create("web", labels={"tier": "front"})
    assert made["metadata"]["generation"] == 1
    found = tasks.get("web")
    assert found["spec"] == made["spec"]
    found["spec"]["entries"][0]["replicas"] = 3
    replaced = tasks.api.replace_namespaced_custom_object(*tasks.where, "web", found)
    assert replaced["metadata"]["generation"] == 2
    gone = tasks.api.delete_namespaced_custom_object(*tasks.where, "web")
    assert (gone["status"], gone["details"]["uid"]) == ("Success", made["metadata"]["uid"])
    assert tasks.names() == []


def test_absent_taken_stale_and_invalid_have_their_reasons(tasks: Tasks) -> None:
    with pytest.raises(ApiException) as absent:
        tasks.get("ghost")
    assert (absent.value.status, status_of(absent.value)["reason"]) == (404, "NotFound")
    stale = tasks.create("web")
    with pytest.raises(ApiException) as taken:
        tasks.create("web")
    assert (taken.value.status, status_of(taken.value)["reason"]) == (409, "AlreadyExists")
    tasks.patch("web", with_replicas(2))
    with pytest.raises(ApiException) as conflict:
        tasks.api.replace_namespaced_custom_object(*tasks.where, "web", stale)
    assert (conflict.value.status, status_of(conflict.value)["reason"]) == (409, "Conflict")
    with pytest.raises(ApiException) as invalid:
        tasks.create("bad", replicas=-1)
    (cause,) = status_of(invalid.value)["details"]["causes"]
    assert (invalid.value.status, cause["field"]) == (422, "spec.entries[0].replicas")


def test_writers_that_read_again_after_a_conflict_lose_nothing(tasks: Tasks) -> None:
    tasks.create("counter", replicas=0)

    def count(_: int) -> int:
        conflicts = 0
        while True:
            found = tasks.get("counter")
            found["spec"]["entries"][0]["replicas"] += 1
            try:
                tasks.api.replace_namespaced_custom_object(*tasks.where, "counter", found)
            except ApiException as error:
                if status_of(error)["reason"] != "Conflict":
                    raise
                conflicts += 1
            else:
                return conflicts

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(24)))
    assert tasks.get("counter")["spec"]["entries"][0]["replicas"] == 24


def test_pages_and_selectors(tasks: Tasks, api: client.ApiClient) -> None:
    for number in range(7):
        tasks.create(f"t{number}", labels={"parity": "odd" if number % 2 else "even"})
    assert tasks.names(label_selector="parity=odd") == ["t1", "t3", "t5"]
    assert tasks.names(label_selector="parity in (even),parity!=odd") == ["t0", "t2", "t4", "t6"]
    assert tasks.names(field_selector="metadata.name=t2") == ["t2"]
    seen: list[str] = []
    token, pages = "", 0
    while pages == 0 or token:
        found = tasks.api.list_namespaced_custom_object(*tasks.where, limit=3, _continue=token)
        seen += [item["metadata"]["name"] for item in found["items"]]
        token, pages = found["metadata"].get("continue", ""), pages + 1
    assert (seen, pages) == ([f"t{number}" for number in range(7)], 3)
    everywhere = client.CustomObjectsApi(api).list_custom_object_for_all_namespaces(
        GROUP, VERSION, PLURAL, label_selector="parity=odd", field_selector=f"metadata.namespace={tasks.where[2]}"
    )
    assert len(everywhere["items"]) == 3


def test_patches_of_each_kind(tasks: Tasks) -> None:
    tasks.create("web", labels={"tier": "front"})
    merged = tasks.patch("web", {"metadata": {"labels": {"tier": None, "zone": "a"}}})
    assert merged["metadata"]["labels"] == {"zone": "a"}
    operations = [
        {"op": "test", "path": "/spec/entries/0/replicas", "value": 1},
        {"op": "replace", "path": "/spec/entries/0/replicas", "value": 4},
    ]
    patched = tasks.patch("web", operations, _content_type="application/json-patch+json")
    assert patched["spec"]["entries"][0]["replicas"] == 4
    with pytest.raises(ApiException) as missed:
        tasks.patch("web", operations, _content_type="application/json-patch+json")
    assert (missed.value.status, status_of(missed.value)["reason"]) == (422, "Invalid")
    with pytest.raises(ApiException) as strategic:
        tasks.patch("web", {}, _content_type="application/strategic-merge-patch+json")
    assert status_of(strategic.value)["reason"] == "UnsupportedMediaType"


def test_status_has_its_own_door(tasks: Tasks) -> None:
    tasks.create("web")
    status = {"status": {"replicas": 2, "operator": {"seen": True}}}
    found = tasks.api.patch_namespaced_custom_object_status(*tasks.where, "web", status)
    assert (found["status"]["replicas"], found["status"]["operator"]) == (2, {"seen": True})
    assert found["metadata"]["generation"] == 1
    ignored = tasks.patch("web", {"status": {"replicas": 9}})
    assert ignored["status"]["replicas"] == 2
    found["status"]["replicas"] = 3
    tasks.api.replace_namespaced_custom_object_status(*tasks.where, "web", found)
    assert tasks.api.get_namespaced_custom_object_status(*tasks.where, "web")["status"]["replicas"] == 3


def test_a_dry_run_leaves_nothing(tasks: Tasks) -> None:
    made = tasks.api.create_namespaced_custom_object(*tasks.where, task("web"), dry_run="All", field_manager="me")
    assert made["metadata"]["uid"]
    assert tasks.names() == []


def test_strict_validation_names_the_unknown_field(tasks: Tasks) -> None:
    with pytest.raises(ApiException) as refused:
        tasks.api.create_namespaced_custom_object(*tasks.where, task("web", colour="red"), field_validation="Strict")
    assert 'unknown field "spec.colour"' in status_of(refused.value)["message"]


def test_a_collection_goes_at_once(tasks: Tasks) -> None:
    for name in ("a", "b", "c"):
        tasks.create(name, labels={"keep": str(name == "b").lower()})
    tasks.api.delete_collection_namespaced_custom_object(*tasks.where, label_selector="keep=false")
    assert tasks.names() == ["b"]


def test_a_finalizer_holds_an_object_until_it_is_taken_away(tasks: Tasks) -> None:
    tasks.create("web")
    tasks.patch("web", {"metadata": {"finalizers": ["example.com/clean"]}})
    marked = tasks.api.delete_namespaced_custom_object(*tasks.where, "web", grace_period_seconds=0)
    assert marked["metadata"]["deletionTimestamp"]
    tasks.patch("web", {"metadata": {"finalizers": None}})
    assert tasks.names() == []


def test_a_deletion_means_one_object_only(tasks: Tasks) -> None:
    made = tasks.create("web")
    options = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="someone-else"))
    with pytest.raises(ApiException) as refused:
        tasks.api.delete_namespaced_custom_object(*tasks.where, "web", body=options)
    assert status_of(refused.value)["reason"] == "Conflict"
    right = client.V1DeleteOptions(
        propagation_policy="Background", preconditions=client.V1Preconditions(uid=made["metadata"]["uid"])
    )
    tasks.api.delete_namespaced_custom_object(*tasks.where, "web", body=right)
    assert tasks.names() == []


def test_the_scale_of_a_task(tasks: Tasks) -> None:
    tasks.create("web", replicas=2)
    found = tasks.api.get_namespaced_custom_object_scale(*tasks.where, "web")
    assert (found["kind"], found["spec"]["replicas"]) == ("Scale", 2)
    tasks.api.patch_namespaced_custom_object_scale(*tasks.where, "web", {"spec": {"replicas": 5}})
    assert tasks.get("web")["spec"]["entries"][0]["replicas"] == 5
    with pytest.raises(ApiException) as stale:
        tasks.api.replace_namespaced_custom_object_scale(*tasks.where, "web", found)
    assert status_of(stale.value)["reason"] == "Conflict"
