"""``kubernetes``: the typed clients of what Plum serves of the built-in kinds, and discovery."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client, config, watch

from tests.clients.bodies import note


@pytest.fixture
def api(kubeconfig: Path) -> Iterator[client.ApiClient]:
    with config.new_client_from_config(str(kubeconfig)) as found:
        yield found


@pytest.fixture
def core(api: client.ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(api)


def test_the_version_and_the_groups(api: client.ApiClient) -> None:
    version = client.VersionApi(api).get_code()
    assert (version.major, version.git_version.partition(".")[0]) == ("1", "v1")
    groups = client.ApisApi(api).get_api_versions()
    assert "plum.dev" in [group.name for group in groups.groups]
    assert client.CoreApi(api).get_api_versions().versions == ["v1"]
    served = client.CoreV1Api(api).get_api_resources()
    assert {"namespaces", "events"} <= {one.name for one in served.resources}


def test_namespaces_with_their_models(core: client.CoreV1Api) -> None:
    name = f"room-{uuid.uuid4().hex[:8]}"
    made = core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name, labels={"for": name})))
    assert made.status.phase == "Active"
    assert made.metadata.creation_timestamp.tzinfo is not None
    assert [one.metadata.name for one in core.list_namespace(label_selector=f"for={name}").items] == [name]
    patched = core.patch_namespace(
        name, {"metadata": {"labels": {"for": "nobody"}}}, _content_type="application/merge-patch+json"
    )
    assert patched.metadata.labels == {"for": "nobody"}
    assert "default" in [one.metadata.name for one in core.list_namespace(limit=500).items]
    core.delete_namespace(name)


def test_events_about_one_object(core: client.CoreV1Api, namespace: str) -> None:
    for name, about in (("one", "web"), ("two", "other")):
        core.create_namespaced_event(namespace, note(name, namespace, about=about))
    chosen = "involvedObject.kind=Task,involvedObject.name=web"
    (found,) = core.list_namespaced_event(namespace, field_selector=chosen).items
    assert (found.involved_object.name, found.reason, found.type) == ("web", "Tested", "Normal")
    everywhere = core.list_event_for_all_namespaces(field_selector=f"{chosen},metadata.namespace={namespace}")
    assert [one.metadata.name for one in everywhere.items] == ["one"]


def test_events_are_watched_with_their_models(core: client.CoreV1Api, namespace: str) -> None:
    core.create_namespaced_event(namespace, note("one", namespace))
    watcher = watch.Watch()
    for event in watcher.stream(core.list_namespaced_event, namespace, timeout_seconds=20):
        assert (event["type"], event["object"].metadata.name) == ("ADDED", "one")
        assert watcher.resource_version == event["object"].metadata.resource_version
        watcher.stop()


def test_a_collection_of_events_goes(core: client.CoreV1Api, namespace: str) -> None:
    core.create_namespaced_event(namespace, note("one", namespace))
    core.delete_collection_namespaced_event(namespace)
    assert core.list_namespaced_event(namespace).items == []


def test_what_one_may_do_and_who_one_is(api: client.ApiClient) -> None:
    what = client.V1ResourceAttributes(namespace="default", verb="create", group="plum.dev", resource="tasks")
    spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=what)
    asked = client.V1SelfSubjectAccessReview(spec=spec)
    assert client.AuthorizationV1Api(api).create_self_subject_access_review(asked).status.allowed
    me = client.AuthenticationV1Api(api).create_self_subject_review(client.V1SelfSubjectReview())
    assert me.status.user_info.username
