"""Reading the past over HTTP: an object as it was, ``/history`` and ``/revisions`` below it."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from apiserver.api.errors import BadRequest, Expired, NotFound
from apiserver.api.meta import Body, format_micro_time, parse_time
from apiserver.server import history
from apiserver.server.http.lists import reach
from apiserver.server.http.requests import number, read_version
from apiserver.server.registry import Registry, Target, as_written
from apiserver.server.store.engine import Key
from apiserver.server.transaction import not_found

LIMIT, MAX_LIMIT = 20, 100
"""Changes of one page, by default and at most."""

_TOKEN = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


def is_asked(query: Mapping[str, str]) -> bool:
    """Whether a GET of an object is about more than its present state."""
    return "at" in query or "resourceVersionMatch" in query


async def as_of(registry: Registry, target: Target, query: Mapping[str, str], now: datetime) -> bytes:
    """The object, or its Scale, as it was at a version or a moment.

    Raises NotFound where there was none, Expired where that is not known any more, Timeout for a version that has
    not been reached, BadRequest.
    """
    wanted, is_exact = read_version(query)
    if "at" in query:
        if wanted or is_exact:
            raise BadRequest("at: give a time or a resourceVersion, not both")
        moment = _moment(query["at"], now)
        wanted, is_exact = await history.version_at(registry.store, moment), True
        when = f"by {format_micro_time(moment)}"
    else:
        when = f"at version {wanted}"
    await reach(registry, wanted)
    if not is_exact:
        return registry.get(target)
    raw = await history.as_of(registry.store, target.kind, _key(target), wanted)
    if raw is None:
        missing = not_found(target.kind, target.name)
        raise NotFound(f"{missing.message}: there was none {when}", details=missing.details)
    return as_written(target, raw)


async def below(registry: Registry, target: Target, query: Mapping[str, str]) -> bytes:
    """The list that a read-only subresource is. Raises NotFound, BadRequest, Expired, ServiceUnavailable."""
    body = await (
        _history(registry, target, query) if target.subresource == "history" else _revisions(registry, target)
    )
    return orjson.dumps(body)


async def _history(registry: Registry, target: Target, query: Mapping[str, str]) -> Body:
    store = registry.store
    limit = number(query, "limit", 0, most=MAX_LIMIT) or LIMIT
    version, before = store.version, store.version
    if token := query.get("continue"):
        version, before = _read_token(token)
        if version > store.version:
            raise Expired("The provided continue parameter is not from this server. Begin again.")
    items, rest = await history.page(store, target.kind, _key(target), before=before, limit=limit)
    if not items and not token and store.get(target.kind, target.namespace, target.name) is None:
        raise not_found(target.kind, target.name)
    return _list("HistoryList", version, items, f"{version}-{rest}" if rest else "")


async def _revisions(registry: Registry, target: Target) -> Body:
    store = registry.store
    if store.get(target.kind, target.namespace, target.name) is None:
        raise not_found(target.kind, target.name)
    version = store.version
    found = await history.revisions(store, _key(target))
    return _list("RevisionList", version, [history.revision_body(one) for one in found])


def _list(kind: str, version: int, items: list[Body], token: str = "") -> Body:
    metadata: dict[str, Any] = {"resourceVersion": str(version)} | ({"continue": token} if token else {})
    return {"kind": kind, "apiVersion": "plum.dev/v1", "metadata": metadata, "items": items}


def _read_token(token: str) -> tuple[int, int]:
    found = _TOKEN.fullmatch(token)
    if found is None or int(found[2]) > int(found[1]):
        raise BadRequest("continue key is not valid: take it from the list that was cut")
    return int(found[1]), int(found[2])


def _moment(text: str, now: datetime) -> datetime:
    """The moment that a time of the query names. Raises BadRequest."""
    try:
        moment = parse_time(text)
    except (ValueError, OverflowError):
        raise BadRequest(
            f'at: Invalid value: "{text[:40]}": write a time as in RFC 3339, 2026-01-02T15:04:05Z; '
            "in a URL the + of an offset is %2B"
        ) from None
    if moment > now:
        raise BadRequest(f"at: {format_micro_time(moment)} is in the future: it is {format_micro_time(now)} here")
    return moment


def _key(target: Target) -> Key:
    return Key(target.kind.resource, target.namespace, target.name)
