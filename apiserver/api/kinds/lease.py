"""Lease: who holds a name, and until when (``coordination.k8s.io/v1``).

Leases in ``plum-node-lease`` are renewed in the server's memory; only their transitions between Held and
Expired are stored and watched. All others are ordinary durable objects.
"""

from typing import Annotated, Literal

from pydantic import Field

from apiserver.api.columns import AGE, NAME
from apiserver.api.meta import MicroTime, Model, Resource, Status
from apiserver.api.scheme import SCHEME, Column, Kind, at


class LeaseSpec(Model):
    """The holder's claim."""

    holder_identity: str | None = None
    lease_duration_seconds: Annotated[int, Field(ge=1, le=86400)] | None = None
    """How long after a renewal the claim holds."""
    acquire_time: MicroTime | None = None
    renew_time: MicroTime | None = None
    lease_transitions: int | None = None


class LeaseStatus(Status):
    """What the server makes of a node's lease, timed on its own monotonic clock."""

    state: Literal["Held", "Expired"] | None = None


class Lease(Resource):
    """A claim with an end."""

    api_version: Literal["coordination.k8s.io/v1"] = "coordination.k8s.io/v1"
    kind: Literal["Lease"] = "Lease"
    spec: LeaseSpec = LeaseSpec()
    status: LeaseStatus = LeaseStatus()


LEASES = SCHEME.register(
    Kind(
        model=Lease,
        plural="leases",
        is_name=lambda name: 0 < len(name) <= 253 and "/" not in name and name not in (".", ".."),
        name_rule="at most 253 characters without '/'",
        columns=(
            NAME,
            Column("Holder", at("spec.holderIdentity", default="")),
            Column("State", at("status.state", default="")),
            AGE,
        ),
    )
)
