"""Which Service there is for a name that endpoints mention, and what it counts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from apiserver.api.kinds.endpoint import Endpoint
from apiserver.api.kinds.service import DERIVED, Service, ServiceStatus
from apiserver.api.meta import ManagedFields, ObjectMeta
from apiserver.api.names import GIVEN_NAME


@dataclass(frozen=True)
class Create:
    """Store a derived service, and then its status."""

    service: Service


@dataclass(frozen=True)
class Adopt:
    """Take the mark of a derived service away: it has become somebody's own."""

    service: Service


@dataclass(frozen=True)
class SetCounts:
    """Write the status."""

    service: Service
    status: ServiceStatus


@dataclass(frozen=True)
class Delete:
    """Delete the service, unless it has changed since it was seen: somebody may just have made it theirs."""

    service: Service


Action = Create | Adopt | SetCounts | Delete


def plan(namespace: str, name: str, service: Service | None, endpoints: Sequence[Endpoint]) -> list[Action]:
    """The next writes for the Service object of that name, None if there is none, with all its endpoints. A
    converged world gets an empty plan."""
    healthy = sum(endpoint.status.healthy for endpoint in endpoints)
    counts = ServiceStatus(endpoints=len(endpoints), ready_endpoints=healthy)
    if service is None:
        return [Create(_derived(namespace, name, endpoints[0], counts))] if endpoints else []
    if service.metadata.deletion_timestamp is not None:
        return []
    is_marked = DERIVED in service.metadata.annotations
    if is_marked and _is_owned(service):
        return [Adopt(service)]
    if is_marked and not endpoints:
        return [Delete(service)]
    told = service.status.endpoints, service.status.ready_endpoints
    return [SetCounts(service, counts)] if told != (counts.endpoints, counts.ready_endpoints) else []


def _derived(namespace: str, name: str, endpoint: Endpoint, counts: ServiceStatus) -> Service:
    given = endpoint.spec.service
    annotations = {DERIVED: "true"} | ({GIVEN_NAME: given} if given != name else {})
    return Service(metadata=ObjectMeta(name=name, namespace=namespace, annotations=annotations), status=counts)


def _is_owned(service: Service) -> bool:
    """Whether somebody has applied a manifest of that name since."""
    return bool(service.spec.selector) or any(map(_is_manifest, service.metadata.managed_fields))


def _is_manifest(entry: ManagedFields) -> bool:
    """An apply by somebody who does not say that the service is derived."""
    annotations = entry.fields_v1.get("f:metadata", {}).get("f:annotations", {})
    return entry.operation == "Apply" and not entry.subresource and f"f:{DERIVED}" not in annotations
