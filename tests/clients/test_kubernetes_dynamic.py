"""``kubernetes``: DynamicClient, which finds kinds by discovery."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import config
from kubernetes.dynamic import DynamicClient, Resource
from kubernetes.dynamic.exceptions import (
    ConflictError,
    NotFoundError,
    ResourceNotFoundError,
    UnprocessibleEntityError,
)

from tests.clients.bodies import API_VERSION, URL, task, with_replicas

MERGE = "application/merge-patch+json"


@pytest.fixture
def dynamic(kubeconfig: Path, tmp_path: Path) -> Iterator[DynamicClient]:
    with config.new_client_from_config(str(kubeconfig)) as api:
        yield DynamicClient(api, cache_file=str(tmp_path / "discovery.json"))


@pytest.fixture
def tasks(dynamic: DynamicClient) -> Resource:
    return dynamic.resources.get(api_version=API_VERSION, kind="Task")


def test_kinds_are_found_by_discovery(dynamic: DynamicClient, tasks: Resource) -> None:
    assert (tasks.name, tasks.namespaced, tasks.group) == ("tasks", True, "plum.dev")
    assert "status" in tasks.subresources
    nodes = dynamic.resources.get(api_version=API_VERSION, kind="Node")
    assert not nodes.namespaced
    kinds = {one.kind for one in dynamic.resources.search(api_version=API_VERSION) if isinstance(one, Resource)}
    assert {"Task", "Assignment", "Node", "App", "Service", "Endpoint"} <= kinds
    with pytest.raises(ResourceNotFoundError):
        dynamic.resources.get(api_version=API_VERSION, kind="Nonsense")


def test_the_life_of_an_object(tasks: Resource, namespace: str) -> None:
    tasks.create(task("web", labels={"tier": "front"}), namespace=namespace)
    found = tasks.get(name="web", namespace=namespace)
    assert found.spec.entries[0].replicas == 1
    found.spec.entries[0].replicas = 2
    assert tasks.replace(found, namespace=namespace).metadata.generation == 2
    patched = tasks.patch(with_replicas(3), name="web", namespace=namespace, content_type=MERGE)
    assert patched.spec.entries[0].replicas == 3
    listed = tasks.get(namespace=namespace, label_selector="tier=front", limit=5)
    assert [one.metadata.name for one in listed.items] == ["web"]
    tasks.delete(name="web", namespace=namespace)
    with pytest.raises(NotFoundError) as absent:
        tasks.get(name="web", namespace=namespace)
    assert json.loads(absent.value.body)["reason"] == "NotFound"


def test_refusals_have_exceptions_of_their_own(tasks: Resource, namespace: str) -> None:
    stale = tasks.create(task("web"), namespace=namespace)
    with pytest.raises(ConflictError):
        tasks.create(task("web"), namespace=namespace)
    tasks.patch(with_replicas(3), name="web", namespace=namespace, content_type=MERGE)
    with pytest.raises(ConflictError):
        tasks.replace(stale, namespace=namespace)
    with pytest.raises(UnprocessibleEntityError):
        tasks.create(task("bad", replicas=-1), namespace=namespace)


def applied(name: str, **entry: Any) -> dict[str, Any]:
    """What one manager has an opinion about."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Task",
        "metadata": {"name": name},
        "spec": {"entries": [{"name": "main", "artifactUrl": URL} | entry]},
    }


def test_server_side_apply_by_two_managers(tasks: Resource, namespace: str) -> None:
    """Its body is JSON under the name of YAML."""
    made = tasks.server_side_apply(applied("web", replicas=2), namespace=namespace, field_manager="one")
    assert made.metadata.managedFields[0].manager == "one"
    with pytest.raises(ConflictError) as conflict:
        tasks.server_side_apply(applied("web", replicas=5), namespace=namespace, field_manager="two")
    (cause,) = json.loads(conflict.value.body)["details"]["causes"]
    assert (cause["reason"], cause["field"]) == ("FieldManagerConflict", '.spec.entries[name="main"].replicas')
    forced = tasks.server_side_apply(
        applied("web", replicas=5), namespace=namespace, field_manager="two", force_conflicts=True
    )
    assert forced.spec.entries[0].replicas == 5
    shared = tasks.server_side_apply(applied("web"), namespace=namespace, field_manager="one")
    assert shared.spec.entries[0].replicas == 5


def test_the_status_subresource(tasks: Resource, namespace: str) -> None:
    tasks.create(task("web"), namespace=namespace)
    body = {"metadata": {"name": "web"}, "status": {"replicas": 2}}
    found = tasks.status.patch(body, name="web", namespace=namespace, content_type=MERGE)
    assert (found.status.replicas, found.metadata.generation) == (2, 1)
    assert tasks.status.get(name="web", namespace=namespace).status.replicas == 2


def test_watching_one_object(tasks: Resource, namespace: str) -> None:
    tasks.create(task("other"), namespace=namespace)
    tasks.create(task("web"), namespace=namespace)
    found = []
    for event in tasks.watch(namespace=namespace, name="web", timeout=20):
        found.append((event["type"], event["object"].metadata.name))
        if len(found) == 1:
            tasks.delete(name="web", namespace=namespace)
        else:
            break
    assert found == [("ADDED", "web"), ("DELETED", "web")]


def test_a_collection_goes_by_its_labels(tasks: Resource, namespace: str) -> None:
    for name in ("a", "b"):
        tasks.create(task(name, labels={"name": name}), namespace=namespace)
    tasks.delete(namespace=namespace, label_selector="name=a")
    assert [one.metadata.name for one in tasks.get(namespace=namespace).items] == ["b"]


def test_the_scale_subresource(tasks: Resource, namespace: str) -> None:
    tasks.create(task("web"), namespace=namespace)
    body = {"metadata": {"name": "web"}, "spec": {"replicas": 3}}
    found = tasks.scale.patch(body, name="web", namespace=namespace, content_type=MERGE)
    assert (found.kind, found.spec.replicas) == ("Scale", 3)
    assert tasks.get(name="web", namespace=namespace).spec.entries[0].replicas == 3
