"""Usage over HTTP: agents put their node's, everybody may read it.

``PUT /apis/plum.dev/v1/nodes/NAME/usage``   one node's report, JSON, ``Content-Encoding: gzip`` if it likes
``GET /apis/plum.dev/v1/nodes/NAME/usage``   the same with the instances of assignments that are still there
``GET /apis/plum.dev/v1/usage``              nodes, and assignments page by page, selected as in a list of them
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from apiserver.api.errors import BadRequest, Details, NotFound
from apiserver.api.kinds.assignment import ASSIGNMENTS, ENTRY_LABEL, TASK_LABEL
from apiserver.api.kinds.node import NODES
from apiserver.api.meta import Body
from apiserver.api.usage import STALE_SECONDS, UsageReport
from apiserver.server.http.lists import continue_token, document, place
from apiserver.server.http.reports import read_report
from apiserver.server.http.requests import ApiRequest, number, read_filter
from apiserver.server.registry import Registry, Target
from apiserver.server.store.snapshot import Slot
from apiserver.server.transaction import not_found
from apiserver.server.usage import Instance, Report, UsageStore

MAX_LIMIT = 5_000
"""Assignments of one page, also where no limit is asked for."""

RESOURCES = ("assignments", "nodes")


@dataclass(frozen=True)
class UsageEndpoint:
    """The doors to a usage store."""

    registry: Registry
    usage: UsageStore

    async def node(self, request: Request, target: Target, verb: str) -> Response:
        """Serve ``nodes/NAME/usage``. Raises NotFound, BadRequest, Invalid, TooLarge, UnsupportedMediaType, Timeout."""
        if verb == "update":
            said = await read_report(request, UsageReport, node=target.name, kind="NodeUsage")
            self.usage.put(target.name, said)
            return Response(status_code=204)
        if self.registry.store.get(NODES, "", target.name) is None:
            raise not_found(NODES, target.name)
        report = self.usage.node(target.name)
        if report is None:
            raise NotFound(
                f'node "{target.name}" has reported no usage in the last {STALE_SECONDS:.0f} s: its agent reports '
                "every 15 s while it runs and reaches the server",
                details=Details(name=target.name, kind=NODES.plural, group=NODES.group),
            )
        head = {"kind": "NodeUsage", "apiVersion": NODES.api_version, **_node_body(report)}
        found = list(self.usage.instances(report))
        return await document(head, found, lambda one: orjson.dumps(_instance_body(one)), key="instances")

    async def everything(self, request: Request) -> Response:
        """Serve ``/usage``. Raises BadRequest, Expired."""
        request = ApiRequest(request.scope, request.receive)
        request.scope["plum_resource"], request.scope["plum_verb"] = "usage", "list"
        query = request.query_params
        wanted = _resources(query)
        slots, metadata = await self._page(query) if "assignments" in wanted else ([], self._metadata())
        head: Body = {"kind": "UsageList", "apiVersion": NODES.api_version, "metadata": metadata}
        if "nodes" in wanted and not query.get("continue"):
            head["nodes"] = [_node_body(report) for report in self.usage.nodes()]
        found = [one for slot in slots if (one := self.usage.instance(slot))]
        return await document(head, found, lambda one: orjson.dumps(_instance_body(one)))

    async def _page(self, query: Mapping[str, str]) -> tuple[list[Slot], Body]:
        """Assignments in the order of namespace and name, whether or not anything is known of them."""
        selection = read_filter(Target(ASSIGNMENTS, query.get("namespace", "")), query)
        limit = number(query, "limit", 0, most=MAX_LIMIT) or MAX_LIMIT
        version, after = await place(self.registry, query)
        slots, more = await self.registry.store.page(selection, version=version, after=after, limit=limit)
        token = {"continue": continue_token(version, slots[-1])} if more else {}
        return slots, {"resourceVersion": str(version)} | token

    def _metadata(self) -> Body:
        return {"resourceVersion": str(self.registry.store.version)}


def _resources(query: Mapping[str, str]) -> tuple[str, ...]:
    """What is asked for. Raises BadRequest."""
    text = query.get("resources", "")
    if not text:
        return RESOURCES
    names = tuple(text.split(","))
    for name in names:
        if name not in RESOURCES:
            raise BadRequest(f'resources: Unsupported value: "{name[:60]}": supported: {", ".join(RESOURCES)}')
    return names


def _node_body(report: Report) -> Body:
    return {"name": report.node, **_received(report), **report.usage.model_dump(by_alias=True, exclude_none=True)}


def _instance_body(one: Instance) -> Body:
    labels = one.slot.seen.labels
    about = {"node": one.report.node, "task": labels.get(TASK_LABEL, ""), "entry": labels.get(ENTRY_LABEL, "")}
    return about | _received(one.report) | one.usage.model_dump(by_alias=True, exclude_none=True)


def _received(report: Report) -> dict[str, Any]:
    return {"receivedAt": report.received_at, "windowSeconds": report.window_seconds}
