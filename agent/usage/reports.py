"""Usage on its way to the server: a report every 15 s, each of which replaces the one before. What does not get
through is not repeated: the next one says more."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote

import httpx

from agent.packing import packed
from agent.usage.looks import Looks
from agent.usage.measured import Measured
from apiserver.api.errors import ApiError
from apiserver.api.kinds.node import NODES
from apiserver.api.usage import UsageReport
from apiserver.client.answers import raise_for_status

log = logging.getLogger(__name__)

FIRST_SECONDS = 2.0
EVERY_SECONDS = 15.0
GROWTH = 2.5
"""Of the pauses at the beginning: rates need two looks, and people wait for them."""

SEND_SECONDS = 10.0
Send = Callable[[UsageReport], Awaitable[None]]
"""Raises ApiError, httpx.HTTPError."""


class UsageReports:
    """Looks and reports, for as long as the agent runs."""

    def __init__(
        self,
        looks: Looks,
        instances: Callable[[], Sequence[Measured]],
        send: Send,
        *,
        rng: random.Random,
        first: float = FIRST_SECONDS,
        every: float = EVERY_SECONDS,
    ) -> None:
        """``instances`` is asked at each look which instances run."""
        self._looks, self._instances, self._send, self._rng = looks, instances, send, rng
        self._first, self._every = first, every
        self._failures = 0

    async def run(self) -> None:
        """Look and report until cancelled."""
        pause = self._first
        while True:
            await asyncio.sleep(pause * self._rng.uniform(0.9, 1.1))
            pause = min(self._every, pause * GROWTH)
            try:
                report = await asyncio.to_thread(self._looks.look, self._instances())
                async with asyncio.timeout(SEND_SECONDS):
                    await self._send(report)
            except (ApiError, httpx.HTTPError, TimeoutError) as error:
                self._note(f"usage was not reported: {str(error) or type(error).__name__}")
            except Exception:
                # Whatever is wrong with the figures, the agent has better things to do than to end.
                self._note("usage cannot be measured", exc_info=True)
            else:
                self._failures = 0

    def _note(self, text: str, *, exc_info: bool = False) -> None:
        """Log the first failure of a streak."""
        level = logging.DEBUG if self._failures else logging.WARNING
        log.log(level, "%s; trying again", text, exc_info=exc_info)
        self._failures += 1


def to_server(http: httpx.AsyncClient, node: str) -> Send:
    """What puts a report of the node where the API server keeps it."""
    path = f"{NODES.path(name=quote(node, safe=''))}/usage"

    async def send(report: UsageReport) -> None:
        content, headers = packed(report)
        await raise_for_status(await http.put(path, content=content, headers=headers))

    return send
