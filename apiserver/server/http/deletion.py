"""How a deletion is meant, and the deletion of a collection."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal, cast, get_args

import orjson
from starlette.requests import Request
from starlette.responses import Response

from apiserver.api.errors import ApiError, BadRequest, Cause, Details, Invalid
from apiserver.api.machinery.documents import read_json
from apiserver.api.machinery.yaml_documents import read_yaml
from apiserver.api.meta import Body
from apiserver.server.http.list_options import check_list
from apiserver.server.http.lists import JSON, MAX_LIMIT, continue_token, place
from apiserver.server.http.requests import (
    JSON_TYPES,
    YAML_TYPES,
    is_dry_run,
    media_type,
    number,
    read_body,
    read_fence,
    read_filter,
    unsupported,
)
from apiserver.server.http.showing import shown
from apiserver.server.registry import DeleteOptions, Registry, Target
from apiserver.server.store.snapshot import Slot

Propagation = Literal["Background", "Foreground", "Orphan"]
_PROPAGATION = get_args(Propagation)
CONCURRENCY = 16
"""Deletions of one collection under way at a time: enough for the store to commit them in groups."""


async def delete_options(request: Request) -> DeleteOptions:
    """From the body, then the query. Raises BadRequest, Invalid, UnsupportedMediaType."""
    body, query = await _body(request), request.query_params
    number(query, "gracePeriodSeconds", 0, most=2**31)  # the grace is the entry's own, but nonsense is refused
    preconditions = body.get("preconditions") or {}
    dry_run = body.get("dryRun") or query.getlist("dryRun")
    if not isinstance(preconditions, dict) or not isinstance(dry_run, list):
        raise BadRequest("DeleteOptions: preconditions must be an object and dryRun a list")
    return DeleteOptions(
        propagation=_propagation(
            body.get("propagationPolicy") or query.get("propagationPolicy"),
            body.get("orphanDependents", query.get("orphanDependents")),
        ),
        uid=str(preconditions.get("uid") or ""),
        resource_version=str(preconditions.get("resourceVersion") or ""),
        dry_run=is_dry_run([str(value) for value in dry_run]),
        fence=read_fence(request),
    )


async def _body(request: Request) -> Body:
    """The body's DeleteOptions, which may be missing, and may lack their kind."""
    raw, kind = await read_body(request), media_type(request)
    if not raw.strip():
        return {}
    if kind not in (*JSON_TYPES, *YAML_TYPES):
        raise unsupported(kind, ("application/json", "application/yaml"))
    documents = read_yaml(raw) if kind in YAML_TYPES else [read_json(raw)]
    body = documents[0].body if len(documents) == 1 else {}
    if body.get("kind") not in (None, "", "DeleteOptions"):
        raise BadRequest(f"kind: the body of a deletion is DeleteOptions, not {str(body['kind'])[:60]!r}")
    grace = body.get("gracePeriodSeconds")
    if grace is not None and (not isinstance(grace, int) or isinstance(grace, bool) or grace < 0):
        raise _invalid("gracePeriodSeconds", "Invalid value: must be a whole number, 0 or greater", "FieldValueInvalid")
    return body


def _propagation(policy: Any, orphan: Any) -> Propagation:
    """The policy; ``orphanDependents`` is how older clients put it. Raises Invalid."""
    if policy and orphan is not None:
        why = "orphanDependents and deletionPropagation cannot be both set"
        raise _invalid("propagationPolicy", f"Invalid value: {why}", "FieldValueInvalid")
    if not policy:
        return "Orphan" if orphan in (True, "true", "1") else "Background"
    if policy not in _PROPAGATION:
        supported = ", ".join(f'"{one}"' for one in _PROPAGATION)
        why = f'Unsupported value: "{str(policy)[:40]}": supported values: {supported}'
        raise _invalid("propagationPolicy", why, "FieldValueNotSupported")
    return cast(Propagation, policy)


def _invalid(field: str, message: str, reason: str) -> Invalid:
    return Invalid(
        f'DeleteOptions.meta.k8s.io "" is invalid: {field}: {message}',
        details=Details(group="meta.k8s.io", kind="DeleteOptions", causes=[Cause(field, message, reason)]),
    )


async def delete_collection(registry: Registry, target: Target, request: Request) -> Response:
    """Delete each matching object in its own commit, a page of them where there is a ``limit``; the list of what was
    deleted. One that is gone by then, or another of its name, is no error. Raises what refuses a deletion, as do
    preconditions of the request that one of the objects does not meet; those before it are done."""
    options, query = await delete_options(request), request.query_params
    check_list(query)
    limit = number(query, "limit", 0, most=MAX_LIMIT)
    version, after = await place(registry, query)
    selection = read_filter(target, query)
    selected, more = await registry.store.page(selection, version=version, after=after, limit=limit)
    user = request.scope.get("user_name", "")
    deleted = await delete_all(registry, target, selected, options, user)
    metadata: dict[str, Any] = {"resourceVersion": str(registry.store.version)}
    if more:
        metadata["continue"] = continue_token(version, selected[-1])
        if selection.is_open:
            metadata["remainingItemCount"] = more
    head = {"kind": f"{target.shown.name}List", "apiVersion": target.shown.api_version, "metadata": metadata}
    return Response(orjson.dumps(head)[:-1] + b',"items":[' + b",".join(deleted) + b"]}\n", media_type=JSON)


async def delete_all(
    registry: Registry, target: Target, slots: Sequence[Slot], options: DeleteOptions, user: str
) -> list[bytes]:
    """Delete the objects, some at a time; what became of them, in their order. After a refusal no more are begun."""
    deleted: dict[int, bytes] = {}
    failures: list[ApiError] = []
    queue: Iterator[tuple[int, Slot]] = iter(enumerate(slots))

    async def work() -> None:
        for index, slot in queue:
            if failures:
                return
            one = replace(target, namespace=slot.key.namespace, name=slot.key.name)
            uid = slot.parse()["metadata"]["uid"]
            try:
                meant = replace(options, uid=options.uid or uid)
                deleted[index] = shown(target, (await registry.delete(one, meant, user)).raw)
            except ApiError as error:
                if _is_there(registry, one, uid):
                    failures.append(error)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(CONCURRENCY, len(slots))):
            group.create_task(work())
    if failures:
        raise failures[0]
    return [deleted[index] for index in sorted(deleted)]


def _is_there(registry: Registry, target: Target, uid: str) -> bool:
    slot = registry.store.get(target.kind, target.namespace, target.name)
    return slot is not None and slot.parse()["metadata"]["uid"] == uid
