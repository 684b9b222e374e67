"""Models of what all kinds of the Kubernetes API share beside objects: lists, statuses, options, watches."""

from typing import Annotated, Any, Literal

from pydantic import Field

from apiserver.api.meta import Listed, Model


class ListMeta(Model):
    """What a list says of itself."""

    resource_version: str
    """The version that the list shows; a watch from it misses nothing."""
    continue_: Annotated[str | None, Field(alias="continue")] = None
    """Send it back as ``continue`` for the next page; absent on the last one."""
    remaining_item_count: int | None = None
    """How many objects follow; absent with selectors."""


class StatusCause(Model):
    """One reason of a refusal."""

    reason: str = ""
    """A CamelCase word for programs, for example FieldValueInvalid."""
    message: str = ""
    """A sentence for people."""
    field: str = ""
    """The dotted path of the field, for example ``spec.entries[0].replicas``."""


class StatusDetails(Model):
    """What a Status is about."""

    name: str | None = None
    """The name of the object."""
    group: str | None = None
    """The group of the object."""
    kind: str | None = None
    """The plural of the kind; for invalid objects the kind itself."""
    uid: str | None = None
    """The uid of the object that was deleted."""
    causes: Listed[StatusCause] = ()
    """All that is wrong, field by field."""
    retry_after_seconds: int | None = None
    """When to try again."""


class Status(Model):
    """How a request ended that is answered with no object."""

    api_version: Literal["v1"] = "v1"
    """Always v1."""
    kind: Literal["Status"] = "Status"
    """Always Status."""
    metadata: dict[str, Any] = {}
    """Empty."""
    status: Literal["Success", "Failure"]
    """Success or Failure."""
    message: str | None = None
    """A sentence for people that names the field and the remedy."""
    reason: str | None = None
    """A CamelCase word for programs, for example NotFound, Conflict or Invalid."""
    code: int | None = None
    """The HTTP status."""
    details: StatusDetails | None = None
    """What it is about."""


class Preconditions(Model):
    """What must hold of an object for it to be deleted."""

    uid: str | None = None
    """The uid that it must have."""
    resource_version: str | None = None
    """The version that it must have."""


class DeleteOptions(Model):
    """How a deletion is meant; all of it may be left out."""

    api_version: str | None = None
    """May be left out."""
    kind: str | None = None
    """May be left out."""
    propagation_policy: Literal["Background", "Foreground", "Orphan"] | None = None
    """What becomes of the objects that this one owns: deleted afterwards (Background, the default), deleted first
    (Foreground), or left (Orphan)."""
    preconditions: Preconditions | None = None
    """What must hold; else the request is refused with 409."""
    grace_period_seconds: int | None = None
    """Taken and not obeyed: how long processes may take to end is said where they are declared."""
    dry_run: Listed[str] = ()
    """All: check everything, change nothing."""


class JSONPatchOperation(Model):
    """One step of a JSON patch (RFC 6902)."""

    op: Literal["add", "remove", "replace", "move", "copy", "test"]
    """What to do."""
    path: str
    """Where, as a JSON pointer, for example ``/metadata/labels/app``."""
    from_: Annotated[str | None, Field(alias="from")] = None
    """For move and copy: where the value is."""
    value: Any = None
    """For add, replace and test: the value."""


class WatchEvent(Model):
    """One line of a watch."""

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]
    """What happened. A bookmark only says which version the watch has reached; an error is the last line."""
    object: dict[str, Any]
    """The object after it; for DELETED its last state, for ERROR a Status."""
