"""Scale: the one count of an object, as a door of its own (``autoscaling/v1``).

It is not stored. Which kinds have it, and where their count is, they say themselves (``scheme.Scaling``).
"""

from typing import Annotated, Literal

from pydantic import Field

from apiserver.api.columns import AGE, NAME
from apiserver.api.meta import Model, Resource, Status
from apiserver.api.scheme import Column, Kind, at


class ScaleSpec(Model):
    """What is wanted."""

    replicas: Annotated[int, Field(ge=0)] = 0
    """How many copies there should be."""


class ScaleStatus(Status):
    """What there is."""

    replicas: int = 0
    """How many copies there are."""
    selector: str = ""
    """A label selector that finds them."""


class Scale(Resource):
    """How many copies there should be, and how many there are."""

    api_version: Literal["autoscaling/v1"] = "autoscaling/v1"
    kind: Literal["Scale"] = "Scale"
    spec: ScaleSpec = ScaleSpec()
    status: ScaleStatus = ScaleStatus()


SCALES = Kind(
    model=Scale,
    plural="scales",
    columns=(
        NAME,
        Column("Desired", at("spec.replicas", default=0), "integer"),
        Column("Available", at("status.replicas", default=0), "integer"),
        AGE,
    ),
)
