"""Looking services up over ``/v1``: all healthy endpoints, one of them, or all for Prometheus."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import aclosing, suppress
from itertools import count

from starlette.responses import Response

from apiserver.api.errors import BadRequest, Expired, NotFound
from apiserver.api.kinds.endpoint import ENDPOINTS
from apiserver.api.kinds.namespace import DEFAULT
from apiserver.api.selectors import equal
from apiserver.server.http.streams import while_connected
from apiserver.server.http.watch import COALESCE_SECONDS, DEFAULT_POLL_SECONDS, MAX_POLL_SECONDS
from apiserver.server.store.following import follow
from apiserver.server.store.snapshot import Filter
from apiserver.server.v1.calls import Call, json_reply, raw_reply
from apiserver.server.v1.directory import Directory, EndpointView
from apiserver.server.v1.parts import Parts
from apiserver.server.v1.shapes import Targets

VERSION = "Plum-Resource-Version"
"""Header: the version that a reply stands for; sent back as ``resourceVersion`` it makes the next request wait for
news."""

MAX_COUNTERS = 10_000
STRATEGIES = ("random", "round_robin", "hash")


class Discovery:
    """The handlers that look endpoints up."""

    def __init__(self, parts: Parts, directory: Directory) -> None:
        self._store, self._directory, self._rng = parts.registry.store, directory, parts.rng
        self._turns: OrderedDict[tuple[str, ...], count[int]] = OrderedDict()

    async def names(self, call: Call) -> Response:
        """The names of all services that have endpoints."""
        found = await self._directory.all(call.query.get("namespace") or DEFAULT)
        return json_reply(sorted({view.shown["serviceName"] for view in found}))

    async def discover(self, call: Call) -> Response:
        """The healthy endpoints of a service. Raises BadRequest."""
        limit = call.number("limit")
        await self._news(call)
        version, found = self._healthy(call)
        shown = b",".join(self._directory.shown(view) for view in (found[:limit] if limit else found))
        return raw_reply(b"[" + shown + b"]", headers={VERSION: str(version)})

    async def resolve(self, call: Call) -> Response:
        """One healthy endpoint of a service. Raises BadRequest, NotFound where there is none."""
        strategy = call.query.get("strategy") or "random"
        if strategy not in STRATEGIES:
            raise BadRequest(f"unknown strategy {strategy[:40]!r}: must be one of {', '.join(STRATEGIES)}")
        if strategy == "hash" and not call.query.get("hashKey"):
            raise BadRequest("hashKey required: strategy=hash sends equal keys to the same endpoint, &hashKey=…")
        await self._news(call)
        version, found = self._healthy(call)
        if not found:
            raise NotFound(f"no healthy endpoint of the service {call.query['service'][:80]!r}")
        match strategy:
            case "hash":
                chosen = by_hash(found, call.query["hashKey"])
            case "round_robin":
                chosen = found[self._turn(call) % len(found)]
            case _:
                chosen = self._rng.choice(found)
        return raw_reply(self._directory.shown(chosen), headers={VERSION: str(version)})

    def _turn(self, call: Call) -> int:
        """How often this was asked before."""
        key = tuple(call.query.get(name, "") for name in ("namespace", "service", "version", "protocol"))
        turns = self._turns.setdefault(key, count())
        self._turns.move_to_end(key)
        if len(self._turns) > MAX_COUNTERS:
            self._turns.popitem(last=False)
        return next(turns)

    def _healthy(self, call: Call) -> tuple[int, Sequence[EndpointView]]:
        """The version of the state, and what is healthy in it."""
        query = call.query
        namespace, service = query.get("namespace") or DEFAULT, call.required("service")
        version, protocol = query.get("version"), query.get("protocol")
        found = self._directory.healthy(namespace, service)
        if version:
            found = [view for view in found if view.shown["version"] == version]
        if protocol:
            found = [view for view in found if view.shown["protocol"] == protocol]
        return self._store.version, found

    async def _news(self, call: Call) -> None:
        """Wait for a change of the service's endpoints after ``resourceVersion``, if the client gives one; at most
        ``timeoutSeconds``. Where that version is forgotten or yet to come, there is news."""
        service = call.required("service")
        since = call.number("resourceVersion", most=2**53)
        seconds = call.number("timeoutSeconds", DEFAULT_POLL_SECONDS, most=MAX_POLL_SECONDS)
        if not since or since > self._store.version:
            return
        namespace = call.query.get("namespace") or DEFAULT
        selection = Filter(ENDPOINTS, namespace, fields=equal("spec.service", service))
        await while_connected(call.request.receive, self._change(selection, since, seconds), timeout=seconds)

    async def _change(self, selection: Filter, since: int, seconds: int) -> None:
        with suppress(Expired):
            batches = follow(self._store, [selection], since, idle=seconds, gather=COALESCE_SECONDS)
            async with aclosing(batches) as found:  # type: ignore[type-var]
                await anext(found, None)

    async def prometheus(self, call: Call) -> Response:
        """All endpoints as targets of Prometheus' HTTP service discovery, the unhealthy too: that they do not answer
        is what monitoring wants to see."""
        namespace, service = call.query.get("namespace") or DEFAULT, call.query.get("service", "")
        found = self._directory.of(namespace, service) if service else await self._directory.all(namespace)
        return json_reply([_targets(view) for view in found])


def by_hash(found: Sequence[EndpointView], key: str) -> EndpointView:
    """The endpoint of a key by rendezvous hashing: when one endpoint leaves only its keys move. Pure."""
    start = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8)

    def weight(view: EndpointView) -> bytes:
        one = start.copy()
        one.update(view.slot.key.name.encode())
        return one.digest()

    return max(found, key=weight)


def _targets(view: EndpointView) -> Targets:
    shown = view.shown
    host = f"[{shown['ip']}]" if ":" in shown["ip"] else shown["ip"]
    labels = {
        "__meta_plum_service": shown["serviceName"],
        "__meta_plum_node": shown["nodeId"],
        "__meta_plum_protocol": shown["protocol"],
        "__meta_plum_version": shown["version"],
        "__meta_plum_healthy": "true" if shown["healthy"] else "false",
    }
    return {"targets": [f"{host}:{shown['port']}"], "labels": labels}
