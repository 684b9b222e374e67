"""Blocking work in a thread, waited for to its end: whoever is cancelled leaves nobody behind who still writes."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

T = TypeVar("T")


async def in_thread(
    executor: Executor | None, work: Callable[[], T], *, abandon: Callable[[], None] | None = None
) -> T:
    """What ``work`` returns or raises. When this is cancelled ``abandon`` is called, and it returns once the work
    has ended; the executor None is the loop's own."""
    running = asyncio.get_running_loop().run_in_executor(executor, work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        if abandon is not None:
            abandon()
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # seen, so that nobody complains that it was not
        raise
