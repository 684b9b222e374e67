import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import httpx
import orjson
import pytest

from apiserver.api.errors import Expired, InternalError, NotFound, ServiceUnavailable, Timeout, TooManyRequests
from apiserver.api.kinds.lease import Lease
from apiserver.api.kinds.node import Node
from apiserver.api.meta import ObjectMeta
from apiserver.client.config import Config
from apiserver.client.rest import RestClient

NODE = {"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": "n", "resourceVersion": "7"}}
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Wire:
    """A transport that gives prepared answers and remembers the requests."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def client(self, config: Config | None = None) -> RestClient:
        transport = httpx.MockTransport(self._answer)
        return RestClient(config or Config("http://plum:1"), manager="me", transport=transport, rng=random.Random(0))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)


def busy(seconds: int, error: type[TooManyRequests | ServiceUnavailable] = TooManyRequests) -> httpx.Response:
    status = error("busy").to_status()
    status["details"] = {"retryAfterSeconds": seconds} if seconds else {}
    return httpx.Response(error.code, json=status)


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return waits


async def test_writes_carry_the_manager_and_requests_the_token() -> None:
    wire = Wire(*[httpx.Response(200, json=NODE)] * 4)
    async with wire.client(Config("http://plum:1/base", token="secret")) as client:
        await client.create(Node(metadata=ObjectMeta(name="n")))
        await client.apply(Node, "n", {"spec": {"unschedulable": True}})
        await client.patch(Node, "n", [], subresource="status")
        await client.delete(Node, "n", uid="u", version="7", propagation="Foreground")
    assert all(request.url.params["fieldManager"] == "me" for request in wire.requests)
    assert all(request.headers["authorization"] == "Bearer secret" for request in wire.requests)
    create, apply, patch, delete = wire.requests
    assert (create.method, create.url.path) == ("POST", "/base/apis/plum.dev/v1/nodes")
    assert (apply.url.params["force"], apply.headers["content-type"]) == ("true", "application/apply-patch+yaml")
    assert orjson.loads(apply.content) == {
        "apiVersion": "plum.dev/v1",
        "kind": "Node",
        "metadata": {"name": "n"},
        "spec": {"unschedulable": True},
    }
    assert patch.url.path.endswith("/nodes/n/status")
    assert patch.headers["content-type"] == "application/json-patch+json"
    assert orjson.loads(delete.content)["preconditions"] == {"uid": "u", "resourceVersion": "7"}


async def test_names_cannot_leave_their_place_in_the_path() -> None:
    lease: dict[str, Any] = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "x"}}
    wire = Wire(httpx.Response(200, json=lease))
    async with wire.client() as client:
        await client.get(Lease, "../a?b#c/d", namespace="x/y")
    target = wire.requests[0].url.raw_path.decode()
    assert target == "/apis/coordination.k8s.io/v1/namespaces/x%2Fy/leases/..%2Fa%3Fb%23c%2Fd"


async def test_an_unnamed_namespace_is_the_configured_one() -> None:
    wire = Wire(*[httpx.Response(404, json=NotFound("x").to_status())] * 2)
    async with wire.client(Config("http://plum:1", namespace="team")) as client:
        with pytest.raises(NotFound):
            await client.get(Lease, "x")
        with pytest.raises(NotFound):
            await client.get(Node, "x", namespace="ignored")
    assert [request.url.path for request in wire.requests] == [
        "/apis/coordination.k8s.io/v1/namespaces/team/leases/x",
        "/apis/plum.dev/v1/nodes/x",
    ]


async def test_a_server_that_is_not_there_is_unavailable_and_named() -> None:
    async with RestClient(Config("http://127.0.0.1:1"), manager="me") as client:
        with pytest.raises(ServiceUnavailable, match=r"cannot reach the API server at http://127\.0\.0\.1:1"):
            await client.get(Node, "n")
        with pytest.raises(ServiceUnavailable, match="cannot reach"):
            async for _ in client.watch(Node, resource_version="1"):
                pass


async def test_a_server_that_does_not_answer_leaves_the_outcome_open() -> None:
    wire = Wire(httpx.ReadTimeout("slow"))
    async with wire.client() as client:
        with pytest.raises(Timeout, match="did not answer DELETE"):
            await client.delete(Node, "n")


async def test_a_busy_server_is_asked_again(no_waiting: list[float]) -> None:
    wire = Wire(busy(2), busy(1, ServiceUnavailable), httpx.Response(200, json=NODE))
    async with wire.client() as client:
        assert (await client.get(Node, "n")).metadata.name == "n"
    assert [int(wait) for wait in no_waiting] == [2, 1]


async def test_the_header_says_when_to_come_back(no_waiting: list[float]) -> None:
    plain = httpx.Response(503, headers={"retry-after": "3"}, text="overloaded")
    wire = Wire(plain, httpx.Response(200, json=NODE))
    async with wire.client() as client:
        await client.get(Node, "n")
    assert [int(wait) for wait in no_waiting] == [3]


@pytest.mark.parametrize(
    ("answers", "requests"),
    [
        pytest.param([busy(1)] * 4, 4, id="always busy"),
        pytest.param([busy(0)], 1, id="not told when"),
        pytest.param([busy(3600)], 1, id="told to come back in an hour"),
    ],
)
async def test_asking_again_has_an_end(no_waiting: list[float], answers: list[Answer], requests: int) -> None:
    wire = Wire(*answers)
    async with wire.client() as client:
        with pytest.raises(TooManyRequests):
            await client.get(Node, "n")
    assert len(wire.requests) == requests


async def test_a_write_is_never_sent_twice() -> None:
    wire = Wire(busy(1))
    async with wire.client() as client:
        with pytest.raises(TooManyRequests):
            await client.patch(Node, "n", {})
    assert len(wire.requests) == 1


@pytest.mark.parametrize("content", [b"<html>oops</html>", b"", b"[]", b'{"kind":"Status","details":[],"code":"x"}'])
async def test_an_error_that_is_no_status_keeps_its_code(content: bytes) -> None:
    wire = Wire(httpx.Response(500, content=content))
    async with wire.client() as client:
        with pytest.raises(InternalError, match="500"):
            await client.get(Node, "n")


@pytest.mark.parametrize("content", [b"<html>", b"[]", b'{"items":[]}', b'{"metadata":{},"items":[]}', b"{}"])
async def test_a_list_that_is_none_is_an_error(content: bytes) -> None:
    wire = Wire(httpx.Response(200, content=content))
    async with wire.client() as client:
        with pytest.raises(InternalError, match="not a list of Node"):
            await client.list(Node)


@pytest.mark.parametrize("content", [b"<html>", b"[]", b'{"kind":"Task"}'])
async def test_an_object_that_is_none_is_an_error(content: bytes) -> None:
    wire = Wire(httpx.Response(200, content=content))
    async with wire.client() as client:
        with pytest.raises(InternalError, match="not a Node"):
            await client.get(Node, "n")


async def test_an_object_in_a_list_that_cannot_be_read_is_named_and_skipped() -> None:
    broken = {"apiVersion": "v9", "metadata": {"name": "b"}, "spec": 3}
    body = {"metadata": {"resourceVersion": "9", "continue": "more"}, "items": [NODE, broken, 7]}
    wire = Wire(httpx.Response(200, json=body))
    async with wire.client() as client:
        page = await client.list(Node, labels="a=b", fields="metadata.name=n", limit=3, continue_token="t")
    assert [item.metadata.name for item in page.items] == ["n"]
    assert (page.skipped, page.resource_version, page.continue_token) == ((("", "b"), ("", "")), "9", "more")
    query = dict(wire.requests[0].url.params)
    assert query == {"labelSelector": "a=b", "fieldSelector": "metadata.name=n", "limit": "3", "continue": "t"}


class Breaking(httpx.AsyncByteStream):
    """A body that breaks after some bytes."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._raw
        raise httpx.ReadError("reset by peer")

    async def aclose(self) -> None:
        self.closed = True


async def test_a_watch_that_breaks_tells_what_came_before() -> None:
    line = orjson.dumps({"type": "ADDED", "object": NODE}) + b"\n"
    body = Breaking(line + line[:20])
    wire = Wire(httpx.Response(200, stream=body))
    async with wire.client() as client:
        stream = client.watch(Node, resource_version="5", timeout=7)
        assert (await anext(stream)).resource_version == "7"
        with pytest.raises(ServiceUnavailable, match="reset by peer"):
            await anext(stream)
    assert body.closed
    query = dict(wire.requests[0].url.params)
    assert query == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "5",
        "timeoutSeconds": "7",
    }


async def test_leaving_a_watch_closes_its_connection() -> None:
    body = Breaking(orjson.dumps({"type": "ADDED", "object": NODE}) + b"\n")
    wire = Wire(httpx.Response(200, stream=body))
    async with wire.client() as client, aclosing(client.watch(Node, resource_version="5")) as stream:
        await anext(stream)
    assert body.closed


async def test_a_watch_that_is_refused_raises_the_reason() -> None:
    wire = Wire(httpx.Response(410, json=Expired("too old").to_status()))
    async with wire.client() as client:
        with pytest.raises(Expired):
            await anext(client.watch(Node, resource_version="5"))
