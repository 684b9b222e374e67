"""Statuses on their way: together where they can be, each with an answer of its own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest

from agent.statuses import MAX_STATUSES, Answer, Send, Statuses, to_server
from apiserver.api.errors import ApiError, Conflict, InternalError, ServiceUnavailable
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.reports import StatusOf
from tests.unit.agent.objects import assignment


def status(name: str) -> StatusOf:
    return StatusOf(namespace="default", name=name, uid=f"uid-{name}", status={"phase": "Running"})


@asynccontextmanager
async def sending(send: Send) -> AsyncIterator[Statuses]:
    statuses = Statuses(send)
    running = asyncio.create_task(statuses.run())
    try:
        yield statuses
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class Server:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.refused: dict[str, ApiError] = {}
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, statuses: Sequence[StatusOf]) -> list[Answer]:
        self.batches.append([one.name for one in statuses])
        await self.open.wait()
        return [self.refused.get(one.name) or assignment(one.name) for one in statuses]


async def test_the_first_goes_at_once_and_the_others_together() -> None:
    server = Server()
    server.open.clear()
    async with sending(server) as statuses:
        first = asyncio.create_task(statuses.write(status("a")))
        while not server.batches:
            await asyncio.sleep(0)
        others = [asyncio.create_task(statuses.write(status(f"b{number}"))) for number in range(MAX_STATUSES + 1)]
        await asyncio.sleep(0)
        others[0].cancel()
        server.open.set()
        assert (await first).key == ("default", "a")
        assert [(await one).key[1] for one in others[1:]] == [f"b{number}" for number in range(1, MAX_STATUSES + 1)]
    assert server.batches[0] == ["a"]
    assert [len(batch) for batch in server.batches[1:]] == [MAX_STATUSES - 1, 1], "nobody waits for the one given up"


async def test_what_is_refused_of_one_is_told_to_that_one() -> None:
    server = Server()
    server.refused["b"] = Conflict("no")
    async with sending(server) as statuses:
        answers = await asyncio.gather(*(statuses.write(status(name)) for name in "abc"), return_exceptions=True)
    assert [isinstance(one, Assignment) for one in answers] == [True, False, True]
    assert isinstance(answers[1], Conflict)


async def test_a_server_that_is_silent_or_away_fails_all_and_the_next_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.statuses.WRITE_SECONDS", 0.05)
    server = Server()
    server.open.clear()
    async with sending(server) as statuses:
        for answer in await asyncio.gather(*(statuses.write(status(name)) for name in "ab"), return_exceptions=True):
            assert isinstance(answer, TimeoutError)
        server.open.set()
        assert (await statuses.write(status("c"))).key == ("default", "c")


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"items": []}', b'{"items": [{}]}', b'{"items": [{"object": 1}]}'])
async def test_an_answer_that_is_none_is_an_error_of_the_server(answer: bytes) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=answer))
    async with httpx.AsyncClient(base_url="http://plum", transport=transport) as http:
        with pytest.raises(InternalError):
            await to_server(http, "n", "me")([status("a")])


async def test_a_server_that_cannot_be_reached_is_unavailable() -> None:
    async with httpx.AsyncClient(base_url="http://127.0.0.1:1") as http:
        with pytest.raises(ServiceUnavailable, match="cannot reach"):
            await to_server(http, "n", "me")([status("a")])
