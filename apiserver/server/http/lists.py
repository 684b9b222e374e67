"""Pages of a collection.

All pages of a list show the state as of one version, which the first page names and the continue token
carries: nothing is missed, shown twice, or newer than the rest. Long lists go out in slices, so that they
never hold the event loop for long.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from apiserver.api.errors import BadRequest, Expired, Timeout
from apiserver.server.http import tables
from apiserver.server.http.requests import Accepted, number, read_filter, read_version
from apiserver.server.registry import Registry, Target
from apiserver.server.store.snapshot import Slot
from apiserver.server.store.table import FIRST

SLICE = 200
"""Objects that are serialised without a break."""

MAX_LIMIT = 100_000
FUTURE_SECONDS = 3.0
"""How long a read waits for a version that has not been reached."""

JSON = "application/json"


async def list_collection(
    registry: Registry, target: Target, request: Request, accepted: Accepted, clock: Callable[[], datetime]
) -> Response:
    """One page. Raises BadRequest, Expired, Timeout."""
    query = request.query_params
    selection = read_filter(target, query)
    limit = number(query, "limit", 0, most=MAX_LIMIT)
    version, after = await _place(registry, query)
    slots, more = await registry.store.page(selection, version=version, after=after, limit=limit)
    metadata: dict[str, Any] = {"resourceVersion": str(version)}
    if more:
        metadata["continue"] = _token(version, slots[-1])
        if selection.is_open:
            metadata["remainingItemCount"] = more
    pieces = (
        _rows(registry, target, slots, metadata, accepted, clock())
        if accepted.form == "table"
        else _items(registry, target, slots, metadata)
    )
    if len(slots) <= SLICE:
        return Response(b"".join([piece async for piece in pieces]), media_type=JSON)
    return StreamingResponse(pieces, media_type=JSON)


async def reach(registry: Registry, version: int) -> None:
    """Wait a little for a version that this server has not reached yet. Raises Timeout."""
    waited = 0.0
    while version > registry.store.version:
        if waited >= FUTURE_SECONDS:
            raise Timeout(f"Too large resource version: {version}, current: {registry.store.version}")
        await asyncio.sleep(0.1)
        waited += 0.1


async def _place(registry: Registry, query: Mapping[str, str]) -> tuple[int, tuple[str, str]]:
    """The version that a list is of, and the object that it begins behind. Raises BadRequest, Expired, Timeout."""
    wanted, is_exact = read_version(query)
    if token := query.get("continue"):
        if wanted:
            raise BadRequest("resourceVersion may not be given with continue: the token carries it")
        version, after = _read_token(token)
        if version > registry.store.version:
            raise Expired("The provided continue parameter is not from this server. List again.")
        return version, after
    await reach(registry, wanted)
    return wanted if is_exact else registry.store.version, FIRST


def _token(version: int, last: Slot) -> str:
    raw = orjson.dumps([version, last.key.namespace, last.key.name])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, tuple[str, str]]:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        version, namespace, name = orjson.loads(raw)
        if isinstance(version, int) and isinstance(namespace, str) and isinstance(name, str):
            return version, (namespace, name)
    except (binascii.Error, ValueError, TypeError):
        pass
    raise BadRequest("continue key is not valid: take it from the list that was cut")


async def _items(
    registry: Registry, target: Target, slots: list[Slot], metadata: dict[str, Any]
) -> AsyncIterator[bytes]:
    head = {"kind": f"{target.kind.name}List", "apiVersion": target.kind.api_version, "metadata": metadata}
    yield orjson.dumps(head)[:-1] + b',"items":['
    for start in range(0, len(slots), SLICE):
        joined = b",".join(registry.raw(slot) for slot in slots[start : start + SLICE])
        yield (b"," if start else b"") + joined
        await asyncio.sleep(0)
    yield b"]}\n"


async def _rows(
    registry: Registry,
    target: Target,
    slots: list[Slot],
    metadata: dict[str, Any],
    accepted: Accepted,
    now: datetime,
) -> AsyncIterator[bytes]:
    head = tables.table(target.kind, [], metadata)
    yield orjson.dumps(head).removesuffix(b"]}")
    for start in range(0, len(slots), SLICE // 4):
        made = [
            orjson.dumps(tables.row(target.kind, orjson.loads(registry.raw(slot)), now, accepted.include))
            for slot in slots[start : start + SLICE // 4]
        ]
        yield (b"," if start else b"") + b",".join(made)
        await asyncio.sleep(0)
    yield b"]}\n"
