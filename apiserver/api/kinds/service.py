"""Service: a name under which instances are found."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from apiserver.api.columns import AGE, NAME
from apiserver.api.errors import Cause
from apiserver.api.kinds.ports import PortReference
from apiserver.api.kinds.task import Protocol
from apiserver.api.meta import Atomic, Body, Labels, Listed, ListMap, Model, Resource, Status, is_dns_label, is_empty
from apiserver.api.scheme import SCHEME, Column, Kind, at, dig

DERIVED = "plum.dev/derived"
"""Annotation of a Service that exists because endpoints name it; it goes with the last of them."""


class ServicePort(Model):
    """One port that the service's instances answer on."""

    port: PortReference
    """A number, or the name of one of the entry's ports."""
    protocol: Protocol = "tcp"
    """What is spoken there, for example http."""
    version: Annotated[str, Field(max_length=128, exclude_if=is_empty)] = ""
    """Empty: the app's."""


class ServiceSpec(Model):
    """Which instances belong to it. Without a selector: those that registered under its name."""

    # Atomic, as in Kubernetes: a label more selects other instances, so the whole selector is somebody's decision.
    selector: Annotated[Labels, Atomic()] = {}
    """Labels that assignments must have."""
    # The port alone: what answers on a port speaks one protocol.
    ports: Annotated[Listed[ServicePort], ListMap("port"), Field(max_length=32)] = ()
    """Where the selected instances answer."""


class ServiceStatus(Status):
    """How many endpoints there are."""

    endpoints: int = 0
    """All that have the service's name."""
    ready_endpoints: int = 0
    """The healthy ones."""


class Service(Resource):
    """A name, and the endpoints behind it."""

    api_version: Literal["plum.dev/v1"] = "plum.dev/v1"
    kind: Literal["Service"] = "Service"
    spec: ServiceSpec = ServiceSpec()
    """What leads to it."""
    status: ServiceStatus = ServiceStatus()
    """What there is behind it."""


def _rules(new: Body, old: Body | None) -> Sequence[Cause]:
    spec = new.get("spec") or {}
    if spec.get("selector") and not spec.get("ports"):
        return (Cause("spec.ports", "Required value: say on which ports the selected instances answer"),)
    if spec.get("ports") and not spec.get("selector"):
        return (Cause("spec.selector", "Required value: say which instances the ports are of"),)
    return ()


def _selector(body: Body, now: datetime) -> str:
    return ",".join(f"{key}={value}" for key, value in (dig(body, "spec.selector") or {}).items())


def _ports(body: Body, now: datetime) -> str:
    return ",".join(f"{port['port']}/{port['protocol']}" for port in dig(body, "spec.ports") or ())


SERVICES = SCHEME.register(
    Kind(
        model=Service,
        plural="services",
        short_names=("svc",),
        categories=("all",),
        is_name=is_dns_label,
        name_rule="a DNS label (lowercase letters, digits, '-') of at most 63 characters",
        rules=_rules,
        columns=(
            NAME,
            Column("Ready", at("status.readyEndpoints", default=0), "integer", description="Healthy endpoints."),
            Column("Endpoints", at("status.endpoints", default=0), "integer"),
            AGE,
            Column("Selector", _selector, priority=1),
            Column("Ports", _ports, priority=1),
        ),
    )
)
