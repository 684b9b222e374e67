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
    kind: Text = ""
    namespace: Text = ""
    name: Text = ""
    uid: Text = ""
    resource_version: Text = ""
    field_path: Text = ""


class EventSource(Model):
    """Who reports."""

    component: Text = ""
    host: Text = ""


class Event(Resource):
    """A note about an object, kept for a while."""

    api_version: Literal["v1"] = "v1"
    kind: Literal["Event"] = "Event"
    # A reference is one thing: half of one manager's and half of another's would name an object that nobody meant.
    involved_object: Annotated[ObjectReference, Atomic()]
    reason: Text = ""
    """A CamelCase word for programs."""
    message: Annotated[str, Field(max_length=1024)] = ""
    """A sentence for people."""
    type: str = "Normal"
    """Normal or Warning."""
    source: EventSource | None = None
    reporting_component: Text = ""
    reporting_instance: Text = ""
    action: Text = ""
    count: int | None = None
    """How often it happened."""
    first_timestamp: Time | None = None
    last_timestamp: Time | None = None
    event_time: MicroTime | None = None


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
