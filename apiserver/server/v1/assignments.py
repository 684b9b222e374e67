"""Assignments over ``/v1``: what a node should run, what it says of it, and what people want of one instance."""

from typing import Literal

from starlette.responses import Response

from apiserver.api import conditions
from apiserver.api.errors import BadRequest
from apiserver.api.kinds.assignment import ASSIGNMENTS, REPORTED, Assignment
from apiserver.api.kinds.namespace import DEFAULT
from apiserver.api.kinds.node import NODES, ORIGINAL_AGENT
from apiserver.api.kinds.task import TASKS
from apiserver.api.meta import Body, format_micro_time
from apiserver.api.scheme import dig
from apiserver.server.endpoint_health import tell_of
from apiserver.server.transaction import Transaction, not_found
from apiserver.server.v1 import replicas
from apiserver.server.v1.calls import Call, no_content, raw_reply
from apiserver.server.v1.names import MANAGER, read_id
from apiserver.server.v1.parts import Parts
from apiserver.server.v1.shapes import PHASES, AssignmentPatch, StatusGiven
from apiserver.server.v1.views import Views

_OF_OUR_PROCESSES = ("pid", "ports", "services", "signal")
"""Fields of a status that only ``plum-agent`` fills in."""


class Assignments:
    """The handlers of ``/v1/assignments`` and ``/v1/instances``."""

    def __init__(self, parts: Parts, views: Views) -> None:
        self._registry, self._views, self._clock = parts.registry, views, parts.clock

    async def list(self, call: Call) -> Response:
        """What a node should know of, in all namespaces, oldest first. Raises BadRequest."""
        node = call.required("nodeId")
        limit = call.number("limit")
        shown = self._views.on_node(node)
        items = b",".join(view.item for view in (shown[:limit] if limit else shown))
        return raw_reply(b'{"items":[' + items + b"]}")

    async def patch(self, call: Call) -> Response:
        """Start or stop one instance; the latest command wins. Raises BadRequest, NotFound."""
        desired = (await call.body(AssignmentPatch)).desired
        if desired not in ("Running", "Stopped"):
            raise BadRequest(f"bad desired: {(desired or '')[:40]!r}: must be Running or Stopped")

        def work(txn: Transaction) -> None:
            old = _shown(txn, call.id)
            new = dict(old, spec=dict(old["spec"], desired=desired))
            txn.update(ASSIGNMENTS, old, new, MANAGER)
            tell_of(txn, DEFAULT, call.id)

        await self._registry.transact(work, call.actor)
        return no_content()

    async def delete(self, call: Call) -> Response:
        """Take one instance away for good: its entry gets one copy less in the same commit. Raises NotFound."""

        def work(txn: Transaction) -> None:
            copy = _shown(txn, call.id)
            spec = copy["spec"]
            task = txn.get(TASKS, DEFAULT, spec["taskName"])
            if task is not None and _controls(task, copy):
                entries = [
                    replicas.without_one(entry, spec.get("home", "")) if entry["name"] == spec["entry"] else entry
                    for entry in task["spec"]["entries"]
                ]
                fewer = dict(task, spec=dict(task["spec"], entries=entries))
                txn.update(TASKS, task, fewer, MANAGER)
            txn.delete(ASSIGNMENTS, copy)
            tell_of(txn, DEFAULT, call.id)

        await self._registry.transact(work, call.actor)
        return no_content()

    async def report(self, call: Call) -> Response:
        """What an agent saw of an instance; of one that is unknown it is not kept. Raises BadRequest."""
        given = await call.body(StatusGiven)
        if not given.instance_id:
            raise BadRequest("bad request: instanceId: is required")
        if given.phase not in PHASES:
            raise BadRequest(f"bad request: phase: {(given.phase or '')[:40]!r} is none of {', '.join(PHASES)}")
        namespace, name = read_id(given.instance_id)
        if self._registry.store.get(ASSIGNMENTS, namespace, name) is not None:
            await self._registry.transact(lambda txn: self._store(txn, namespace, name, given), call.actor)
        return no_content()

    def _store(self, txn: Transaction, namespace: str, name: str, given: StatusGiven) -> None:
        old = txn.get(ASSIGNMENTS, namespace, name)
        if old is not None:
            status = self._status(old, given)
            node = txn.get(NODES, "", old["spec"].get("nodeName", ""))
            new = dict(old, status=_of_original(status, node) if node is not None else status)
            txn.update(ASSIGNMENTS, old, new, MANAGER, subresource="status")
            tell_of(txn, namespace, name)

    def _status(self, old: Body, given: StatusGiven) -> Body:
        """The status after a report; conditions of others stay."""
        now = self._clock()
        told = format_micro_time(now)
        before = Assignment.from_body(old).status.conditions
        flag: Literal["True", "False"] = "True" if given.healthy else "False"
        phase = given.phase or ""
        new = [
            conditions.renew(before, "Ready", flag if phase == "Running" else "False", reason=phase, now=now),
            conditions.renew(before, REPORTED, flag, reason=phase, now=now),
        ]
        kept = [one for one in before if one.type not in ("Ready", REPORTED)]
        status: Body = dict(old.get("status") or {})
        ended = phase in ("Stopped", "Exited", "Failed")
        status.pop("reason", None)
        status.pop("message", None)
        status |= {"phase": phase, "reportedAt": told}
        status["conditions"] = [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in (*kept, *new)]
        if phase == "Running":
            status["startedAt"] = told
        if ended:
            status |= {"finishedAt": told, "exitCode": given.exit_code or 0}
        return status


def _of_original(status: Body, node: Body) -> Body:
    """What an original agent leaves to be known from its node: where it is. What another agent said of a process
    before is of one that this agent has not started."""
    if dig(node, "status.agent.name") != ORIGINAL_AGENT:
        return status
    kept = {key: value for key, value in status.items() if key not in _OF_OUR_PROCESSES}
    return kept | {"ip": dig(node, "status.ip") or ""}


def _shown(txn: Transaction, id: str) -> Body:
    """An instance that users see: in the namespace ``default``, and not under deletion. Raises NotFound."""
    found = txn.require(ASSIGNMENTS, DEFAULT, id)
    if "deletionTimestamp" in found["metadata"]:
        raise not_found(ASSIGNMENTS, id)
    return found


def _controls(task: Body, copy: Body) -> bool:
    owners = copy["metadata"].get("ownerReferences", ())
    return any(ref["uid"] == task["metadata"]["uid"] for ref in owners if ref.get("controller"))
