"""The garbage collector: deletes what nobody owns any more, over all kinds but Event."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from apiserver.api.errors import Conflict, NotFound
from apiserver.api.meta import OwnerReference, Resource
from apiserver.api.scheme import SCHEME, Kind
from apiserver.client.controller import Controller, Key, Result
from apiserver.client.informer import Informer
from apiserver.client.interface import Client, Propagation
from controllers.garbage_plan import (
    Action,
    Delete,
    Dependent,
    Disown,
    Release,
    is_held,
    needs_attention,
    plan,
    without_owner,
)
from controllers.writing import each

log = logging.getLogger(__name__)

MANAGER = "plum-garbage-collector"
BY_OWNER = "owner"
"""The index of every kind by the uids of its owners."""

BY_UID = "uid"
"""The index of every kind by uid."""

MAX_ACTIONS = 500
WAIT_SECONDS = 5.0

Informers = Mapping[str, Informer[Any]]
"""One informer a kind, by plural name, each with the indexes ``owner`` and ``uid``."""


class GarbageReconciler:
    """One key an object: its kind's plural name and its uid."""

    def __init__(self, client: Client, informers: Informers) -> None:
        """The client must write as ``MANAGER``."""
        self._client, self._informers = client, informers

    async def reconcile(self, key: Key) -> Result:
        """One step for one object. What the cache has not seen yet is found when it comes."""
        plural, uid = key
        obj = next(iter(self._informers[plural].by_index(BY_UID, uid)), None)
        if obj is None:
            return Result()
        dependents = [self._dependent(found, uid) for found in self._dependents(uid)] if is_held(obj) else []
        gone = obj.metadata.deletion_timestamp is None and await self._owners_gone(obj)
        actions = plan(obj, dependents, owners_gone=gone)
        await each(actions[:MAX_ACTIONS], self._write)
        return Result(requeue_after=0.0 if len(actions) > MAX_ACTIONS else None)

    def _dependents(self, uid: str) -> Iterator[Resource]:
        for informer in self._informers.values():
            yield from informer.by_index(BY_OWNER, uid)

    def _dependent(self, obj: Resource, owner: str) -> Dependent:
        has_dependents = next(self._dependents(obj.metadata.uid or ""), None) is not None
        others = without_owner(obj.metadata.owner_references, owner)
        return Dependent(obj, has_dependents, any(map(self._stays, others)))

    def _stays(self, reference: OwnerReference) -> bool:
        found = self._cached(reference)
        return found is not None and found.metadata.deletion_timestamp is None

    def _cached(self, reference: OwnerReference) -> Resource | None:
        kind = _kind(reference)
        informer = self._informers.get(kind.plural) if kind else None
        return next(iter(informer.by_index(BY_UID, reference.uid)), None) if informer else None

    async def _owners_gone(self, obj: Resource) -> bool:
        references = obj.metadata.owner_references
        if not references or any(self._cached(reference) is not None for reference in references):
            return False
        for reference in references:
            if not await self._is_absent(obj, reference):
                return False
        return True

    async def _is_absent(self, obj: Resource, reference: OwnerReference) -> bool:
        """Ask the server. An owner that cannot be told, of a kind unknown here or in no namespace, counts as
        there: what is kept can still be deleted, what is deleted is gone."""
        kind = _kind(reference)
        namespace = obj.metadata.namespace or ""
        if kind is None or (kind.namespaced and not namespace):
            return False
        try:
            found = await self._client.get(kind.model, reference.name, namespace=namespace if kind.namespaced else "")
        except NotFound:
            return True
        return found.metadata.uid != reference.uid

    async def _write(self, action: Action) -> int:
        """Nothing here needs a fresh cache afterwards: repeated, it is refused or changes nothing."""
        namespace, name = action.obj.key
        kind = type(action.obj)
        try:
            if isinstance(action, Delete):
                propagation: Propagation = "Foreground" if action.foreground else "Background"
                uid = action.obj.metadata.uid or ""
                await self._client.delete(kind, name, namespace=namespace, propagation=propagation, uid=uid)
            else:
                await self._client.patch(kind, name, _patch(action), namespace=namespace)
        except NotFound:
            log.debug("%s %s is gone already", kind.__name__, name)
        except Conflict:
            if not isinstance(action, Delete):
                raise
            log.debug("%s %s is another object now", kind.__name__, name)
        return 0


def _patch(action: Disown | Release) -> list[dict[str, Any]]:
    meta = action.obj.metadata
    match action:
        case Disown(_, owner):
            kept = without_owner(meta.owner_references, owner)
            return _replace("/metadata/ownerReferences", _bodies(meta.owner_references), _bodies(kept))
        case Release(_, finalizer):
            present = list(meta.finalizers)
            return _replace("/metadata/finalizers", present, [name for name in present if name != finalizer])


def _replace(path: str, present: Sequence[Any], kept: Sequence[Any]) -> list[dict[str, Any]]:
    """A JSON patch that is refused (Invalid) if the list is no longer what it was."""
    change = {"op": "replace", "path": path, "value": kept} if kept else {"op": "remove", "path": path}
    return [{"op": "test", "path": path, "value": present}, change]


def _bodies(references: Sequence[OwnerReference]) -> list[dict[str, Any]]:
    return [reference.model_dump(mode="json", by_alias=True, exclude_none=True) for reference in references]


def _kind(reference: OwnerReference) -> Kind | None:
    return SCHEME.of_body({"apiVersion": reference.api_version, "kind": reference.kind})


def uid_of(obj: Resource) -> list[str]:
    """The indexer of objects by uid."""
    return [obj.metadata.uid or ""]


def watch(controller: Controller, informers: Informers) -> None:
    """Have an object collected when it, an owner of it, or something that holds it changes."""
    triggers = _Triggers(controller, informers)
    for plural, informer in informers.items():
        informer.add_handler(partial(triggers.on_change, plural))


class _Triggers:
    """Which objects a change concerns."""

    def __init__(self, controller: Controller, informers: Informers) -> None:
        self._controller, self._informers = controller, informers

    def on_change(self, plural: str, old: Resource | None, new: Resource | None) -> None:
        """A handler of informers."""
        if old is not None and new is not None and _marks(old) == _marks(new):
            return
        if new is not None and needs_attention(new):
            self._controller.enqueue((plural, new.metadata.uid or ""))
        if new is None and old is not None:
            self._enqueue_dependents(old.metadata.uid or "")
        for obj in filter(None, (old, new)):
            for reference in obj.metadata.owner_references:
                self._enqueue_held(reference)

    def _enqueue_dependents(self, uid: str) -> None:
        for plural, informer in self._informers.items():
            for dependent in informer.by_index(BY_OWNER, uid):
                self._controller.enqueue((plural, dependent.metadata.uid or ""))

    def _enqueue_held(self, reference: OwnerReference) -> None:
        """An owner under deletion may have waited for just this."""
        kind = _kind(reference)
        informer = self._informers.get(kind.plural) if kind else None
        if kind and informer and any(map(is_held, informer.by_index(BY_UID, reference.uid))):
            self._controller.enqueue((kind.plural, reference.uid))


def _marks(obj: Resource) -> tuple[object, ...]:
    """What the collector looks at."""
    return obj.metadata.owner_references, obj.metadata.deletion_timestamp, obj.metadata.finalizers
