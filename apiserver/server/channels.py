"""The agents' channels: requests to nodes that nothing dials, and their answers on the way to who asked.

A channel is a stream of lines that an agent holds open; each request in it is answered by a POST of the agent's.
An exchange joins the two ends: whoever asked pulls the answer out of the agent's request body, chunk by chunk, so
that the agent sends as fast as the asker reads and nothing is kept in between.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

from apiserver.api.channel import (
    HEARTBEAT_SECONDS,
    MAX_STREAMS,
    Cancel,
    Frame,
    Heartbeat,
    LogRequest,
    Request,
    write_frame,
)
from apiserver.api.errors import ApiError, Details, ServiceUnavailable, Timeout, TooManyRequests

ANSWER_SECONDS = 10.0
"""How long an agent may take to begin an answer."""

MAX_WAITING = 4 * MAX_STREAMS
"""Lines that wait for an agent to take them; one that lets more come together is not there."""

RETRY_SECONDS = 2


class Broken(Exception):
    """An answer will not come to its end: the agent, its channel or the server is going."""


class Exchange:
    """One request and its answer."""

    def __init__(self, node: str) -> None:
        self.id = secrets.token_hex(8)
        self.finished = asyncio.Event()
        """Nobody takes anything any more."""
        self._node = node
        self._answer: asyncio.Future[AsyncIterator[bytes]] = asyncio.get_running_loop().create_future()
        self._broken = asyncio.Event()

    @property
    def is_answered(self) -> bool:
        """Whether the agent has begun to answer, or refused."""
        return self._answer.done()

    async def answered(self) -> None:
        """Wait for the beginning of the answer. Raises the agent's refusal, Timeout, ServiceUnavailable."""
        waiting = asyncio.create_task(self._broken.wait())
        try:
            await asyncio.wait((waiting, self._answer), timeout=ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self._answer.done():
            self._answer.result()
        elif self._broken.is_set():
            raise _no_channel(self._node)
        else:
            raise Timeout(f"the agent of node {self._node} did not answer within {ANSWER_SECONDS:.0f} s")

    def answer(self, chunks: AsyncIterator[bytes]) -> None:
        """The agent answers."""
        if not self._answer.done():
            self._answer.set_result(chunks)

    def refuse(self, error: ApiError) -> None:
        """The agent cannot."""
        if not self._answer.done():
            self._answer.set_exception(error)

    def abandon(self) -> None:
        """The channel is gone."""
        self._broken.set()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The answer as it comes, after ``answered``. Raises Broken, or what the agent's stream raises."""
        stream = self._answer.result()
        broken = asyncio.create_task(self._broken.wait())
        try:
            while True:
                pulling = asyncio.ensure_future(anext(stream, None))
                try:
                    await asyncio.wait((pulling, broken), return_when=asyncio.FIRST_COMPLETED)
                    if not pulling.done():
                        raise Broken
                    chunk = pulling.result()
                finally:
                    pulling.cancel()
                    with suppress(asyncio.CancelledError, Exception):
                        await pulling
                if chunk is None:
                    return
                if chunk:
                    yield chunk
        finally:
            broken.cancel()

    def finish(self) -> None:
        """Nobody takes anything any more; the agent's request ends."""
        self.finished.set()
        if self._answer.done():
            self._answer.exception()  # seen
        else:
            self._answer.cancel()


class Channel:
    """What goes to one agent."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.exchanges: dict[str, Exchange] = {}
        self._lines: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._is_closed = False

    def ask(self, log: LogRequest) -> Exchange:
        """Send a request. Raises TooManyRequests."""
        if len(self.exchanges) >= MAX_STREAMS:
            raise TooManyRequests(
                f"node {self.node} is asked for {MAX_STREAMS} streams already; end one, or try again later",
                details=Details(retry_after_seconds=RETRY_SECONDS),
            )
        exchange = Exchange(self.node)
        self.exchanges[exchange.id] = exchange
        self._send(Request(id=exchange.id, log=log))
        return exchange

    def done(self, exchange: Exchange, *, is_complete: bool) -> None:
        """An exchange is over; the agent is told unless it has said everything."""
        if self.exchanges.pop(exchange.id, None) is not None and not is_complete:
            self._send(Cancel(id=exchange.id))
        exchange.finish()

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """What the agent is to read: requests as they come, and heartbeats; ends when the channel is closed."""
        yield write_frame(Heartbeat())
        while not self._is_closed:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                yield write_frame(Heartbeat())
                continue
            self._wake.clear()
            while self._lines and not self._is_closed:
                yield self._lines.popleft()

    def close(self) -> None:
        """The channel ends, and with it what is asked over it."""
        self._is_closed = True
        self._wake.set()
        for exchange in self.exchanges.values():
            exchange.abandon()

    def _send(self, frame: Frame) -> None:
        self._lines.append(write_frame(frame))
        self._wake.set()
        if len(self._lines) > MAX_WAITING:
            self.close()


class Channels:
    """The channels of all nodes."""

    def __init__(self) -> None:
        self._channels: dict[str, Channel] = {}
        self._is_ended = False

    def open(self, node: str) -> Channel:
        """A node's agent is there; the newest counts: an older channel is one that has not been noticed to be
        dead."""
        if self._is_ended:
            raise ServiceUnavailable("the server is shutting down")
        if (former := self._channels.get(node)) is not None:
            former.close()
        channel = self._channels[node] = Channel(node)
        return channel

    def closed(self, channel: Channel) -> None:
        """Its connection is gone."""
        channel.close()
        if self._channels.get(channel.node) is channel:
            del self._channels[channel.node]

    def of(self, node: str) -> Channel:
        """A node's channel. Raises ServiceUnavailable."""
        channel = self._channels.get(node)
        if channel is None:
            raise _no_channel(node)
        return channel

    def exchange(self, node: str, identity: str) -> Exchange | None:
        """What an agent answers to, unless nobody waits for it any more."""
        channel = self._channels.get(node)
        return channel.exchanges.get(identity) if channel is not None else None

    def end(self) -> None:
        """The server ends: agents and readers go on elsewhere, or later."""
        self._is_ended = True
        for channel in [*self._channels.values()]:
            self.closed(channel)

    @property
    def nodes(self) -> int:
        """How many nodes have a channel."""
        return len(self._channels)

    @property
    def streams(self) -> int:
        """How many answers are awaited or under way."""
        return sum(len(channel.exchanges) for channel in self._channels.values())


def _no_channel(node: str) -> ServiceUnavailable:
    return ServiceUnavailable(
        f"node {node} has no channel to this server: its agent is not running, cannot reach it, or is of another make",
        details=Details(retry_after_seconds=RETRY_SECONDS),
    )
