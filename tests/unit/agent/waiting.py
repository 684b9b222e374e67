"""Waiting for a condition, never for a time."""

import asyncio
from collections.abc import Callable


async def eventually(holds: Callable[[], object], *, within: float = 10.0) -> None:
    """Wait until something is true. Fails after ``within`` seconds."""
    deadline = asyncio.get_running_loop().time() + within
    while not holds():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"not true within {within:g} s")
        await asyncio.sleep(0.005)
