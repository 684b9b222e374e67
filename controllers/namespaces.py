"""The namespace controller: empties namespaces under deletion, then lets them go.

It keeps nothing in mind: each step lists what is left, so that it may be killed at any moment. What is left can only
become less, for the server lets nothing new into a namespace under deletion, and no namespace go that is not empty.
"""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from apiserver.api.errors import Conflict, NotFound
from apiserver.api.kinds.namespace import CONTENT, Namespace
from apiserver.api.meta import Condition, Resource
from apiserver.api.scheme import SCHEME, Kind
from apiserver.client.controller import Controller, Key, Result
from apiserver.client.informer import Informer
from apiserver.client.interface import Client
from controllers.namespace_plan import CONDITIONS, Remains, conditions, remains_of, stages, to_delete
from controllers.writing import each

log = logging.getLogger(__name__)

MANAGER = "plum-namespace-controller"
PAGE_SIZE = 500
MAX_DELETIONS = 500
"""Deletions of one step; the next one follows at once."""

SOON_SECONDS = 0.2
"""The wait for a next look when something has just gone, or was asked to: many go together."""

BUSY_SECONDS = 2.0
"""The same while there is more than a page of it: each look lists all of that."""

WAIT_SECONDS = 5.0
"""The wait for a next look where others have to let go first; most of what they do is seen before."""

Informers = Mapping[str, Informer[Any]]


class NamespaceReconciler:
    """One key a namespace: an empty text and its name."""

    def __init__(
        self,
        client: Client,
        namespaces: Informer[Namespace],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """The client must write as ``MANAGER``."""
        self._client, self._namespaces, self._now = client, namespaces, now
        self._stages = stages([*SCHEME])
        self._crowded: set[Key] = set()
        """Where the last look found more than a page."""

    def pause(self, key: Key) -> float:
        """Seconds from something's end to the next look."""
        return BUSY_SECONDS if key in self._crowded else SOON_SECONDS

    async def reconcile(self, key: Key) -> Result:
        """One step: ask for the deletion of what has to go next, or let the namespace go."""
        namespace = self._namespaces.get(*key)
        self._crowded.discard(key)
        if namespace is None or not is_emptied(namespace):
            return Result()
        for kinds in self._stages:
            remains = [one async for one in self._content(kinds, namespace.metadata.name)]
            if len(remains) > PAGE_SIZE:
                self._crowded.add(key)
            if remains:
                return await self._empty(namespace, remains)
        await self._release(namespace)
        return Result()

    async def _content(self, kinds: Sequence[Kind], namespace: str) -> AsyncIterator[Remains]:
        """What is left of some kinds: all that is leaving, and of the rest not more than one step deletes."""
        fresh = 0
        for kind in kinds:
            token = ""
            while fresh < MAX_DELETIONS:
                page = await self._client.list(kind.model, namespace=namespace, limit=PAGE_SIZE, continue_token=token)
                for obj in page.items:
                    found = remains_of(kind, obj)
                    fresh += not found.is_leaving
                    yield found
                token = page.continue_token
                if not token:
                    break

    async def _empty(self, namespace: Namespace, remains: Sequence[Remains]) -> Result:
        failures: list[str] = []
        fresh = to_delete(remains)

        async def delete(one: Remains) -> int:
            try:
                await self._client.delete(one.kind.model, one.name, namespace=namespace.metadata.name, uid=one.uid)
            except NotFound:
                pass
            except Conflict as error:
                failures.append(f"{one.kind.singular}/{one.name}: {error.message}")
            return 0

        await each(fresh, delete)
        if len(fresh) > len(failures):
            return Result(requeue_after=SOON_SECONDS)
        await self._tell(namespace, conditions(remains, failures, namespace.status.conditions, now=self._now()))
        return Result(requeue_after=WAIT_SECONDS)

    async def _tell(self, namespace: Namespace, wanted: Sequence[Condition]) -> None:
        told = [condition for condition in namespace.status.conditions if condition.type in CONDITIONS]
        if sorted(told, key=lambda one: one.type) == sorted(wanted, key=lambda one: one.type):
            return
        listed = [condition.model_dump(mode="json", by_alias=True, exclude_none=True) for condition in wanted]
        body = {"metadata": {"uid": namespace.metadata.uid}, "status": {"conditions": listed}}
        try:
            await self._client.apply(Namespace, namespace.metadata.name, body, subresource="status")
        except (NotFound, Conflict):
            log.debug("namespace %s is gone; its status is not written", namespace.metadata.name)

    async def _release(self, namespace: Namespace) -> None:
        """Let it go. Where it is not empty after all, the server refuses and the next step looks again."""
        present = list(namespace.spec.finalizers)
        kept = [name for name in present if name != CONTENT]
        patch: list[dict[str, Any]] = [
            {"op": "test", "path": "/metadata/uid", "value": namespace.metadata.uid},
            {"op": "test", "path": "/spec/finalizers", "value": present},
            {"op": "replace", "path": "/spec/finalizers", "value": kept},
        ]
        try:
            await self._client.patch(Namespace, namespace.metadata.name, patch)
        except NotFound:
            log.debug("namespace %s is gone already", namespace.metadata.name)


def is_emptied(namespace: Namespace) -> bool:
    """Whether the namespace is under deletion and waits for its content to go."""
    return namespace.metadata.deletion_timestamp is not None and CONTENT in namespace.spec.finalizers


def watch(
    controller: Controller,
    reconciler: NamespaceReconciler,
    namespaces: Informer[Namespace],
    informers: Informers,
) -> None:
    """Have a namespace under deletion looked at when it changes, and when something in it goes."""

    def on_namespace(old: Namespace | None, new: Namespace | None) -> None:
        if new is not None and is_emptied(new):
            controller.enqueue(new.key)

    def on_content(old: Resource | None, new: Resource | None) -> None:
        if new is not None or old is None:
            return
        room = namespaces.get("", old.metadata.namespace or "")
        if room is not None and is_emptied(room):
            controller.enqueue_after(room.key, reconciler.pause(room.key))

    namespaces.add_handler(on_namespace)
    for informer in informers.values():
        if informer is not namespaces:
            informer.add_handler(on_content)
