"""What has to go because its owners have gone, and what holds an owner until its dependents have. Pure.

Ownership goes by uid. Background: dependents go after their owners. Foreground: an owner under deletion stays
until no dependent is left that blocks it. Orphan: an owner's dependents forget it, then it goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from apiserver.api.meta import OwnerReference, Resource

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


@dataclass(frozen=True)
class Delete:
    """Ask for the deletion of that very object; ``foreground``: after its own dependents."""

    obj: Resource
    foreground: bool = False


@dataclass(frozen=True)
class Disown:
    """Take the references to an owner out of the object."""

    obj: Resource
    owner: str


@dataclass(frozen=True)
class Release:
    """Take a finalizer of the collector's away."""

    obj: Resource
    finalizer: str


Action = Delete | Disown | Release


@dataclass(frozen=True)
class Dependent:
    """An object that names the collected one as an owner."""

    obj: Resource
    has_dependents: bool = False
    has_other_owner: bool = False
    """Whether another of its owners exists and stays."""


def plan(obj: Resource, dependents: Sequence[Dependent], *, owners_gone: bool) -> list[Action]:
    """The next writes that one object calls for.

    ``dependents`` are those that the cache knows; ``owners_gone`` says that it has owners and that none of
    them exists, as the server itself confirmed.
    """
    if obj.metadata.deletion_timestamp is None:
        return [Delete(obj)] if owners_gone else []
    uid = obj.metadata.uid or ""
    if ORPHAN in obj.metadata.finalizers:
        return [Disown(dependent.obj, uid) for dependent in dependents] or [Release(obj, ORPHAN)]
    if FOREGROUND in obj.metadata.finalizers:
        return _foreground(obj, uid, dependents)
    return []


def _foreground(obj: Resource, uid: str, dependents: Sequence[Dependent]) -> list[Action]:
    actions: list[Action] = []
    for dependent in dependents:
        if dependent.obj.metadata.deletion_timestamp is not None:
            continue
        if dependent.has_other_owner:
            actions.append(Disown(dependent.obj, uid))
        else:
            actions.append(Delete(dependent.obj, foreground=dependent.has_dependents))
    blocked = any(blocks(dependent.obj, uid) for dependent in dependents)
    return actions if actions or blocked else [Release(obj, FOREGROUND)]


def blocks(obj: Resource, owner: str) -> bool:
    """Whether a foreground deletion of the owner waits for the object."""
    return any(ref.uid == owner and ref.block_owner_deletion for ref in obj.metadata.owner_references)


def needs_attention(obj: Resource) -> bool:
    """Whether the collector may have something to do with the object at all."""
    return bool(obj.metadata.owner_references) or is_held(obj)


def is_held(obj: Resource) -> bool:
    """Whether the object is under deletion and waits for the collector."""
    held = FOREGROUND in obj.metadata.finalizers or ORPHAN in obj.metadata.finalizers
    return obj.metadata.deletion_timestamp is not None and held


def owner_uids(obj: Resource) -> list[str]:
    """The uids of an object's owners: the indexer of dependents by owner."""
    return [reference.uid for reference in obj.metadata.owner_references]


def without_owner(references: Sequence[OwnerReference], owner: str) -> list[OwnerReference]:
    """The references to all other owners."""
    return [reference for reference in references if reference.uid != owner]
