"""The statuses of a node's instances, many in one request: what agents write most, at a fraction of the cost.

``POST /apis/plum.dev/v1/nodes/NAME/statuses`` takes ``{"items": [{"namespace", "name", "uid", "status"}, …]}`` and
answers in the same order ``{"items": [{"object": the assignment} or {"error": a Status}, …]}``.
"""

import asyncio
from dataclasses import dataclass, replace

import orjson
from starlette.requests import Request
from starlette.responses import Response

from apiserver.api.errors import ApiError, Conflict, Details
from apiserver.api.kinds.assignment import ASSIGNMENTS
from apiserver.api.kinds.node import NODES
from apiserver.api.machinery.documents import Document
from apiserver.api.reports import StatusOf, StatusReport
from apiserver.server.http.reports import read_report
from apiserver.server.http.requests import read_options
from apiserver.server.registry import Options, Registry, Target
from apiserver.server.transaction import not_found

_HEAD = orjson.dumps({"kind": "NodeStatuses", "apiVersion": NODES.api_version})[:-1]


@dataclass(frozen=True)
class StatusEndpoint:
    """Each status is a server-side apply of its own, by force; their order among each other is not promised."""

    registry: Registry

    async def post(self, request: Request, target: Target, verb: str) -> Response:
        """Serve ``nodes/NAME/statuses``. Raises BadRequest, Invalid, NotFound, TooLarge, UnsupportedMediaType,
        Timeout."""
        options = replace(read_options(request), force=True)
        report = await read_report(request, StatusReport, node=target.name, kind="NodeStatuses")
        if self.registry.store.get(NODES, "", target.name) is None:
            raise not_found(NODES, target.name)
        answers = await asyncio.gather(*(self._one(target.name, one, options) for one in report.items))
        return Response(_HEAD + b',"items":[' + b",".join(answers) + b"]}", media_type="application/json")

    async def _one(self, node: str, one: StatusOf, options: Options) -> bytes:
        try:
            return b'{"object":' + await self._apply(node, one, options) + b"}"
        except ApiError as error:
            return orjson.dumps({"error": error.to_status()})

    async def _apply(self, node: str, one: StatusOf, options: Options) -> bytes:
        target = Target(ASSIGNMENTS, one.namespace, one.name, "status")
        slot = self.registry.store.get(ASSIGNMENTS, one.namespace, one.name)
        if slot is None:
            raise not_found(ASSIGNMENTS, one.name)
        if slot.seen.fields.get("spec.nodeName") != node:  # what has this uid stays on its node
            about = Details(name=one.name, kind=ASSIGNMENTS.plural, group=ASSIGNMENTS.group)
            raise Conflict(f'assignment "{one.name}" does not run on node "{node}"', details=about)
        head = {"apiVersion": ASSIGNMENTS.api_version, "kind": ASSIGNMENTS.name}
        body = head | {"metadata": {"uid": one.uid}, "status": one.status}
        return (await self.registry.apply(target, Document(body), options)).raw
