"""Logs over HTTP: from a node's folder through its channel and the server to whoever asks."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from apiserver.api.channel import MAX_STREAMS
from tests.background import background
from tests.channels import ASSIGNMENTS, NODES, assignment, channel_process, client, hold
from tests.integration.test_resources import expect
from tests.servers import running_apiserver
from tests.unit.agent.logs.world import World
from tests.unit.agent.waiting import eventually

_numbers = itertools.count(1)


class Node:
    """A node of the server that is only a folder."""

    def __init__(self, http: httpx.AsyncClient, url: str, data: Path) -> None:
        self.http, self.url, self.data = http, url, data
        self.name = f"node{next(_numbers)}"

    async def world(self, name: str = "web", *, size: int = 10**6, files: int = 5) -> World:
        """An assignment of the node and its folder, without a run yet."""
        unique = f"{name}-{self.name}"
        made = await self.http.post(ASSIGNMENTS, json=assignment(unique, self.name))
        assert made.status_code == 201, made.text
        return World(self.data, name=unique, uid=made.json()["metadata"]["uid"], size=size, files=files)

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[None]:
        """Registered, and its channel held open."""
        await self.http.post(NODES, json={"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": self.name}})
        async with background(hold(self.url, self.name, self.data)):
            await self.connected()
            yield

    async def connected(self) -> None:
        """Wait until the server has the channel."""
        name = f"probe-{self.name}"
        await self.http.post(ASSIGNMENTS, json=assignment(name, self.name))
        while (await self.http.get(f"{ASSIGNMENTS}/{name}/log")).status_code == 503:
            await asyncio.sleep(0.01)

    async def streams(self) -> int:
        """How many streams the server has under way."""
        metrics = (await self.http.get("/metrics")).text
        (line,) = (line for line in metrics.splitlines() if line.startswith("plum_node_streams "))
        return int(float(line.split()[1]))


@pytest.fixture
async def node(server: str, tmp_path: Path) -> AsyncIterator[Node]:
    async with client(server) as http:
        yield Node(http, server, tmp_path)


async def test_a_log_and_its_parts(node: Node) -> None:
    world = await node.world()
    world.start()
    world.write(b"old\n")
    world.start()
    world.write(b"one\ntwo\nthree\n")
    async with node.channel():
        log = f"{ASSIGNMENTS}/{world.name}/log"
        found = await node.http.get(log)
        assert (found.status_code, found.text) == (200, "one\ntwo\nthree\n")
        assert found.headers["content-type"] == "text/plain; charset=utf-8"
        assert found.headers["x-content-type-options"] == "nosniff"
        for query, text in (
            ("tailLines=2", "two\nthree\n"),
            ("tailLines=0", ""),
            ("previous=true", "old\n"),
            ("limitBytes=5", "one\nt"),
            ("sinceSeconds=3600", "one\ntwo\nthree\n"),
            ("sinceTime=2126-01-02T15:04:05Z", ""),
            ("cursor=2:4", "two\nthree\n"),
            ("cursor=1:0", "old\none\ntwo\nthree\n"),
        ):
            assert (await node.http.get(f"{log}?{query}")).text == text, query
        stamped = (await node.http.get(f"{log}?timestamps=true&tailLines=1")).text
        assert stamped.endswith("Z three\n")
        cursors = (await node.http.get(f"{log}?cursors=1")).text.splitlines()
        assert [line.split()[0] for line in cursors] == ["2:4", "2:8", "2:14", "2:14"]
    assert await node.streams() == 0


REFUSED = (
    ("tailLines=x", "tailLines: Invalid value: 'x'"),
    ("tailLines=-1", "tailLines"),
    ("sinceSeconds=0", "sinceSeconds"),
    ("sinceTime=yesterday", "sinceTime"),
    ("sinceTime=2026-01-02T15:04:05", "sinceTime"),
    ("sinceSeconds=1&sinceTime=2026-01-02T15:04:05Z", "sinceTime: give sinceSeconds or sinceTime, not both"),
    ("limitBytes=0", "limitBytes"),
    ("cursor=1", "cursor"),
    ("cursor=1:0&tailLines=5", "tailLines: a cursor says already where to begin"),
    ("previous=true", "previous: there is no run before the newest one"),
)


async def test_what_cannot_be_asked_is_refused(node: Node) -> None:
    world = await node.world()
    world.start()
    async with node.channel():
        for query, said in REFUSED:
            body = expect(await node.http.get(f"{ASSIGNMENTS}/{world.name}/log?{query}"), 400, "BadRequest")
            assert said in body["message"]


async def test_where_there_is_no_log(node: Node) -> None:
    expect(await node.http.get(f"{ASSIGNMENTS}/nobody/log"), 404, "NotFound")
    world = await node.world()
    log = f"{ASSIGNMENTS}/{world.name}/log"
    refused = expect(await node.http.get(log), 503, "ServiceUnavailable")
    assert f"node {node.name} has no channel to this server" in refused["message"]
    pending = assignment("pending", "")
    assert (await node.http.post(ASSIGNMENTS, json=pending)).status_code == 201
    assert "has no node yet" in expect(await node.http.get(f"{ASSIGNMENTS}/pending/log"), 400, "BadRequest")["message"]
    async with node.channel():
        assert ((await node.http.get(log)).status_code, (await node.http.get(log)).text) == (200, "")
        assert (await node.http.delete(f"{ASSIGNMENTS}/{world.name}")).is_success
        assert world.name in expect(await node.http.get(log), 404, "NotFound")["message"]
        expect(await node.http.post(log), 405, "MethodNotAllowed")
        expect(await node.http.get("/apis/plum.dev/v1/namespaces/default/tasks/x/log"), 404, "NotFound")


async def test_the_channel_is_for_nodes_that_there_are(node: Node) -> None:
    expect(await node.http.get(f"{NODES}/nobody/channel"), 404, "NotFound")
    expect(await node.http.post(f"{NODES}/nobody/channel"), 405, "MethodNotAllowed")
    expect(await node.http.post(f"{NODES}/nobody/channel/1234", content=b"x"), 404, "NotFound")
    expect(await node.http.get(f"{NODES}/nobody/channel/1/2"), 404, "NotFound")


async def test_discovery_names_the_subresource(node: Node) -> None:
    listed = (await node.http.get("/apis/plum.dev/v1")).json()["resources"]
    (found,) = (one for one in listed if one["name"] == "assignments/log")
    assert found["verbs"] == ["get"]


async def test_following_over_runs_to_the_end_also_of_what_was_deleted(node: Node) -> None:
    world = await node.world()
    log = f"{ASSIGNMENTS}/{world.name}/log"
    async with node.channel(), node.http.stream("GET", f"{log}?follow=true") as response:
        assert response.status_code == 200
        lines = response.aiter_lines()
        world.start()
        world.write(b"one\n")
        assert await anext(lines) == "one"
        world.start()
        world.write(b"two\nhalf")
        assert await anext(lines) == "two"
        assert (await node.http.delete(f"{ASSIGNMENTS}/{world.name}")).is_success
        world.remove()
        assert [line async for line in lines] == ["half"]
        assert (await node.http.get(log)).text == "two\nhalf"
        assert (await node.http.get(f"{log}?previous=true")).text == "one\n"
        assert (await node.http.get(f"{log}?follow=true&cursor=1:0")).text == "one\ntwo\nhalf"


async def test_who_leaves_ends_the_stream_everywhere(node: Node) -> None:
    world = await node.world()
    world.start()
    world.write(b"one\n")
    async with node.channel():
        async with node.http.stream("GET", f"{ASSIGNMENTS}/{world.name}/log?follow=true") as response:
            assert await anext(response.aiter_lines()) == "one"
            assert await node.streams() == 1
        while await node.streams():
            await asyncio.sleep(0.01)


async def test_streams_of_a_node_are_bounded(node: Node) -> None:
    world = await node.world()
    world.start()
    world.write(b"one\n")
    log = f"{ASSIGNMENTS}/{world.name}/log"

    async def follow() -> None:
        async with node.http.stream("GET", f"{log}?follow=true") as response:
            async for _ in response.aiter_lines():
                pass

    async with node.channel():
        followers = [asyncio.create_task(follow()) for _ in range(MAX_STREAMS)]
        try:
            while await node.streams() < MAX_STREAMS:
                await asyncio.sleep(0.01)
            async with client(node.url) as other:
                refused = await other.get(log)
            assert "asked for 64 streams already" in expect(refused, 429, "TooManyRequests")["message"]
        finally:
            for follower in followers:
                follower.cancel()
            await asyncio.gather(*followers, return_exceptions=True)
        while await node.streams():
            await asyncio.sleep(0.01)
        assert (await node.http.get(log)).text == "one\n"


async def test_a_channel_that_breaks_breaks_what_goes_over_it(node: Node) -> None:
    """The reply must not look whole."""
    world = await node.world()
    world.start()
    world.write(b"one\n")
    log = f"{ASSIGNMENTS}/{world.name}/log"
    async with node.channel():
        async with node.http.stream("GET", f"{log}?follow=true") as response:
            lines = response.aiter_lines()
            assert await anext(lines) == "one"
            async with node.http.stream("GET", f"{NODES}/{node.name}/channel") as newer:
                await anext(newer.aiter_lines())  # a newer channel counts
                with pytest.raises(httpx.RemoteProtocolError):
                    await anext(lines)
        # The agent comes back by itself.
        await node.connected()
        assert (await node.http.get(log)).text == "one\n"


async def test_an_agent_that_does_not_answer(node: Node, server: str) -> None:
    world = await node.world()
    await node.http.post(NODES, json={"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": node.name}})
    async with node.http.stream("GET", f"{NODES}/{node.name}/channel") as quiet:
        lines = quiet.aiter_lines()
        assert await anext(lines) == '{"type":"HEARTBEAT"}'
        asking = asyncio.create_task(node.http.get(f"{ASSIGNMENTS}/{world.name}/log", timeout=30))
        asked = await anext(lines)
        assert '"type":"REQUEST"' in asked
        assert f'"name":"{world.name}"' in asked
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert '"type":"CANCEL"' in await anext(lines)


def rss(process: psutil.Process) -> int:
    found: int = process.memory_info().rss
    return found


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[tuple[psutil.Process, str]]:
    with running_apiserver(tmp_path / "server") as (process, url):
        yield psutil.Process(process.pid), url


async def test_a_reader_that_stops_reading_costs_nobody_memory(
    own_server: tuple[psutil.Process, str], tmp_path: Path
) -> None:
    await stall(own_server[0], own_server[1], tmp_path, seconds=1.0, size=40 * 1024 * 1024)


async def stall(server: psutil.Process, url: str, folder: Path, *, seconds: float, size: int) -> None:
    """A reader takes one chunk of a large log and then nothing for a while; then it takes the rest."""
    async with client(url) as http:
        node = Node(http, url, folder / "node")
        await http.post(NODES, json={"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": node.name}})
        world = await node.world()
        run = world.start()
        with (run / "out.log").open("wb") as file:
            line = b"0123456789" * 10 + b"\n"
            for _ in range(size // (10_000 * len(line))):
                file.write(line * 10_000)
        with channel_process(url, node.name, node.data) as process:
            await node.connected()
            agent = psutil.Process(process.pid)
            async with http.stream("GET", f"{ASSIGNMENTS}/{world.name}/log") as response:
                chunks = response.aiter_bytes()
                taken = len(await anext(chunks))
                before = most = rss(server), rss(agent)
                deadline = asyncio.get_running_loop().time() + seconds
                while asyncio.get_running_loop().time() < deadline:
                    await asyncio.sleep(0.05)
                    most = max(most[0], rss(server)), max(most[1], rss(agent))
                async for chunk in chunks:
                    taken += len(chunk)
            assert taken == (run / "out.log").stat().st_size
            most = max(most[0], rss(server)), max(most[1], rss(agent))
            grown = [now - then for now, then in zip(most, before, strict=True)]
            assert max(grown) < 12 * 1024 * 1024, grown


async def test_a_server_that_ends_lets_nobody_wait(tmp_path: Path) -> None:
    with running_apiserver(tmp_path / "server") as (process, url):
        async with client(url) as http:
            node = Node(http, url, tmp_path / "node")
            world = await node.world()
            world.start()
            world.write(b"one\n")
            async with node.channel(), http.stream("GET", f"{ASSIGNMENTS}/{world.name}/log?follow=true") as response:
                lines = response.aiter_lines()
                assert await anext(lines) == "one"
                process.terminate()
                with pytest.raises(httpx.RemoteProtocolError):
                    await anext(lines)
                await eventually(lambda: process.poll() == 0, within=8.0)
