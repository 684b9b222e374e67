"""Channels and exchanges: who waits for whom, and what ends whom."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from apiserver.api.channel import Cancel, Heartbeat, LogRequest, Request, read_frame
from apiserver.api.errors import NotFound, ServiceUnavailable, Timeout
from apiserver.server import channels
from apiserver.server.channels import Broken, Channel, Channels
from tests.unit.agent.waiting import eventually

LOG = LogRequest(namespace="default", name="web", uid="u")


async def parts(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def sent(channel: Channel, count: int) -> list[Request | Cancel | Heartbeat]:
    """The first so many lines of a channel."""
    found = []
    async for line in channel.lines():
        found.append(read_frame(line))
        if len(found) == count:
            break
    return found


async def test_a_request_and_its_answer() -> None:
    channel = Channels().open("n")
    exchange = channel.ask(LOG)
    _, request = await sent(channel, 2)
    assert isinstance(request, Request)
    assert (request.id, request.log) == (exchange.id, LOG)
    exchange.answer(parts(b"one", b"", b"two"))
    await exchange.answered()
    assert [chunk async for chunk in exchange.chunks()] == [b"one", b"two"]
    channel.done(exchange, is_complete=True)
    assert exchange.finished.is_set()
    assert channel.exchanges == {}


async def test_a_refusal() -> None:
    exchange = Channels().open("n").ask(LOG)
    exchange.refuse(NotFound("no such log"))
    with pytest.raises(NotFound, match="no such log"):
        await exchange.answered()


async def test_an_agent_that_does_not_answer_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "ANSWER_SECONDS", 0.01)
    channel = Channels().open("n")
    exchange = channel.ask(LOG)
    with pytest.raises(Timeout, match="the agent of node n did not answer"):
        await exchange.answered()
    channel.done(exchange, is_complete=False)
    assert [type(frame) for frame in await sent(channel, 3)] == [Heartbeat, Request, Cancel]


async def test_a_channel_that_goes_takes_its_exchanges_with_it() -> None:
    everybody = Channels()
    channel = everybody.open("n")
    waiting, running = channel.ask(LOG), channel.ask(LOG)
    asking = asyncio.create_task(waiting.answered())

    async def endless() -> AsyncIterator[bytes]:
        yield b"one"
        await asyncio.Event().wait()

    running.answer(endless())
    chunks = running.chunks()
    assert await anext(chunks) == b"one"
    newer = everybody.open("n")
    with pytest.raises(ServiceUnavailable, match="node n has no channel"):
        await asking
    with pytest.raises(Broken):
        await anext(chunks)
    everybody.closed(channel)
    assert everybody.of("n") is newer
    everybody.end()
    with pytest.raises(ServiceUnavailable):
        everybody.of("n")
    with pytest.raises(ServiceUnavailable, match="shutting down"):
        everybody.open("n")
    assert (everybody.nodes, everybody.streams) == (0, 0)


async def test_an_agent_that_takes_nothing_from_its_channel_loses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "MAX_WAITING", 10)
    channel = Channels().open("n")
    for _ in range(6):
        channel.done(channel.ask(LOG), is_complete=False)
    assert [line async for line in channel.lines()] == [b'{"type":"HEARTBEAT"}\n']


async def test_a_quiet_channel_has_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "HEARTBEAT_SECONDS", 0.001)
    assert [type(frame) for frame in await sent(Channels().open("n"), 3)] == [Heartbeat] * 3


async def test_chunks_are_not_taken_before_they_are_wanted() -> None:
    taken = 0

    async def counting() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield b"x"

    exchange = Channels().open("n").ask(LOG)
    exchange.answer(counting())
    chunks = exchange.chunks()
    await anext(chunks)
    for _ in range(20):
        await asyncio.sleep(0)
    assert taken == 1
    await anext(chunks)
    await eventually(lambda: taken == 2)
    await chunks.aclose()
