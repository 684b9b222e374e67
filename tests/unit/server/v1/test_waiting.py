"""How long a lookup waits for news."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.types import Message

from apiserver.server.store.following import Batch
from apiserver.server.v1 import discovery
from apiserver.server.v1.calls import call_of
from apiserver.server.v1.discovery import Discovery

HTTP: dict[str, Any] = {"type": "http", "method": "GET", "path": "/v1/discovery", "headers": []}


async def reading_for_long(*_: object, **__: object) -> AsyncIterator[Batch]:
    await asyncio.sleep(60)
    yield Batch((), 0)


async def silence() -> Message:
    never: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
    return await never


@pytest.mark.parametrize("seconds", [0, 1])
async def test_a_log_that_takes_long_to_read_does_not_make_the_wait_longer(
    monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    monkeypatch.setattr(discovery, "follow", reading_for_long)
    store = SimpleNamespace(version=9)
    parts = cast(Any, SimpleNamespace(registry=SimpleNamespace(store=store), rng=None))
    directory = cast(Any, SimpleNamespace(healthy=lambda namespace, service: ()))
    query = f"service=orders&resourceVersion=1&timeoutSeconds={seconds}"
    call = call_of(HTTP | {"query_string": query.encode()}, silence, "")
    async with asyncio.timeout(seconds + 5):
        reply = await Discovery(parts, directory).discover(call)
    assert reply.body == b"[]\n"
