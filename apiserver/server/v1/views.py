"""What ``/v1`` shows of assignments and tasks, read once an object."""

from collections import Counter
from dataclasses import dataclass
from typing import cast

import orjson

from apiserver.api.columns import condition_status
from apiserver.api.kinds.assignment import ASSIGNMENTS
from apiserver.api.kinds.task import TASKS
from apiserver.api.meta import Body
from apiserver.api.scheme import dig
from apiserver.api.selectors import equal
from apiserver.server.store.snapshot import Filter, Slot
from apiserver.server.store.store import Store
from apiserver.server.v1.names import given_name, shown_id, template_url, unix
from apiserver.server.v1.projections import Projection, in_turns
from apiserver.server.v1.shapes import AssignmentShown, InstanceShown

Born = tuple[str, str]
"""Creation time and identity: their order is the order of creation."""


@dataclass(frozen=True, slots=True)
class AssignmentView:
    """An assignment."""

    born: Born
    node: str
    entry: str
    desired: str
    is_leaving: bool
    """Under deletion: ``/v1`` does not show it any more."""
    controller: str
    """The uid of its task."""
    item: bytes
    """As its node gets it."""


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task."""

    born: Born
    uid: str
    name: str
    head: bytes
    """The item of the list up to the number of instances, which is still to come."""


class Views:
    """The views of all objects that there are."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.assignment = Projection(_assignment, store.cache.tables[ASSIGNMENTS.resource])
        self.task = Projection(_task, store.cache.tables[TASKS.resource])

    def on_node(self, node: str) -> list[AssignmentView]:
        """What a node should know of, oldest first."""
        found = self._store.cache.select(Filter(ASSIGNMENTS, fields=equal("spec.nodeName", node)))
        views = (self.assignment(slot) for slot in found)
        return sorted((view for view in views if not view.is_leaving), key=lambda view: view.born)

    def of_task(self, namespace: str, slot: Slot) -> list[tuple[AssignmentView, Slot]]:
        """A task's instances, oldest first."""
        uid = self.task(slot).uid
        selection = Filter(ASSIGNMENTS, namespace, fields=equal("spec.taskName", slot.key.name))
        found = self._store.cache.select(selection)
        views = ((self.assignment(one), one) for one in found)
        shown = [(view, one) for view, one in views if view.controller == uid and not view.is_leaving]
        return sorted(shown, key=lambda pair: pair[0].born)

    async def tasks(self, namespace: str) -> list[tuple[TaskView, int]]:
        """The tasks of a namespace, newest first, each with how many of its instances are wanted Running. All of one
        state, whatever changes while others have their turns in between."""
        version = self._store.version
        copies, _ = self._store.cache.state(Filter(ASSIGNMENTS, namespace), version=version)
        tasks, _ = self._store.cache.state(Filter(TASKS, namespace), version=version)
        wanted = Counter[str]()
        async for slot in in_turns(copies):
            view = self.assignment(slot)
            if view.desired == "Running" and not view.is_leaving:
                wanted[view.controller] += 1
        shown = [self.task(slot) async for slot in in_turns(tasks)]
        shown.sort(key=lambda view: view.born, reverse=True)
        return [(view, wanted[view.uid]) for view in shown]


def instance(slot: Slot) -> InstanceShown:
    """An assignment as a part of its task."""
    body = slot.parse()
    item, node = _item(slot, body), str(dig(body, "spec.nodeName") or "")
    head = {"instanceId": item["instanceId"], "taskId": item["taskId"], "nodeId": node}
    return cast(InstanceShown, head | item)


def _assignment(slot: Slot) -> AssignmentView:
    body = slot.parse()
    metadata, spec = body["metadata"], body["spec"]
    owner = next((ref["uid"] for ref in metadata.get("ownerReferences", ()) if ref.get("controller")), "")
    return AssignmentView(
        born=_born(metadata),
        node=str(spec.get("nodeName") or ""),
        entry=str(spec["entry"]),
        desired=str(spec["desired"]),
        is_leaving="deletionTimestamp" in metadata,
        controller=owner,
        item=orjson.dumps(_item(slot, body)),
    )


def _item(slot: Slot, body: Body) -> AssignmentShown:
    spec, status = body["spec"], body.get("status") or {}
    return {
        "instanceId": shown_id(slot.key.namespace, slot.key.name),
        "taskId": shown_id(slot.key.namespace, spec["taskName"]),
        "desired": spec["desired"],
        "artifactUrl": template_url(spec["template"]),
        "startCmd": spec["template"].get("startCmd", ""),
        "phase": str(status.get("phase") or ""),
        "healthy": condition_status("Ready", body) == "True",
        "lastReportAt": unix(status.get("reportedAt")),
    }


def _task(slot: Slot) -> TaskView:
    metadata = slot.parse()["metadata"]
    name = given_name(metadata)
    shown = {"taskId": slot.key.name, "name": name, "labels": metadata.get("labels") or {}}
    return TaskView(_born(metadata), metadata["uid"], name, orjson.dumps(shown)[:-1] + b',"instances":')


def _born(metadata: Body) -> Born:
    return metadata["creationTimestamp"], metadata["uid"]
