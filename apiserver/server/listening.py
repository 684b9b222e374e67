"""The listening socket, and uvicorn on it: without its signal handlers, with bounds on TLS handshakes."""

import asyncio
import contextlib
import os
import socket
import ssl
from asyncio import sslproto
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from apiserver.server.http.protocol import BoundedProtocol

KEEP_ALIVE_SECONDS = 90
"""Agents renew their leases on idle connections; uvicorn's default of 5 s would cut them."""

SHUTDOWN_SECONDS = 10
BACKLOG = 8192
HANDSHAKE_SECONDS = 10.0
FAREWELL_SECONDS = 3.0
"""How long a client may take to agree that its connection ends; one that rests in a pool never does."""

TLS_BUFFER = 16 * 1024
"""Bytes that asyncio keeps for each connection to read into: what TLS sends in one piece. Its own choice of 256 KiB
would be a gigabyte for four thousand connections."""


class CannotListen(Exception):
    """The address cannot be had; the message says why and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """The listening socket; taken first, so that a taken port is found before anything is touched. Raises
    CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only then; without it replies wait 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CannotListen(f"--addr {host}:{port}: {os.strerror(error.errno or 0)}; choose another address") from error
    listener.set_inheritable(False)
    return listener


class HttpServer(uvicorn.Server):
    """Serves one application on one socket, over TLS if there is a context."""

    def __init__(self, app: ASGIApp, context: ssl.SSLContext | None) -> None:
        super().__init__(_config(app))
        self._context = context

    def url(self, listener: socket.socket) -> str:
        """Where it is."""
        host, port = listener.getsockname()[:2]
        return f"{'https' if self._context else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone: the end is ours to order."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server, which lets a handshake take a minute."""
        await self.lifespan.startup()
        if self._context is not None:
            sslproto.SSLProtocol.max_size = TLS_BUFFER
        loop, is_tls = asyncio.get_running_loop(), self._context is not None
        self.servers = [
            await loop.create_server(
                self._protocol,
                sock=sock,
                backlog=BACKLOG,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if is_tls else None,
                ssl_shutdown_timeout=FAREWELL_SECONDS if is_tls else None,
            )
            for sock in sockets or ()
        ]
        self.started = True

    def _protocol(self) -> BoundedProtocol:
        return BoundedProtocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    async def until_started(self, serving: "asyncio.Task[None]") -> None:
        """Wait until requests are answered. ``serving`` runs ``serve``; what it raises is raised."""
        while not self.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers a flag, no event
            await asyncio.sleep(0.01)
        if serving.done():
            await serving


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        date_header=True,  # browsers whose clock is wrong reckon with ours
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
