"""The agent's channel: a stream of requests from the server, each answered by a POST of its own.

The channel is held open as long as the agent runs; when it breaks, what is being answered over it ends too, and
readers go on later where they were. An answer is read from disk only as fast as its POST drains.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from urllib.parse import quote

import httpx
import orjson
from pydantic import ValidationError

from agent.files import NotRegular
from agent.logs.place import Place
from agent.logs.streams import Reader
from apiserver.api.channel import MAX_STREAMS, SILENCE_SECONDS, Cancel, LogRequest, Request, read_frame
from apiserver.api.errors import ApiError, BadRequest, InternalError, TooManyRequests
from apiserver.client.answers import raise_for_status
from apiserver.client.backoff import Backoff
from apiserver.client.frames import read_lines

log = logging.getLogger(__name__)

RETRY = Backoff(base=0.2, cap=5.0)
STEADY_SECONDS = 30.0
"""A channel that held so long was a good one: the next failure is the first of its kind."""

CONNECT_SECONDS, CHANNEL_BYTES = 5.0, 64 * 1024
STUCK_SECONDS = 1000.0
"""How long an answer may stand still: the server cuts off readers that take nothing, before that."""

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5
"""Seconds between two looks at a log that has nothing new."""

THREADS = 4


class Channel:
    """One node's channel."""

    def __init__(self, http: httpx.AsyncClient, node: str, data: Path, *, rng: random.Random | None = None) -> None:
        """``http`` is for the channel alone: it must allow ``MAX_STREAMS`` connections and one more."""
        self._http, self._data = http, data
        self._path = f"/apis/plum.dev/v1/nodes/{quote(node, safe='')}/channel"
        self._rng = rng or random.Random()
        self._executor: ThreadPoolExecutor | None = None
        self._answers: dict[str, asyncio.Task[None]] = {}
        self._failures = 0

    async def run(self) -> None:
        """Hold the channel open until cancelled; every failure is retried with backoff and jitter."""
        executor = self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="channel")
        loop = asyncio.get_running_loop()
        try:
            while True:
                began = loop.time()
                try:
                    await self._hold()
                except (httpx.HTTPError, ApiError, OSError) as error:
                    self._note(error)
                except Exception:  # readers of logs are no reason to end an agent
                    log.exception("the channel has failed; trying again")
                finally:
                    await self._end_answers()
                self._failures = 0 if loop.time() - began > STEADY_SECONDS else self._failures + 1
                await asyncio.sleep(RETRY.delay(self._failures, self._rng))
        finally:
            executor.shutdown(wait=False, cancel_futures=True)

    def _note(self, error: Exception) -> None:
        level = logging.DEBUG if self._failures else logging.INFO
        log.log(level, "the channel is closed: %s; trying again", str(error) or type(error).__name__)

    async def _hold(self) -> None:
        limits = httpx.Timeout(CONNECT_SECONDS, read=SILENCE_SECONDS)
        async with self._http.stream("GET", self._path, timeout=limits) as response:
            await raise_for_status(response)
            async with aclosing(read_lines(response.aiter_bytes(), limit=CHANNEL_BYTES)) as lines:
                async for line in lines:
                    self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            frame = read_frame(line)
        except ValidationError:
            log.warning("a line of the channel is not understood: %r", line[:100])
            return
        if isinstance(frame, Request):
            task = asyncio.create_task(self._answer(frame), name=f"answer {frame.id}")
            self._answers[frame.id] = task
            task.add_done_callback(lambda _: self._answers.pop(frame.id, None))
        elif isinstance(frame, Cancel) and (answer := self._answers.get(frame.id)):
            answer.cancel()

    async def _end_answers(self) -> None:
        answers = [*self._answers.values()]
        for answer in answers:
            answer.cancel()
        await asyncio.gather(*answers, return_exceptions=True)

    async def _answer(self, request: Request) -> None:
        """Answer one request; a failure on the way is the reader's to notice, who begins again."""
        try:
            try:
                reader = await self._open(request.log)
            except ApiError as error:
                await self._post(request.id, "application/json", orjson.dumps(error.to_status()))
            else:
                async with aclosing(self._texts(reader)) as texts:
                    await self._post(request.id, "text/plain; charset=utf-8", texts)
        except (httpx.HTTPError, ApiError, OSError) as error:
            log.debug("an answer has ended early: %s", str(error) or type(error).__name__)
        except Exception:
            log.exception("an answer failed")

    async def _open(self, asked: LogRequest) -> Reader:
        """A reader at its beginning. Raises ApiError."""
        if len(self._answers) > MAX_STREAMS:
            raise TooManyRequests(f"the node answers {MAX_STREAMS} requests already; try again later")
        try:
            place = Place(self._data, asked.namespace, asked.name, asked.uid)
        except ValueError as error:
            raise BadRequest(str(error)) from error
        reader = Reader(place, asked, live=asked.live)
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, reader.open)
        except ApiError as error:
            raise type(error)(f'assignment "{asked.name}": {error.message}') from error
        except NotRegular as error:  # asking again does not help
            raise BadRequest(f'the log of assignment "{asked.name}" cannot be read: {error}') from error
        except OSError as error:
            raise InternalError(f'the log of assignment "{asked.name}" cannot be read: {error}') from error
        return reader

    async def _texts(self, reader: Reader) -> AsyncGenerator[bytes, None]:
        """The log, a chunk at a time, and no faster than the chunks are taken. Raises OSError."""
        pause = FIRST_PAUSE
        while True:
            step = await asyncio.get_running_loop().run_in_executor(self._executor, reader.step)
            if step.data:
                yield step.data
            if step.is_over:
                return
            if step.is_idle:
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, LONGEST_PAUSE)
            else:
                pause = FIRST_PAUSE

    async def _post(self, identity: str, media_type: str, content: bytes | AsyncGenerator[bytes, None]) -> None:
        limits = httpx.Timeout(STUCK_SECONDS, connect=CONNECT_SECONDS)
        headers = {"content-type": media_type}
        response = await self._http.post(f"{self._path}/{identity}", content=content, headers=headers, timeout=limits)
        await raise_for_status(response)
