"""The one pipeline of every write: default, prepare (server-owned fields), book-keeping, validate.

All functions take decoded wire objects, return new ones in canonical form and never touch what they are
given. ``resourceVersion`` is not theirs: whoever stores the object sets it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from apiserver.api.errors import BadRequest, Cause, Conflict, Details, Invalid
from apiserver.api.machinery import apply as server_side_apply
from apiserver.api.machinery.decode import parse, validate
from apiserver.api.meta import Body, Resource, format_time
from apiserver.api.scheme import Kind, dig

SERVER_OWNED = (
    "name",
    "namespace",
    "uid",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generateName",
)
"""Metadata that an update cannot change; it is silently restored, as in Kubernetes."""

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


@dataclass(frozen=True)
class Context:
    """Who writes, when, and where new identities come from."""

    now: datetime
    manager: str
    new_uid: Callable[[], str]


def metadata(body: Body) -> dict[str, Any]:
    """An object's metadata, which every decoded object has."""
    return cast(dict[str, Any], body["metadata"])


def create(kind: Kind, body: Body, ctx: Context) -> Body:
    """The object to store for a create. Raises BadRequest, Invalid."""
    return make(kind, body, ctx)[1]


def make(kind: Kind, body: Body, ctx: Context) -> tuple[Resource, Body]:
    """The same together with its model, for who goes on with that. Raises BadRequest, Invalid."""
    if metadata(body).get("resourceVersion"):
        raise BadRequest("resourceVersion should not be set on objects to be created")
    new = _born(kind, body, ctx)
    kind.default(new)
    model = parse(kind, new)
    new = _obeying(kind, model.to_body(), None)
    return model, server_side_apply.record_update(kind, None, new, manager=ctx.manager, subresource="", now=ctx.now)


def derive(kind: Kind, model: Resource, ctx: Context) -> Body:
    """The object to store for one that was computed from valid objects, with an empty status; it is not asked again
    whether it is valid."""
    body = model.to_body()
    new = _born(kind, body, ctx)
    if kind.has_status:
        new["status"] = body["status"]
    return server_side_apply.record_update(kind, None, new, manager=ctx.manager, subresource="", now=ctx.now)


def update(kind: Kind, old: Body, new: Body, ctx: Context, *, subresource: str = "") -> Body:
    """The object to store for a replace or a patch of ``old``. Raises Conflict, Invalid, BadRequest.

    A ``resourceVersion`` in ``new`` that is not the stored one is a conflict. Without a ``subresource``
    status stays as it was; with ``status`` everything else does.
    """
    check_version(kind, old, new)
    prepared = _prepared(kind, old, new, subresource)
    kind.default(prepared)
    checked = _checked(kind, prepared, old)
    recorded = server_side_apply.record_update(
        kind, old, checked, manager=ctx.manager, subresource=subresource, now=ctx.now
    )
    return _with_generation(old, recorded)


def apply(kind: Kind, old: Body | None, config: Body, ctx: Context, *, force: bool, subresource: str = "") -> Body:
    """The object to store for a server-side apply. Raises Conflict, Invalid, BadRequest."""
    check_apply(config, ctx)
    kind.default(config)
    if old is None:
        _check_unborn(kind, config)
        config = _born(kind, config, ctx)
    else:
        check_version(kind, old, config)
    merged = server_side_apply.apply(
        kind, old, config, manager=ctx.manager, force=force, subresource=subresource, now=ctx.now
    )
    if old is None:
        return _checked(kind, merged, None)
    prepared = _prepared(kind, old, merged, subresource)
    kind.default(prepared)
    return _with_generation(old, _checked(kind, prepared, old))


def check_apply(config: Body, ctx: Context) -> None:
    """Raise BadRequest, Invalid for what cannot be applied, whatever it is applied to."""
    if metadata(config).get("managedFields"):
        raise BadRequest("metadata.managedFields must be nil")
    if not ctx.manager:
        cause = Cause("fieldManager", "Required value: is required for apply patch", "FieldValueRequired")
        raise Invalid(
            f'PatchOptions.meta.k8s.io "" is invalid: {cause.field}: {cause.message}', details=Details(causes=[cause])
        )


def rewrite(kind: Kind, old: Body, new: Body) -> Body:
    """The object to store for a change of ``old`` whose book-keeping of field managers is done. Raises Invalid."""
    prepared = _prepared(kind, old, new, "")
    kind.default(prepared)
    return _with_generation(old, _checked(kind, prepared, old))


def begin_delete(
    kind: Kind, old: Body, ctx: Context, *, finalizers: Sequence[str] = (), is_free: bool = False
) -> Body | None:
    """The object marked for deletion, or None where nothing holds it and it goes at once.

    ``finalizers`` are added by the propagation policy; ``is_free``: what the kind itself holds objects by lets go.
    Idempotent: a second call changes nothing.
    """
    meta = metadata(old)
    held = [*meta.get("finalizers", ()), *(f for f in finalizers if f not in meta.get("finalizers", ()))]
    body = old if is_leaving(old) else _left(kind, old, ctx)
    if is_free and _holds(kind, body):
        outer, _, inner = kind.holds.partition(".")
        body = dict(body, **{outer: {key: value for key, value in body[outer].items() if key != inner}})
    if not held and not _holds(kind, body):
        return None
    return dict(body, metadata=metadata(body) | ({"finalizers": held} if held else {}))


def _left(kind: Kind, old: Body, ctx: Context) -> Body:
    """The object with the marks of a deletion that begins now."""
    body = dict(old)
    if kind.holds:
        kind.default(body)  # one that was stored before its kind held anything
    kind.leave(body)
    generation = int(metadata(old).get("generation", 1)) + 1
    marks = {"deletionTimestamp": format_time(ctx.now), "deletionGracePeriodSeconds": 0, "generation": generation}
    return dict(body, metadata=metadata(old) | marks)


def _holds(kind: Kind, body: Body) -> bool:
    return bool(kind.holds and dig(body, kind.holds))


def owned_labels(body: Body, manager: str) -> set[str]:
    """The labels that a field manager owns; others are not its to take away."""
    owned = (
        (entry.get("fieldsV1") or {}).get("f:metadata", {}).get("f:labels", {})
        for entry in metadata(body).get("managedFields", ())
        if entry.get("manager") == manager
    )
    return {key.removeprefix("f:") for labels in owned for key in labels if key != "."}


def is_leaving(body: Body) -> bool:
    """Whether deletion was asked for."""
    return "deletionTimestamp" in metadata(body)


def is_gone(kind: Kind, body: Body) -> bool:
    """Whether deletion was asked for and nothing holds the object any more."""
    return is_leaving(body) and not metadata(body).get("finalizers") and not _holds(kind, body)


def same(old: Body, new: Body) -> bool:
    """Whether a write changes nothing; such a write is not stored and makes no event."""
    if any(old.get(key) != new.get(key) for key in old.keys() | new.keys() if key != "metadata"):
        return False
    return _comparable(metadata(old)) == _comparable(metadata(new))


def _comparable(meta: dict[str, Any]) -> dict[str, Any]:
    entries = [{key: value for key, value in entry.items() if key != "time"} for entry in meta.get("managedFields", ())]
    return {key: value for key, value in meta.items() if key != "resourceVersion"} | {"managedFields": entries}


def _born(kind: Kind, body: Body, ctx: Context) -> Body:
    """What the server decides about a new object; a status given along is dropped."""
    meta = {key: value for key, value in metadata(body).items() if key not in ("deletionTimestamp", "selfLink")}
    meta |= {"uid": ctx.new_uid(), "creationTimestamp": format_time(ctx.now), "generation": 1}
    meta.pop("resourceVersion", None)
    meta.pop("deletionGracePeriodSeconds", None)
    rest = {key: value for key, value in body.items() if key != "status"}
    return rest | {"apiVersion": kind.api_version, "kind": kind.name, "metadata": meta}


def check_version(kind: Kind, old: Body, new: Body) -> None:
    """Raise Conflict where ``new`` names another version, or another uid, than the stored object has."""
    wanted = metadata(new).get("resourceVersion")
    uid = metadata(new).get("uid")
    name = str(metadata(old)["name"])
    details = Details(name=name, group=kind.group, kind=kind.plural)
    if wanted and wanted != metadata(old).get("resourceVersion"):
        raise Conflict(
            f'Operation cannot be fulfilled on {kind.resource} "{name}": the object has been modified; '
            "please apply your changes to the latest version and try again",
            details=details,
        )
    if uid and uid != metadata(old).get("uid"):
        raise Conflict(
            f'Operation cannot be fulfilled on {kind.resource} "{name}": the UID in the request ({uid}) '
            f"is not that of the stored object ({metadata(old).get('uid')})",
            details=details,
        )


def _check_unborn(kind: Kind, config: Body) -> None:
    """An apply that means one certain object must not make another where that one is gone."""
    meta = metadata(config)
    if meta.get("uid") or meta.get("resourceVersion"):
        raise Conflict(
            f'Operation cannot be fulfilled on {kind.resource} "{meta.get("name", "")}": '
            "the object that the request names by uid or resourceVersion does not exist any more",
            details=Details(name=str(meta.get("name", "")), group=kind.group, kind=kind.plural),
        )


def _prepared(kind: Kind, old: Body, new: Body, subresource: str) -> Body:
    """``new`` with everything restored that this door may not change."""
    before, after = metadata(old), metadata(new)
    if subresource == "status":
        meta = dict(before)
        if "managedFields" in after:
            meta["managedFields"] = after["managedFields"]
        return dict(old, metadata=meta, status=new.get("status") or {})
    meta = {key: value for key, value in after.items() if key not in SERVER_OWNED}
    meta |= {key: before[key] for key in SERVER_OWNED if key in before}
    meta["resourceVersion"] = before.get("resourceVersion")
    if "managedFields" not in after and "managedFields" in before:
        meta["managedFields"] = before["managedFields"]
    _check_finalizers(kind, before, meta)
    prepared = dict(new, apiVersion=kind.api_version, kind=kind.name, metadata=meta)
    if kind.has_status:
        prepared["status"] = old.get("status", {})
    return prepared


def _check_finalizers(kind: Kind, before: dict[str, Any], after: dict[str, Any]) -> None:
    if "deletionTimestamp" not in before:
        return
    added = [name for name in after.get("finalizers", ()) if name not in before.get("finalizers", ())]
    if added:
        message = (
            f"metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted: {added}"
        )
        raise Invalid(
            f'{kind.qualified} "{before["name"]}" is invalid: {message}',
            details=Details(
                name=str(before["name"]),
                group=kind.group,
                kind=kind.name,
                causes=[Cause("metadata.finalizers", message, "FieldValueForbidden")],
            ),
        )


def _checked(kind: Kind, body: Body, old: Body | None) -> Body:
    """The canonical form, after the model's rules and the kind's own."""
    return _obeying(kind, validate(kind, body), old)


def _obeying(kind: Kind, new: Body, old: Body | None) -> Body:
    """A valid object, if it keeps the kind's own rules too. Raises Invalid."""
    causes = [*kind.rules(new, old), *(_changed(kind, old, new) if old is not None else ())]
    if causes:
        name = str(metadata(new).get("name", ""))
        text = ", ".join(f"{cause.field}: {cause.message}" for cause in causes)
        raise Invalid(
            f'{kind.qualified} "{name}" is invalid: {text if len(causes) == 1 else f"[{text}]"}',
            details=Details(name=name, group=kind.group, kind=kind.name, causes=causes),
        )
    return new


def _changed(kind: Kind, old: Body, new: Body) -> list[Cause]:
    return [
        Cause(path, "Forbidden: field is immutable", "FieldValueForbidden")
        for path in kind.immutable
        if dig(old, path) != dig(new, path)
    ]


def _with_generation(old: Body, new: Body) -> Body:
    """Generation grows iff something outside metadata and status changed."""
    keys = (old.keys() | new.keys()) - {"metadata", "status"}
    if all(old.get(key) == new.get(key) for key in keys):
        return new
    meta = dict(metadata(new), generation=int(metadata(old).get("generation", 0)) + 1)
    return dict(new, metadata=meta)
