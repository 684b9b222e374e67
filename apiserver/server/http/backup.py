"""``GET /backup``: one archive of everything, streamed. It ends well or with a broken connection, never cut short."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from apiserver.api.backups import END
from apiserver.api.errors import MethodNotAllowed, TooManyRequests
from apiserver.server.backup import Archive, Backups
from apiserver.server.http.requests import flag
from apiserver.server.http.streams import STUCK_SECONDS, disconnected


class BackupMetrics:
    """How backups went."""

    def __init__(self, register: CollectorRegistry) -> None:
        self._done = Counter("plum_backups", "Backups sent whole.", registry=register)
        self._failed = Counter("plum_backup_failures", "Backups begun and not sent whole.", registry=register)
        self._seconds = Gauge("plum_backup_last_duration_seconds", "Time the last one took.", registry=register)
        self._bytes = Gauge("plum_backup_last_size_bytes", "Size of the last one.", registry=register)
        self._at = Gauge(
            "plum_backup_last_success_timestamp_seconds", "When the last one was sent whole.", registry=register
        )

    def done(self, seconds: float, size: int) -> None:
        """One has been sent whole."""
        self._done.inc()
        self._seconds.set(seconds)
        self._bytes.set(size)
        self._at.set_to_current_time()

    def failed(self) -> None:
        """One has not."""
        self._failed.inc()


@dataclass(frozen=True)
class BackupEndpoint:
    """The endpoint of backups."""

    backups: Backups
    metrics: BackupMetrics

    async def get(self, request: Request) -> Response:
        """An archive, with all artifacts if ``artifacts=true``. Raises as ``Backups.open``."""
        request.scope["plum_verb"] = "backup"
        if request.method != "GET":
            raise MethodNotAllowed(f"the server does not allow {request.method} on {request.url.path}")
        return _BackupResponse(self.backups, self.metrics, artifacts=flag(request.query_params, "artifacts"))


class _BackupResponse(Response):
    """Makes the archive, and sends it as fast as the client takes it."""

    media_type = "application/x-tar"

    def __init__(self, backups: Backups, metrics: BackupMetrics, *, artifacts: bool) -> None:
        super().__init__()
        self._backups, self._metrics, self._artifacts = backups, metrics, artifacts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI. Raises as ``Backups.open`` before anything is sent."""
        began = time.monotonic()
        try:
            async with self._backups.open(artifacts=self._artifacts) as archive:
                await _start(archive, send, self.raw_headers)
                is_sent = await _send_pieces(archive, receive, send, scope["plum_abort"])
        except TooManyRequests:
            raise  # nothing has begun
        except BaseException:
            self._metrics.failed()
            raise
        if not is_sent:
            self._metrics.failed()
            return
        # Only now, when the copy is gone: who has the whole archive may ask for the next one.
        try:
            async with asyncio.timeout(STUCK_SECONDS):
                await send({"type": "http.response.body", "body": END, "more_body": False})
        except TimeoutError:
            self._metrics.failed()
            scope["plum_abort"]()
            return
        self._metrics.done(time.monotonic() - began, archive.length)


async def _start(archive: Archive, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
    kept = [(key, value) for key, value in headers if key != b"content-length"]
    # With its length given, a reply that is cut short is known as such to every client.
    length = (b"content-length", str(archive.length).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [*kept, length]})


async def _send_pieces(archive: Archive, receive: Receive, send: Send, abort: Callable[[], None]) -> bool:
    """Send all but the end; False if the client has left, or was cut off because it takes nothing. Raises OSError."""

    async def sending() -> None:
        async with aclosing(archive.pieces()) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                async with asyncio.timeout(STUCK_SECONDS):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})

    tasks = asyncio.create_task(sending()), asyncio.create_task(disconnected(receive))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        outcome, _ = await asyncio.gather(*tasks, return_exceptions=True)
    if isinstance(outcome, TimeoutError):
        abort()
    elif isinstance(outcome, Exception):
        raise outcome
    return outcome is None
