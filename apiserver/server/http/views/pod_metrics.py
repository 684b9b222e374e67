"""``metrics.k8s.io`` of pods: ``kubectl top pod``, from what agents report of instances."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from starlette.requests import Request
from starlette.responses import Response

from apiserver.api.errors import Details, MethodNotAllowed, NotFound
from apiserver.api.kinds.assignment import ASSIGNMENTS, ENTRY_LABEL
from apiserver.api.meta import Body
from apiserver.api.views.pod_metrics import metrics_of
from apiserver.api.views.registry import View
from apiserver.server.http import tables
from apiserver.server.http.lists import JSON, MAX_LIMIT, SLICE, continue_token, document, place, sliced
from apiserver.server.http.requests import negotiate, number, read_filter, wants_watch
from apiserver.server.http.views.dispatch import Place
from apiserver.server.registry import Registry, Target
from apiserver.server.store.snapshot import Slot
from apiserver.server.usage import UsageStore


@dataclass(frozen=True)
class PodMetricsEndpoint:
    """What is known now; who has reported nothing is not in a list."""

    registry: Registry
    usage: UsageStore
    clock: Callable[[], datetime]

    async def __call__(self, request: Request, view: View, where: Place) -> Response:
        """Serve one request. Raises BadRequest, Expired, MethodNotAllowed, NotFound, Timeout."""
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(f"the server does not allow {request.method} on {request.url.path}")
        namespace, name, _ = where
        request.scope["plum_verb"] = "get" if name else "list"
        if not name and wants_watch(request.query_params):
            raise MethodNotAllowed(
                f"the server does not allow watches of {request.url.path}: ask again from time to time"
            )
        if name:
            return self._one(request, view, namespace, name)
        return await self._list(request, Target(ASSIGNMENTS, namespace, view=view))

    def _one(self, request: Request, view: View, namespace: str, name: str) -> Response:
        slot = self.registry.store.get(ASSIGNMENTS, namespace, name)
        body = self._metrics(slot) if slot is not None else None
        if body is None:
            details = Details(name=name, group=view.group, kind=view.plural)
            raise NotFound(f'{view.resource} "{namespace}/{name}" not found', details=details)
        accepted = negotiate(request)
        if accepted.form == "table":
            body = tables.table(view, [tables.row(view, body, self.clock(), accepted.include)], {})
        return Response(orjson.dumps(body), media_type=JSON)

    async def _list(self, request: Request, target: Target) -> Response:
        query, accepted = request.query_params, negotiate(request)
        limit = number(query, "limit", 0, most=MAX_LIMIT)
        version, after = await place(self.registry, query)
        selection = read_filter(target, query)
        slots, more = await self.registry.store.page(selection, version=version, after=after, limit=limit)
        token = {"continue": continue_token(version, slots[-1])} if more else {}
        metadata = {"resourceVersion": str(version)} | token
        found = await self._known(slots)
        if accepted.form == "table":
            now, head = self.clock(), tables.table(target.shown, [], metadata)
            rows = [tables.row(target.shown, body, now, accepted.include) for body in found]
            return await document(head, rows, orjson.dumps, key="rows")
        head = {"kind": f"{target.shown.name}List", "apiVersion": target.shown.api_version, "metadata": metadata}
        return await document(head, found, orjson.dumps)

    async def _known(self, slots: Sequence[Slot]) -> list[Body]:
        """The metrics of those of which any are known, without holding up others for long."""
        found: list[Body] = []
        for some in sliced(slots, lambda slot: len(slot.body), most=SLICE):
            found += [body for slot in some if (body := self._metrics(slot))]
            await asyncio.sleep(0)
        return found

    def _metrics(self, slot: Slot) -> Body | None:
        found = self.usage.instance(slot)
        if found is None:
            return None
        labels = slot.seen.labels
        return metrics_of(
            found.usage,
            entry=labels.get(ENTRY_LABEL) or str(slot.parse()["spec"]["entry"]),
            labels=labels,
            received_at=found.report.received_at,
            window_seconds=found.report.window_seconds,
        )
