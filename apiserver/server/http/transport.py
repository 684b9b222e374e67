"""A connection that joins what is written at one moment into one packet and one system call.

uvicorn writes a reply's head and its body separately; each ``send`` costs as much as the rest of a small
request.
"""

import asyncio
from typing import Any

MAX_JOINED = 32 * 1024
"""Bytes that wait for the end of the moment; what is more goes at once, so that flow control sees it."""

UNSENT = 64 * 1024
"""Bytes that may wait for a client to take them before its reply waits too; as asyncio has it without TLS."""

SENDING_SECONDS, LOOK_SECONDS = 60.0, 0.05
"""How long a client may take for what is unsent when its connection is closed, and how often that is looked at."""


class JoiningTransport:
    """Delegates to a transport, and writes at the end of the event loop's present round."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write soon, in order."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)
        self._size += len(data)
        if self._size > MAX_JOINED:
            self._flush()

    def close(self) -> None:
        """Close once everything has been written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._parts:
            joined = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._parts, self._size = [], 0
            self._transport.write(joined)


class TlsTransport(JoiningTransport):
    """The same over TLS, which needs two things more.

    asyncio would keep eight times as much unsent as without TLS. And it closes with a farewell of both sides, which
    it awaits for a bounded time, together with the sending of what is unsent: so that begins once all is sent.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(transport, loop)
        transport.set_write_buffer_limits(high=UNSENT)
        self._is_closing = False

    def is_closing(self) -> bool:
        """Whether nothing more is to be written."""
        return self._is_closing or self._transport.is_closing()

    def close(self) -> None:
        """Close once everything has been written."""
        self._flush()
        if not self._is_closing:
            self._is_closing = True
            self._close_when_sent(self._loop.time() + SENDING_SECONDS)

    def _close_when_sent(self, deadline: float) -> None:
        if self._transport.is_closing():
            return
        if self._unsent() and self._loop.time() < deadline:
            self._loop.call_later(LOOK_SECONDS, self._close_when_sent, deadline)
        else:
            self._transport.close()

    def _unsent(self) -> int:
        """Bytes that wait to be encrypted, and those that wait for the socket, of which asyncio tells only inside."""
        inner = getattr(getattr(self._transport, "_ssl_protocol", None), "_transport", None)
        encrypted = inner.get_write_buffer_size() if inner is not None else 0
        return int(self._transport.get_write_buffer_size() + encrypted)
