"""One commit in the making: verbs over objects, on the state as of its turn, each seeing what those before it did.

Here the rules that need to see other objects are asked, so that they hold for every door and every writer. What an
object becomes is computed by ``apiserver.api.machinery.writes``; nothing here waits or stores.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from apiserver.api.errors import AlreadyExists, Cause, Details, Forbidden, NotFound
from apiserver.api.kinds.namespace import NAMESPACES
from apiserver.api.machinery import scale, writes
from apiserver.api.meta import Body
from apiserver.api.scheme import Kind
from apiserver.server.store.decisions import Intents, Put, Remove, View
from apiserver.server.store.engine import Key
from apiserver.server.store.snapshot import Filter, Slot
from apiserver.server.strategies import NO_HOOKS, Hooks


class Transaction:
    """The writes of one operation. Bodies that it is given or gives are never changed by it, nor may they be."""

    def __init__(
        self,
        view: View,
        hooks: Mapping[str, Hooks],
        *,
        clock: Callable[[], datetime],
        new_uid: Callable[[], str],
    ) -> None:
        self.view = view
        """The state before this operation."""
        self._hooks, self._clock, self._new_uid = hooks, clock, new_uid
        self._bodies: dict[Key, Body | None] = {}
        self._intents: dict[Key, Put | Remove] = {}

    @property
    def intents(self) -> Intents:
        """What is to be stored, all or nothing."""
        return [*self._intents.values()]

    def context(self, manager: str) -> writes.Context:
        """What ``writes`` wants to know of the moment and the writer."""
        return writes.Context(self._clock(), manager, self._new_uid)

    def get(self, kind: Kind, namespace: str, name: str) -> Body | None:
        """One object."""
        key = Key(kind.resource, namespace, name)
        return self._bodies[key] if key in self._bodies else self.view.get(kind, namespace, name)

    def require(self, kind: Kind, namespace: str, name: str) -> Body:
        """One object that must be there. Raises NotFound."""
        found = self.get(kind, namespace, name)
        if found is None:
            raise not_found(kind, name)
        return found

    def exists(self, kind: Kind, namespace: str, name: str) -> bool:
        """Whether there is such an object."""
        key = Key(kind.resource, namespace, name)
        known = key in self._bodies
        return self._bodies[key] is not None if known else self.view.slot(kind, namespace, name) is not None

    def select(self, selection: Filter) -> Iterator[Slot]:
        """Matching objects as they were before this operation."""
        return self.view.select(selection)

    def create(self, kind: Kind, new: Body) -> Body:
        """Add an object that ``writes`` has made. Raises AlreadyExists; NotFound, Forbidden for its namespace."""
        namespace, name = _place(new)
        if self.exists(kind, namespace, name):
            raise already_exists(kind, name)
        if kind.namespaced:
            self._check_namespace(kind, namespace, name)
        self._hooks.get(kind.resource, NO_HOOKS).before_create(self.view, new)
        return self._put(kind, new)

    def change(self, kind: Kind, old: Body, new: Body) -> Body:
        """Replace an object with what ``writes`` has made of it; nothing happens where that is the same. The object
        goes if it is under deletion and the last finalizer has gone. Raises what its hooks refuse."""
        if writes.same(old, new):
            return old
        if not writes.is_gone(kind, new):
            return self._put(kind, new)
        hooks = self._hooks.get(kind.resource, NO_HOOKS)
        hooks.before_delete(self.view, old)  # what was true when its deletion was asked for may not be any more
        hooks.before_remove(self.view, old)
        return self._remove(kind, new)

    def update(self, kind: Kind, old: Body, new: Body, manager: str, *, subresource: str = "") -> Body:
        """Change an object as an update by a field manager does; it as it is then. ``new`` is the whole object, or
        its Scale. Raises as ``writes.update`` and ``change``."""
        context = self.context(manager)
        if subresource == scale.SCALE:
            return self.change(kind, old, scale.update(kind, old, new, context))
        return self.change(kind, old, writes.update(kind, old, new, context, subresource=subresource))

    def put(self, kind: Kind, old: Body | None, new: Body) -> Body:
        """``create`` where there was none, else ``change``."""
        return self.create(kind, new) if old is None else self.change(kind, old, new)

    def delete(self, kind: Kind, old: Body, *, finalizers: tuple[str, ...] = ()) -> Body | None:
        """Ask for an object's deletion; None where nothing holds it and it goes at once. Raises what its hooks
        refuse."""
        hooks = self._hooks.get(kind.resource, NO_HOOKS)
        hooks.before_delete(self.view, old)
        is_free = bool(kind.holds) and hooks.is_free(self.view, old)
        marked = writes.begin_delete(kind, old, self.context(""), finalizers=finalizers, is_free=is_free)
        if marked is None:
            hooks.before_remove(self.view, old)
            self._remove(kind, old)
        elif not writes.same(old, marked):
            self._put(kind, marked)
        return marked

    def _put(self, kind: Kind, body: Body) -> Body:
        key = Key(kind.resource, *_place(body))
        self._bodies[key], self._intents[key] = body, Put(kind, body)
        return body

    def _remove(self, kind: Kind, body: Body) -> Body:
        key = Key(kind.resource, *_place(body))
        self._bodies[key] = None
        if self.view.slot(kind, key.namespace, key.name) is None:
            self._intents.pop(key, None)
        else:
            self._intents[key] = Remove(kind, body)
        return body

    def _check_namespace(self, kind: Kind, namespace: str, name: str) -> None:
        room = self.view.slot(NAMESPACES, "", namespace)
        if room is None:
            raise NotFound(
                f'namespaces "{namespace}" not found: create it first (kind: Namespace)',
                details=Details(name=namespace, kind=NAMESPACES.plural),
            )
        # A look at the bytes first: most namespaces are not being deleted, and this is asked for every new object.
        if b'"deletionTimestamp"' in room.body and "deletionTimestamp" in room.parse()["metadata"]:
            raise terminating(kind, name, namespace)


def not_found(kind: Kind, name: str) -> NotFound:
    """There is no such object."""
    return NotFound(
        f'{kind.resource} "{name}" not found', details=Details(name=name, group=kind.group, kind=kind.plural)
    )


def already_exists(kind: Kind, name: str) -> AlreadyExists:
    """The name is taken."""
    return AlreadyExists(
        f'{kind.resource} "{name}" already exists', details=Details(name=name, group=kind.group, kind=kind.plural)
    )


def terminating(kind: Kind, name: str, namespace: str) -> Forbidden:
    """Nothing new comes into a namespace that is being emptied."""
    cause = Cause("metadata.namespace", f"namespace {namespace} is being terminated", "NamespaceTerminating")
    return Forbidden(
        f'{kind.resource} "{name}" is forbidden: unable to create new content in namespace {namespace} '
        "because it is being terminated",
        details=Details(name=name, group=kind.group, kind=kind.plural, causes=[cause]),
    )


def _place(body: Body) -> tuple[str, str]:
    metadata = body["metadata"]
    return metadata.get("namespace") or "", metadata["name"]
