"""``lightkube``: generic resources for Plum's kinds, its own models for namespaces and events."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from lightkube import ALL_NS, Client, KubeConfig
from lightkube.codecs import load_all_yaml
from lightkube.core.exceptions import ApiError
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Event, Namespace
from lightkube.types import CascadeType, PatchType

from tests.clients.bodies import GROUP, PLURAL, URL, VERSION, note, task, with_replicas
from tests.e2e.cluster import wait_for

Task = create_namespaced_resource(GROUP, VERSION, "Task", PLURAL)


@pytest.fixture
def lightkube(kubeconfig: Path, namespace: str) -> Iterator[Client]:
    with Client(KubeConfig.from_file(kubeconfig), namespace=namespace, field_manager="lightkube") as found:
        yield found


def names(lightkube: Client, **selection: Any) -> list[str]:
    return [str(one.metadata.name) for one in lightkube.list(Task, **selection)]


def test_the_life_of_an_object(lightkube: Client) -> None:
    made = lightkube.create(Task(task("web")))
    assert made.metadata.generation == 1
    found = lightkube.get(Task, "web")
    found["spec"]["entries"][0]["replicas"] = 2
    assert lightkube.replace(found).metadata.generation == 2
    lightkube.delete(Task, "web", cascade=CascadeType.BACKGROUND)
    assert names(lightkube) == []


def test_refusals_carry_the_whole_status(lightkube: Client) -> None:
    with pytest.raises(ApiError) as absent:
        lightkube.get(Task, "ghost")
    assert (absent.value.status.reason, absent.value.status.details.name) == ("NotFound", "ghost")
    stale = lightkube.create(Task(task("web")))
    with pytest.raises(ApiError) as taken:
        lightkube.create(Task(task("web")))
    assert taken.value.status.reason == "AlreadyExists"
    lightkube.patch(Task, "web", with_replicas(2), patch_type=PatchType.MERGE)
    with pytest.raises(ApiError) as conflict:
        lightkube.replace(stale)
    assert (conflict.value.status.code, conflict.value.status.reason) == (409, "Conflict")
    with pytest.raises(ApiError) as invalid:
        lightkube.create(Task(task("bad", replicas=-1)))
    (cause,) = invalid.value.status.details.causes
    assert (invalid.value.status.reason, cause.field) == ("Invalid", "spec.entries[0].replicas")


def test_lists_come_in_pages(lightkube: Client) -> None:
    for number in range(5):
        lightkube.create(Task(task(f"t{number}", labels={"parity": "odd" if number % 2 else "even"})))
    assert names(lightkube, chunk_size=2) == [f"t{number}" for number in range(5)]
    assert names(lightkube, labels={"parity": "odd"}) == ["t1", "t3"]
    assert names(lightkube, fields={"metadata.name": "t4"}) == ["t4"]
    everywhere = {"namespace": ALL_NS, "fields": {"metadata.namespace": lightkube.namespace}}
    assert len(names(lightkube, **everywhere)) == 5


def test_patches(lightkube: Client) -> None:
    lightkube.create(Task(task("web")))
    merged = lightkube.patch(Task, "web", with_replicas(3), patch_type=PatchType.MERGE)
    assert merged["spec"]["entries"][0]["replicas"] == 3
    operations = [{"op": "replace", "path": "/spec/entries/0/replicas", "value": 4}]
    patched = lightkube.patch(Task, "web", operations, patch_type=PatchType.JSON)
    assert patched["spec"]["entries"][0]["replicas"] == 4
    assert lightkube.set(Task, "web", labels={"tier": "front"}).metadata.labels == {"tier": "front"}
    with pytest.raises(ApiError) as strategic:
        lightkube.patch(Task, "web", with_replicas(5))
    assert strategic.value.status.reason == "UnsupportedMediaType"
    assert "application/merge-patch+json" in strategic.value.status.message


def test_apply_and_its_conflicts(lightkube: Client) -> None:
    made = lightkube.apply(Task(task("web", replicas=2)))
    assert made.metadata.managedFields[0].manager == "lightkube"
    with pytest.raises(ApiError) as conflict:
        lightkube.apply(Task(task("web", replicas=5)), field_manager="rival")
    assert {cause.reason for cause in conflict.value.status.details.causes} == {"FieldManagerConflict"}
    forced = lightkube.apply(Task(task("web", replicas=5)), field_manager="rival", force=True)
    assert forced["spec"]["entries"][0]["replicas"] == 5


def test_manifests_are_applied_as_they_are(lightkube: Client) -> None:
    """The codecs know the kind since it was made above."""
    manifest = f"""
apiVersion: plum.dev/v1
kind: Task
metadata: {{name: web}}
spec: {{entries: [{{name: main, artifactUrl: {URL}}}]}}
---
apiVersion: plum.dev/v1
kind: Task
metadata: {{name: worker}}
spec: {{entries: [{{name: main, artifactUrl: {URL}}}]}}
"""
    for one in load_all_yaml(manifest):
        lightkube.apply(one, namespace=lightkube.namespace)
    assert names(lightkube) == ["web", "worker"]


def test_the_status_subresource(lightkube: Client) -> None:
    lightkube.create(Task(task("web")))
    found = lightkube.patch(Task.Status, "web", {"status": {"replicas": 2}}, patch_type=PatchType.MERGE)
    assert (found["status"]["replicas"], found.metadata.generation) == (2, 1)
    found["status"]["replicas"] = 3
    lightkube.replace(found)
    assert lightkube.get(Task.Status, "web")["status"]["replicas"] == 3


def test_the_scale_subresource(lightkube: Client) -> None:
    lightkube.create(Task(task("web")))
    found = lightkube.patch(Task.Scale, "web", {"spec": {"replicas": 3}}, patch_type=PatchType.MERGE)
    assert found.spec.replicas == 3
    found.spec.replicas = 4
    lightkube.replace(found)
    assert lightkube.get(Task, "web")["spec"]["entries"][0]["replicas"] == 4


class Counting(httpx2.HTTPTransport):
    """Remembers the versions from which watches were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.versions: list[str] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if "watch" in request.url.params:
            self.versions.append(request.url.params.get("resourceVersion", ""))
        return super().handle_request(request)


def test_a_watch_goes_on_where_the_server_ended_it(lightkube: Client, kubeconfig: Path) -> None:
    """The server ends the stream after a second, and the library comes back with the last version it saw."""
    first = lightkube.create(Task(task("first")))
    transport, found = Counting(), []

    def write_when_it_came_back() -> None:
        wait_for("the second request", lambda: len(transport.versions) >= 2)
        lightkube.create(Task(task("second")))

    with (
        Client(KubeConfig.from_file(kubeconfig), namespace=lightkube.namespace, transport=transport) as watcher,
        ThreadPoolExecutor(1) as pool,
    ):
        written = pool.submit(write_when_it_came_back)
        for kind, one in watcher.watch(Task, server_timeout=1):
            found.append((kind, one.metadata.name))
            if len(found) == 2:
                break
        written.result()
    assert found == [("ADDED", "first"), ("ADDED", "second")]
    assert transport.versions[:2] == ["", first.metadata.resourceVersion]


def test_a_forgotten_version_is_410(lightkube: Client, forgotten: str) -> None:
    with pytest.raises(ApiError) as expired:
        next(lightkube.watch(Task, resource_version=forgotten))
    assert (expired.value.status.code, expired.value.status.reason) == (410, "Expired")


def test_waiting_for_a_condition(lightkube: Client) -> None:
    lightkube.create(Task(task("web")))
    available = {"type": "Available", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    lightkube.patch(Task.Status, "web", {"status": {"conditions": [available]}}, patch_type=PatchType.MERGE)
    assert lightkube.wait(Task, "web", for_conditions=["Available"]).metadata.name == "web"


def test_a_collection_goes_at_once(lightkube: Client) -> None:
    for name in ("a", "b"):
        lightkube.create(Task(task(name)))
    lightkube.deletecollection(Task)
    assert names(lightkube) == []


def test_namespaces_and_events_with_their_models(lightkube: Client) -> None:
    room = Namespace(metadata=ObjectMeta(name=f"room-{uuid.uuid4().hex[:8]}"))
    assert lightkube.create(room).status.phase == "Active"
    lightkube.create(Event.from_dict(note("one", str(lightkube.namespace))))
    (found,) = lightkube.list(Event, fields={"involvedObject.name": "web"})
    assert (found.reason, found.involvedObject.kind) == ("Tested", "Task")
    lightkube.delete(Namespace, str(room.metadata.name))


def test_a_dry_run_leaves_nothing(lightkube: Client) -> None:
    assert lightkube.create(Task(task("web")), dry_run=True).metadata.uid
    assert names(lightkube) == []
