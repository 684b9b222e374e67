"""The logs of several assignments together: merged by time as far as they go, and followed from there."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from apiserver.api.errors import ApiError, NotFound
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.task import Task
from apiserver.client.informer import Informer
from apiserver.client.rest import RestClient
from plumctl.cli import Failure, talk
from plumctl.log_lines import Line, Writer, merged
from plumctl.log_streams import Breaks, Selection, Stream, explain

BATCH = 256
"""Lines that are written together."""

FROM_THE_BEGINNING = "0:0"
GONE_SECONDS = 1.0
"""The pause between looks whether a task without instances is still there."""


@dataclass(frozen=True)
class Group:
    """Some assignments: those of a task, those with certain labels, or one by its name."""

    labels: str = ""
    task: str = ""
    name: str = ""

    @property
    def fields(self) -> str:
        """The field selector that finds them; there may be ``labels`` instead."""
        return f"metadata.name={self.name}" if self.name else ""


@dataclass(frozen=True)
class View:
    """What is asked for and how it is shown."""

    namespace: str
    groups: Sequence[Group]
    most: int
    selection: Selection
    writer: Writer


async def show(client: RestClient, view: View) -> bool:
    """What there is now; False if some of it could not be had."""
    shown = Past(view)
    return await shown.run(
        [Stream(client, view.namespace, name, view.selection) for name in await _placed(client, view)]
    )


async def _placed(client: RestClient, view: View) -> list[str]:
    """The assignments by name that have a node; those that are named are taken on trust, as the server knows
    deleted ones too."""
    names: dict[str, None] = {}
    for group in view.groups:
        if group.name:
            names[group.name] = None
            continue
        found = await client.list(
            Assignment, namespace=view.namespace or client.config.namespace, labels=group.labels, fields=group.fields
        )
        if not found.items:
            talk("There are no assignments of these yet, or no longer." if group.task else "No assignments found.")
        names |= {one.metadata.name: None for one in found.items if one.spec.node_name}
    return list(names)


class Past:
    """The logs of several assignments as they are now, merged."""

    def __init__(self, view: View, *, tells: bool = True) -> None:
        """``tells``: what cannot be had is told."""
        self._view, self._tells = view, tells
        self._is_whole = True

    async def run(self, streams: Sequence[Stream]) -> bool:
        """Write them; False if some could not be had. Raises Failure where they are too many."""
        check_number(len(streams), self._view.most)
        async with aclosing(merged([self._tolerant(stream) for stream in streams])) as lines:
            batch: list[Line] = []
            async for line in lines:
                batch.append(line)
                if len(batch) >= BATCH:
                    self._view.writer.write(batch)
                    batch = []
            self._view.writer.write(batch)
        return self._is_whole

    async def _tolerant(self, stream: Stream) -> AsyncGenerator[Line, None]:
        """A log; its error is told and concerns it alone."""
        try:
            async with aclosing(stream.past()) as lines:
                async for line in lines:
                    yield line
        except ApiError as error:
            self._is_whole = False
            if self._tells:
                talk(f"error: {explain(stream.name, error)}")


def check_number(count: int, most: int) -> None:
    """Raises Failure for more logs than may be asked for at a time."""
    if count > most:
        raise Failure(f"these are {count} logs, and at most {most} are asked for at a time: give --max-log-requests")


class Follow:
    """The logs of several assignments from now on; new ones join, those that are gone leave."""

    def __init__(self, client: RestClient, view: View) -> None:
        self._client, self._view = client, view
        self._namespace = view.namespace or client.config.namespace
        self._informers = [
            Informer(client, Assignment, namespace=self._namespace, labels=group.labels, fields=group.fields)
            for group in view.groups
        ]
        self._breaks = Breaks()
        self._streams: dict[str, Stream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._is_whole = True
        logging.getLogger("apiserver.client").addHandler(logging.NullHandler())  # streams tell of breaks already

    async def run(self) -> bool:
        """Until all are gone for good; False if some could not be had. Raises OSError, Failure, ApiError."""
        watching = [asyncio.create_task(informer.run()) for informer in self._informers]
        try:
            await self._begin()
            return await self._until_gone()
        finally:
            for task in (*watching, *self._tasks):
                task.cancel()
            await asyncio.gather(*watching, *self._tasks, return_exceptions=True)

    async def _begin(self) -> None:
        """First what there is, in order; then each goes on where it was."""
        first = [self._stream(name) for name in await _placed(self._client, self._view)]
        await Past(self._view, tells=False).run(first)  # what fails is tried again by who follows
        for stream in first:
            self._start(stream)
        for informer in self._informers:
            await informer.has_synced.wait()
            informer.add_handler(self._on_change)
        for stream in first:
            stream.is_gone = not self._is_known(stream.name)

    def _stream(self, name: str, cursor: str = "") -> Stream:
        stream = Stream(self._client, self._namespace, name, self._view.selection, breaks=self._breaks, cursor=cursor)
        self._streams[name] = stream
        return stream

    def _is_known(self, name: str) -> bool:
        return any(informer.get(self._namespace, name) for informer in self._informers)

    def _on_change(self, old: Assignment | None, new: Assignment | None) -> None:
        if new is None:
            if old is not None and (known := self._streams.get(old.metadata.name)):
                known.is_gone = True
            return
        name = new.metadata.name
        if name in self._streams or not new.spec.node_name:
            return
        if len(self._tasks) >= self._view.most:
            talk(f"assignment/{name} is not followed: {self._view.most} logs are already (--max-log-requests)")
            self._streams[name] = Stream(self._client, self._namespace, name, self._view.selection)
            return
        self._start(self._stream(name, FROM_THE_BEGINNING))

    def _start(self, stream: Stream) -> None:
        task = asyncio.create_task(self._follow(stream), name=f"follow {stream.name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow(self, stream: Stream) -> None:
        try:
            async with aclosing(stream.follow()) as batches:
                async for batch in batches:
                    self._view.writer.write(batch)
        except ApiError as error:
            self._is_whole = False
            talk(f"error: {explain(stream.name, error)}")
        except Exception as error:
            if not self._failed.done():
                self._failed.set_exception(error)

    async def _until_gone(self) -> bool:
        while True:
            waiting = [*self._tasks, self._failed]
            await asyncio.wait(waiting, timeout=GONE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if self._failed.done():
                self._failed.result()
            if not self._tasks and self._has_none() and await self._is_over():
                return self._is_whole

    def _has_none(self) -> bool:
        """Whether none of the instances is there; those that were named have been followed as far as that goes."""
        only_named = all(group.name for group in self._view.groups)
        return only_named or not any(len(informer) for informer in self._informers)

    async def _is_over(self) -> bool:
        """Whether no instances will come any more."""
        if any(group.labels and not group.task for group in self._view.groups):
            return False
        for task in {group.task for group in self._view.groups if group.task}:
            try:
                await self._client.get(Task, task, namespace=self._namespace)
                return False
            except NotFound:
                continue
            except ApiError:
                return False
        return True
