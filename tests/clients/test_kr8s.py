"""``kr8s``: objects that know how to write themselves."""

from collections.abc import Iterator
from pathlib import Path

import kr8s
import pytest
from kr8s._async_utils import as_sync_func
from kr8s.objects import APIObject, Event, Namespace, new_class

from tests.clients.bodies import API_VERSION, note, task, with_replicas

Task = new_class("Task", version=API_VERSION, asyncio=False)


@pytest.fixture
def api(kubeconfig: Path, namespace: str) -> Iterator[kr8s.Api]:
    found = kr8s.api(kubeconfig=str(kubeconfig), namespace=namespace)
    yield found
    close = as_sync_func(found._session.aclose)
    close()  # the library leaves its connections open until the process ends; a test may not


def make(api: kr8s.Api, name: str, replicas: int = 1) -> APIObject:
    found = Task(task(name, replicas=replicas), namespace=api.namespace, api=api)
    found.create()
    return found


def test_kinds_are_found_by_discovery(api: kr8s.Api) -> None:
    assert api.version()["major"] == "1"
    assert {API_VERSION, "v1"} <= set(api.api_versions())
    assert {"Task", "Namespace", "Event"} <= {one["kind"] for one in api.api_resources()}
    for name in ("task", "tasks", "Task", "tasks.plum.dev"):
        kind, plural, namespaced = api.lookup_kind(name)
        assert (kind, plural, namespaced) == ("task.plum.dev/v1", "tasks", True)


def test_the_life_of_an_object(api: kr8s.Api) -> None:
    web = make(api, "web")
    assert web.exists()
    assert web.metadata.generation == 1
    web.patch(with_replicas(2))
    assert (web.spec.entries[0].replicas, web.metadata.generation) == (2, 2)
    web.patch([{"op": "replace", "path": "/spec/entries/0/replicas", "value": 3}], type="json")
    web.label(tier="front")
    web.annotate({"example.com/note": "hello"})
    again = Task.get("web", namespace=api.namespace, api=api)
    assert (again.spec.entries[0].replicas, again.labels.tier) == (3, "front")
    assert again.annotations["example.com/note"] == "hello"
    web.remove_label("tier")
    web.delete(propagation_policy="Background")
    assert not web.exists()


def test_names_and_selectors(api: kr8s.Api) -> None:
    for name in ("a", "b", "c"):
        make(api, name).label(name=name)
    assert [one.name for one in api.get("tasks")] == ["a", "b", "c"]
    assert [one.name for one in api.get("tasks", "b")] == ["b"]
    assert [one.name for one in api.get("tasks", label_selector={"name": "c"})] == ["c"]
    assert [one.name for one in api.get("tk", field_selector="metadata.name=a")] == ["a"]
    everywhere = api.get("tasks", namespace=kr8s.ALL, field_selector=f"metadata.namespace={api.namespace}")
    assert len(list(everywhere)) == 3


def test_more_than_a_page_of_objects(api: kr8s.Api) -> None:
    """It asks for pages of 100."""
    api.create([Event(note(f"e{number:03}", api.namespace), namespace=api.namespace, api=api) for number in range(101)])
    assert len(list(api.get("events"))) == 101


def test_refusals(api: kr8s.Api) -> None:
    web = make(api, "web")
    with pytest.raises(kr8s.ServerError) as taken:
        make(api, "web")
    status = taken.value.status
    assert isinstance(status, dict)
    assert (status["reason"], status["code"]) == ("AlreadyExists", 409)
    with pytest.raises(kr8s.ServerError, match=r"spec\.entries\[0\]\.replicas"):
        make(api, "bad", replicas=-1)
    web.delete()
    with pytest.raises(kr8s.NotFoundError):
        web.refresh()
    with pytest.raises(kr8s.NotFoundError):
        Task.get("web", namespace=api.namespace, api=api, timeout=1)


def test_status_and_waiting(api: kr8s.Api) -> None:
    web = make(api, "web")
    available = {"type": "Available", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    web.patch({"status": {"replicas": 2, "conditions": [available]}}, subresource="status")
    assert (web.status.replicas, web.metadata.generation) == (2, 1)
    web.wait("condition=Available", timeout=20)
    web.wait("jsonpath='{.status.replicas}'=2", timeout=20)
    web.delete()
    web.wait("delete", timeout=20)


def test_watches(api: kr8s.Api) -> None:
    web = make(api, "web")
    web.patch(with_replicas(2))
    found = []
    for kind, one in api.watch("tasks"):
        found.append((kind, one.name, one.spec.entries[0].replicas))
        if kind == "DELETED":
            break
        web.delete()
    assert found == [("ADDED", "web", 2), ("DELETED", "web", 2)]


def test_owners_are_set(api: kr8s.Api) -> None:
    owner, owned = make(api, "owner"), make(api, "owned")
    owned.set_owner(owner)
    (reference,) = owned.metadata.ownerReferences
    assert (reference.kind, reference.uid) == ("Task", owner.metadata.uid)


def test_namespaces_and_events_with_their_models(api: kr8s.Api) -> None:
    assert Namespace.get(api.namespace, api=api).status.phase == "Active"
    Event(note("one", api.namespace), namespace=api.namespace, api=api).create()
    (found,) = api.get("events", field_selector={"involvedObject.name": "web"})
    assert found.raw["reason"] == "Tested"
