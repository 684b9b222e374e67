"""The controller manager: one informer a kind, shared by all loops, and every loop on top of them.

Any number of managers may run; one leads. The others keep their caches complete and wait. The loops of a
leadership are made with it and end with it: queues, timers and what a loop remembers are of one leadership,
and its handlers are told the whole cache first, so whatever the one before left undone is found.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Protocol

from apiserver.api.kinds.app import App
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.endpoint import Endpoint
from apiserver.api.kinds.lease import Lease
from apiserver.api.kinds.namespace import Namespace
from apiserver.api.kinds.node import Node
from apiserver.api.kinds.service import Service
from apiserver.api.kinds.task import Task
from apiserver.api.meta import Resource, ResourceT
from apiserver.client.cache import Indexers
from apiserver.client.controller import Controller, Reconciler
from apiserver.client.events import EventRecorder
from apiserver.client.informer import Informer
from apiserver.client.interface import Client
from apiserver.client.leader import LeaderElector, Leadership
from controllers import endpoints, event_expiry, garbage, namespaces, nodelifecycle, scheduler, services, task
from controllers.garbage_plan import owner_uids
from controllers.metrics import Metrics

log = logging.getLogger(__name__)

MANAGER = "plum-controllers"
"""The field manager that informers read as and the lease is written by; every loop writes as its own."""

LEASE = "plum-controllers"
"""The lease of the leader, in the namespace ``plum-system``."""

GARBAGE_WORKERS = 4
TASK_WORKERS = 4
NODE_WORKERS = 4
ENDPOINT_WORKERS = 16
"""Most instances have an endpoint or two, so that one reconcile is one or two writes."""

SERVICE_WORKERS = 4


class ClientFor(Protocol):
    """Makes the client of a field manager, or of its writes in one leadership."""

    def __call__(self, manager: str, *, fence: Callable[[], str] | None = None) -> Client:
        """See ``rest.RestClient``."""
        ...


class Manager:
    """All loops of one controller process."""

    def __init__(self, client_for: ClientFor, *, identity: str, metrics: Metrics | None = None) -> None:
        """``identity`` is unlike that of any other process."""
        reader = client_for(MANAGER)
        self._client_for, self._metrics = client_for, metrics or Metrics()
        self._elector = LeaderElector(reader, LEASE, identity=identity, on_change=self._metrics.election(LEASE))
        self._tasks = _informer(reader, Task, {task.BY_APP: task.app_references})
        self._apps = _informer(reader, App, {task.BY_APP: task.app_identity})
        self._nodes = _informer(reader, Node)
        self._leases = _informer(reader, Lease)
        self._namespaces = _informer(reader, Namespace)
        self._assignments = _informer(
            reader,
            Assignment,
            {
                task.BY_CONTROLLER: task.controllers_of,
                task.BY_LOST_TASK: task.lost_task,
                scheduler.ATTENTION: scheduler.attention,
                nodelifecycle.BY_NODE: lambda assignment: [assignment.spec.node_name],
                endpoints.BY_LABEL: endpoints.labels_of,
            },
        )
        self._services = _informer(reader, Service, {endpoints.BY_SELECTOR: endpoints.selector_of})
        by_endpoint = {endpoints.BY_INSTANCE: endpoints.instance_of, endpoints.BY_SERVICE: endpoints.service_of}
        self._endpoints = _informer(reader, Endpoint, by_endpoint)
        self._informers: Mapping[str, Informer[Any]] = {
            "tasks": self._tasks,
            "assignments": self._assignments,
            "apps": self._apps,
            "nodes": self._nodes,
            "leases": self._leases,
            "namespaces": self._namespaces,
            "services": self._services,
            "endpoints": self._endpoints,
        }
        self._metrics.watch_informers(self._informers)

    async def run(self, on_synced: Callable[[], None] = lambda: None) -> None:
        """Work, or wait for the lead, until cancelled; ``on_synced`` is called once all caches are complete,
        however long the server lets them wait. At the end the loops stop before the caches that they read."""
        async with asyncio.TaskGroup() as informers:
            for plural, informer in self._informers.items():
                informers.create_task(informer.run(), name=f"informer-{plural}")
            for informer in self._informers.values():
                await informer.has_synced.wait()
            on_synced()
            await self._elector.run(self._lead)

    async def _lead(self, leadership: Leadership) -> None:
        """Run all loops until cancelled. What they send is refused once another leads."""
        makers = (
            (task.MANAGER, self._task_controller),
            (scheduler.MANAGER, self._scheduler),
            (nodelifecycle.MANAGER, self._node_controller),
            (endpoints.MANAGER, self._endpoint_controller),
            (endpoints.MANAGER, self._service_controller),
            (garbage.MANAGER, self._garbage_collector),
            (namespaces.MANAGER, self._namespace_controller),
            (event_expiry.MANAGER, self._event_expiry),
        )
        with ExitStack() as handlers:
            for informer in self._informers.values():
                handlers.enter_context(informer.listening())
            async with asyncio.TaskGroup() as loops:
                for manager, make in makers:
                    controller = make(self._client_for(manager, fence=lambda: leadership.fence))
                    loops.create_task(controller.run(), name=controller.name)
                    await asyncio.sleep(0)  # telling a large cache takes long, and the lease wants to be renewed

    def _task_controller(self, client: Client) -> Controller:
        recorder = EventRecorder(client, task.MANAGER)
        informers = self._tasks, self._assignments, self._apps
        reconciler = task.TaskReconciler(client, *informers, self._nodes, events=recorder)
        controller = self._controller("tasks", reconciler, workers=TASK_WORKERS)
        task.watch(controller, *informers)
        task.watch_nodes(controller, self._nodes, self._assignments)
        return controller

    def _scheduler(self, client: Client) -> Controller:
        recorder = EventRecorder(client, scheduler.MANAGER)
        reconciler = scheduler.SchedulerReconciler(client, self._assignments, self._nodes, events=recorder)
        controller = self._controller("scheduler", reconciler)
        scheduler.watch(controller, self._assignments, self._nodes)
        return controller

    def _node_controller(self, client: Client) -> Controller:
        recorder = EventRecorder(client, nodelifecycle.MANAGER)
        reconciler = nodelifecycle.NodeReconciler(client, self._nodes, self._leases, self._assignments, events=recorder)
        controller = self._controller("nodes", reconciler, workers=NODE_WORKERS)
        nodelifecycle.watch(controller, self._nodes, self._leases, self._assignments)
        return controller

    def _endpoint_controller(self, client: Client) -> Controller:
        informers = self._services, self._endpoints, self._assignments
        reconciler = endpoints.EndpointReconciler(client, informers)
        controller = self._controller("endpoints", reconciler, workers=ENDPOINT_WORKERS)
        endpoints.watch(controller, informers)
        return controller

    def _service_controller(self, client: Client) -> Controller:
        reconciler = services.ServiceReconciler(client, self._services, self._endpoints)
        controller = self._controller("services", reconciler, workers=SERVICE_WORKERS)
        services.watch(controller, self._services, self._endpoints)
        return controller

    def _garbage_collector(self, client: Client) -> Controller:
        reconciler = garbage.GarbageReconciler(client, self._informers)
        controller = self._controller("garbage", reconciler, workers=GARBAGE_WORKERS)
        garbage.watch(controller, self._informers)
        return controller

    def _namespace_controller(self, client: Client) -> Controller:
        reconciler = namespaces.NamespaceReconciler(client, self._namespaces)
        controller = self._controller("namespaces", reconciler)
        namespaces.watch(controller, reconciler, self._namespaces, self._informers)
        return controller

    def _event_expiry(self, client: Client) -> Controller:
        controller = self._controller("events", event_expiry.EventExpiry(client))
        controller.enqueue(event_expiry.EVENTS)
        return controller

    def _controller(self, name: str, reconciler: Reconciler, *, workers: int = 1) -> Controller:
        return Controller(name, reconciler, workers=workers, observer=self._metrics.work(name))


def _informer(client: Client, kind: type[ResourceT], indexes: Indexers[ResourceT] | None = None) -> Informer[ResourceT]:
    """An informer of all namespaces, with the indexes of the garbage collector besides those given."""
    generic: dict[str, Callable[[Resource], list[str]]] = {garbage.BY_OWNER: owner_uids, garbage.BY_UID: garbage.uid_of}
    return Informer(client, kind, indexes={**generic, **(indexes or {})})
