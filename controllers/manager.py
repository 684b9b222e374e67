"""The controller manager: one informer a kind, shared by all loops, and every loop on top of them."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from apiserver.api.kinds.app import App
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.lease import Lease
from apiserver.api.kinds.namespace import Namespace
from apiserver.api.kinds.node import Node
from apiserver.api.kinds.task import Task
from apiserver.api.meta import Resource, ResourceT
from apiserver.client.cache import Indexers
from apiserver.client.controller import Controller
from apiserver.client.events import EventRecorder
from apiserver.client.informer import Informer
from apiserver.client.interface import Client
from controllers import event_expiry, garbage, nodelifecycle, scheduler, task
from controllers.garbage_plan import owner_uids

log = logging.getLogger(__name__)

MANAGER = "plum-controllers"
"""The field manager that informers read as; every loop writes as its own."""

GARBAGE_WORKERS = 4
TASK_WORKERS = 4
NODE_WORKERS = 4

ClientFor = Callable[[str], Client]
"""Makes the client of a field manager."""


class Manager:
    """All loops of one controller process."""

    def __init__(self, client_for: ClientFor) -> None:
        reader = client_for(MANAGER)
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
                scheduler.ATTENTION: scheduler.attention,
                nodelifecycle.BY_NODE: lambda assignment: [assignment.spec.node_name],
            },
        )
        self._informers: Mapping[str, Informer[Any]] = {
            "tasks": self._tasks,
            "assignments": self._assignments,
            "apps": self._apps,
            "nodes": self._nodes,
            "leases": self._leases,
            "namespaces": self._namespaces,
        }
        self._controllers = (
            self._task_controller(client_for(task.MANAGER)),
            self._scheduler(client_for(scheduler.MANAGER)),
            self._node_controller(client_for(nodelifecycle.MANAGER)),
            self._garbage_collector(client_for(garbage.MANAGER)),
            self._event_expiry(client_for(event_expiry.MANAGER)),
        )

    async def run(self, on_synced: Callable[[], None] = lambda: None) -> None:
        """Work until cancelled; ``on_synced`` is called once all caches are complete, however long the
        server lets them wait. At the end the loops stop before the caches that they read."""
        async with asyncio.TaskGroup() as informers:
            for plural, informer in self._informers.items():
                informers.create_task(informer.run(), name=f"informer-{plural}")
            for informer in self._informers.values():
                await informer.has_synced.wait()
            on_synced()
            async with asyncio.TaskGroup() as loops:
                for controller in self._controllers:
                    loops.create_task(controller.run(), name=controller.name)

    def _task_controller(self, client: Client) -> Controller:
        recorder = EventRecorder(client, task.MANAGER)
        reconciler = task.TaskReconciler(client, self._tasks, self._assignments, self._apps, events=recorder)
        controller = Controller("tasks", reconciler, workers=TASK_WORKERS)
        task.watch(controller, self._tasks, self._assignments, self._apps)
        return controller

    def _scheduler(self, client: Client) -> Controller:
        recorder = EventRecorder(client, scheduler.MANAGER)
        reconciler = scheduler.SchedulerReconciler(client, self._assignments, self._nodes, events=recorder)
        controller = Controller("scheduler", reconciler)
        scheduler.watch(controller, self._assignments, self._nodes)
        return controller

    def _node_controller(self, client: Client) -> Controller:
        recorder = EventRecorder(client, nodelifecycle.MANAGER)
        reconciler = nodelifecycle.NodeReconciler(client, self._nodes, self._leases, self._assignments, events=recorder)
        controller = Controller("nodes", reconciler, workers=NODE_WORKERS)
        nodelifecycle.watch(controller, self._nodes, self._leases, self._assignments)
        return controller

    def _garbage_collector(self, client: Client) -> Controller:
        reconciler = garbage.GarbageReconciler(client, self._informers)
        controller = Controller("garbage", reconciler, workers=GARBAGE_WORKERS)
        garbage.watch(controller, self._informers)
        return controller

    @staticmethod
    def _event_expiry(client: Client) -> Controller:
        controller = Controller("events", event_expiry.EventExpiry(client))
        controller.enqueue(event_expiry.EVENTS)
        return controller


def _informer(client: Client, kind: type[ResourceT], indexes: Indexers[ResourceT] | None = None) -> Informer[ResourceT]:
    """An informer of all namespaces, with the indexes of the garbage collector besides those given."""
    generic: dict[str, Callable[[Resource], list[str]]] = {garbage.BY_OWNER: owner_uids, garbage.BY_UID: garbage.uid_of}
    return Informer(client, kind, indexes={**generic, **(indexes or {})})
