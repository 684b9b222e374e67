"""Lease: who holds a name, and until when (``coordination.k8s.io/v1``).

Leases in ``plum-node-lease`` are renewed in the server's memory; only their transitions between Held and
Expired are stored and watched. All others are ordinary durable objects.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from apiserver.api.columns import AGE, NAME
from apiserver.api.errors import Cause
from apiserver.api.meta import Body, MicroTime, Model, Resource, Status
from apiserver.api.scheme import SCHEME, Column, Kind, at, dig


class LeaseSpec(Model):
    """The holder's claim."""

    holder_identity: str | None = None
    """Who holds the lease; empty when it was given back."""
    lease_duration_seconds: Annotated[int, Field(ge=1, le=86400)] | None = None
    """How long after a renewal the claim holds."""
    acquire_time: MicroTime | None = None
    """When the holder took it."""
    renew_time: MicroTime | None = None
    """When the holder renewed it last."""
    lease_transitions: Annotated[int, Field(ge=0)] | None = None
    """How often the holder has changed: the fencing token, which never goes down."""


class LeaseStatus(Status):
    """What the server makes of a node's lease, timed on its own monotonic clock."""

    state: Literal["Held", "Expired"] | None = None
    """Held, or Expired when the holder has not renewed it in time. Only leases of nodes have it."""


class Lease(Resource):
    """A claim with an end."""

    api_version: Literal["coordination.k8s.io/v1"] = "coordination.k8s.io/v1"
    kind: Literal["Lease"] = "Lease"
    spec: LeaseSpec = LeaseSpec()
    """What the holder writes."""
    status: LeaseStatus = LeaseStatus()
    """What the server says of it."""


MAX_STEP = 1_000_000
"""How far ``leaseTransitions`` may grow in one write: its holders count by ones."""


def _rules(new: Body, old: Body | None) -> Sequence[Cause]:
    """A token that came back would let in what it was to keep out; one that jumped to the end would be the last."""
    token, before = (dig(body or {}, "spec.leaseTransitions") or 0 for body in (new, old))
    if before <= token <= before + MAX_STEP:
        return ()
    why = f"may not go down; it is {before}" if token < before else f"may grow by at most {MAX_STEP} at a time"
    return (Cause("spec.leaseTransitions", f"Invalid value: {token}: {why}"),)


LEASES = SCHEME.register(
    Kind(
        model=Lease,
        plural="leases",
        is_name=lambda name: 0 < len(name) <= 253 and "/" not in name and name not in (".", ".."),
        name_rule="at most 253 characters without '/'",
        rules=_rules,
        columns=(
            NAME,
            Column("Holder", at("spec.holderIdentity", default="")),
            Column("State", at("status.state", default="")),
            AGE,
        ),
    )
)
