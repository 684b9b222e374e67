"""A watch's lines, read as they come: newline-delimited JSON in chunks that end anywhere."""

import logging
from collections.abc import AsyncGenerator, AsyncIterable
from typing import Any, cast

import orjson
from pydantic import ValidationError

from apiserver.api.errors import Expired, from_status
from apiserver.api.meta import Body, ResourceT
from apiserver.client.interface import EventType, WatchEvent

log = logging.getLogger(__name__)

MAX_LINE_BYTES = 8 * 1024 * 1024


async def read_lines(chunks: AsyncIterable[bytes], *, limit: int = MAX_LINE_BYTES) -> AsyncGenerator[bytes, None]:
    """The complete lines; one that the end of the stream cuts off is dropped, as a watch will be resumed.
    Raises Expired for a line of more than ``limit`` bytes."""
    buffer = bytearray()
    async for chunk in chunks:
        searched = len(buffer)
        buffer += chunk
        start = 0
        while (end := buffer.find(b"\n", max(start, searched))) >= 0:
            yield bytes(buffer[start:end])
            start = end + 1
        del buffer[:start]
        if len(buffer) > limit:
            raise Expired(f"a line of the watch is longer than {limit} bytes; list again")


def decode_frame(kind: type[ResourceT], line: bytes) -> WatchEvent[ResourceT] | None:
    """The event in a line, or None for a blank line. Raises the error that an ERROR frame carries, and
    Expired where only a new list can help.

    An added or changed object that cannot be read becomes a bookmark: its predecessor stays in caches.
    """
    if not line.strip():
        return None
    event_type, body = _read_frame(line)
    if event_type == "ERROR":
        raise from_status(body)
    version = str(body.get("metadata", {}).get("resourceVersion", ""))
    if event_type not in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK") or not version.isdecimal():
        raise Expired(f"a frame of the watch is not understood: {line[:80]!r}; list again")
    if event_type == "BOOKMARK":
        return WatchEvent("BOOKMARK", version)
    try:
        return WatchEvent(cast(EventType, event_type), version, kind.from_body(body))
    except ValidationError as error:
        log.warning("%s: an object in the watch cannot be read: %s", kind.__name__, error)
        if event_type == "DELETED":
            raise Expired("a deleted object in the watch cannot be read; list again") from error
        return WatchEvent("BOOKMARK", version)


def _read_frame(line: bytes) -> tuple[str, Body]:
    try:
        frame: dict[str, Any] = orjson.loads(line)
        body: Body = frame["object"]
        if isinstance(body, dict) and isinstance(body.get("metadata", {}), dict):
            return str(frame["type"]), body
    except (orjson.JSONDecodeError, KeyError, TypeError):
        pass
    raise Expired(f"a frame of the watch is not understood: {line[:80]!r}; list again")
