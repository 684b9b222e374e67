"""The logs of several assignments together: merged by time as far as they go, and followed from there."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from apiserver.api.channel import MAX_STREAMS
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

NODE_SHARE = MAX_STREAMS * 3 // 4
"""Logs of one node at a time: others want to read there too."""

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
    placed = await _placed(client, view)
    return await Past(view).run([Stream(client, view.namespace, name, view.selection) for name in placed])


async def _placed(client: RestClient, view: View) -> dict[str, str]:
    """The assignments that have a node, with that; those that are named are taken on trust and without it, as the
    server knows deleted ones too. Raises Failure where they are too many."""
    names: dict[str, str] = {}
    for group in view.groups:
        if group.name:
            names.setdefault(group.name, "")
            continue
        found = await client.list(
            Assignment, namespace=view.namespace or client.config.namespace, labels=group.labels, fields=group.fields
        )
        if not found.items:
            talk("There are no assignments of these yet, or no longer." if group.task else "No assignments found.")
        names |= {one.metadata.name: one.spec.node_name for one in found.items if one.spec.node_name}
    check_number(names.values(), view.most)
    return names


class Past:
    """The logs of several assignments as they are now, merged."""

    def __init__(self, view: View, *, tells: bool = True) -> None:
        """``tells``: what cannot be had is told."""
        self._view, self._tells = view, tells
        self._is_whole = True

    async def run(self, streams: Sequence[Stream]) -> bool:
        """Write them; False if some could not be had."""
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


def check_number(nodes: Collection[str], most: int) -> None:
    """Raises Failure for more logs than may be asked for at a time: in all, or of a node. ``nodes`` has one for each
    log, empty where it is not known."""
    if len(nodes) > most:
        raise Failure(
            f"these are {len(nodes)} logs, and at most {most} are asked for at a time: "
            "choose some with --selector, or give --max-log-requests"
        )
    for node, count in Counter(nodes).items():
        if node and count > NODE_SHARE:
            raise Failure(
                f"{count} of these logs are on node {node}, and one reader asks a node for at most {NODE_SHARE} of the "
                f"{MAX_STREAMS} that it gives at a time: choose some with --selector"
            )


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
        self._at_nodes = Counter[str]()
        """How many logs are followed, by node."""
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
        placed = await _placed(self._client, self._view)
        first = [self._stream(name) for name in placed]
        await Past(self._view, tells=False).run(first)  # what fails is tried again by who follows
        for stream in first:
            self._start(stream, placed[stream.name])
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
        name, node = new.metadata.name, new.spec.node_name
        if name in self._streams or not node:
            return
        if why := self._refusal(node):
            talk(f"assignment/{name} is not followed: {why}")
            self._streams[name] = Stream(self._client, self._namespace, name, self._view.selection)
            return
        self._start(self._stream(name, FROM_THE_BEGINNING), node)

    def _refusal(self, node: str) -> str:
        """Why one more log, of that node, is too many; empty if it is not."""
        if len(self._tasks) >= self._view.most:
            return f"{self._view.most} logs are already (--max-log-requests)"
        return f"{NODE_SHARE} logs of node {node} are already" if self._at_nodes[node] >= NODE_SHARE else ""

    def _start(self, stream: Stream, node: str) -> None:
        task = asyncio.create_task(self._follow(stream), name=f"follow {stream.name}")
        self._tasks.add(task)
        self._at_nodes[node] += bool(node)
        task.add_done_callback(lambda task: self._stopped(task, node))

    def _stopped(self, task: asyncio.Task[None], node: str) -> None:
        self._tasks.discard(task)
        self._at_nodes[node] -= bool(node)

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
