"""The generic verbs over every kind, one pipeline: decode, default, prepare, validate, persist.

Every write is a decision that the committer runs on the newest state, so a read-modify-write needs no
lock and a patch without a version cannot lose a race. Rules of the API live in ``apiserver.api.machinery``,
rules of single kinds in ``strategies``; here they meet the store.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import orjson

from apiserver.api.errors import AlreadyExists, BadRequest, Conflict, Details, Forbidden, Invalid, NotFound
from apiserver.api.kinds.lease import LEASES
from apiserver.api.kinds.namespace import NAMESPACES
from apiserver.api.kinds.node import NODE_LEASES
from apiserver.api.machinery import writes
from apiserver.api.machinery.decode import decode
from apiserver.api.machinery.documents import Document
from apiserver.api.machinery.fencing import Fence
from apiserver.api.machinery.patches import json_patch, merge_patch
from apiserver.api.meta import Body
from apiserver.api.scheme import Kind
from apiserver.server.fencing import fenced
from apiserver.server.leases import NodeLeases, is_node_lease
from apiserver.server.store.decisions import Actor, Intents, Put, Remove, View
from apiserver.server.store.snapshot import Slot
from apiserver.server.store.store import Store
from apiserver.server.strategies import NO_HOOKS, Hooks

Mode = Literal["Strict", "Warn", "Ignore"]
PatchType = Literal["merge", "json"]
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
"""Kubernetes' alphabet for generated names: no vowels, hence no words."""
_NAME_TRIES = 8


@dataclass(frozen=True)
class Target:
    """The object or collection that a request is about."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""


@dataclass(frozen=True)
class Options:
    """How a write is meant."""

    user: str = ""
    manager: str = ""
    dry_run: bool = False
    validation: Mode = "Warn"
    force: bool = False
    fence: Fence | None = None


@dataclass(frozen=True)
class DeleteOptions:
    """How a deletion is meant."""

    propagation: Literal["Background", "Foreground", "Orphan"] = "Background"
    uid: str = ""
    resource_version: str = ""
    dry_run: bool = False
    fence: Fence | None = None


@dataclass
class Outcome:
    """What a write came to: the object as it is now."""

    raw: bytes = b""
    created: bool = False
    gone: bool = False
    """Deleted at once: nothing held it."""
    warnings: list[str] = field(default_factory=list)

    def parse(self) -> Body:
        """The object, decoded."""
        body: dict[str, Any] = orjson.loads(self.raw)
        return body


class Registry:
    """All kinds over one store."""

    def __init__(
        self,
        store: Store,
        leases: NodeLeases,
        hooks: Mapping[str, Hooks],
        *,
        clock: Callable[[], datetime],
        new_uid: Callable[[], str],
        rng: random.Random,
    ) -> None:
        self.store, self.leases = store, leases
        self._hooks, self._clock, self._new_uid, self._rng = hooks, clock, new_uid, rng

    def get(self, target: Target) -> bytes:
        """The object's bytes. Raises NotFound."""
        slot = self.store.get(target.kind, target.namespace, target.name)
        if slot is None:
            raise not_found(target)
        return self.raw(slot)

    def raw(self, slot: Slot) -> bytes:
        """A slot as served."""
        if slot.key.kind == LEASES.resource and slot.key.namespace == NODE_LEASES:
            return orjson.dumps(self.leases.freshen(slot))
        return slot.body

    async def create(self, target: Target, document: Document, options: Options) -> Outcome:
        """Store a new object. Raises AlreadyExists, BadRequest, Invalid, NotFound (its namespace)."""
        kind = target.kind
        body, warnings = decode(kind, document, options.validation)
        _bind_names(target, body)
        outcome = Outcome(created=True, warnings=warnings)
        # Nearly all of the work needs no state: done here, it does not hold up the other writers of a batch.
        is_named = bool(body["metadata"].get("name") or not body["metadata"].get("generateName"))
        ready = writes.create(kind, body, self._context(options)) if is_named else None

        def decide(view: View) -> Intents:
            named = self._named(view, kind, body)
            new = ready or writes.create(kind, named, self._context(options))
            self._admit(view, kind, new)
            return self._persist(view, kind, None, new, options, outcome)

        return await self._write(decide, options, outcome)

    async def replace(self, target: Target, document: Document, options: Options) -> Outcome:
        """Replace an object or its status. Raises NotFound, Conflict, BadRequest, Invalid."""
        kind = target.kind
        body, warnings = decode(kind, document, options.validation)
        _bind_names(target, body)
        if not body["metadata"].get("resourceVersion"):
            message = "metadata.resourceVersion: Invalid value: 0x0: must be specified for an update"
            raise Invalid(f'{kind.qualified} "{target.name}" is invalid: {message}', details=_details(target))
        outcome = Outcome(warnings=warnings)

        def decide(view: View) -> Intents:
            old = self._old(view, target)
            new = writes.update(kind, old, body, self._context(options), subresource=target.subresource)
            return self._persist(view, kind, old, new, options, outcome)

        return await self._write(decide, options, outcome)

    async def patch(
        self, target: Target, patch: Any, how: PatchType, options: Options, *, duplicates: tuple[str, ...] = ()
    ) -> Outcome:
        """Merge or JSON patch of an object or its status; ``duplicates`` are keys that the patch gave twice.
        Raises NotFound, Conflict, BadRequest, Invalid."""
        kind = target.kind
        outcome = Outcome()

        def decide(view: View) -> Intents:
            old = self._old(view, target)
            patched = merge_patch(old, patch) if how == "merge" else json_patch(old, patch)
            body, outcome.warnings = decode(kind, Document(patched, duplicates), options.validation)
            _bind_names(target, body)
            new = writes.update(kind, old, body, self._context(options), subresource=target.subresource)
            return self._persist(view, kind, old, new, options, outcome)

        return await self._write(decide, options, outcome)

    async def apply(self, target: Target, document: Document, options: Options) -> Outcome:
        """Server-side apply; creates an absent object. Raises Conflict, NotFound (status), Invalid."""
        kind = target.kind
        config, warnings = decode(kind, document, options.validation)
        _bind_names(target, config)
        is_renewal = is_node_lease(kind, target.namespace) and not options.dry_run
        if is_renewal and options.fence is None and (renewed := self.leases.renew(target.name, config)):
            return Outcome(orjson.dumps(renewed), warnings=warnings)
        outcome = Outcome(warnings=warnings)

        def decide(view: View) -> Intents:
            old = view.get(kind, target.namespace, target.name)
            if old is None and target.subresource:
                raise not_found(target)
            context = self._context(options)
            new = writes.apply(kind, old, dict(config), context, force=options.force, subresource=target.subresource)
            if is_node_lease(kind, target.namespace):
                new = self.leases.settle(old, config, new)
            if old is None:
                outcome.created = True
                self._admit(view, kind, new)
            return self._persist(view, kind, old, new, options, outcome)

        await self._write(decide, options, outcome)
        if is_renewal:
            self.leases.note(target.name, config)
        return outcome

    async def delete(self, target: Target, options: DeleteOptions, user: str = "") -> Outcome:
        """Ask for deletion. The outcome is ``gone`` where nothing held the object. Raises NotFound, Conflict."""
        kind = target.kind
        outcome = Outcome()
        extra = {"Foreground": (writes.FOREGROUND,), "Orphan": (writes.ORPHAN,), "Background": ()}

        def decide(view: View) -> Intents:
            old = self._old(view, target)
            _check_preconditions(target, old, options)
            self._hooks.get(kind.resource, NO_HOOKS).before_delete(view, old)
            context = writes.Context(self._clock(), "", self._new_uid)
            marked = writes.begin_delete(kind, old, context, finalizers=extra[options.propagation])
            outcome.gone = marked is None
            outcome.raw = orjson.dumps(marked or old)
            if options.dry_run or (marked is not None and writes.same(old, marked)):
                return []
            return [Remove(kind, old)] if marked is None else [Put(kind, marked)]

        slots = await self.store.write(fenced(decide, options.fence), Actor(user=user, manager=""))
        if slots:
            outcome.raw = slots[0].body
        return outcome

    def _persist(
        self, view: View, kind: Kind, old: Body | None, new: Body, options: Options, outcome: Outcome
    ) -> Intents:
        if old is not None and writes.same(old, new):
            outcome.raw = orjson.dumps(old)
            return []
        outcome.raw = orjson.dumps(new)
        gone = writes.is_gone(new)
        if gone and old is not None:  # the last finalizer goes: what was true at the deletion may not be any more
            self._hooks.get(kind.resource, NO_HOOKS).before_delete(view, old)
        if options.dry_run:
            return []
        return [Remove(kind, new)] if gone else [Put(kind, new)]

    async def _write(self, decide: Callable[[View], Intents], options: Options, outcome: Outcome) -> Outcome:
        slots = await self.store.write(fenced(decide, options.fence), Actor(options.user, options.manager))
        if slots:
            outcome.raw = slots[0].body
        return outcome

    def _context(self, options: Options) -> writes.Context:
        return writes.Context(self._clock(), options.manager, self._new_uid)

    def _old(self, view: View, target: Target) -> Body:
        old = view.get(target.kind, target.namespace, target.name)
        if old is None:
            raise not_found(target)
        return old

    def _named(self, view: View, kind: Kind, body: Body) -> Body:
        """The body under a free name: its own, or one made from ``generateName``."""
        metadata = body["metadata"]
        namespace = metadata.get("namespace") or ""
        prefix = metadata.get("generateName")
        if metadata.get("name") or not prefix:
            taken = view.slot(kind, namespace, metadata.get("name", ""))
            if taken is not None:
                raise _already_exists(kind, metadata["name"])
            return body
        for _ in range(_NAME_TRIES):
            name = prefix + "".join(self._rng.choices(_SUFFIX, k=5))
            if view.slot(kind, namespace, name) is None:
                return dict(body, metadata=dict(metadata, name=name))
        raise _already_exists(kind, prefix)

    def _admit(self, view: View, kind: Kind, new: Body) -> None:
        namespace = new["metadata"].get("namespace") or ""
        room = view.get(NAMESPACES, "", namespace) if kind.namespaced else None
        if kind.namespaced and room is None:
            raise NotFound(
                f'namespaces "{namespace}" not found: create it first (kind: Namespace)',
                details=Details(name=namespace, kind=NAMESPACES.plural),
            )
        if room is not None and "deletionTimestamp" in room["metadata"]:
            raise Forbidden(
                f'{kind.resource} "{new["metadata"]["name"]}" is forbidden: the namespace {namespace} is being deleted'
            )
        self._hooks.get(kind.resource, NO_HOOKS).before_create(view, new)


def not_found(target: Target) -> NotFound:
    """There is no such object."""
    return NotFound(f'{target.kind.resource} "{target.name}" not found', details=_details(target))


def _already_exists(kind: Kind, name: str) -> AlreadyExists:
    return AlreadyExists(
        f'{kind.resource} "{name}" already exists', details=Details(name=name, group=kind.group, kind=kind.plural)
    )


def _details(target: Target) -> Details:
    return Details(name=target.name, group=target.kind.group, kind=target.kind.plural)


def _bind_names(target: Target, body: Body) -> None:
    """Give the body the URL's namespace and name. Raises BadRequest where it names others."""
    metadata = body["metadata"]
    if target.kind.namespaced:
        if metadata.get("namespace", target.namespace) != target.namespace:
            raise BadRequest(
                f"the namespace of the provided object ({metadata['namespace']}) does not match "
                f"the namespace sent on the request ({target.namespace})"
            )
        metadata["namespace"] = target.namespace
    else:
        metadata.pop("namespace", None)
    if target.name:
        if metadata.get("name", target.name) != target.name:
            raise BadRequest(
                f"the name of the object ({metadata['name']}) does not match the name on the URL ({target.name})"
            )
        metadata["name"] = target.name


def _check_preconditions(target: Target, old: Body, options: DeleteOptions) -> None:
    for name, wanted, have in (
        ("UID", options.uid, old["metadata"]["uid"]),
        ("ResourceVersion", options.resource_version, old["metadata"]["resourceVersion"]),
    ):
        if wanted and wanted != have:
            raise Conflict(
                f'Operation cannot be fulfilled on {target.kind.resource} "{target.name}": '
                f"Precondition failed: {name} in precondition: {wanted}, {name} in object meta: {have}",
                details=_details(target),
            )
