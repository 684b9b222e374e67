"""The log of one assignment over HTTP: once, or followed over breaks without a line lost or repeated."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import httpx

from apiserver.api.errors import ApiError, InternalError, ServiceUnavailable, Timeout, TooManyRequests
from apiserver.api.kinds.assignment import ASSIGNMENTS
from apiserver.client.backoff import Backoff
from apiserver.client.rest import RestClient, raise_for_status
from plumctl.cli import talk
from plumctl.log_lines import Line, lines_of
from plumctl.raw import place, unreachable

RETRY = Backoff(base=0.2, cap=2.0)
GONE_TRIES = 20
"""How often the rest of a log is asked for whose assignment is gone, while its node does not answer."""

READ_SECONDS, CONNECT_SECONDS = 60.0, 5.0
"""A followed log says something at least every 10 s."""

_LATER = (ServiceUnavailable, Timeout, TooManyRequests, InternalError)


@dataclass(frozen=True)
class Selection:
    """What of each log is wanted, in the words of the query."""

    query: dict[str, str] = field(default_factory=dict)
    limit: int | None = None
    """Bytes of each log."""


class Breaks:
    """Breaks, told once each, however many streams they concern."""

    def __init__(self) -> None:
        self._broken: set[str] = set()

    def broken(self, source: str, error: Exception) -> None:
        """A stream has broken off, or could not be opened."""
        if not self._broken:
            talk(f"{str(error) or 'the connection broke'}; trying again")
        self._broken.add(source)

    def mended(self, source: str) -> None:
        """It is there again, or not wanted any more."""
        self._broken.discard(source)


class Stream:
    """One assignment's log, and how far it has been read."""

    def __init__(
        self,
        client: RestClient,
        namespace: str,
        name: str,
        selection: Selection,
        *,
        breaks: Breaks | None = None,
        cursor: str = "",
    ) -> None:
        """``cursor``: where to begin, instead of where the selection says."""
        self.name, self.cursor = name, cursor
        self.is_gone = False
        """Whether its assignment is: what cannot be had soon will not be had."""
        self._client, self._path = client, f"{place(client, ASSIGNMENTS, namespace, name)}/log"
        self._selection, self._breaks = selection, breaks or Breaks()
        self._left = selection.limit
        self._last: tuple[str, bytes] | None = None
        """The last line, and where to go on after it."""
        self._rng = random.Random()

    async def past(self) -> AsyncGenerator[Line, None]:
        """What there is now, without marks. Raises ApiError."""
        try:
            async with aclosing(self._batches(follow=False)) as batches:
                async for batch in batches:
                    for line in batch:
                        if line.text is not None:
                            yield line
        except httpx.TransportError as error:
            raise unreachable(self._client, error) from error

    async def follow(self) -> AsyncGenerator[list[Line], None]:
        """Everything from here on, until the instance is gone and all of it has been read. Raises ApiError for what
        waiting does not mend."""
        failures = 0
        while True:
            before = self.cursor
            try:
                async with aclosing(self._batches(follow=True)) as batches:
                    async for batch in batches:
                        self._breaks.mended(self.name)
                        yield batch
                self._breaks.mended(self.name)
                return
            except (httpx.TransportError, *_LATER) as error:
                self._breaks.broken(self.name, error)
            failures = failures + 1 if self.cursor == before else 1
            if self.is_gone and failures > GONE_TRIES:
                self._breaks.mended(self.name)
                return
            await asyncio.sleep(RETRY.delay(failures - 1, self._rng))

    async def _batches(self, *, follow: bool) -> AsyncGenerator[list[Line], None]:
        """Lines as they come, from the cursor on. Raises ApiError, httpx.TransportError."""
        if self._left is not None and self._left <= 0:
            return
        limits = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        headers = {"accept": "text/plain"}
        async with self._client.http.stream(
            "GET", self._path, params=self._query(follow), headers=headers, timeout=limits
        ) as response:
            await raise_for_status(response)
            async with aclosing(lines_of(self.name, response.aiter_bytes())) as batches:
                async for batch in batches:
                    self._count(batch)
                    yield [line for line in batch if self._is_new(line)]

    def _query(self, follow: bool) -> dict[str, str]:
        query = {"cursor": self.cursor} if self.cursor else dict(self._selection.query)
        query |= {"cursors": "true"} | ({"follow": "true"} if follow else {})
        return query | ({"limitBytes": str(self._left)} if self._left is not None else {})

    def _is_new(self, line: Line) -> bool:
        """A note about how the log is now takes no place in it, so that it comes again with each connection."""
        if line.text is None:
            return True
        before, self._last = self._last, (line.cursor, line.text)
        return self._last != before

    def _count(self, batch: list[Line]) -> None:
        self.cursor = batch[-1].cursor
        if self._left is not None:
            self._left -= sum(len(line.text) + 1 for line in batch if line.text is not None)


def explain(name: str, error: ApiError) -> str:
    """One assignment's error among several."""
    return error.message if f'"{name}"' in error.message else f"assignment/{name}: {error.message}"
