"""The task controller: keeps a task's slots filled with the right assignments and tells how they are."""

import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from functools import partial

from apiserver.api import conditions
from apiserver.api.errors import AlreadyExists, Conflict, NotFound
from apiserver.api.expansion import TASK_CONTROLLER, Resolution, is_live, owner_reference, resolve
from apiserver.api.kinds.app import App, artifact_url
from apiserver.api.kinds.assignment import DEPENDENCIES_READY, Assignment
from apiserver.api.kinds.node import Node
from apiserver.api.kinds.task import Task, TaskStatus
from apiserver.api.meta import Body, Resource
from apiserver.client.controller import Controller, Key, Result
from apiserver.client.events import EventRecorder
from apiserver.client.informer import Informer
from apiserver.client.interface import Client
from controllers.dependencies import TellDependencies
from controllers.nodelifecycle import BY_NODE
from controllers.spent import Spent
from controllers.task_plan import Action, Create, Delete, SetLabels, SetState, plan, rests_on_counts
from controllers.task_status import is_current, summarize
from controllers.writing import each, version_of

log = logging.getLogger(__name__)

MANAGER = TASK_CONTROLLER
BY_CONTROLLER = "controller"
"""The index of assignments by the uid of the task that controls them."""

BY_LOST_TASK = "lost-task"
"""The index of assignments that nobody controls by the task that they were made for: ``namespace/name``."""

BY_APP = "app"
"""The index of tasks by the apps they refer to, and of apps by what they are: ``namespace/name:version``."""

MAX_ACTIONS = 500
"""Writes of one reconcile. Any prefix of a plan may be all that happens, so the rest is planned anew."""

WAIT_SECONDS = 5.0
TORN_SECONDS = 0.05
"""When to look again after the caches showed half a commit; mostly the other half asks for that before."""

PAGE_SIZE = 500


class TaskReconciler:
    """Reads caches, asks ``plan``, writes the difference. Holds no state between calls."""

    def __init__(
        self,
        client: Client,
        tasks: Informer[Task],
        assignments: Informer[Assignment],
        apps: Informer[App],
        nodes: Informer[Node],
        *,
        events: EventRecorder,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """The client must write as ``MANAGER``; the assignments need the index ``controller``, apps ``app``."""
        self._client, self._events, self._now = client, events, now
        self._tasks, self._assignments, self._apps, self._nodes = tasks, assignments, apps, nodes
        self._changed_at: dict[str, tuple[int, int]] = {}
        """By the task's uid: its generation, and the version that it was first seen with."""
        self._spent = Spent()
        tasks.add_handler(self._note_change)
        tasks.add_handler(self._spent.forget)
        assignments.add_handler(self._spent.note)

    async def reconcile(self, key: Key) -> Result:
        """One step for one task. Status first: it pins the digests that the assignments are made with, so
        that a crash in between cannot let one generation run two uploads."""
        task = self._tasks.get(*key)
        if task is None:
            return Result()  # The garbage collector follows its owner references.
        await self._adopt(task)
        copies = self._assignments.by_index(BY_CONTROLLER, task.metadata.uid or "")
        seen = self._assignments.resource_version
        resolution = resolve(task, self._apps_of(task))
        status = summarize(task, copies, resolution, now=self._now(), absent=self._absent(copies))
        await self._write_status(task, status, resolution)
        actions = plan(task, resolution, copies, manager=MANAGER)
        if rests_on_counts(task, actions) and not await self._is_whole(task, copies, seen):
            return Result(requeue_after=TORN_SECONDS)
        await self._perform(task, actions[:MAX_ACTIONS])
        return Result(requeue_after=0.0 if len(actions) > MAX_ACTIONS else None)

    async def _adopt(self, task: Task) -> None:
        """Make the copies that nobody controls the task's, as in Kubernetes: a task that was deleted with
        ``--cascade=orphan`` and made again goes on with what runs. Nothing is adopted for a task that is on its way
        out, which the cache may not know yet."""
        lost = [copy for copy in self._assignments.by_index(BY_LOST_TASK, "/".join(task.key)) if is_live(copy)]
        if lost and await self._stays(task):
            reached = await each(lost, partial(self._take, task))
            await self._assignments.wait_for_version(reached, timeout=WAIT_SECONDS)

    async def _stays(self, task: Task) -> bool:
        found = await self._stored(task)
        return found is not None and found.metadata.deletion_timestamp is None

    async def _take(self, task: Task, copy: Assignment) -> int:
        meta = copy.metadata
        owners = [owner.model_dump(mode="json", by_alias=True, exclude_none=True) for owner in meta.owner_references]
        owners.append(owner_reference(task).model_dump(mode="json", by_alias=True, exclude_none=True))
        # Of that very object, and only if nobody has changed it since it was seen.
        patch = {"uid": meta.uid, "resourceVersion": meta.resource_version, "ownerReferences": owners}
        try:
            return await self._patch(meta.namespace or "", meta.name, {"metadata": patch})
        except Conflict:
            return 0

    async def _is_whole(self, task: Task, copies: Iterable[Assignment], seen: int) -> bool:
        """Whether the caches showed one state of the task and its copies, and the present one; ``seen`` is the version
        that the cache of assignments had reached when the copies were taken from it.

        They are filled by two watches: of a commit that changed both, one may be here and the other on its way. Where
        the watch of assignments is past the task's last change, all that came with it has been seen. Else the copies
        are read, and the task before and after them, so that nothing can have come in between.
        """
        generation = task.metadata.generation
        if await self._generation(task) != generation:
            return False
        if seen > self._changed_at.get(task.metadata.uid or "", (0, sys.maxsize))[1]:
            return True
        found = [copy async for copy in self._stored_copies(task)]
        return _live(found) == _live(copies) and await self._generation(task) == generation

    def _note_change(self, old: Task | None, new: Task | None) -> None:
        if new is None:
            self._changed_at.pop((old.metadata.uid if old else None) or "", None)
            return
        uid, generation = new.metadata.uid or "", new.metadata.generation or 0
        if self._changed_at.get(uid, (-1, 0))[0] != generation:
            self._changed_at[uid] = (generation, version_of(new))

    async def _generation(self, task: Task) -> int | None:
        """The task's generation on the server; None if that very task is gone."""
        found = await self._stored(task)
        return found.metadata.generation if found is not None else None

    async def _stored(self, task: Task) -> Task | None:
        """That very task on the server; None if it is gone."""
        namespace, name = task.key
        try:
            found = await self._client.get(Task, name, namespace=namespace)
        except NotFound:
            return None
        return found if found.metadata.uid == task.metadata.uid else None

    async def _stored_copies(self, task: Task) -> AsyncIterator[Assignment]:
        namespace, name = task.key
        fields, token = f"spec.taskName={name}", ""
        while True:
            page = await self._client.list(
                Assignment, namespace=namespace, fields=fields, limit=PAGE_SIZE, continue_token=token
            )
            for copy in page.items:
                if (task.metadata.uid or "") in controllers_of(copy):
                    yield copy
            token = page.continue_token
            if not token:
                return

    def _absent(self, copies: Iterable[Assignment]) -> set[str]:
        """The nodes that copies name and that do not exist."""
        named = {copy.spec.node_name for copy in copies if copy.spec.node_name}
        return {name for name in named if self._nodes.get("", name) is None}

    def _apps_of(self, task: Task) -> Iterable[App]:
        return (app for reference in app_references(task) for app in self._apps.by_index(BY_APP, reference))

    async def _write_status(self, task: Task, status: TaskStatus, resolution: Resolution) -> None:
        if is_current(task.status, status):
            return
        body = {"metadata": {"uid": task.metadata.uid}, "status": _body(status)}
        namespace, name = task.key
        try:
            stored = await self._client.apply(Task, name, body, namespace=namespace, subresource="status")
        except (NotFound, Conflict):
            log.debug("task %s/%s is gone; its status is not written", namespace, name)
            return
        await self._tasks.wait_for_version(stored.metadata.resource_version or 0, timeout=WAIT_SECONDS)
        if resolution.missing and conditions.find(task.status.conditions, "Progressing") != conditions.find(
            status.conditions, "Progressing"
        ):
            await self._events.record(task, "Warning", "ArtifactMissing", resolution.missing[0].message)

    async def _perform(self, task: Task, actions: list[Action]) -> None:
        """What must wait is told so first, so that it does not start when it is told to run. Then deletions, so that a
        slot's new copy never comes before its old one goes. Returns when the cache has seen it all: the next plan must
        not be made on an older world."""
        write = partial(self._write, task)
        reached = await each((action for action in actions if isinstance(action, TellDependencies)), write)
        deletions = [action for action in actions if isinstance(action, Delete)]
        reached = max(reached, await each(deletions, write))
        rest = (action for action in actions if not isinstance(action, Delete | TellDependencies))
        reached = max(reached, await each(rest, write))
        if created := sum(isinstance(action, Create) for action in actions):
            await self._events.record(task, "Normal", "Created", f"created {_counted(created)}")
        if deletions:
            await self._events.record(task, "Normal", "Deleted", f"deleted {_counted(len(deletions))}")
        await self._assignments.wait_for_version(reached, timeout=WAIT_SECONDS)

    async def _write(self, task: Task, action: Action) -> int:
        namespace = task.metadata.namespace or ""
        match action:
            case Create(assignment):
                return await self._create(task, self._spent.fresh(task, assignment))
            case Delete(name, uid):
                return await self._delete(namespace, name, uid)
            case SetState(name, state):
                return await self._patch(namespace, name, {"spec": {"taskState": state, "desired": state}})
            case SetLabels(name, changes):
                return await self._patch(namespace, name, {"metadata": {"labels": dict(changes)}})
            case TellDependencies():
                return await self._tell(action)

    async def _delete(self, namespace: str, name: str, uid: str) -> int:
        try:
            await self._client.delete(Assignment, name, namespace=namespace, uid=uid)
            # A deletion does not say at which version it happened.
            return version_of(await self._client.get(Assignment, name, namespace=namespace))
        except (NotFound, Conflict):
            return 0  # That very object is gone already.

    async def _tell(self, fact: TellDependencies) -> int:
        copy = fact.assignment
        condition = conditions.renew(
            copy.status.conditions,
            DEPENDENCIES_READY,
            fact.status,
            reason=fact.reason,
            message=fact.message,
            now=self._now(),
        )
        told = condition.model_dump(mode="json", by_alias=True, exclude_none=True)
        body: Body = {"metadata": {"uid": copy.metadata.uid}, "status": {"conditions": [told]}}
        namespace, name = copy.key
        try:
            stored = await self._client.apply(Assignment, name, body, namespace=namespace, subresource="status")
        except (NotFound, Conflict):
            return 0  # That very object is gone already.
        return version_of(stored)

    async def _patch(self, namespace: str, name: str, patch: Body) -> int:
        try:
            return version_of(await self._client.patch(Assignment, name, patch, namespace=namespace))
        except NotFound:
            return 0

    async def _create(self, task: Task, assignment: Assignment) -> int:
        """Store a copy. One of that name counts as done only if it is the task's and stays. Raises
        AlreadyExists otherwise; the plan is made again later."""
        try:
            return version_of(await self._client.create(assignment))
        except AlreadyExists:
            namespace, name = assignment.key
            found = await self._client.get(Assignment, name, namespace=namespace)
            if not is_live(found) or (task.metadata.uid or "") not in controllers_of(found):
                raise
            return version_of(found)


def _live(copies: Iterable[Assignment]) -> set[str]:
    """The copies that count. Of those that are leaving it does not matter how far they are."""
    return {copy.metadata.uid or "" for copy in copies if is_live(copy)}


def _counted(number: int) -> str:
    return f"{number} assignment{'' if number == 1 else 's'}"


def _body(status: TaskStatus) -> Body:
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def controllers_of(obj: Resource) -> list[str]:
    """The uid of the object that controls this one, if any does."""
    return [reference.uid for reference in obj.metadata.owner_references if reference.controller]


def lost_task(copy: Assignment) -> list[str]:
    """The task that an assignment was made for, if nobody controls it."""
    return [] if controllers_of(copy) else [f"{copy.metadata.namespace}/{copy.spec.task_name}"]


def app_references(task: Task) -> set[str]:
    """The apps that a task refers to, as the index ``app`` names them: by name and version, or by address."""
    namespace = task.metadata.namespace or ""
    named = {f"{namespace}/{e.app.name}:{e.app.version}" for e in task.spec.entries if e.app is not None}
    return named | {f"{namespace}{e.artifact_url}" for e in task.spec.entries if e.artifact_url and not e.sha256}


def app_identity(app: App) -> list[str]:
    """What an upload is, as the index ``app`` names it."""
    namespace, spec = app.metadata.namespace or "", app.spec
    address = artifact_url(spec.name, spec.version, spec.sha256)
    return [f"{namespace}/{spec.name}:{spec.version}", f"{namespace}{address}"]


def watch(
    controller: Controller,
    tasks: Informer[Task],
    assignments: Informer[Assignment],
    apps: Informer[App],
) -> None:
    """Have a task reconciled when it, one of its assignments or an app that it refers to changes."""

    def on_task(old: Task | None, new: Task | None) -> None:
        if new is not None:
            controller.enqueue(new.key)

    def on_assignment(old: Assignment | None, new: Assignment | None) -> None:
        for copy in (old, new):
            if copy is not None:
                controller.enqueue((copy.metadata.namespace or "", copy.spec.task_name))

    def on_app(old: App | None, new: App | None) -> None:
        for app in (old, new):
            for reference in app_identity(app) if app is not None else ():
                for task in tasks.by_index(BY_APP, reference):
                    controller.enqueue(task.key)

    tasks.add_handler(on_task)
    assignments.add_handler(on_assignment)
    apps.add_handler(on_app)


def watch_nodes(controller: Controller, nodes: Informer[Node], assignments: Informer[Assignment]) -> None:
    """Have a task reconciled when a node that it has copies for comes or goes. The assignments need the index
    ``node``."""

    def on_node(old: Node | None, new: Node | None) -> None:
        if old is not None and new is not None:
            return
        for node in filter(None, (old, new)):
            for copy in assignments.by_index(BY_NODE, node.metadata.name):
                controller.enqueue((copy.metadata.namespace or "", copy.spec.task_name))

    nodes.add_handler(on_node)
