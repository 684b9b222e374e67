"""The garbage collector: deletes what nobody owns any more, over all kinds but Event."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from apiserver.api.errors import Conflict, NotFound
from apiserver.api.meta import OwnerReference, Resource
from apiserver.api.scheme import SCHEME, Kind
from apiserver.client.controller import Controller, Key, Result
from apiserver.client.informer import Informer
from apiserver.client.interface import Client
from controllers.garbage_plan import (
    Action,
    Delete,
    Dependent,
    Disown,
    Release,
    is_held,
    needs_attention,
    owner_uids,
    plan,
    without_owner,
)
from controllers.writing import each, version_of

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
            match action:
                case Delete(obj, foreground):
                    propagation = "Foreground" if foreground else "Background"
                    uid = obj.metadata.uid or ""
                    await self._client.delete(kind, name, namespace=namespace, propagation=propagation, uid=uid)
                    return 0
                case Disown(obj, owner):
                    references = [_body(r) for r in obj.metadata.owner_references]
                    kept = [_body(r) for r in without_owner(obj.metadata.owner_references, owner)]
                    patch = _replace("/metadata/ownerReferences", references, kept)
                case Release(obj, finalizer):
                    finalizers = list(obj.metadata.finalizers)
                    patch = _replace("/metadata/finalizers", finalizers, [f for f in finalizers if f != finalizer])
            return version_of(await self._client.patch(kind, name, patch, namespace=namespace))
        except NotFound:
            return 0
