"""What the in-memory client has beyond a client: a shared cluster and faults."""

import asyncio
from datetime import UTC, datetime

import pytest

from apiserver.api.errors import Expired, NotFound, ServiceUnavailable, Timeout
from apiserver.api.kinds.namespace import Namespace
from apiserver.api.kinds.node import Node
from apiserver.api.meta import ObjectMeta
from apiserver.client.testing import MemoryClient, MemoryCluster


def node(name: str) -> Node:
    return Node(metadata=ObjectMeta(name=name))


async def test_clients_share_a_cluster_and_keep_their_managers() -> None:
    cluster = MemoryCluster()
    await cluster.client("alice").create(node("a"))
    patched = await cluster.client("bob").patch(Node, "a", {"spec": {"unschedulable": True}})
    assert [entry.manager for entry in patched.metadata.managed_fields] == ["alice", "bob"]


async def test_time_and_identity_are_given() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    created = [await MemoryClient(now=lambda: moment).create(node("a")) for _ in range(2)]
    assert created[0] == created[1]
    assert created[0].metadata.creation_timestamp == moment


async def test_faults_come_in_order_and_change_nothing() -> None:
    cluster = MemoryCluster()
    client = cluster.client("me")
    cluster.fail_next(1, ServiceUnavailable("away"))
    cluster.fail_next(1, Timeout("slow"))
    with pytest.raises(ServiceUnavailable):
        await client.create(node("a"))
    with pytest.raises(Timeout):
        await client.create(node("a"))
    with pytest.raises(NotFound):
        await client.get(Node, "a")


async def test_cut_watches_end() -> None:
    cluster = MemoryCluster()
    stream = cluster.client("me").watch(Node, resource_version=str(cluster.version))
    following = asyncio.ensure_future(anext(stream, None))
    for _ in range(3):
        await asyncio.sleep(0)
    cluster.cut_watches()
    assert await asyncio.wait_for(following, 5) is None


async def test_compaction_forgets_what_came_before() -> None:
    cluster = MemoryCluster()
    client = cluster.client("me")
    before = cluster.version
    await client.create(node("a"))
    cluster.compact()
    with pytest.raises(Expired, match=f"too old resource version: {before}"):
        await anext(client.watch(Node, resource_version=str(before)))


async def test_a_watch_from_nothing_begins_with_what_is_there() -> None:
    client = MemoryClient()
    await client.create(node("a"))
    stream = client.watch(Node, resource_version="0")
    assert (await anext(stream)).type == "ADDED"
    await stream.aclose()


async def test_a_version_yet_to_come_times_out() -> None:
    with pytest.raises(Timeout, match="Too large resource version"):
        await anext(MemoryClient().watch(Node, resource_version="99"))


async def test_what_was_read_cannot_change_what_is_stored() -> None:
    client = MemoryClient()
    await client.create(Node(metadata=ObjectMeta(name="a", labels={"x": "y"})))
    (await client.get(Node, "a")).metadata.labels["x"] = "z"
    assert (await client.get(Node, "a")).metadata.labels == {"x": "y"}


async def test_the_namespaces_of_the_server_are_there() -> None:
    page = await MemoryClient().list(Namespace)
    assert [item.metadata.name for item in page.items] == ["default", "plum-node-lease", "plum-system"]
