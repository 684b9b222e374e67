"""``kubernetes``: watching, going on from a version, and the informer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config, informer, watch
from kubernetes.client.exceptions import ApiException

from tests.clients.bodies import GROUP, PLURAL, VERSION, note, task, with_replicas
from tests.e2e.cluster import wait_for


@pytest.fixture
def objects(kubeconfig: Path) -> Iterator[client.CustomObjectsApi]:
    with config.new_client_from_config(str(kubeconfig)) as api:
        yield client.CustomObjectsApi(api)


def events(objects: client.CustomObjectsApi, namespace: str, count: int, **options: Any) -> list[tuple[str, str]]:
    """The first so many events of a watch: their types and names."""
    watcher = watch.Watch()
    found = []
    listed = objects.list_namespaced_custom_object
    for event in watcher.stream(listed, GROUP, VERSION, namespace, PLURAL, timeout_seconds=20, **options):
        found.append((event["type"], event["object"]["metadata"]["name"]))
        if len(found) == count:
            watcher.stop()
    return found


def test_a_watch_begins_with_what_there_is(objects: client.CustomObjectsApi, namespace: str) -> None:
    for name in ("a", "b"):
        objects.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, task(name))
    assert events(objects, namespace, 2) == [("ADDED", "a"), ("ADDED", "b")]


def test_a_watch_goes_on_from_a_version(objects: client.CustomObjectsApi, namespace: str) -> None:
    where = (GROUP, VERSION, namespace, PLURAL)
    objects.create_namespaced_custom_object(*where, task("old"))
    since = objects.list_namespaced_custom_object(*where)["metadata"]["resourceVersion"]
    objects.create_namespaced_custom_object(*where, task("web", labels={"tier": "front"}))
    objects.patch_namespaced_custom_object(*where, "web", with_replicas(2))
    objects.delete_namespaced_custom_object(*where, "web")
    everything = [("ADDED", "web"), ("MODIFIED", "web"), ("DELETED", "web")]
    assert events(objects, namespace, 3, resource_version=since) == everything
    assert events(objects, namespace, 3, resource_version=since, label_selector="tier=front") == everything
    one = {"resource_version": since, "field_selector": "metadata.name=web"}
    assert events(objects, namespace, 3, **one) == everything


def test_leaving_a_selection_looks_like_a_deletion(objects: client.CustomObjectsApi, namespace: str) -> None:
    where = (GROUP, VERSION, namespace, PLURAL)
    made = objects.create_namespaced_custom_object(*where, task("web", labels={"tier": "front"}))
    objects.patch_namespaced_custom_object(*where, "web", {"metadata": {"labels": {"tier": "back"}}})
    since = made["metadata"]["resourceVersion"]
    assert events(objects, namespace, 1, resource_version=since, label_selector="tier=front") == [("DELETED", "web")]
    assert events(objects, namespace, 1, resource_version=since, label_selector="tier=back") == [("ADDED", "web")]


def test_a_watch_ends_when_its_time_is_up(objects: client.CustomObjectsApi, namespace: str) -> None:
    watcher = watch.Watch()
    listed = objects.list_namespaced_custom_object
    assert list(watcher.stream(listed, GROUP, VERSION, namespace, PLURAL, timeout_seconds=1)) == []


def test_a_forgotten_version_is_410(objects: client.CustomObjectsApi, namespace: str, forgotten: str) -> None:
    with pytest.raises(ApiException) as expired:
        events(objects, namespace, 1, resource_version=forgotten)
    assert expired.value.status == 410
    assert "Expired" in str(expired.value.reason)


@contextmanager
def informed(found: informer.SharedInformer) -> Iterator[informer.SharedInformer]:
    found.start()
    try:
        yield found
    finally:
        found.stop()


def test_an_informer_keeps_a_copy_of_what_there_is(objects: client.CustomObjectsApi, namespace: str) -> None:
    """It takes kinds that the library has a model of."""
    core = client.CoreV1Api(objects.api_client)
    core.create_namespaced_event(namespace, note("early", namespace))
    deleted = threading.Event()
    found = informer.SharedInformer(list_func=core.list_namespaced_event, namespace=namespace)
    found.add_event_handler(informer.DELETED, lambda _: deleted.set())
    with informed(found):
        wait_for("the first list", lambda: found.cache.list_keys() == [f"{namespace}/early"])
        core.create_namespaced_event(namespace, note("late", namespace))
        wait_for("the news", lambda: len(found.cache.list_keys()) == 2)
        core.delete_namespaced_event("early", namespace)
        assert deleted.wait(20)
        wait_for("the end of it", lambda: found.cache.list_keys() == [f"{namespace}/late"])
