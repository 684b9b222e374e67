"""The verbs over objects and collections. No rule lives here: requests in, registry, replies out."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import orjson
from starlette.requests import Request
from starlette.responses import Response

from apiserver.api.errors import BadRequest, MethodNotAllowed, Timeout
from apiserver.api.machinery.documents import read_json, read_json_value
from apiserver.server.http import history, partials, tables
from apiserver.server.http.deletion import delete_collection, delete_options
from apiserver.server.http.lists import JSON, list_collection
from apiserver.server.http.requests import (
    READ_ONLY,
    Accepted,
    check_force,
    media_type,
    negotiate,
    own_subresource,
    read_body,
    read_document,
    read_options,
    read_target,
    unsupported,
    wants_watch,
)
from apiserver.server.http.showing import shown, shown_body
from apiserver.server.http.watch import Watching
from apiserver.server.registry import Outcome, Registry, Target

REQUEST_SECONDS = 60.0
"""How long any request but a watch may take."""

MAX_WARNING = 500
"""Characters of one warning."""

MERGE, JSON_PATCH, APPLY, STRATEGIC = (
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
    "application/strategic-merge-patch+json",
)
_OF_SUBRESOURCE = {"GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch"}
_OF_OBJECT = _OF_SUBRESOURCE | {"DELETE": "delete"}
_OF_OWN = {"GET": "get", "HEAD": "get", "PUT": "update", "POST": "create"}
_OF_READ_ONLY = {"GET": "get", "HEAD": "get"}
_OF_COLLECTION = {"POST": "create", "DELETE": "deletecollection"}
Own = Callable[[Request, Target, str], Awaitable[Response]]
"""Answers a verb on a subresource of its own. Raises ApiError."""


@dataclass(frozen=True)
class Resources:
    """The endpoint of all API paths."""

    registry: Registry
    watching: Watching
    clock: Callable[[], datetime]
    own: Mapping[tuple[str, str], Own] = field(default_factory=dict)
    """Who answers the subresources that kinds declare, by plural and name."""

    async def __call__(self, request: Request, group: str, version: str, path: str) -> Response:
        """Serve one request for what is behind ``/apis/<group>/<version>/``. Raises ApiError."""
        return await self.serve(request, read_target(group, version, path))

    async def serve(self, request: Request, target: Target) -> Response:
        """Serve one request for what a target names. Raises ApiError."""
        verb = self._verb(request, target)
        request.scope["plum_resource"], request.scope["plum_verb"] = target.shown.resource, verb
        if own_subresource(target):
            return await self.own[target.shown.plural, target.subresource](request, target, verb)
        accepted = negotiate(request)
        if verb == "get" and not _is_about_the_past(target, request):
            return self._reply(target, Outcome(self.registry.get(target)), accepted)
        if verb == "watch":
            return await self.watching.collection(target, request, accepted)
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                return await self._serve(verb, target, request, accepted)
        except TimeoutError:
            raise Timeout(f"the request took longer than {REQUEST_SECONDS:.0f} s") from None

    def _verb(self, request: Request, target: Target) -> str:
        method = request.method
        if own := own_subresource(target):
            verb = _OF_OWN.get(method, "")
            verb = verb if verb in own.verbs else ""
        elif target.subresource:
            verb = (_OF_READ_ONLY if target.subresource in READ_ONLY else _OF_SUBRESOURCE).get(method, "")
        elif target.name:
            verb = _OF_OBJECT.get(method, "")
        elif method == "GET":
            verb = "watch" if wants_watch(request.query_params) else "list"
        else:
            verb = _OF_COLLECTION.get(method, "")
        if verb == "deletecollection" and target.kind.namespaced and not target.namespace:
            raise MethodNotAllowed(
                f"the server does not allow {method} on {request.url.path}: only within one namespace, "
                f"{target.shown.path('NAMESPACE')}"
            )
        if verb not in target.shown.verbs:
            hint = f": {target.view.edited_by}" if target.view and target.view.edited_by else ""
            raise MethodNotAllowed(f"the server does not allow {method} on {request.url.path}{hint}")
        return verb

    async def _serve(self, verb: str, target: Target, request: Request, accepted: Accepted) -> Response:
        match verb:
            case "get":
                return await self._past(target, request, accepted)
            case "list":
                return await list_collection(self.registry, target, request, accepted, self.clock)
            case "create":
                return await self._create(target, request, accepted)
            case "update":
                document, options = await read_document(request), read_options(request)
                return self._reply(target, await self.registry.replace(target, document, options), accepted)
            case "patch":
                return self._reply(target, await self._patch(target, request), accepted)
            case "delete":
                return await self._delete(target, request)
            case _:
                return await delete_collection(self.registry, target, request)

    async def _past(self, target: Target, request: Request, accepted: Accepted) -> Response:
        query = request.query_params
        if target.subresource in READ_ONLY:
            return Response(await history.below(self.registry, target, query), media_type=JSON)
        raw = await history.as_of(self.registry, target, query, self.clock())
        return self._reply(target, Outcome(raw), accepted)

    async def _create(self, target: Target, request: Request, accepted: Accepted) -> Response:
        document, options = await read_document(request), read_options(request)
        if target.kind.namespaced and not target.namespace:
            raise BadRequest(f"create {target.kind.plural} in a namespace: POST {target.kind.path('default')}")
        return self._reply(target, await self.registry.create(target, document, options), accepted)

    async def _patch(self, target: Target, request: Request) -> Outcome:
        kind, options = media_type(request), read_options(request)
        if kind != APPLY:
            check_force(request)
        match kind:
            case _ if kind == MERGE:
                merge = read_json(await read_body(request))
                return await self.registry.patch(target, merge.body, "merge", options, duplicates=merge.duplicates)
            case _ if kind == STRATEGIC and target.kind.is_kubernetes:
                merge = read_json(await read_body(request))
                return await self.registry.patch(target, merge.body, "strategic", options, duplicates=merge.duplicates)
            case _ if kind == JSON_PATCH:
                patch = read_json_value(await read_body(request))
                return await self.registry.patch(target, patch, "json", options)
            case _ if kind == APPLY:
                manager = request.query_params.get("fieldManager", "")
                return await self.registry.apply(
                    target, await read_document(request), replace(options, manager=manager)
                )
        known = (STRATEGIC,) if target.kind.is_kubernetes else ()
        raise unsupported(kind, (JSON_PATCH, MERGE, APPLY, *known))

    async def _delete(self, target: Target, request: Request) -> Response:
        outcome = await self.registry.delete(target, await delete_options(request), request.scope.get("user_name", ""))
        if not outcome.gone or target.view:
            return Response(shown(target, outcome.raw), media_type=JSON)
        details = {"name": target.name, "kind": target.kind.plural, "uid": outcome.parse()["metadata"]["uid"]}
        if target.kind.group:
            details["group"] = target.kind.group
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return Response(orjson.dumps(status), media_type=JSON)

    def _reply(self, target: Target, outcome: Outcome, accepted: Accepted) -> Response:
        raw = outcome.raw if accepted.form == "table" else shown(target, outcome.raw)
        if accepted.form == "table":
            body = shown_body(target, outcome.parse())
            rows = [tables.row(target.shown, body, self.clock(), accepted.include)]
            metadata = {"resourceVersion": body["metadata"].get("resourceVersion", "")}
            raw = orjson.dumps(tables.table(target.shown, rows, metadata))
        elif accepted.form == "metadata":
            raw = partials.partial_raw(raw)
        response = Response(raw, status_code=201 if outcome.created else 200, media_type=JSON)
        for warning in outcome.warnings:
            # Field names are the client's: a line break in one must not become another header.
            plain = "".join(char if char.isprintable() else "?" for char in warning[:MAX_WARNING])
            text = plain.replace("\\", "\\\\").replace('"', '\\"').encode("ascii", "replace")
            response.raw_headers.append((b"warning", b'299 - "' + text + b'"'))
        return response


def _is_about_the_past(target: Target, request: Request) -> bool:
    if target.subresource in READ_ONLY:
        return True
    return bool(request.scope["query_string"]) and history.is_asked(request.query_params)
