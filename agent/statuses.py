"""Statuses on their way to the server: what is to be said while a request is under way goes with the next one.

An agent that starts two hundred instances says four hundred things in two seconds; one request each would cost it
more than the starts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from agent.packing import packed
from apiserver.api.errors import ApiError, InternalError, ServiceUnavailable, from_status
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.node import NODES
from apiserver.api.reports import StatusOf, StatusReport
from apiserver.client.answers import raise_for_status

WRITE_SECONDS = 2.0
MAX_STATUSES = 100
"""Statuses of one request: some 100 kB."""

Answer = Assignment | ApiError
Send = Callable[[Sequence[StatusOf]], Awaitable[list[Answer]]]
"""Answers in the order of what was sent. Raises ApiError."""


class Statuses:
    """One request at a time, each bounded in time."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: list[tuple[StatusOf, asyncio.Future[Assignment]]] = []
        self._asked = asyncio.Event()

    async def write(self, status: StatusOf) -> Assignment:
        """Have it sent; returns the object as it then is. Raises ApiError, TimeoutError."""
        answer: asyncio.Future[Assignment] = asyncio.get_running_loop().create_future()
        self._waiting.append((status, answer))
        self._asked.set()
        return await answer

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            await asyncio.sleep(0)  # what is said in the same moment goes along
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_STATUSES], self._waiting[MAX_STATUSES:]
                if wanted := [(status, answer) for status, answer in batch if not answer.done()]:
                    await self._exchange(wanted)

    async def _exchange(self, batch: Sequence[tuple[StatusOf, asyncio.Future[Assignment]]]) -> None:
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                said: Sequence[Assignment | Exception] = await self._send([status for status, _ in batch])
        except Exception as error:  # whatever it is, everyone who waits is to know of it
            said = [error] * len(batch)
        for (_, answer), one in zip(batch, said, strict=True):
            if answer.done():
                continue
            if isinstance(one, Exception):
                answer.set_exception(one)
            else:
                answer.set_result(one)


def to_server(http: httpx.AsyncClient, node: str, manager: str) -> Send:
    """What sends the node's statuses to the API server."""
    path = f"{NODES.path(name=quote(node, safe=''))}/statuses?fieldManager={quote(manager)}"

    async def send(statuses: Sequence[StatusOf]) -> list[Answer]:
        content, headers = packed(StatusReport(items=tuple(statuses)))
        try:
            response = await http.post(path, content=content, headers=headers)
        except httpx.RequestError as error:
            raise ServiceUnavailable(f"cannot reach the API server: {str(error) or type(error).__name__}") from error
        await raise_for_status(response)
        return _answers(response.content, len(statuses))

    return send


def _answers(raw: bytes, count: int) -> list[Answer]:
    """What the server said of each. Raises InternalError for anything else."""
    try:
        items = orjson.loads(raw)["items"]
        if len(items) == count:
            return [_answer(item) for item in items]
    except (ValueError, KeyError, TypeError) as error:
        raise InternalError(f"the server's answer to statuses cannot be read: {error}") from error
    raise InternalError(f"the server answered {len(items)} of {count} statuses")


def _answer(item: dict[str, Any]) -> Answer:
    error = item.get("error")
    return from_status(error) if isinstance(error, dict) else Assignment.from_body(item["object"])
