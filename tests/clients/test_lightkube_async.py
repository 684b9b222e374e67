"""``lightkube``: its client for asyncio."""

from pathlib import Path

import pytest
from lightkube import AsyncClient, KubeConfig
from lightkube.core.exceptions import ApiError
from lightkube.types import PatchType

from tests.clients.bodies import task, with_replicas
from tests.clients.test_lightkube import Task


async def test_objects_and_watches(kubeconfig: Path, namespace: str) -> None:
    async with AsyncClient(KubeConfig.from_file(kubeconfig), namespace=namespace) as lightkube:
        made = await lightkube.create(Task(task("web")))
        await lightkube.patch(Task, "web", with_replicas(2), patch_type=PatchType.MERGE)
        await lightkube.delete(Task, "web")
        found = []
        async for kind, one in lightkube.watch(Task, resource_version=made.metadata.resourceVersion):
            found.append((kind, one["spec"]["entries"][0]["replicas"]))
            if len(found) == 2:
                break
        assert found == [("MODIFIED", 2), ("DELETED", 2)]
        assert [one async for one in lightkube.list(Task)] == []
        with pytest.raises(ApiError) as absent:
            await lightkube.get(Task, "web")
        assert absent.value.status.reason == "NotFound"
