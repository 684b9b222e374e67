"""Event: something worth telling a person happened to an object (core ``v1``)."""

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
    """When it happened, to the microsecond."""


def _last_seen(body: Body, now: datetime) -> str:
    paths = ("lastTimestamp", "eventTime", "metadata.creationTimestamp")
    return next((text for path in paths if (text := since(path, body, now))), "<unknown>")


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
            "reason",
            "type",
        ),
        indexed=("involvedObject.uid",),
        columns=(
            Column("Last Seen", _last_seen),
            Column("Type", at("type")),
            Column("Reason", at("reason", default="")),
            Column("Object", _object),
            Column("Message", at("message", default="")),
            Column("Count", at("count"), "integer", priority=1),
            Column("Name", at("metadata.name"), priority=1),
        ),
    )
)
