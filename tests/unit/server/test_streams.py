"""A watch's response: it ends in order, breaks when it must, and lets nobody hold it for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from starlette.types import Message

from apiserver.server.http import streams
from apiserver.server.http.lists import SLICE_BYTES, sliced
from apiserver.server.http.streams import StreamedResponse
from apiserver.server.store.following import follow
from apiserver.server.store.memory import MemoryEngine
from apiserver.server.store.snapshot import Filter
from tests.stores import KIND, body, put, running


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


@pytest.mark.parametrize("rounds", range(8))
async def test_a_client_that_leaves_in_the_moment_of_an_event_ends_its_watch(rounds: int) -> None:
    async with running(MemoryEngine()) as store:
        leave = asyncio.Event()
        sent: list[Message] = []

        async def receive() -> Message:
            await leave.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        async def frames() -> AsyncIterator[bytes]:
            async with aclosing(follow(store, [Filter(KIND)], store.version, idle=30)) as found:  # type: ignore[type-var]
                async for batch in found:
                    yield b"x" * len(batch.deliveries)

        response = StreamedResponse(frames(), media_type="x/y")
        request = asyncio.create_task(response({"type": "http"}, receive, send))
        while len(sent) < 2:  # the watch is live once it has told of an event
            await store.write(put(body("a", note=str(len(sent)))))
            await asyncio.sleep(0)
        leave.set()
        for _ in range(rounds):
            await asyncio.sleep(0)
        await store.write(put(body("a", note="last")))
        await asyncio.wait_for(request, 10)


def test_slices_are_bounded_by_number_and_by_bytes() -> None:
    assert list(sliced([1] * 5, lambda one: one, most=2)) == [[1, 1], [1, 1], [1]]
    assert list(sliced([SLICE_BYTES, 1, SLICE_BYTES - 1, 1], lambda one: one, most=9)) == [
        [SLICE_BYTES],
        [1, SLICE_BYTES - 1],
        [1],
    ]
    assert list(sliced([], len, most=2)) == []
