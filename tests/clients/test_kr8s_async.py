"""``kr8s.asyncio``."""

from pathlib import Path

import kr8s
from kr8s.asyncio.objects import new_class

from tests.clients.bodies import API_VERSION, task, with_replicas

Task = new_class("Task", version=API_VERSION)


async def test_objects_and_watches(kubeconfig: Path, namespace: str) -> None:
    api = await kr8s.asyncio.api(kubeconfig=str(kubeconfig), namespace=namespace)
    web = await Task(task("web"), namespace=namespace, api=api)
    await web.create()
    since = web.metadata.resourceVersion
    await web.patch(with_replicas(2))
    assert [one.name async for one in api.get("tasks")] == ["web"]
    await web.delete()
    found = []
    async for kind, one in api.watch("tasks", since=since):
        found.append((kind, one.spec.entries[0].replicas))
        if len(found) == 2:
            break
    assert found == [("MODIFIED", 2), ("DELETED", 2)]
    assert not await web.exists()
    await api._session.aclose()
