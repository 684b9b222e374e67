"""Long replies: chunks as they come, for as long as the client reads and the time lasts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

T = TypeVar("T")
STUCK_SECONDS = 60.0
"""A client that takes nothing for so long while there is something to take is cut off."""

FINISH_SECONDS = 5.0
"""How long a client may take to let a stream end in good order."""


class StreamedResponse(Response):
    """A chunked stream that begins at once and ends when the client goes, the time is up or its chunks end."""

    def __init__(
        self,
        frames: AsyncIterator[bytes],
        seconds: float | None = None,
        *,
        media_type: str,
        on_stuck: Callable[[], None] = lambda: None,
        stuck_seconds: float | None = None,
    ) -> None:
        """``seconds`` None: it takes as long as it takes. ``on_stuck`` is called when the client is cut off because
        it takes nothing for ``stuck_seconds``, by default ``STUCK_SECONDS``."""
        super().__init__(media_type=media_type)
        self._frames, self._seconds, self._on_stuck = frames, seconds, on_stuck
        self._stuck_seconds = stuck_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        headers = [(key, value) for key, value in self.raw_headers if key != b"content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(disconnected(receive))
        try:
            await asyncio.wait((sending, leaving), timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
            finished = not leaving.done()
        finally:
            sending.cancel()
            leaving.cancel()
            failure, _ = await asyncio.gather(sending, leaving, return_exceptions=True)
        if isinstance(failure, TimeoutError):
            self._on_stuck()
            scope["plum_abort"]()
        elif isinstance(failure, Exception):
            # Not a clean end: the client must see its connection break.
            raise failure
        elif finished:
            await _finish(scope, send)

    async def _send(self, send: Send) -> None:
        async with aclosing(self._frames) as frames:  # type: ignore[type-var]
            async for frame in frames:
                async with asyncio.timeout(self._stuck_seconds or STUCK_SECONDS):
                    await send({"type": "http.response.body", "body": frame, "more_body": True})


async def _finish(scope: Scope, send: Send) -> None:
    """End the chunked body, unless the client does not even take that: closing would wait for it."""
    try:
        async with asyncio.timeout(FINISH_SECONDS):
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    except TimeoutError:
        scope["plum_abort"]()


async def while_connected(receive: Receive, work: Coroutine[Any, Any, T], *, timeout: float | None = None) -> T | None:
    """What the work comes to; None, and the work is cancelled, if the client goes or the time is up before. Raises
    what the work does."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(disconnected(receive))
    try:
        await asyncio.wait((working, leaving), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def disconnected(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
