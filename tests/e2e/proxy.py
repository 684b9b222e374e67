"""A network in between: passes everything on, holds back what clients say, or is slow to tell them something."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

LATE_SECONDS = 0.3


class Proxy:
    """Made by ``running_proxy``. What servers say always passes, on connections that have once carried a request
    with ``late`` in it a little later."""

    def __init__(self, target: str, late: bytes = b"") -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.passing = threading.Event()
        self.passing.set()
        self.held = b""
        """What has been held back so far, of all connections."""
        self.answers = b""
        """What servers have said so far, on all connections."""
        self._late = late
        self._slow: set[socket.socket] = set()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        """End every connection."""
        self.passing.set()
        for connection in (self._listener, *self._sockets):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join()
        for connection in (self._listener, *self._sockets):
            connection.close()

    def _start(self, target: object, *args: socket.socket) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                self._start(self._up, client, server)
                self._start(self._down, server, client)

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if self._late and self._late in data:
                    self._slow.add(server)
                if not self.passing.is_set():
                    self.held += data
                    self.passing.wait()
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                self.answers += data
                if server in self._slow:
                    time.sleep(LATE_SECONDS)
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)


@contextmanager
def running_proxy(target: str, late: bytes = b"") -> Iterator[Proxy]:
    """A proxy before a server's URL."""
    proxy = Proxy(target, late)
    try:
        yield proxy
    finally:
        proxy.close()
