"""What goes over a node's channel: the server's requests to the agent, one JSON object a line.

The agent holds ``GET …/nodes/<name>/channel`` open, because nothing dials a node, and answers each request with a
``POST …/nodes/<name>/channel/<id>``: a stream of text, or the Status of why there is none.
"""

import re
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from apiserver.api.meta import Model

HEARTBEAT_SECONDS = 10.0
"""The longest pause between two lines of a channel."""

SILENCE_SECONDS = 3 * HEARTBEAT_SECONDS
"""A channel without a line for so long is dead."""

MAX_STREAMS = 64
"""Requests of one node that are being answered at a time."""

CURSOR = re.compile(r"[0-9]{1,18}:[0-9]{1,18}")


class LogOptions(Model):
    """Which part of an instance's log, and in which form. The names are those of Kubernetes' ``pods/log``."""

    follow: bool = False
    tail_lines: Annotated[int, Field(ge=0)] | None = None
    since_seconds: Annotated[int, Field(ge=1)] | None = None
    since_time: AwareDatetime | None = None
    previous: bool = False
    """The run before the newest one, alone."""
    timestamps: bool = False
    limit_bytes: Annotated[int, Field(ge=1)] | None = None
    cursor: Annotated[str, Field(pattern=rf"^{CURSOR.pattern}$")] | None = None
    """``RUN:OFFSET``: go on exactly there, and into later runs; run 0 is before the first."""
    cursors: bool = False
    """Each line begins with where to go on after it, and its time; a line that is a cursor alone is a mark."""
    one_run: bool = False
    """Following ends with the run that it began with, as on Kubernetes."""


class LogRequest(LogOptions):
    """The log of one instance."""

    namespace: str
    name: str
    uid: str
    live: bool = True
    """Whether the assignment exists: what is not there may come yet."""


class Request(Model):
    """Answer this."""

    type: Literal["REQUEST"] = "REQUEST"
    id: str
    log: LogRequest


class Cancel(Model):
    """Nobody waits for that answer any more."""

    type: Literal["CANCEL"] = "CANCEL"
    id: str


class Heartbeat(Model):
    """The channel is alive."""

    type: Literal["HEARTBEAT"] = "HEARTBEAT"


Frame = Request | Cancel | Heartbeat
_FRAME: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="type")])


def read_frame(line: bytes) -> Frame:
    """The frame in a line. Raises pydantic.ValidationError."""
    return _FRAME.validate_json(line)


def write_frame(frame: Frame) -> bytes:
    """A line."""
    return frame.model_dump_json(by_alias=True, exclude_none=True).encode() + b"\n"
