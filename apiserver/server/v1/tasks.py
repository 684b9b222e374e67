"""Tasks over ``/v1``: made with their instances in one commit, shown, labelled, deleted with all that is theirs."""

from collections import defaultdict
from collections.abc import Sequence
from typing import cast

from starlette.responses import Response

from apiserver.api.errors import AlreadyExists, BadRequest
from apiserver.api.expansion import TASK_CONTROLLER, expand, resolve
from apiserver.api.kinds.assignment import ASSIGNMENTS, Assignment
from apiserver.api.kinds.namespace import DEFAULT
from apiserver.api.kinds.task import TASKS, Task
from apiserver.api.machinery import writes
from apiserver.api.meta import Body
from apiserver.api.names import GIVEN_NAME
from apiserver.api.selectors import equal
from apiserver.server.endpoint_health import tell_of
from apiserver.server.store.snapshot import Filter, Slot
from apiserver.server.transaction import Transaction, not_found
from apiserver.server.v1 import replicas, views
from apiserver.server.v1.calls import Call, json_reply, no_content, raw_reply
from apiserver.server.v1.names import MANAGER, given_name, task_name
from apiserver.server.v1.parts import Parts
from apiserver.server.v1.projections import in_turns
from apiserver.server.v1.shapes import EntryGiven, EntryShown, TaskGiven, TaskPatch
from apiserver.server.v1.uploads import Uploads
from apiserver.server.v1.views import Views

MAX_INSTANCES = 1000
"""Instances that one request may ask for; a task over ``/apis`` may have more."""

AT_ONCE = 500
"""Objects of one commit; a large task takes several, and a crash in between leaves the rest to the controllers."""


class Tasks:
    """The handlers of ``/v1/tasks``."""

    def __init__(self, parts: Parts, found: Views, uploads: Uploads) -> None:
        self._registry, self._store = parts.registry, parts.registry.store
        self._views, self._uploads = found, uploads

    async def create(self, call: Call) -> Response:
        """Store a task and its instances. Raises BadRequest, AlreadyExists, Invalid."""
        given = await call.body(TaskGiven)
        model, task = self._task(given, _entries(given), call.request.headers.get("host", ""))
        copies = expand(model, resolve(model, ()).artifacts, ())
        await self._store_new(call, given.name or "", task, copies[:AT_ONCE])
        for start in range(AT_ONCE, len(copies), AT_ONCE):
            await self._store_more(call, model, copies[start : start + AT_ONCE])
        return json_reply({"instances": [copy.metadata.name for copy in copies], "taskId": model.metadata.name})

    async def _store_new(self, call: Call, shown: str, task: Body, copies: Sequence[Assignment]) -> None:
        bodies = [self._copy(copy) for copy in copies]

        def work(txn: Transaction) -> None:
            txn.create(TASKS, task)
            for body in bodies:
                txn.create(ASSIGNMENTS, body)

        try:
            await self._registry.transact(work, call.actor)
        except AlreadyExists:
            text = f"name in use: there is a task named {shown[:80]!r}; delete it first, or choose another name"
            raise AlreadyExists(text) from None

    async def _store_more(self, call: Call, task: Task, copies: Sequence[Assignment]) -> None:
        """The next instances of a task that is stored already; the controller may have been quicker. Once somebody has
        changed the task they are the controller's business: an instance that was deleted meanwhile must stay gone."""
        bodies = [self._copy(copy) for copy in copies]
        namespace, name = task.key

        def work(txn: Transaction) -> None:
            found = txn.get(TASKS, namespace, name)
            known = (task.metadata.uid, task.metadata.generation)
            if found is None or (found["metadata"]["uid"], found["metadata"]["generation"]) != known:
                return
            for body in bodies:
                if not txn.exists(ASSIGNMENTS, namespace, body["metadata"]["name"]):
                    txn.create(ASSIGNMENTS, body)

        await self._registry.transact(work, call.actor)

    def _copy(self, copy: Assignment) -> Body:
        return writes.derive(ASSIGNMENTS, copy, self._registry.context(TASK_CONTROLLER))

    def _task(self, given: TaskGiven, entries: Sequence[EntryGiven], host: str) -> tuple[Task, Body]:
        shown, name = given.name or "", task_name(given.name or "")
        metadata: Body = {"name": name, "namespace": DEFAULT, "labels": given.labels or {}}
        if name != shown:
            metadata["annotations"] = {GIVEN_NAME: shown}
        made = [self._entry(f"entries[{index}]", entry, host) for index, entry in enumerate(entries)]
        if (total := sum(sum(entry["nodeReplicas"].values()) for entry in made)) > MAX_INSTANCES:
            raise BadRequest(f"bad request: replicas: {total} instances, at most {MAX_INSTANCES} are possible at once")
        body = {"metadata": metadata, "spec": {"entries": made}}
        model, task = writes.make(TASKS, body, self._registry.context(MANAGER))
        return cast(Task, model), task

    def _entry(self, where: str, entry: EntryGiven, host: str) -> Body:
        url, sha256 = self._uploads.locate(entry.artifact_url or "", host)
        counts = entry.replicas or {}
        for node, count in counts.items():
            if not 0 <= count <= MAX_INSTANCES:
                field = f"{where}.replicas.{node[:63]}"
                raise BadRequest(f"bad request: {field}: must be between 0 and {MAX_INSTANCES}, not {count}")
        made: Body = {"artifactUrl": url, "startCmd": entry.start_cmd or "", "nodeReplicas": counts}
        pin = entry.sha256 or sha256
        return dict(made, sha256=pin) if pin else made

    async def list(self, call: Call) -> Response:
        """All tasks, newest first."""
        shown = await self._views.tasks(DEFAULT)
        return raw_reply(b"[" + b",".join(b"%b%d}" % (view.head, instances) for view, instances in shown) + b"]")

    async def get(self, call: Call) -> Response:
        """One task and its instances, oldest first. Raises NotFound."""
        slot = self._slot(call.id)
        task = slot.parse()
        copies = self._views.of_task(DEFAULT, slot)
        placed = defaultdict[str, list[str]](list)
        for copy, _ in copies:
            placed[copy.entry] += [copy.node] if copy.node else []
        shown = {
            "taskId": slot.key.name,
            "name": given_name(task["metadata"]),
            "labels": task["metadata"].get("labels") or {},
            "entries": [self._shown(entry, placed[entry["name"]]) for entry in task["spec"]["entries"]],
        }
        instances = [views.instance(one) async for one in in_turns([one for _, one in copies])]
        return json_reply({"task": shown, "assignments": instances})

    def _shown(self, entry: Body, placed: Sequence[str]) -> EntryShown:
        return {
            "artifactUrl": self._uploads.shown(entry),
            "startCmd": entry.get("startCmd", ""),
            "replicas": replicas.shown(entry, placed),
        }

    async def patch(self, call: Call) -> Response:
        """Change the labels, and nothing else. Raises BadRequest, NotFound, Invalid."""
        patch = await call.body(TaskPatch)
        if patch.name not in (None, "", self._views.task(self._slot(call.id)).name):
            raise BadRequest("task name is immutable: make a new task under the other name")
        if (labels := patch.labels) is None:
            return no_content()

        def work(txn: Transaction) -> None:
            old = txn.require(TASKS, DEFAULT, call.id)
            txn.update(TASKS, old, dict(old, metadata=dict(old["metadata"], labels=labels)), MANAGER)

        await self._registry.transact(work, call.actor)
        return json_reply({"taskId": call.id})

    async def delete(self, call: Call) -> Response:
        """Delete the task and ask for the end of all its instances; a name that is unknown is no error."""
        slot = self._store.get(TASKS, DEFAULT, call.id)
        uid = self._views.task(slot).uid if slot is not None else ""

        def work(txn: Transaction) -> bool:
            """Whether that was all."""
            task = txn.get(TASKS, DEFAULT, call.id)
            if task is not None and task["metadata"]["uid"] == uid:
                txn.delete(TASKS, task)  # in the same commit, or its controller would refill it
            copies = Filter(ASSIGNMENTS, DEFAULT, fields=equal("spec.taskName", call.id))
            views = ((self._views.assignment(slot), slot) for slot in txn.select(copies))
            live = [slot for view, slot in views if view.controller == uid and not view.is_leaving]
            for slot in live[:AT_ONCE]:
                txn.delete(ASSIGNMENTS, slot.parse())
                tell_of(txn, DEFAULT, slot.key.name)
            return len(live) <= AT_ONCE

        while uid and not await self._registry.transact(work, call.actor):
            pass
        return no_content()

    def _slot(self, name: str) -> Slot:
        slot = self._store.get(TASKS, DEFAULT, name)
        if slot is None:
            raise not_found(TASKS, name)
        return slot


def _entries(given: TaskGiven) -> Sequence[EntryGiven]:
    """The entries of either form. Raises BadRequest in the original's words."""
    if given.entries:
        if not given.name:
            raise BadRequest("name required: give the task a name")
        for index, entry in enumerate(given.entries):
            _check_complete(entry, f"entries[{index}].")
        return given.entries
    if not given.name:
        raise BadRequest("missing fields: name, and entries (or artifactUrl and replicas)")
    _check_complete(given, "")
    return [given]


def _check_complete(entry: EntryGiven, where: str) -> None:
    missing = [name for name, value in (("artifactUrl", entry.artifact_url), ("replicas", entry.replicas)) if not value]
    if missing:
        raise BadRequest(f"missing fields: {' and '.join(where + name for name in missing)}")
