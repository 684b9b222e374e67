"""Long answers are compressed without holding up others."""

import asyncio
import gzip

import orjson
import pytest

from apiserver.server.http.lists import SLICE_BYTES, document


@pytest.mark.parametrize("is_gzip", [False, True])
async def test_few_large_objects_do_not_hold_up_others(is_gzip: bool) -> None:
    """Neither while they are put together nor, once more, while they are compressed."""
    turns, items = 0, [orjson.dumps("x" * SLICE_BYTES)] * 20

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(others())
    found = await document({"kind": "List"}, items, bytes, is_gzip=is_gzip)
    counting.cancel()
    raw = gzip.decompress(found.body) if is_gzip else bytes(found.body)
    assert orjson.loads(raw) == {"kind": "List", "items": [orjson.loads(item) for item in items]}
    assert turns >= (len(items) - 1) * (2 if is_gzip else 1)
