"""Endpoint: one address under which one instance offers a service."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from apiserver.api.columns import AGE, NAME
from apiserver.api.kinds.task import Protocol, ServiceName
from apiserver.api.meta import Body, Labels, MicroTime, Model, Resource, Status, is_empty
from apiserver.api.scheme import SCHEME, Column, Kind, at, dig


def _address(text: str) -> str:
    if not text.isprintable() or any(char.isspace() or char in "/\\@" for char in text):
        raise ValueError("must be an IP address or a host name")
    return text


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must have no control character")
    return text


class EndpointSpec(Model):
    """What is offered, by whom, and where."""

    service: ServiceName
    """The name under which it is found."""
    assignment: Annotated[str, Field(max_length=253, exclude_if=is_empty), AfterValidator(_printable)] = ""
    """The instance that answers; empty for what does not run in Plum."""
    node_name: Annotated[str, Field(max_length=63, exclude_if=is_empty)] = ""
    """Where the instance runs."""
    ip: Annotated[str, Field(min_length=1, max_length=253), AfterValidator(_address)]
    """Where it answers: an address or a host name."""
    port: Annotated[int, Field(ge=1, le=65535)]
    """The port that it answers on."""
    protocol: Protocol = "tcp"
    """What is spoken there, for example http."""
    version: Annotated[str, Field(max_length=128, exclude_if=is_empty), AfterValidator(_printable)] = ""
    """Of the app, or of what it offers."""
    labels: Labels = {}
    """Notes for those who look it up; any text."""
    health_override: bool | None = None
    """What the app itself says of its health; it counts instead of the instance's readiness."""
    lease_seconds: Annotated[int, Field(ge=1, le=86400)] | None = None
    """How long after a sign of life from its registrant it counts; without: as long as its instance does."""


class EndpointStatus(Status):
    """Whether it can be used."""

    healthy: bool = False
    """Whether clients should use it."""
    reason: Annotated[str, Field(exclude_if=is_empty)] = ""
    """Why, in a word for programs."""
    last_seen: MicroTime | None = None
    """The last sign of life before ``healthy`` changed last."""


class Endpoint(Resource):
    """One address of a service."""

    api_version: Literal["plum.dev/v1"] = "plum.dev/v1"
    kind: Literal["Endpoint"] = "Endpoint"
    spec: EndpointSpec
    """What somebody has registered."""
    status: EndpointStatus = EndpointStatus()
    """What became of it."""


def _where(body: Body, now: datetime) -> str:
    ip = str(dig(body, "spec.ip"))
    return f"{f'[{ip}]' if ':' in ip else ip}:{dig(body, 'spec.port')}"


ENDPOINTS = SCHEME.register(
    Kind(
        model=Endpoint,
        plural="endpoints",
        short_names=("ep",),
        selectable=("spec.service", "spec.assignment", "spec.nodeName"),
        indexed=("spec.service", "spec.assignment"),
        immutable=("spec.service", "spec.assignment", "spec.ip", "spec.port", "spec.protocol"),
        columns=(
            NAME,
            Column("Service", at("spec.service")),
            Column("Address", _where),
            Column("Protocol", at("spec.protocol")),
            Column("Healthy", lambda body, now: "True" if dig(body, "status.healthy") else "False"),
            Column("Reason", at("status.reason", default="")),
            AGE,
            Column("Instance", at("spec.assignment", default=""), priority=1),
            Column("Node", at("spec.nodeName", default=""), priority=1),
            Column("Version", at("spec.version", default=""), priority=1),
        ),
    )
)
