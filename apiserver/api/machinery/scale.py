"""The ``scale`` subresource: one count of an object, read and written as a Scale. Pure.

A Scale is computed, never stored. Writes go through the Scale's own schema and the rules of field managers,
and what came of them is carried over to the object: the count, and who owns it. In the object's managedFields
that is an entry with ``subresource: scale``, as Kubernetes keeps it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from apiserver.api.kinds.scale import SCALES
from apiserver.api.machinery import apply as server_side_apply
from apiserver.api.machinery import writes
from apiserver.api.machinery.decode import validate
from apiserver.api.machinery.fieldsets import Path, from_fields_v1, to_fields_v1
from apiserver.api.meta import Body
from apiserver.api.scheme import Count, Kind, Scaling, dig

SCALE = "scale"
"""The subresource's name."""

_REPLICAS: Path = ("f:spec", "f:replicas")
_NAMED = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
_Entries = Sequence[dict[str, Any]]


class _Owner(NamedTuple):
    manager: str
    operation: str
    subresource: str


def view(kind: Kind, body: Body) -> Body:
    """The object's Scale. Raises Invalid where it has no one count."""
    count = _scaling(kind).count(body)
    return {
        "apiVersion": SCALES.api_version,
        "kind": SCALES.name,
        "metadata": {key: body["metadata"][key] for key in _NAMED if key in body["metadata"]},
        "spec": {"replicas": count.wanted},
        "status": {"replicas": count.present, "selector": count.selector},
    }


def update(kind: Kind, old: Body, scale: Body, ctx: writes.Context) -> Body:
    """The object to store for a replace or a patch of its Scale, of which only the count is taken. Raises Conflict,
    Invalid."""
    writes.check_version(kind, old, scale)
    live = _tracked(kind, old)
    wanted = dict(live, spec=validate(SCALES, scale)["spec"])
    recorded = server_side_apply.record_update(
        SCALES, live, wanted, manager=ctx.manager, subresource=SCALE, now=ctx.now
    )
    return _carried(kind, old, recorded)


def apply(kind: Kind, old: Body, config: Body, ctx: writes.Context, *, force: bool) -> Body:
    """The object to store for a server-side apply to its Scale. Raises Conflict, Invalid, BadRequest."""
    writes.check_apply(config, ctx)
    writes.check_version(kind, old, config)
    live = _tracked(kind, old)
    merged = server_side_apply.apply(
        SCALES, live, config, manager=ctx.manager, force=force, subresource=SCALE, now=ctx.now
    )
    validate(SCALES, merged)
    return _carried(kind, old, merged)


def _scaling(kind: Kind) -> Scaling:
    assert kind.scaling is not None, f"{kind.name} has no scale"
    return kind.scaling


def _tracked(kind: Kind, body: Body) -> Body:
    """The object's Scale, with those who own the count."""
    scale = view(kind, body)
    managed = _of_scale(_entries(body), _scaling(kind).count(body).path)
    return dict(scale, metadata=scale["metadata"] | ({"managedFields": managed} if managed else {}))


def _carried(kind: Kind, old: Body, scale: Body) -> Body:
    """The object with the count of the Scale and its owners. A count that nobody applies any more stays."""
    count = _scaling(kind).count(old)
    wanted = dig(scale, "spec.replicas")
    wanted = count.wanted if wanted is None else wanted
    managed = _of_object(kind, _entries(old), _entries(scale), count)
    if wanted == count.wanted and managed == _entries(old):
        return old
    scaled = _scaling(kind).scaled(old, wanted)
    return writes.rewrite(kind, old, dict(scaled, metadata=dict(old["metadata"], managedFields=managed)))


def _entries(body: Body) -> list[dict[str, Any]]:
    return list(body["metadata"].get("managedFields") or ())


def _owner(entry: dict[str, Any]) -> _Owner:
    return _Owner(
        str(entry.get("manager", "")), str(entry.get("operation", "Update")), str(entry.get("subresource", ""))
    )


def _of_scale(entries: _Entries, path: Path) -> list[dict[str, Any]]:
    """The entries of those who own the count, as they are in the Scale."""
    fields = to_fields_v1(frozenset([_REPLICAS]))
    return [
        dict(entry, apiVersion=SCALES.api_version, fieldsV1=fields)
        for entry in entries
        if path in from_fields_v1(entry.get("fieldsV1") or {})
    ]


def _of_object(kind: Kind, entries: _Entries, of_scale: _Entries, count: Count) -> list[dict[str, Any]]:
    """The object's entries once the count belongs to those who own it in the Scale."""
    owners = {_owner(entry): entry for entry in of_scale if _REPLICAS in from_fields_v1(entry.get("fieldsV1") or {})}
    kept = []
    for entry in entries:
        fields = from_fields_v1(entry.get("fieldsV1") or {})
        if count.path not in fields or owners.pop(_owner(entry), None) is not None:
            kept.append(entry)
        elif left := fields - {count.path}:
            kept.append(dict(entry, fieldsV1=to_fields_v1(left)))
    fields_v1 = to_fields_v1(frozenset([count.path]))
    kept += [dict(entry, apiVersion=kind.api_version, fieldsV1=fields_v1) for entry in owners.values()]
    return kept
