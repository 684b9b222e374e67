"""``kubernetes.aio``: the same library for asyncio."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from kubernetes.aio import client, config, watch
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.dynamic import DynamicClient

from tests.clients.bodies import API_VERSION, GROUP, PLURAL, VERSION, task, with_replicas


@pytest.fixture
async def api(kubeconfig: Path) -> AsyncIterator[client.ApiClient]:
    async with await config.new_client_from_config(str(kubeconfig)) as found:
        yield found


async def test_objects(api: client.ApiClient, namespace: str) -> None:
    objects, where = client.CustomObjectsApi(api), (GROUP, VERSION, namespace, PLURAL)
    await asyncio.gather(*(objects.create_namespaced_custom_object(*where, task(name)) for name in "abc"))
    patched = await objects.patch_namespaced_custom_object(*where, "a", with_replicas(2))
    assert patched["metadata"]["generation"] == 2
    found = await objects.list_namespaced_custom_object(*where)
    assert [item["metadata"]["name"] for item in found["items"]] == ["a", "b", "c"]
    await objects.delete_namespaced_custom_object(*where, "a")
    with pytest.raises(ApiException) as absent:
        await objects.get_namespaced_custom_object(*where, "a")
    assert json.loads(absent.value.body or "{}")["reason"] == "NotFound"


async def test_a_watch_goes_on_from_a_version(api: client.ApiClient, namespace: str) -> None:
    objects, where = client.CustomObjectsApi(api), (GROUP, VERSION, namespace, PLURAL)
    since = (await objects.list_namespaced_custom_object(*where))["metadata"]["resourceVersion"]
    await objects.create_namespaced_custom_object(*where, task("web"))
    await objects.delete_namespaced_custom_object(*where, "web")
    found = []
    async with watch.Watch() as watcher:
        listed = objects.list_namespaced_custom_object
        async for event in watcher.stream(listed, *where, resource_version=since, timeout_seconds=20):
            found.append(event["type"])
            if len(found) == 2:
                watcher.stop()
    assert found == ["ADDED", "DELETED"]


async def test_typed_and_dynamic_clients(api: client.ApiClient, namespace: str) -> None:
    assert namespace in [one.metadata.name for one in (await client.CoreV1Api(api).list_namespace()).items]
    dynamic = await DynamicClient(api)
    tasks = await dynamic.resources.get(api_version=API_VERSION, kind="Task")
    made = await tasks.server_side_apply(task("web"), namespace=namespace, field_manager="me")
    assert made.metadata.managedFields[0].manager == "me"
    await tasks.delete(name="web", namespace=namespace)
