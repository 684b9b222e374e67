"""The few rules of single kinds that need to see other objects. They hold over every door.

Each runs inside the write that it guards, on the state as of that write's turn.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from apiserver.api.columns import condition_status
from apiserver.api.errors import Cause, Conflict, Details, Forbidden, Invalid
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
from apiserver.server.store.snapshot import Filter, Slot

Hook = Callable[[View, Body], None]
PERMANENT_NAMESPACES = (DEFAULT, NODE_LEASES, SYSTEM)
_SHOWN, _TOLD = 3, 50
"""How many users a refusal names in its message, and as causes, from where programs take them."""

User = tuple[Kind, str, str]
"""Kind, namespace and name of what uses an object."""


@dataclass(frozen=True)
class Hooks:
    """What to ask before a write; a hook refuses by raising an ApiError."""

    before_create: Hook = lambda view, body: None
    before_delete: Hook = lambda view, body: None
    """Asked when its deletion is, and once more when it goes."""
    before_remove: Hook = lambda view, body: None
    """Asked only when it goes."""
    is_free: Callable[[View, Body], bool] = lambda view, body: False
    """Whether a deletion need not wait for what its kind holds objects by."""


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
        NAMESPACES.resource: Hooks(
            before_delete=namespace_may_go,
            before_remove=namespace_is_empty,
            is_free=lambda view, body: next(_content(view, body), None) is None,
        ),
        LEASES.resource: Hooks(before_delete=lease_keeps_no_token),
    }


def node_is_unused(view: View, body: Body) -> None:
    """Refuse while any assignment names the node; but on one that is not ready, those under deletion wait for an agent
    that may never come back, and taking the node out is how people say that it will not."""
    name = body["metadata"]["name"]
    is_ready = condition_status("Ready", body) == "True"
    users = [
        _user(ASSIGNMENTS, slot)
        for slot in view.select(Filter(ASSIGNMENTS, fields=equal("spec.nodeName", name)))
        if is_ready or not slot.parse()["metadata"].get("deletionTimestamp")
    ]
    _refuse_if_used(NODES, name, "node", "assignment", users)


def app_is_unused(view: View, body: Body) -> None:
    """Refuse while a task or an assignment of its namespace needs the app, or anyone the archive, which goes with the
    last app that has it."""
    metadata, spec = body["metadata"], body["spec"]
    # A digest is found in the bytes: parsing every assignment would hold up the server.
    digest = spec["sha256"].encode()
    near = metadata["namespace"] if _is_kept(view, body) else ""
    copies = view.select(Filter(ASSIGNMENTS, namespace=near))
    users = [_user(ASSIGNMENTS, slot) for slot in copies if digest in slot.body]
    wanted = {"name": spec["name"], "version": spec["version"]}
    for slot in view.select(Filter(TASKS, namespace=near)):
        is_near = slot.key.namespace == metadata["namespace"]
        is_named = is_near and any(entry.get("app") == wanted for entry in slot.parse()["spec"]["entries"])
        if is_named or digest in slot.body:
            users.append(_user(TASKS, slot))
    _refuse_if_used(APPS, metadata["name"], "artifact", "user", users)


def _is_kept(view: View, app: Body) -> bool:
    """Whether another app has the same archive."""
    digest = app["spec"]["sha256"].encode()
    own = (app["metadata"]["namespace"], app["metadata"]["name"])
    return any(digest in slot.body and (slot.key.namespace, slot.key.name) != own for slot in view.select(Filter(APPS)))


def namespace_may_go(view: View, body: Body) -> None:
    """Refuse for the server's own namespaces."""
    name = body["metadata"]["name"]
    if name in PERMANENT_NAMESPACES:
        raise Forbidden(
            f'namespaces "{name}" is forbidden: this namespace may not be deleted', details=_details(NAMESPACES, name)
        )


def namespace_is_empty(view: View, body: Body) -> None:
    """Refuse to let a namespace go while anything lives there: what is nowhere could never be deleted."""
    content = [*_content(view, body)]
    names = [f"{kind.singular}/{name}" for kind, _, name in content]
    _refuse_if_used(NAMESPACES, body["metadata"]["name"], "namespace", "object", content, names)


def _content(view: View, body: Body) -> Iterator[User]:
    """What lives in a namespace."""
    name = body["metadata"]["name"]
    for kind in SCHEME:
        if kind.namespaced:
            for slot in view.select(Filter(kind, namespace=name)):
                yield _user(kind, slot)


def lease_keeps_no_token(view: View, body: Body) -> None:
    """Refuse for the leases by which Plum's programs elect leaders: a new one would begin with old tokens."""
    namespace, name = body["metadata"]["namespace"], body["metadata"]["name"]
    if namespace == SYSTEM:
        raise Conflict(
            f"the lease {namespace}/{name} stays, for its token must never come back; "
            "to end a leadership, empty spec.holderIdentity",
            details=_details(LEASES, name),
        )


def _user(kind: Kind, slot: Slot) -> User:
    return kind, slot.key.namespace, slot.key.name


def _refuse_if_used(
    kind: Kind, name: str, what: str, user: str, users: Sequence[User], names: Sequence[str] = ()
) -> None:
    """Raises Conflict where there are users; ``names`` are theirs in the message, if not their own alone."""
    if not users:
        return
    told = sorted(names or (user_name for _, _, user_name in users))
    shown = ", ".join(told[:_SHOWN]) + (", …" if len(users) > _SHOWN else "")
    plural = user if len(users) == 1 else f"{user}s"
    causes = [_in_use(*one) for one in sorted(users, key=_order)[:_TOLD]]
    details = Details(name=name, group=kind.group, kind=kind.plural, causes=causes)
    raise Conflict(f"{what} in use: {len(users)} {plural} ({shown})", details=details)


def _order(user: User) -> tuple[bool, str, str, str]:
    """Tasks first: what is of them goes with them."""
    kind, namespace, name = user
    return kind is not TASKS, kind.plural, namespace, name


def _in_use(kind: Kind, namespace: str, name: str) -> Cause:
    """A user, found by programs in the field: resource, namespace and name."""
    return Cause(f"{kind.plural}/{namespace}/{name}", f"{kind.singular} {namespace}/{name}", "InUse")


def _details(kind: Kind, name: str) -> Details:
    return Details(name=name, group=kind.group, kind=kind.plural)
