"""Namespace: a room for names (core ``v1``).

Deleting one empties it first: until nothing lives there it is Terminating, and takes in nothing new.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from apiserver.api.columns import AGE, NAME
from apiserver.api.errors import Cause
from apiserver.api.meta import (
    Body,
    Conditions,
    Listed,
    ListSet,
    Model,
    Resource,
    Status,
    is_dns_label,
    is_qualified_name,
)
from apiserver.api.scheme import SCHEME, Column, Kind, at, dig

DEFAULT = "default"
"""Where namespaced objects are when nobody says otherwise."""

SYSTEM = "plum-system"
"""Where Plum's own programs keep what they agree on, such as who leads."""

CONTENT = "kubernetes"
"""The name in ``spec.finalizers`` that stands for what lives in the namespace; Kubernetes' word."""


class NamespaceSpec(Model):
    """What holds the namespace."""

    finalizers: Annotated[Listed[str], ListSet()] = ()
    """What must let go before a deleted namespace goes; ``kubernetes`` stands for what lives in it."""


class NamespaceStatus(Status):
    """Namespaces are usable from the moment they exist until they are deleted."""

    phase: Literal["Active", "Terminating"] = "Active"
    """Active, or Terminating while it is emptied before it goes: nothing can be created in it then."""
    conditions: Conditions = ()
    """While it is Terminating: what remains, and what could not be deleted."""


class Namespace(Resource):
    """A room for the names of namespaced objects."""

    api_version: Literal["v1"] = "v1"
    kind: Literal["Namespace"] = "Namespace"
    spec: NamespaceSpec = NamespaceSpec()
    """What holds it."""
    status: NamespaceStatus = NamespaceStatus()
    """Whether it can be used."""


def _default(body: Body) -> None:
    """Every namespace is held by its content."""
    if "deletionTimestamp" not in (body.get("metadata") or {}) and not dig(body, "spec.finalizers"):
        body["spec"] = dict(body.get("spec") or {}, finalizers=[CONTENT])


def _leave(body: Body) -> None:
    body["status"] = dict(body.get("status") or {}, phase="Terminating")


def _rules(new: Body, old: Body | None) -> Sequence[Cause]:
    held, before = (dig(body or {}, "spec.finalizers") or () for body in (new, old))
    causes = [
        Cause("spec.finalizers", f'Invalid value: "{name}": is not a qualified name')
        for name in held
        if not is_qualified_name(name)
    ]
    added = [name for name in held if name not in before]
    if added and "deletionTimestamp" in new["metadata"]:
        why = f"Forbidden: no new finalizers can be added if the namespace is being deleted: {added}"
        causes.append(Cause("spec.finalizers", why, "FieldValueForbidden"))
    return causes


NAMESPACES = SCHEME.register(
    Kind(
        model=Namespace,
        plural="namespaces",
        short_names=("ns",),
        namespaced=False,
        is_name=is_dns_label,
        name_rule="a DNS label (lowercase letters, digits, '-') of at most 63 characters",
        default=_default,
        rules=_rules,
        holds="spec.finalizers",
        leave=_leave,
        verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
        columns=(NAME, Column("Status", at("status.phase", default="Active")), AGE),
    )
)
