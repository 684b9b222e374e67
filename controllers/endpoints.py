"""The endpoints controller: derives endpoints from what instances offer, and judges the health of all."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from apiserver.api.discovery import ENDPOINTS_CONTROLLER, service_object_name
from apiserver.api.errors import AlreadyExists, Conflict, NotFound
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.endpoint import Endpoint, EndpointStatus
from apiserver.api.kinds.service import Service
from apiserver.api.meta import Body
from apiserver.client.controller import Controller, Key, Result
from apiserver.client.informer import Informer
from apiserver.client.interface import Client
from controllers.endpoints_plan import Action, Change, Create, Delete, SetHealth, is_expired, plan
from controllers.witness import Witness
from controllers.writing import delete_as_seen, each, version_of

MANAGER = ENDPOINTS_CONTROLLER
BY_INSTANCE = "instance"
"""The index of endpoints by the assignment that they name: ``namespace/name``."""

BY_SERVICE = "service"
"""The index of endpoints by the name of their Service object: ``namespace/name``."""

BY_LABEL = "label"
"""The index of assignments by each of their labels: ``namespace/key=value``."""

BY_SELECTOR = "selector"
"""The index of services by one label that they select by: ``namespace/key=value``."""

WAIT_SECONDS = 5.0

Informers = tuple[Informer[Service], Informer[Endpoint], Informer[Assignment]]
"""With the indexes ``selector``; ``instance`` and ``service``; ``label``."""


class EndpointReconciler:
    """One key an instance, ``(namespace, "assignments/<name>")``, for all endpoints that name it; and one an
    endpoint that names none, ``(namespace, "endpoints/<name>")``."""

    def __init__(
        self,
        client: Client,
        informers: Informers,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """The client must write as ``MANAGER``."""
        self._client, self._now = client, now
        self._services, self._endpoints, self._assignments = informers
        self._expired = Witness[Key](monotonic)

    async def reconcile(self, key: Key) -> Result:
        """One step for one instance."""
        namespace, (plural, _, name) = key[0], key[1].partition("/")
        instance = self._assignments.get(namespace, name) if plural == "assignments" else None
        endpoints = self._of(namespace, plural, name)
        services = selecting(self._services, instance) if instance is not None else ()
        expired = (endpoint.metadata.uid or "" for endpoint in endpoints if is_expired(endpoint))
        step = plan(instance, services, endpoints, now=self._now(), expired_for=self._expired.see(key, expired))
        reached = await each(step.actions, self._write)
        # The next plan must not be made on an older world.
        await self._endpoints.wait_for_version(reached, timeout=WAIT_SECONDS)
        return Result(requeue_after=step.look_again)

    def _of(self, namespace: str, plural: str, name: str) -> Sequence[Endpoint]:
        if plural == "assignments":
            return self._endpoints.by_index(BY_INSTANCE, f"{namespace}/{name}")
        endpoint = self._endpoints.get(namespace, name)
        return () if endpoint is None else (endpoint,)

    async def _write(self, action: Action) -> int:
        try:
            match action:
                case SetHealth(endpoint, status):
                    return await self._set_health(endpoint, status)
                case Create(endpoint):
                    return await self._set_health(await self._client.create(endpoint), endpoint.status)
                case Change(endpoint, patch):
                    return await self._change(endpoint, patch)
                case Delete(endpoint):
                    return await delete_as_seen(self._client, endpoint)
        except (AlreadyExists, Conflict, NotFound):
            return 0  # It has changed since it was seen; its next version will be looked at.

    async def _set_health(self, endpoint: Endpoint, status: EndpointStatus) -> int:
        """Only of the version that was judged: the server may just have written that it has expired."""
        namespace, name = endpoint.key
        body: Body = {
            "metadata": {"resourceVersion": endpoint.metadata.resource_version},
            "status": status.model_dump(mode="json", by_alias=True, exclude_none=True),
        }
        return version_of(await self._client.apply(Endpoint, name, body, namespace=namespace, subresource="status"))

    async def _change(self, endpoint: Endpoint, patch: Body) -> int:
        namespace, name = endpoint.key
        metadata = patch.get("metadata", {}) | {"resourceVersion": endpoint.metadata.resource_version}
        return version_of(await self._client.patch(Endpoint, name, patch | {"metadata": metadata}, namespace=namespace))


def instance_of(endpoint: Endpoint) -> list[str]:
    """The assignment that an endpoint names, as the index ``instance`` does."""
    named = endpoint.spec.assignment
    return [f"{endpoint.metadata.namespace or ''}/{named}"] if named else []


def service_of(endpoint: Endpoint) -> list[str]:
    """The Service object of an endpoint, as the index ``service`` names it."""
    return [f"{endpoint.metadata.namespace or ''}/{service_object_name(endpoint.spec.service)}"]


def labels_of(assignment: Assignment) -> list[str]:
    """An assignment's labels, as the index ``label`` names them."""
    namespace = assignment.metadata.namespace or ""
    return [f"{namespace}/{key}={value}" for key, value in assignment.metadata.labels.items()]


def selector_of(service: Service) -> list[str]:
    """One label that a service selects by, as the index ``selector`` names it; none for one under deletion."""
    if not service.spec.selector or service.metadata.deletion_timestamp is not None:
        return []
    key, value = min(service.spec.selector.items())
    return [f"{service.metadata.namespace or ''}/{key}={value}"]


def selecting(services: Informer[Service], assignment: Assignment) -> list[Service]:
    """The services that select an assignment, by name."""
    found = [service for label in labels_of(assignment) for service in services.by_index(BY_SELECTOR, label)]
    matching = (one for one in found if one.spec.selector.items() <= assignment.metadata.labels.items())
    return sorted(matching, key=lambda service: service.metadata.name)


def watch(controller: Controller, informers: Informers) -> None:
    """Have an instance's endpoints reconciled when it, one of them, or a selection that it is in changes."""
    services, endpoints, assignments = informers
    triggers = _Triggers(controller, informers)
    assignments.add_handler(triggers.on_assignment)
    endpoints.add_handler(triggers.on_endpoint)
    services.add_handler(triggers.on_service)


class _Triggers:
    """Which keys a change concerns."""

    def __init__(self, controller: Controller, informers: Informers) -> None:
        self._controller = controller
        self._services, self._endpoints, self._assignments = informers

    def on_assignment(self, old: Assignment | None, new: Assignment | None) -> None:
        """Most offer nothing and are selected by nobody: they cost no reconcile."""
        assignment = new or old
        if assignment is not None and self._has_any(assignment):
            self._enqueue(assignment)

    def _has_any(self, assignment: Assignment) -> bool:
        return bool(
            assignment.status.services
            or self._endpoints.by_index(BY_INSTANCE, "/".join(assignment.key))
            or selecting(self._services, assignment)
        )

    def on_endpoint(self, old: Endpoint | None, new: Endpoint | None) -> None:
        """Its instance, or where it names none itself."""
        endpoint = new or old
        if endpoint is not None:
            namespace, name = endpoint.key
            instance = endpoint.spec.assignment
            self._controller.enqueue((namespace, f"assignments/{instance}" if instance else f"endpoints/{name}"))

    def on_service(self, old: Service | None, new: Service | None) -> None:
        """All that it selects or selected; nobody, where only its status has changed."""
        if old is not None and new is not None and _selection(old) == _selection(new):
            return
        for service in filter(None, (old, new)):
            for label in selector_of(service):
                for assignment in self._assignments.by_index(BY_LABEL, label):
                    self._enqueue(assignment)

    def _enqueue(self, assignment: Assignment) -> None:
        namespace, name = assignment.key
        self._controller.enqueue((namespace, f"assignments/{name}"))


def _selection(service: Service) -> tuple[object, ...]:
    return service.spec, service.metadata.annotations, service.metadata.deletion_timestamp
