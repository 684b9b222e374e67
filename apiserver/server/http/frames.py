"""The lines of a watch: objects whole, as Tables of one row, or their metadata only, and bookmarks in the same form."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import orjson

from apiserver.api.errors import ApiError
from apiserver.api.meta import Body
from apiserver.server.http import tables
from apiserver.server.http.partials import META, partial_raw
from apiserver.server.http.requests import Accepted
from apiserver.server.http.showing import shown_body, shown_slot
from apiserver.server.registry import Registry, Target
from apiserver.server.store.snapshot import Slot

INITIAL_END = "k8s.io/initial-events-end"
"""The annotation of the bookmark after everything there is."""

Framer = Callable[[str, Slot], bytes]


@dataclass(frozen=True)
class Frames:
    """How one client wants its lines."""

    event: Framer
    marked: Callable[[dict[str, Any]], Body]
    """A bookmark's object, of its metadata."""

    def bookmark(self, version: int, *, ends_initial: bool = False) -> bytes:
        """The line that says how far the watch has come."""
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        if ends_initial:
            metadata["annotations"] = {INITIAL_END: "true"}
        return _line("BOOKMARK", self.marked(metadata))

    @staticmethod
    def error(error: ApiError) -> bytes:
        """The line that a watch ends with when it cannot go on."""
        return _line("ERROR", error.to_status())


def frames_of(registry: Registry, target: Target, accepted: Accepted, clock: Callable[[], datetime]) -> Frames:
    """The lines of a watch of one kind in the form that the client accepts."""
    sort = target.shown
    if accepted.form == "table":
        return Frames(_table_frames(target, accepted, clock), partial(tables.table, sort, [], headed=False))
    if accepted.form == "metadata":
        return Frames(
            lambda event, slot: _framed(event, partial_raw(shown_slot(registry, target, slot))),
            _marked("PartialObjectMetadata", META),
        )
    return Frames(
        lambda event, slot: _framed(event, shown_slot(registry, target, slot)), _marked(sort.name, sort.api_version)
    )


def object_frames(registry: Registry, kind: str, api_version: str) -> Frames:
    """Lines of whole objects; bookmarks are of that kind."""
    return Frames(lambda event, slot: _framed(event, registry.raw(slot)), _marked(kind, api_version))


def _marked(kind: str, api_version: str) -> Callable[[dict[str, Any]], Body]:
    return lambda metadata: {
        "kind": kind,
        "apiVersion": api_version,
        "metadata": {"creationTimestamp": None} | metadata,
    }


def _framed(event: str, raw: bytes) -> bytes:
    return b'{"type":"' + event.encode() + b'","object":' + raw + b"}\n"


def _line(event: str, body: Body) -> bytes:
    return orjson.dumps({"type": event, "object": body}) + b"\n"


def _table_frames(target: Target, accepted: Accepted, clock: Callable[[], datetime]) -> Framer:
    headed = True

    def frame(event: str, slot: Slot) -> bytes:
        nonlocal headed
        rows = [tables.row(target.shown, shown_body(target, slot.parse()), clock(), accepted.include)]
        body = tables.table(target.shown, rows, {"resourceVersion": str(slot.version)}, headed=headed)
        headed = False
        return _line(event, body)

    return frame
