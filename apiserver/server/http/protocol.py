"""Limits below ASGI: the size of a request's head and the time it may take to arrive.

uvicorn bounds neither with httptools; without this a client could fill the memory with headers or hold
connections by sending a byte a minute.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from apiserver.server.http.peers import Peer, peer_of
from apiserver.server.http.transport import JoiningTransport, TlsTransport

MAX_HEAD = 64 * 1024
HEAD_SECONDS = 20.0
_REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 32\r\nconnection: close\r\n\r\n"
    b"the request head is over 64 KiB\n"
)


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 with a bounded head."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._peer: Peer | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A new connection has to send a head in time."""
        is_tls = transport.get_extra_info("ssl_object") is not None
        joining = TlsTransport if is_tls else JoiningTransport
        super().connection_made(joining(transport, self.loop))  # type: ignore[arg-type]
        if is_tls:
            self._peer = peer_of(transport.get_extra_info("peercert"))
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what arrives before the head is complete."""
        super().data_received(data)
        if self._head_timer is None:
            return
        self._head += len(data)
        if self._head > MAX_HEAD and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self.transport.close()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        # For what cannot wait until the client has read everything.
        self.scope["plum_abort"] = self.transport.abort  # type: ignore[typeddict-unknown-key]
        if self._peer is not None:
            self.scope["plum_peer"] = self._peer  # type: ignore[typeddict-unknown-key]
        self._expect_head()

    def on_headers_complete(self) -> None:
        """A head is complete."""
        self._head_arrived()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._head_arrived()
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_late)

    def _head_arrived(self) -> None:
        self._head = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_late(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
