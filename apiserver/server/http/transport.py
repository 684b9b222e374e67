"""A connection that joins what is written at one moment into one packet and one system call.

uvicorn writes a reply's head and its body separately; each ``send`` costs as much as the rest of a small
request.
"""

import asyncio
from typing import Any

MAX_JOINED = 32 * 1024
"""Bytes that wait for the end of the moment; what is more goes at once, so that flow control sees it."""


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
