"""The few rules of single kinds that need to see other objects. They hold over every door.

Each runs inside the write that it guards, on the state as of that write's turn.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from apiserver.api.columns import condition_status
from apiserver.api.errors import Cause, Conflict, Details, Invalid
from apiserver.api.kinds.app import APPS
from apiserver.api.kinds.assignment import ASSIGNMENTS
from apiserver.api.kinds.lease import LEASES
from apiserver.api.kinds.namespace import DEFAULT, NAMESPACES, SYSTEM
from apiserver.api.kinds.node import NODE_LEASES, NODES
from apiserver.api.kinds.task import TASKS
from apiserver.api.meta import Body
from apiserver.api.scheme import SCHEME, Kind
from apiserver.api.selectors import equal
from apiserver.server.store.decisions import View
from apiserver.server.store.snapshot import Filter

Hook = Callable[[View, Body], None]
PERMANENT_NAMESPACES = (DEFAULT, NODE_LEASES, SYSTEM)
_SHOWN = 3


@dataclass(frozen=True)
class Hooks:
    """What to ask before a write; a hook refuses by raising an ApiError."""

    before_create: Hook = lambda view, body: None
    before_delete: Hook = lambda view, body: None


NO_HOOKS = Hooks()


def build_hooks(has_blob: Callable[[str], bool]) -> Mapping[str, Hooks]:
    """The hooks by kind. ``has_blob`` tells whether the server holds the bytes of a digest."""

    def app_has_its_blob(view: View, body: Body) -> None:
        digest = body["spec"]["sha256"]
        if not has_blob(digest):
            cause = Cause(
                "spec.sha256", f'Invalid value: "{digest}": upload the archive first: PUT /artifacts/sha256/{digest}'
            )
            name = str(body["metadata"]["name"])
            raise Invalid(
                f'{APPS.qualified} "{name}" is invalid: {cause.field}: {cause.message}',
                details=Details(name=name, group=APPS.group, kind=APPS.name, causes=[cause]),
            )

    return {
        APPS.resource: Hooks(before_create=app_has_its_blob, before_delete=app_is_unused),
        NODES.resource: Hooks(before_delete=node_is_unused),
        NAMESPACES.resource: Hooks(before_delete=namespace_is_empty),
        LEASES.resource: Hooks(before_delete=lease_keeps_no_token),
    }


def node_is_unused(view: View, body: Body) -> None:
    """Refuse while any assignment names the node; but on one that is not ready, those under deletion wait for an agent
    that may never come back, and taking the node out is how people say that it will not."""
    name = body["metadata"]["name"]
    is_ready = condition_status("Ready", body) == "True"
    users = [
        slot.key.name
        for slot in view.select(Filter(ASSIGNMENTS, fields=equal("spec.nodeName", name)))
        if is_ready or not slot.parse()["metadata"].get("deletionTimestamp")
    ]
    _refuse_if_used(NODES, name, "node", "assignment", users)


def app_is_unused(view: View, body: Body) -> None:
    """Refuse while a task or an assignment still needs the archive."""
    name, spec = body["metadata"]["name"], body["spec"]
    # A digest is found in the bytes: parsing every assignment would hold up the server.
    digest = spec["sha256"].encode()
    users = [slot.key.name for slot in view.select(Filter(ASSIGNMENTS)) if digest in slot.body]
    wanted = {"name": spec["name"], "version": spec["version"]}
    for slot in view.select(Filter(TASKS)):
        is_near = slot.key.namespace == body["metadata"]["namespace"]
        is_named = is_near and any(entry.get("app") == wanted for entry in slot.parse()["spec"]["entries"])
        if is_named or digest in slot.body:
            users.append(slot.key.name)
    _refuse_if_used(APPS, name, "artifact", "user", users)


def namespace_is_empty(view: View, body: Body) -> None:
    """Refuse while anything but events lives there; the server's own namespaces stay."""
    name = body["metadata"]["name"]
    if name in PERMANENT_NAMESPACES:
        raise Conflict(f"the namespace {name} belongs to the server and stays", details=_details(NAMESPACES, name))
    users = [
        f"{kind.singular}/{slot.key.name}"
        for kind in SCHEME
        if kind.namespaced and kind.name != "Event"
        for slot in view.select(Filter(kind, namespace=name))
    ]
    _refuse_if_used(NAMESPACES, name, "namespace", "object", users)


def lease_keeps_no_token(view: View, body: Body) -> None:
    """Refuse for the leases by which Plum's programs elect leaders: a new one would begin with old tokens."""
    namespace, name = body["metadata"]["namespace"], body["metadata"]["name"]
    if namespace == SYSTEM:
        raise Conflict(
            f"the lease {namespace}/{name} stays, for its token must never come back; "
            "to end a leadership, empty spec.holderIdentity",
            details=_details(LEASES, name),
        )


def _refuse_if_used(kind: Kind, name: str, what: str, user: str, users: list[str]) -> None:
    if not users:
        return
    shown = ", ".join(sorted(users)[:_SHOWN]) + (", …" if len(users) > _SHOWN else "")
    plural = user if len(users) == 1 else f"{user}s"
    raise Conflict(f"{what} in use: {len(users)} {plural} ({shown})", details=_details(kind, name))


def _details(kind: Kind, name: str) -> Details:
    return Details(name=name, group=kind.group, kind=kind.plural)
