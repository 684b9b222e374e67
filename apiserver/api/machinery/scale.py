"""The ``scale`` subresource: one count of an object, read and written as a Scale. Pure.

A Scale is computed, never stored. Writes go through the Scale's own schema and the rules of field managers,
and what came of them is carried over to the object: the count, and who owns it. In the object's managedFields
that is an entry with ``subresource: scale``, as Kubernetes keeps it.
"""

from apiserver.api.kinds.scale import SCALES
from apiserver.api.machinery import apply as server_side_apply
from apiserver.api.machinery import writes
from apiserver.api.machinery.decode import validate
from apiserver.api.machinery.fieldsets import Path
from apiserver.api.machinery.managers import Entries, Entry, read, with_entries
from apiserver.api.meta import Body
from apiserver.api.scheme import Kind, Scaling, dig

SCALE = "scale"
"""The subresource's name."""

_REPLICAS: Path = ("f:spec", "f:replicas")
_NAMED = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


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
    if "managedFields" not in live["metadata"]:
        live = dict(live, spec={})  # what is nobody's can be taken without asking
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
    return with_entries(view(kind, body), _of_scale(read(body), _scaling(kind).count(body).path))


def _carried(kind: Kind, old: Body, scale: Body) -> Body:
    """The object with the count of the Scale and its owners. A count that nobody applies any more stays."""
    count = _scaling(kind).count(old)
    given = dig(scale, "spec.replicas")
    wanted = count.wanted if given is None else given
    entries = _of_object(kind, read(old), read(scale), count.path)
    if wanted == count.wanted and entries == read(old):
        return old
    return writes.rewrite(kind, old, with_entries(_scaling(kind).scaled(old, wanted), entries))


def _of_scale(entries: Entries, path: Path) -> Entries:
    """The entries of those who own the count, as they are in the Scale."""
    fields = frozenset([_REPLICAS])
    return {
        owner._replace(api_version=SCALES.api_version): Entry(fields, entry.time)
        for owner, entry in entries.items()
        if path in entry.fields
    }


def _of_object(kind: Kind, entries: Entries, of_scale: Entries, path: Path) -> Entries:
    """The object's entries once the count belongs to those who own it in the Scale."""
    owners = {
        owner._replace(api_version=kind.api_version): Entry(frozenset([path]), entry.time)
        for owner, entry in of_scale.items()
        if _REPLICAS in entry.fields
    }
    for owner, entry in entries.items():
        if owner in owners:
            owners[owner] = Entry(entry.fields | {path}, owners[owner].time)
        elif left := entry.fields - {path}:
            owners[owner] = Entry(left, entry.time)
    return owners
