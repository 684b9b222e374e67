"""The shape that all objects share: camelCase on the wire, snake_case in code, frozen in memory.

Empty lists and maps are left out of the serialised form, absent and empty mean the same. Unknown keys
are ignored here on purpose, so that an old client can read from a newer server; the server finds them
before it validates (``machinery.decode``).
"""

import math
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, Self, TypeVar

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

Body = dict[str, Any]
"""An object as it is on the wire, decoded from JSON."""

T = TypeVar("T")


class ListMap:
    """Marks a list whose items are told apart by ``keys`` (``x-kubernetes-list-type: map``), so that several field
    managers can have items in it. A list without a mark is atomic: it has one owner, and its order counts."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys


class ListSet:
    """Marks a list of unique scalars (``x-kubernetes-list-type: set``)."""


class Atomic:
    """Marks a struct or a map that is applied as a whole, by one manager (``x-kubernetes-map-type: atomic``)."""


class FilledIn:
    """Marks a field that every object has and that need not be given: its kind's defaults fill it in."""


class IntOrString:
    """Marks a number that may also be a name (``x-kubernetes-int-or-string``)."""


def is_empty(value: object) -> bool:
    """Whether serialisation leaves the value out."""
    return not value


Listed = Annotated[tuple[T, ...], Field(exclude_if=is_empty)]
"""A list that is left out when empty."""

Labels = Annotated[dict[str, str], Field(exclude_if=is_empty)]
"""A string map that is left out when empty."""


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, the precision of metadata times."""
    return _format_second(math.floor(moment.timestamp()))


@lru_cache(maxsize=1024)
def _format_second(seconds: int) -> str:
    """Objects that are written together have the same times."""
    return f"{datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()}Z"


def format_micro_time(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds, the precision of leases and events."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def parse_time(text: str) -> datetime:
    """The moment an RFC 3339 text names. Raises ValueError where it names none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.astimezone(UTC)


def _whole_seconds(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


Time = Annotated[AwareDatetime, AfterValidator(_whole_seconds), PlainSerializer(format_time, when_used="json")]
MicroTime = Annotated[AwareDatetime, PlainSerializer(format_micro_time, when_used="json")]

DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL = re.compile(DNS_LABEL)
_SUBDOMAIN = re.compile(rf"{DNS_LABEL}(\.{DNS_LABEL})*")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")


def is_dns_label(text: str, *, longest: int = 63) -> bool:
    """RFC 1123 label: lower case letters, digits and inner dashes."""
    return len(text) <= longest and _LABEL.fullmatch(text) is not None


def is_dns_subdomain(text: str) -> bool:
    """RFC 1123 subdomain of at most 253 characters: labels joined by dots."""
    return len(text) <= 253 and _SUBDOMAIN.fullmatch(text) is not None


def is_label_value(text: str) -> bool:
    """A Kubernetes label value: empty, or 63 letters, digits, ``-_.`` with alphanumeric ends."""
    return text == "" or (len(text) <= 63 and _QUALIFIED.fullmatch(text) is not None)


def is_qualified_name(text: str) -> bool:
    """A Kubernetes label key: an optional DNS prefix and a slash, then a name of at most 63 characters."""
    prefix, slash, name = text.rpartition("/")
    return bool(name) and is_label_value(name) and (not slash or is_dns_subdomain(prefix))


class Model(BaseModel):
    """Base of all wire types. Docstrings of fields are what ``plumctl explain`` prints."""

    # Validators are made at their first use: no program uses the half of them, and each would wait for all.
    model_config = ConfigDict(
        defer_build=True,
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
    )


class OwnerReference(Model):
    """Names the object that this one exists for. Matching is by ``uid``."""

    api_version: str
    """The group and version of the owner, for example ``plum.dev/v1``."""
    kind: str
    """The kind of the owner, for example Task."""
    name: str
    """The name of the owner."""
    uid: str
    """The uid of the owner: an object that only has its name is not the owner."""
    controller: bool | None = None
    """Whether the owner manages this object; at most one owner may."""
    block_owner_deletion: bool | None = None
    """Whether a foreground deletion of the owner waits for this object."""


class ManagedFields(Model):
    """What one field manager owns in the object (Kubernetes server-side apply)."""

    manager: str = ""
    """Who wrote the fields: the ``fieldManager`` of the request, or the name of the program."""
    operation: Literal["Apply", "Update"] = "Update"
    """Apply for fields that the manager applied (server-side apply), Update for all other writes."""
    api_version: str = ""
    """The group and version that the fields are named in."""
    time: Time | None = None
    """When what the manager owns changed last."""
    fields_type: Literal["FieldsV1"] = "FieldsV1"
    """The form of ``fieldsV1``; always FieldsV1."""
    fields_v1: dict[str, Any] = Field(default_factory=dict)
    """The owned fields as a tree: ``f:`` before the name of a field, ``k:`` before the keys of a list item, ``v:``
    before a member of a set."""
    subresource: Annotated[str, Field(exclude_if=is_empty)] = ""
    """The subresource that the fields were written through, for example status; empty for the object itself."""


class ObjectMeta(Model):
    """Identity and bookkeeping of an object; Kubernetes' ObjectMeta."""

    name: str = ""
    """Unique within kind and namespace."""
    generate_name: str | None = None
    """A prefix: the server appends five random characters when ``name`` is empty."""
    namespace: str | None = None
    """The namespace of a namespaced object."""
    uid: str | None = None
    """Set by the server; distinguishes objects that had the same name at different times."""
    resource_version: str | None = None
    """The version of the last write. Send it back with an update to detect a write in between."""
    generation: int | None = None
    """Grows when ``spec`` changes or deletion begins."""
    creation_timestamp: Time | None = None
    """When the server stored the object first."""
    deletion_timestamp: Time | None = None
    """When deletion was asked for; the object goes once its finalizers are gone."""
    deletion_grace_period_seconds: int | None = None
    """Always 0 once deletion has been asked for: how long processes may take to end is said where they are declared."""
    labels: Labels = {}
    """Keys and values that selectors can find."""
    annotations: Labels = {}
    """Notes of people and programs; not selectable. At most 256 KiB in all."""
    # Each owner's program adds its own; a reference is one thing that says nothing in parts.
    owner_references: Annotated[Listed[Annotated[OwnerReference, Atomic()]], ListMap("uid")] = ()
    """The objects this one exists for; when all are gone it is deleted."""
    # Every program adds and takes away its own.
    finalizers: Annotated[Listed[str], ListSet()] = ()
    """Names that block removal; whoever put one there takes it away."""
    managed_fields: Listed[ManagedFields] = ()
    """Which manager owns which fields."""


class Condition(Model):
    """One observation of an object's state; positive polarity, one owner a type."""

    type: str
    """What is observed, for example Ready; unique within the object."""
    status: Literal["True", "False", "Unknown"]
    """Whether it is so: True, False, or Unknown while nobody can tell."""
    reason: str = ""
    """A CamelCase word for programs."""
    message: str = ""
    """A sentence for people."""
    last_transition_time: Time | None = None
    """When ``status`` changed last."""
    observed_generation: int | None = None
    """The ``metadata.generation`` that the observation is about."""


Conditions = Annotated[Listed[Condition], ListMap("type")]
"""Each type has an owner of its own."""


class Status(Model):
    """Base of all statuses. Keys it does not know are kept: operators write there."""

    model_config = ConfigDict(extra="allow")


class Resource(Model):
    """One object: ``metadata`` here; a kind adds ``spec`` and ``status``."""

    api_version: str
    """The group and version of the kind; with ``kind`` it says what the object is."""
    kind: str
    """The kind of the object, for example Task."""
    metadata: ObjectMeta = ObjectMeta()
    """Who the object is: names, labels, owners, and what the server keeps account of."""

    @classmethod
    def from_body(cls, body: Body) -> Self:
        """Read a wire object. Raises pydantic.ValidationError; unknown keys are ignored."""
        return cls.model_validate_json(orjson.dumps(body))

    def to_body(self) -> Body:
        """The wire form: camelCase, without empty and absent values."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @property
    def key(self) -> tuple[str, str]:
        """``(namespace, name)``; the namespace is empty for cluster-scoped kinds."""
        return self.metadata.namespace or "", self.metadata.name

    def without_managed_fields(self) -> Self:
        """The same object, without the part that is often its larger half and that only few programs read."""
        if not self.metadata.managed_fields:
            return self
        metadata = self.metadata.model_copy(update={"managed_fields": ()})
        return self.model_copy(update={"metadata": metadata})


ResourceT = TypeVar("ResourceT", bound=Resource)
