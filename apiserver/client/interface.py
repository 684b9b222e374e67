"""What a client can do. Programs are written against this protocol; ``rest`` and ``testing`` fulfil it."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol

from apiserver.api.meta import Body, ResourceT

EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
Propagation = Literal["Background", "Foreground", "Orphan"]


@dataclass(frozen=True)
class Page(Generic[ResourceT]):
    """A part of a list, consistent at ``resource_version``; ``continue_token`` is empty on the last.

    ``skipped`` are the keys of objects that exist but that this program's version of the kind cannot read.
    """

    items: tuple[ResourceT, ...]
    resource_version: str
    continue_token: str = ""
    skipped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class WatchEvent(Generic[ResourceT]):
    """One change. A BOOKMARK has no object, only the version that the watch has reached."""

    type: EventType
    resource_version: str
    object: ResourceT | None = None


class Client(Protocol):
    """Typed verbs over one server. Every failure is an ``apiserver.api.errors.ApiError``; a server that
    cannot be reached is ``ServiceUnavailable``. All writes carry the client's field manager."""

    async def get(self, kind: type[ResourceT], name: str, *, namespace: str = "") -> ResourceT:
        """Read one object. Raises NotFound."""
        ...

    async def list(
        self,
        kind: type[ResourceT],
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        limit: int = 0,
        continue_token: str = "",
    ) -> Page[ResourceT]:
        """Read a page; an empty namespace means all, a limit of 0 means no limit. Raises Expired for an
        outlived continue token."""
        ...

    def watch(
        self,
        kind: type[ResourceT],
        *,
        resource_version: str,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        timeout: float = 300.0,
    ) -> AsyncGenerator[WatchEvent[ResourceT], None]:
        """Changes after ``resource_version``, in order, each once; with bookmarks. Ends by itself after
        ``timeout`` seconds. Raises Expired when the version is older than the kept history, or when only a
        new list can tell what has changed. Close it (``contextlib.aclosing``) when leaving early."""
        ...

    async def create(self, obj: ResourceT) -> ResourceT:
        """Store a new object. Raises AlreadyExists, Invalid."""
        ...

    async def apply(
        self,
        kind: type[ResourceT],
        name: str,
        config: Body,
        *,
        namespace: str = "",
        subresource: str = "",
        force: bool = True,
    ) -> ResourceT:
        """Server-side apply: own the fields of ``config``, create the object if it is absent.
        ``apiVersion``, ``kind`` and the name are filled in. Raises Conflict unless forced."""
        ...

    async def patch(
        self,
        kind: type[ResourceT],
        name: str,
        patch: Body | Sequence[dict[str, Any]],
        *,
        namespace: str = "",
        subresource: str = "",
    ) -> ResourceT:
        """Merge patch (a mapping) or JSON patch (a sequence). Raises NotFound, Conflict, Invalid."""
        ...

    async def delete(
        self,
        kind: type[ResourceT],
        name: str,
        *,
        namespace: str = "",
        propagation: Propagation = "Background",
        uid: str = "",
        version: str = "",
    ) -> None:
        """Ask for deletion; with ``uid`` only of that very object, with ``version`` only in the state of that
        resourceVersion. Raises NotFound, Conflict."""
        ...
