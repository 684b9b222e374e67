"""The services controller: a Service for every name that endpoints mention, and how many endpoints each has."""

from apiserver.api.errors import AlreadyExists, Conflict, NotFound
from apiserver.api.kinds.endpoint import Endpoint
from apiserver.api.kinds.service import DERIVED, Service, ServiceStatus
from apiserver.api.meta import Body
from apiserver.client.controller import Controller, Key, Result
from apiserver.client.informer import Informer
from apiserver.client.interface import Client
from controllers.endpoints import BY_SERVICE, service_of
from controllers.services_plan import Action, Adopt, Create, Delete, SetCounts, plan
from controllers.writing import delete_as_seen, version_of

WAIT_SECONDS = 5.0


class ServiceReconciler:
    """One key a Service object, whether it is there or not. Holds no state between calls."""

    def __init__(self, client: Client, services: Informer[Service], endpoints: Informer[Endpoint]) -> None:
        """The client must write as ``endpoints.MANAGER``; the endpoints need the index ``service``."""
        self._client, self._services, self._endpoints = client, services, endpoints

    async def reconcile(self, key: Key) -> Result:
        """One step for one service."""
        endpoints = self._endpoints.by_index(BY_SERVICE, "/".join(key))
        reached = 0
        for action in plan(*key, self._services.get(*key), endpoints):
            reached = max(reached, await self._write(action))
        await self._services.wait_for_version(reached, timeout=WAIT_SECONDS)
        return Result()

    async def _write(self, action: Action) -> int:
        try:
            match action:
                case Create(service):
                    return await self._set_counts(await self._client.create(service), service.status)
                case Adopt(service):
                    return await self._adopt(service)
                case SetCounts(service, status):
                    return await self._set_counts(service, status)
                case Delete(service):
                    return await delete_as_seen(self._client, service)
        except (AlreadyExists, Conflict, NotFound):
            return 0  # It has changed since it was seen; its next version will be looked at.

    async def _set_counts(self, service: Service, status: ServiceStatus) -> int:
        namespace, name = service.key
        counts = status.model_dump(mode="json", by_alias=True)
        body: Body = {"metadata": {"uid": service.metadata.uid}, "status": counts}
        return version_of(await self._client.apply(Service, name, body, namespace=namespace, subresource="status"))

    async def _adopt(self, service: Service) -> int:
        namespace, name = service.key
        patch: Body = {"metadata": {"annotations": {DERIVED: None}}}
        return version_of(await self._client.patch(Service, name, patch, namespace=namespace))


def watch(controller: Controller, services: Informer[Service], endpoints: Informer[Endpoint]) -> None:
    """Have a service reconciled when it or one of its endpoints changes."""

    def on_service(old: Service | None, new: Service | None) -> None:
        for service in filter(None, (new or old,)):
            controller.enqueue(service.key)

    def on_endpoint(old: Endpoint | None, new: Endpoint | None) -> None:
        if old is not None and new is not None and old.status.healthy == new.status.healthy:
            return
        for endpoint in filter(None, (new or old,)):
            for key in service_of(endpoint):
                namespace, _, name = key.partition("/")
                controller.enqueue((namespace, name))

    services.add_handler(on_service)
    endpoints.add_handler(on_endpoint)
