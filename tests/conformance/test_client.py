"""The in-memory client and the real one, under the same suite."""

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count

import pytest

from apiserver.api.kinds.event import Event, ObjectReference
from apiserver.api.kinds.namespace import Namespace
from apiserver.api.meta import ObjectMeta
from apiserver.client.config import Config
from apiserver.client.interface import Client
from apiserver.client.rest import RestClient
from apiserver.client.testing import MemoryCluster
from tests.conformance.client_suite import ClientSuite
from tests.conformance.client_world import World
from tests.servers import start_apiserver

NUMBERS = count(1)
HISTORY_BYTES = 1 << 20
NOTE_BYTES = 8192


class MemoryWorld:
    namespace = "default"

    def __init__(self) -> None:
        self._cluster = MemoryCluster()

    def client(self, manager: str) -> Client:
        return self._cluster.client(manager)

    def fenced(self, manager: str, fence: Callable[[], str]) -> Client:
        return self._cluster.client(manager, fence=fence)

    async def forget_history(self) -> None:
        await self.client("admin").create(Namespace(metadata=ObjectMeta(name="later")))
        self._cluster.compact()


class RestWorld:
    def __init__(self, server: str, namespace: str) -> None:
        self.namespace = namespace
        self._config = Config(server)
        self._clients: dict[str, RestClient] = {}

    def client(self, manager: str) -> RestClient:
        if manager not in self._clients:
            self._clients[manager] = RestClient(self._config, manager=manager)
        return self._clients[manager]

    def fenced(self, manager: str, fence: Callable[[], str]) -> Client:
        return self.client(manager).fenced(fence)

    async def forget_history(self) -> None:
        """The server keeps so many bytes of history: fill it with something else, until it has been cut."""
        client = self.client("filler")
        metadata = ObjectMeta(name="fill", namespace=self.namespace)
        await client.create(Event(metadata=metadata, involved_object=ObjectReference(name="x")))
        filled = await client.list(Event, namespace=self.namespace)
        while await self._compacted() < int(filled.resource_version):
            for number in range(HISTORY_BYTES // NOTE_BYTES):
                patch = {"metadata": {"annotations": {"plum.dev/fill": str(number) * (NOTE_BYTES // len(str(number)))}}}
                await client.patch(Event, "fill", patch, namespace=self.namespace)

    async def _compacted(self) -> int:
        metrics = await self.client("filler").http.get("/metrics")
        line = next(line for line in metrics.text.splitlines() if line.startswith("plum_store_compacted_version "))
        return int(float(line.split()[1]))

    async def close(self) -> None:
        for client in self._clients.values():
            await client.__aexit__(None, None, None)


class TestMemoryClient(ClientSuite):
    @pytest.fixture
    def world(self) -> World:
        return MemoryWorld()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with start_apiserver(tmp_path_factory.mktemp("server"), "--history-bytes", str(HISTORY_BYTES)) as url:
        yield url


class TestRestClient(ClientSuite):
    @pytest.fixture
    async def world(self, server: str) -> AsyncIterator[World]:
        world = RestWorld(server, f"test-{next(NUMBERS)}")
        await world.client("admin").create(Namespace(metadata=ObjectMeta(name=world.namespace)))
        yield world
        await world.close()
