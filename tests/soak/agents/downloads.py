"""A server of archives whose bodies stop half-way until they are let go on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE = 20.0


@dataclass
class Slow:
    """One archive; the first request for it stops half-way."""

    raw: bytes
    half: threading.Event = field(default_factory=threading.Event)
    """Half of it was sent."""
    go: threading.Event = field(default_factory=threading.Event)


@dataclass
class Downloads:
    """What is served, by path."""

    url: str
    archives: dict[str, Slow] = field(default_factory=dict)

    def add(self, name: str, raw: bytes) -> Slow:
        """Serve this under ``url/name``."""
        found = self.archives[f"/{name}"] = Slow(raw)
        return found


@contextmanager
def serving() -> Iterator[Downloads]:
    """A server in a thread of its own."""
    downloads = Downloads("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            slow = downloads.archives[self.path]
            middle = len(slow.raw) // 2
            with suppress(OSError):
                self.send_response(200)
                self.send_header("content-length", str(len(slow.raw)))
                self.end_headers()
                self.wfile.write(slow.raw[:middle])
                self.wfile.flush()
                slow.half.set()
                slow.go.wait(PATIENCE)
                self.wfile.write(slow.raw[middle:])

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        downloads.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield downloads
        finally:
            for slow in downloads.archives.values():
                slow.go.set()
            server.shutdown()
            thread.join(10)
