"""Event: something worth telling a person happened to an object (core ``v1``)."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from apiserver.api.columns import since
from apiserver.api.meta import Atomic, Body, MicroTime, Model, Resource, Time, is_empty
from apiserver.api.scheme import SCHEME, Column, Kind, at, dig

Text = Annotated[str, Field(exclude_if=is_empty)]


class ObjectReference(Model):
    """The object that an event is about."""

    api_version: Text = ""
    """The group and version of the object."""
    kind: Text = ""
    """The kind of the object."""
    namespace: Text = ""
    """The namespace of the object; empty for what has none."""
    name: Text = ""
    """The name of the object."""
    uid: Text = ""
    """The uid of the object."""
    resource_version: Text = ""
    """The version of the object that the event is about."""
    field_path: Text = ""
    """The part of the object that the event is about."""


class EventSource(Model):
    """Who reports."""

    component: Text = ""
    """The program that reports, for example plum-agent."""
    host: Text = ""
    """The machine that it runs on."""


class EventSeries(Model):
    """What an event came to that goes on happening."""

    count: int = 0
    """How often it happened, up to the last time."""
    last_observed_time: MicroTime | None = None
    """When it happened last."""


class Event(Resource):
    """A note about an object, kept for a while."""

    api_version: Literal["v1"] = "v1"
    kind: Literal["Event"] = "Event"
    # A reference is one thing: half of one manager's and half of another's would name an object that nobody meant.
    involved_object: Annotated[ObjectReference, Atomic()]
    """The object that the event is about."""
    reason: Text = ""
    """A CamelCase word for programs."""
    message: Annotated[str, Field(max_length=1024)] = ""
    """A sentence for people."""
    type: str = "Normal"
    """Normal or Warning."""
    source: EventSource | None = None
    """Who reports."""
    reporting_component: Text = ""
    """The program that reports, in the newer form of ``source.component``."""
    reporting_instance: Text = ""
    """Which of several programs of that name reports."""
    action: Text = ""
    """What was done, or failed, in a word for programs."""
    count: int | None = None
    """How often it happened."""
    first_timestamp: Time | None = None
    """When it happened first."""
    last_timestamp: Time | None = None
    """When it happened last."""
    event_time: MicroTime | None = None
    """When it happened first, as newer clients tell it."""
    series: EventSeries | None = None
    """How it went on, as newer clients tell it."""
    related: ObjectReference | None = None
    """Another object that has to do with it."""

    @property
    def last_time(self) -> datetime | None:
        """When it happened last, as far as the event says."""
        observed = self.series.last_observed_time if self.series else None
        return observed or self.last_timestamp or self.event_time


FIRST = ("firstTimestamp", "eventTime", "metadata.creationTimestamp")
LAST = ("series.lastObservedTime", "lastTimestamp", "eventTime", "metadata.creationTimestamp")


def _seen(*paths: str) -> Callable[[Body, datetime], str]:
    return lambda body, now: next((text for path in paths if (text := since(path, body, now))), "<unknown>")


def _count(body: Body, now: datetime) -> int:
    return int(dig(body, "series.count") or dig(body, "count") or 1)


def _source(body: Body) -> str:
    return str(dig(body, "source.component") or dig(body, "reportingComponent") or "")


def _reporter(body: Body, now: datetime) -> str:
    host = dig(body, "source.host")
    return f"{_source(body)}, {host}" if host else _source(body)


def _object(body: Body, now: datetime) -> str:
    return f"{str(dig(body, 'involvedObject.kind') or '').lower()}/{dig(body, 'involvedObject.name') or ''}"


EVENTS = SCHEME.register(
    Kind(
        model=Event,
        plural="events",
        short_names=("ev",),
        selectable=(
            "involvedObject.kind",
            "involvedObject.name",
            "involvedObject.namespace",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ),
        indexed=("involvedObject.uid",),
        derived={"source": _source},
        columns=(
            Column("Last Seen", _seen(*LAST)),
            Column("Type", at("type")),
            Column("Reason", at("reason", default="")),
            Column("Object", _object),
            Column("Subobject", at("involvedObject.fieldPath", default=""), priority=1),
            Column("Source", _reporter, priority=1),
            Column("Message", at("message", default="")),
            Column("First Seen", _seen(*FIRST), priority=1),
            Column("Count", _count, "integer", priority=1),
            Column("Name", at("metadata.name"), priority=1),
        ),
    )
)
