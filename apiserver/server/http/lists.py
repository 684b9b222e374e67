"""Pages of a collection.

All pages of a list show the state as of one version, which the first page names and the continue token
carries: nothing is missed, shown twice, or newer than the rest. Long lists go out in slices, so that they
never hold the event loop for long.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response

from apiserver.api.errors import BadRequest, Expired, Timeout
from apiserver.api.meta import Body
from apiserver.server.http import tables
from apiserver.server.http.compression import HEADERS, MIN_BYTES, accepts_gzip, compressed, compressing
from apiserver.server.http.list_options import check_list
from apiserver.server.http.partials import partial_list, partial_raw
from apiserver.server.http.requests import Accepted, number, read_filter, read_version
from apiserver.server.http.showing import shown_body, shown_slot
from apiserver.server.http.streams import StreamedResponse
from apiserver.server.registry import Registry, Target
from apiserver.server.store.snapshot import Slot
from apiserver.server.store.table import FIRST

SLICE = 200
"""Objects that are serialised without a break."""

SLICE_BYTES = 512 * 1024

MAX_LIMIT = 100_000
FUTURE_SECONDS = 3.0
"""How long a read waits for a version that has not been reached."""

JSON = "application/json"
T = TypeVar("T")


async def list_collection(
    registry: Registry, target: Target, request: Request, accepted: Accepted, clock: Callable[[], datetime]
) -> Response:
    """One page. Raises BadRequest, Invalid, Expired, Timeout."""
    query = request.query_params
    check_list(query)
    selection = read_filter(target, query)
    limit = number(query, "limit", 0, most=MAX_LIMIT)
    version, after = await place(registry, query)
    slots, more = await registry.store.page(selection, version=version, after=after, limit=limit)
    metadata: dict[str, Any] = {"resourceVersion": str(version)}
    if more:
        metadata["continue"] = continue_token(version, slots[-1])
        if selection.is_open:
            metadata["remainingItemCount"] = more
    is_gzip = accepts_gzip(request)
    if accepted.form == "table":
        now = clock()
        head, slice_size = tables.table(target.shown, [], metadata), SLICE // 4

        def render(slot: Slot) -> bytes:
            body = shown_body(target, orjson.loads(registry.raw(slot)))
            return orjson.dumps(tables.row(target.shown, body, now, accepted.include))

        return await document(head, slots, render, key="rows", slice_size=slice_size, is_gzip=is_gzip)

    def render_whole(slot: Slot) -> bytes:
        return shown_slot(registry, target, slot)

    if accepted.form == "metadata":
        head = partial_list(metadata)
        return await document(head, slots, lambda slot: partial_raw(render_whole(slot)), is_gzip=is_gzip)
    head = {"kind": f"{target.shown.name}List", "apiVersion": target.shown.api_version, "metadata": metadata}
    return await document(head, slots, render_whole, is_gzip=is_gzip)


async def document(
    head: Body,
    items: Sequence[T],
    render: Callable[[T], bytes],
    *,
    key: str = "items",
    slice_size: int = SLICE,
    is_gzip: bool = False,
) -> Response:
    """A JSON document: the head, and a list of items under ``key``. A long one is rendered slice by slice as the
    client takes it, and compressed where the client takes that (``is_gzip``)."""
    pieces = _pieces(head, items, render, key, slice_size)
    if len(items) <= slice_size:
        found = [piece async for piece in pieces]
        if is_gzip and sum(map(len, found)) >= MIN_BYTES:
            return Response(await compressed(found), media_type=JSON, headers=HEADERS)
        return Response(b"".join(found), media_type=JSON)
    response = StreamedResponse(compressing(pieces) if is_gzip else pieces, media_type=JSON)
    response.headers.update(HEADERS if is_gzip else {})
    return response


async def _pieces(
    head: Body, items: Sequence[T], render: Callable[[T], bytes], key: str, slice_size: int
) -> AsyncIterator[bytes]:
    rest = {name: value for name, value in head.items() if name != key}
    yield orjson.dumps(rest)[:-1] + b',"' + key.encode() + b'":['
    comma = b""
    for rendered in sliced(map(render, items), len, most=slice_size):
        yield comma + b",".join(rendered)
        comma = b","
        await asyncio.sleep(0)
    yield b"]}\n"


def sliced(items: Iterable[T], size: Callable[[T], int], *, most: int) -> Iterator[list[T]]:
    """The items in slices of at most so many, and of about ``SLICE_BYTES``."""
    found: list[T] = []
    held = 0
    for item in items:
        found.append(item)
        held += size(item)
        if len(found) == most or held >= SLICE_BYTES:
            yield found
            found, held = [], 0
    if found:
        yield found


async def reach(registry: Registry, version: int) -> None:
    """Wait a little for a version that this server has not reached yet. Raises Timeout."""
    waited = 0.0
    while version > registry.store.version:
        if waited >= FUTURE_SECONDS:
            raise Timeout(f"Too large resource version: {version}, current: {registry.store.version}")
        await asyncio.sleep(0.1)
        waited += 0.1


async def place(registry: Registry, query: Mapping[str, str]) -> tuple[int, tuple[str, str]]:
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


def continue_token(version: int, last: Slot) -> str:
    """What a client sends back to get the page after the one that ends with that object."""
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
