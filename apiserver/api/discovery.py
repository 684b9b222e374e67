"""What is known of endpoints by rule: their names, and when they are healthy. Pure."""

from collections.abc import Mapping
from typing import Literal

from apiserver.api import conditions
from apiserver.api.expansion import is_live
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.endpoint import Endpoint, EndpointSpec
from apiserver.api.kinds.service import Service
from apiserver.api.names import hashed_name, object_name, shown_name

MANAGED_BY = "plum.dev/managed-by"
"""Label: who keeps an endpoint. What the endpoints controller derives, nobody else deletes."""

ENDPOINTS_CONTROLLER = "plum-endpoints-controller"

Reason = Literal[
    "Ready", "NotReady", "Overridden", "Registered", "InstanceLeaving", "InstanceStopped", "InstanceNotRunning",
    "NodeSilent", "Expired",
]  # fmt: skip
"""Why an endpoint is healthy, or not."""


_OF_INSTANCES: tuple[Reason, ...] = (
    "Ready", "NotReady", "InstanceLeaving", "InstanceStopped", "InstanceNotRunning", "NodeSilent",
)  # fmt: skip
"""What is only said of an endpoint whose instance is, or was, there."""


def is_managed(labels: Mapping[str, str]) -> bool:
    """Whether an endpoint with these labels is the endpoints controller's, which alone may change and delete it."""
    return labels.get(MANAGED_BY) == ENDPOINTS_CONTROLLER


def judge(endpoint: Endpoint, instance: Assignment | None, *, expired: bool) -> tuple[bool, Reason]:
    """Whether the endpoint can be used, and why.

    ``instance`` is the assignment that it names, if there is one; ``expired``: its registrant has not been
    heard of for longer than its lease. What the app says of itself counts as long as it runs.
    """
    if expired:
        return False, "Expired"
    if instance is None and _had_instance(endpoint):
        return False, "InstanceLeaving"
    if instance is not None and (trouble := _trouble(instance)):
        return False, trouble
    if endpoint.spec.health_override is not None:
        return endpoint.spec.health_override, "Overridden"
    if instance is None:
        return True, "Registered"
    ready = conditions.is_true(instance.status.conditions, "Ready")
    return ready, "Ready" if ready else "NotReady"


def _had_instance(endpoint: Endpoint) -> bool:
    """Whether an assignment that does not exist has existed: its endpoint must not come alive by its end."""
    owned = any(reference.kind == "Assignment" for reference in endpoint.metadata.owner_references)
    return owned or (bool(endpoint.spec.assignment) and endpoint.status.reason in _OF_INSTANCES)


def _trouble(instance: Assignment) -> Reason | None:
    """Why nobody can answer there, whatever the app said last."""
    if not is_live(instance):
        return "InstanceLeaving"
    if instance.spec.desired != "Running":
        return "InstanceStopped"
    if instance.status.phase == "Unknown" and instance.status.reason != "InDoubt":
        return "NodeSilent"
    return None if instance.status.phase == "Running" else "InstanceNotRunning"


def endpoint_name(endpoint: EndpointSpec) -> str:
    """The object name of an address: who offers what is in it, so that a repeated registration finds it."""
    identity: list[str | int] = [endpoint.assignment, endpoint.service, endpoint.ip, endpoint.port, endpoint.protocol]
    return hashed_name(endpoint.assignment or endpoint.service, identity)


def service_object_name(service: str) -> str:
    """The name of the Service object behind the name that endpoints mention."""
    return object_name(service)


def given_name(service: Service) -> str:
    """The name by which endpoints call a service: the inverse of ``service_object_name``."""
    return shown_name(service.metadata.name, service.metadata.annotations)
