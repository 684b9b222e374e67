"""Namespace: a room for names (core ``v1``)."""

from typing import Literal

from apiserver.api.columns import AGE, NAME
from apiserver.api.meta import Resource, Status, is_dns_label
from apiserver.api.scheme import SCHEME, Column, Kind, at

DEFAULT = "default"
"""Where namespaced objects are when nobody says otherwise."""

SYSTEM = "plum-system"
"""Where Plum's own programs keep what they agree on, such as who leads."""


class NamespaceStatus(Status):
    """Namespaces are usable from the moment they exist."""

    phase: Literal["Active", "Terminating"] = "Active"
    """Active, or Terminating while it is emptied before it goes."""


class Namespace(Resource):
    """A room for the names of namespaced objects."""

    api_version: Literal["v1"] = "v1"
    kind: Literal["Namespace"] = "Namespace"
    status: NamespaceStatus = NamespaceStatus()
    """Whether it can be used."""


NAMESPACES = SCHEME.register(
    Kind(
        model=Namespace,
        plural="namespaces",
        short_names=("ns",),
        namespaced=False,
        is_name=is_dns_label,
        name_rule="a DNS label (lowercase letters, digits, '-') of at most 63 characters",
        columns=(NAME, Column("Status", at("status.phase", default="Active")), AGE),
    )
)
