"""The generic verbs over every kind, one pipeline: decode, default, prepare, validate, persist.

Every write is a decision that the committer runs on the newest state, so a read-modify-write needs no
lock and a patch without a version cannot lose a race. Rules of the API live in ``apiserver.api.machinery``,
rules of single kinds in ``strategies``; here they meet the store.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar

import orjson

from apiserver.api.errors import BadRequest, Cause, Conflict, Details, Invalid
from apiserver.api.kinds.lease import LEASES
from apiserver.api.kinds.node import NODE_LEASES
from apiserver.api.kinds.scale import SCALES
from apiserver.api.machinery import scale, writes
from apiserver.api.machinery.decode import decode
from apiserver.api.machinery.documents import Document
from apiserver.api.machinery.fencing import Fence
from apiserver.api.machinery.patches import json_patch, merge_patch
from apiserver.api.machinery.strategic import strategic_merge_patch
from apiserver.api.meta import Body
from apiserver.api.scheme import Kind, Served
from apiserver.api.views.registry import View as Presented
from apiserver.server.fencing import fenced
from apiserver.server.leases import NodeLeases, is_node_lease
from apiserver.server.store.decisions import Actor, Intents, View
from apiserver.server.store.snapshot import Slot
from apiserver.server.store.store import Store
from apiserver.server.strategies import Hooks
from apiserver.server.transaction import Transaction, already_exists, not_found

T = TypeVar("T")
Mode = Literal["Strict", "Warn", "Ignore"]
PatchType = Literal["merge", "json", "strategic"]
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
    view: Presented | None = None
    """As what it is shown; None: as itself."""

    @property
    def written(self) -> Kind:
        """The kind of what is read and written here: the object's own, or Scale."""
        return SCALES if self.subresource == scale.SCALE else self.kind

    @property
    def shown(self) -> Served:
        """What the client calls it."""
        return self.view or self.written


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
        """The bytes of the object, or of its Scale. Raises NotFound, Invalid (no one count)."""
        slot = self.store.get(target.kind, target.namespace, target.name)
        if slot is None:
            raise not_found(target.kind, target.name)
        return as_written(target, self.raw(slot))

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
        ready = writes.create(kind, body, self.context(options.manager)) if is_named else None

        def work(txn: Transaction) -> Body:
            return txn.create(
                kind, ready or writes.create(kind, self._named(txn, kind, body), self.context(options.manager))
            )

        return await self._write(work, options, outcome)

    async def replace(self, target: Target, document: Document, options: Options) -> Outcome:
        """Replace an object, its status or its Scale. Raises NotFound, Conflict, BadRequest, Invalid."""
        kind = target.kind
        body, warnings = decode(target.written, document, options.validation)
        _bind_names(target, body)
        if not body["metadata"].get("resourceVersion") and target.written is kind:
            self.get(target)  # what is not there has no version to name
            raise _unversioned(target)
        outcome = Outcome(warnings=warnings)

        def work(txn: Transaction) -> Body:
            old = txn.require(kind, target.namespace, target.name)
            return txn.update(kind, old, body, options.manager, subresource=target.subresource)

        return await self._write(work, options, outcome, target)

    async def patch(
        self, target: Target, patch: Any, how: PatchType, options: Options, *, duplicates: tuple[str, ...] = ()
    ) -> Outcome:
        """Merge, JSON or strategic patch of an object, its status or its Scale; ``duplicates`` are keys that the patch
        gave twice. Raises NotFound, Conflict, BadRequest, Invalid."""
        kind = target.kind
        outcome = Outcome()

        def work(txn: Transaction) -> Body:
            old = txn.require(kind, target.namespace, target.name)
            live = old if target.written is kind else scale.view(kind, old)
            patched = _patched(target.written, live, patch, how)
            body, outcome.warnings = decode(target.written, Document(patched, duplicates), options.validation)
            _bind_names(target, body)
            return txn.update(kind, old, body, options.manager, subresource=target.subresource)

        return await self._write(work, options, outcome, target)

    async def apply(self, target: Target, document: Document, options: Options) -> Outcome:
        """Server-side apply; creates an absent object. Raises BadRequest, Conflict, Invalid, NotFound (subresource)."""
        kind = target.kind
        _check_says_what_it_is(document)
        config, warnings = decode(target.written, document, options.validation)
        _bind_names(target, config)
        is_renewal = is_node_lease(kind, target.namespace) and not options.dry_run
        if is_renewal and options.fence is None and (renewed := self.leases.renew(target.name, config)):
            return Outcome(orjson.dumps(renewed), warnings=warnings)
        outcome = Outcome(warnings=warnings)

        def work(txn: Transaction) -> Body:
            old = txn.get(kind, target.namespace, target.name)
            if old is None and target.subresource:
                raise not_found(target.kind, target.name)
            new = self._applied(target, old, dict(config), options)
            if is_node_lease(kind, target.namespace):
                new = self.leases.settle(old, config, new)
            outcome.created = old is None
            return txn.put(kind, old, new)

        await self._write(work, options, outcome, target)
        if is_renewal:
            self.leases.note(target.name, config)
        return outcome

    def _applied(self, target: Target, old: Body | None, config: Body, options: Options) -> Body:
        context = self.context(options.manager)
        if old is not None and target.written is SCALES:
            return scale.apply(target.kind, old, config, context, force=options.force)
        return writes.apply(target.kind, old, config, context, force=options.force, subresource=target.subresource)

    async def delete(self, target: Target, options: DeleteOptions, user: str = "") -> Outcome:
        """Ask for deletion. The outcome is ``gone`` where nothing held the object. Raises NotFound, Conflict."""
        kind = target.kind
        outcome = Outcome()
        extra = {"Foreground": (writes.FOREGROUND,), "Orphan": (writes.ORPHAN,), "Background": ()}

        def work(txn: Transaction) -> Body:
            old = txn.require(kind, target.namespace, target.name)
            _check_preconditions(target, old, options)
            marked = txn.delete(kind, old, finalizers=extra[options.propagation])
            outcome.gone = marked is None
            return marked or old

        meant = Options(user=user, dry_run=options.dry_run, fence=options.fence)
        return await self._write(work, meant, outcome)

    def context(self, manager: str) -> writes.Context:
        """What ``writes`` wants to know of the moment and the writer, for what is made ahead of a transaction."""
        return writes.Context(self._clock(), manager, self._new_uid)

    async def transact(self, work: Callable[[Transaction], T], actor: Actor) -> T:
        """Do several things in one commit, all or nothing; returns what ``work`` returns, once it is durable.

        ``work`` runs in the turn of its write and may not wait. Raises what it raises.
        """
        results: list[T] = []

        def decide(view: View) -> Intents:
            txn = self._begin(view)
            results[:] = [work(txn)]
            return txn.intents

        await self.store.write(decide, actor)
        return results[0]

    async def _write(
        self, work: Callable[[Transaction], Body], options: Options, outcome: Outcome, target: Target | None = None
    ) -> Outcome:
        """One object's write; the outcome gets what is stored, or would be, as it is served at the target."""

        def decide(view: View) -> Intents:
            txn = self._begin(view)
            body = work(txn)
            intents = [] if options.dry_run else txn.intents
            if not intents:
                outcome.raw = orjson.dumps(body)
            return intents

        slots = await self.store.write(fenced(decide, options.fence), Actor(options.user, options.manager))
        if slots:
            outcome.raw = slots[0].body
        if target is not None:
            outcome.raw = as_written(target, outcome.raw)
        return outcome

    def _begin(self, view: View) -> Transaction:
        return Transaction(view, self._hooks, clock=self._clock, new_uid=self._new_uid)

    def _named(self, txn: Transaction, kind: Kind, body: Body) -> Body:
        """The body under its own name, or a free one made from ``generateName``."""
        metadata = body["metadata"]
        prefix = metadata.get("generateName")
        if metadata.get("name") or not prefix:
            return body
        for _ in range(_NAME_TRIES):
            name = prefix + "".join(self._rng.choices(_SUFFIX, k=5))
            if not txn.exists(kind, metadata.get("namespace") or "", name):
                return dict(body, metadata=dict(metadata, name=name))
        raise already_exists(kind, prefix)


def as_written(target: Target, raw: bytes) -> bytes:
    """What a stored object is at the target: itself, or its Scale. Raises Invalid (no one count)."""
    return raw if target.written is target.kind else orjson.dumps(scale.view(target.kind, orjson.loads(raw)))


def _unversioned(target: Target) -> Invalid:
    cause = Cause("metadata.resourceVersion", "Invalid value: 0x0: must be specified for an update")
    return Invalid(
        f'{target.kind.qualified} "{target.name}" is invalid: {cause.field}: {cause.message}',
        details=Details(name=target.name, group=target.kind.group, kind=target.kind.name, causes=[cause]),
    )


def _patched(kind: Kind, old: Body, patch: Any, how: PatchType) -> Body:
    match how:
        case "merge":
            return merge_patch(old, patch)
        case "json":
            return json_patch(old, patch)
        case "strategic":
            return strategic_merge_patch(kind.schema, old, patch)


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


def _check_says_what_it_is(document: Document) -> None:
    """As in Kubernetes, which takes that from nowhere else in an apply. Raises BadRequest."""
    for name in ("apiVersion", "kind"):
        if not document.body.get(name):
            raise BadRequest(f"{name}: Required value: an applied configuration says what it is of")


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
