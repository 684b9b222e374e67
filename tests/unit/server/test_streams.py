"""A watch's response: it ends in order, breaks when it must, and lets nobody hold it for ever."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.types import Message

from apiserver.server.http import streams
from apiserver.server.http.streams import StreamedResponse


class Connection:
    """An ASGI client that may stop reading or leave."""

    def __init__(self, *, takes: int = 1000, stays: bool = True) -> None:
        self.sent: list[Message] = []
        self.aborted = False
        self._takes, self._stays = takes, stays

    async def receive(self) -> Message:
        if self._stays:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if len(self.sent) >= self._takes:
            await asyncio.Event().wait()
        self.sent.append(message)

    def abort(self) -> None:
        self.aborted = True

    async def get(self, frames: AsyncIterator[bytes], *, seconds: float = 30.0) -> list[str]:
        stuck: list[str] = []
        response = StreamedResponse(frames, seconds, media_type="x/y", on_stuck=lambda: stuck.append("stuck"))
        scope: dict[str, Any] = {"type": "http", "plum_abort": self.abort}
        await response(scope, self.receive, self.send)
        return stuck

    @property
    def has_ended_well(self) -> bool:
        return not self.aborted and self.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def lines(number: int, *, then: Exception | None = None) -> AsyncIterator[bytes]:
    for n in range(number):
        yield b"%d\n" % n
    if then:
        raise then


async def silence() -> AsyncIterator[bytes]:
    yield b"first\n"
    await asyncio.Event().wait()


async def test_a_stream_ends_in_order_with_its_frames_and_with_its_time() -> None:
    connection = Connection()
    assert await connection.get(lines(3)) == []
    assert connection.has_ended_well
    assert b"".join(message.get("body", b"") for message in connection.sent) == b"0\n1\n2\n"
    connection = Connection()
    await connection.get(silence(), seconds=0.01)
    assert connection.has_ended_well


async def test_a_failure_breaks_the_connection() -> None:
    connection = Connection()
    with pytest.raises(ZeroDivisionError):
        await connection.get(lines(2, then=ZeroDivisionError()))
    assert connection.sent[-1].get("more_body")


async def test_a_client_that_leaves_ends_it() -> None:
    connection = Connection(stays=False)
    assert await connection.get(silence()) == []
    assert not connection.aborted


async def test_a_client_that_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STUCK_SECONDS", 0.01)
    connection = Connection(takes=3)
    assert await connection.get(lines(10)) == ["stuck"]
    assert connection.aborted


async def test_a_client_that_does_not_take_the_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "FINISH_SECONDS", 0.01)
    connection = Connection(takes=2)
    assert await connection.get(silence(), seconds=0.01) == []
    assert connection.aborted
