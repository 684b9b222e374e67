"""Many writes at a time, but not too many: the bound that all loops share."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from apiserver.api.meta import Resource
from apiserver.client.interface import Client

A = TypeVar("A")

CONCURRENCY = 16
"""Writes of one loop in flight: enough for the server to commit them in groups."""


async def each(items: Iterable[A], write: Callable[[A], Awaitable[int]]) -> int:
    """Perform the writes, at most 16 at once; returns the highest version that they say they reached.

    When one fails those in flight are finished, no more are begun, and the first failure is raised.
    """
    queue, failures, highest = iter(items), list[Exception](), 0

    async def work() -> None:
        nonlocal highest
        for item in queue:
            if failures:
                return
            try:
                highest = max(highest, await write(item))
            except Exception as error:
                failures.append(error)

    async with asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(work())
    if failures:
        raise failures[0]
    return highest


async def delete_as_seen(client: Client, obj: Resource) -> int:
    """Delete an object unless it has changed since it was seen. Raises NotFound, Conflict.

    The version that this reaches is not told, hence 0: asked for once more by a plan that has not seen the object go,
    it is refused.
    """
    namespace, name = obj.key
    await client.delete(type(obj), name, namespace=namespace, version=obj.metadata.resource_version or "")
    return 0


def version_of(obj: Resource) -> int:
    """The version of the write that an object is the answer to."""
    return int(obj.metadata.resource_version or 0)
