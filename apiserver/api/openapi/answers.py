"""Models of what ``plum.dev`` answers beside its kinds: the past, usage, reports, polls."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from apiserver.api.kinds.assignment import Assignment
from apiserver.api.meta import Listed, Model
from apiserver.api.openapi.generic import ListMeta, Status, WatchEvent
from apiserver.api.usage import InstanceUsage, NodeUsage

PLUM = Literal["plum.dev/v1"]


class Change(Model):
    """One path that a change changed."""

    path: str
    """For example ``spec.entries[main].startCmd``."""
    from_: Annotated[Any, Field(alias="from")] = None
    """The value before; absent where there was none. Long values are cut, as text."""
    to: Any = None
    """The value after; absent where there is none."""


class HistoryItem(Model):
    """One change of an object."""

    version: str
    """The resourceVersion that it made."""
    time: AwareDatetime
    """When, by the server's clock."""
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    """What happened to the object."""
    user: str
    """Who made it."""
    manager: str
    """The field manager by which it was made."""
    uid: str
    """The uid of the object: one of the same name may have been there before."""
    generation: int
    """The object's generation after it."""
    changes: tuple[Change, ...]
    """The paths that differ, at most 100."""
    omitted: int | None = None
    """How many paths more there are."""
    truncated: bool | None = None
    """Whether the state before is not known any more, so that nothing can be told."""


class HistoryList(Model):
    """What became of an object, newest first."""

    api_version: PLUM = "plum.dev/v1"
    """Always plum.dev/v1."""
    kind: Literal["HistoryList"] = "HistoryList"
    """Always HistoryList."""
    metadata: ListMeta
    """The page."""
    items: tuple[HistoryItem, ...]
    """The changes."""


class Revision(Model):
    """A spec that an object had, kept for rollback."""

    revision: int
    """Its number: the object's generation when it was written."""
    version: str
    """The resourceVersion of that write."""
    time: AwareDatetime
    """When it was written, by the server's clock."""
    user: str
    """Who wrote it."""
    manager: str
    """The field manager by which it was written."""
    spec: dict[str, Any]
    """The spec."""


class RevisionList(Model):
    """The kept specs of an object, newest first."""

    api_version: PLUM = "plum.dev/v1"
    """Always plum.dev/v1."""
    kind: Literal["RevisionList"] = "RevisionList"
    """Always RevisionList."""
    metadata: ListMeta
    """The version that the list shows."""
    items: tuple[Revision, ...]
    """The specs."""


class UsageOfInstance(InstanceUsage):
    """What one instance uses, and where it belongs."""

    node: str
    """The node that it runs on."""
    task: str
    """The task that it is of."""
    entry: str
    """The entry that it is of."""
    received_at: AwareDatetime
    """When the server received the figures."""
    window_seconds: float
    """The time that the rates are means of."""


class UsageOfNode(NodeUsage):
    """What is used of a node."""

    name: str
    """The name of the node."""
    received_at: AwareDatetime
    """When the server received the figures."""
    window_seconds: float
    """The time that the rates are means of."""


class NodeUsageDetails(UsageOfNode):
    """What is used of a node, and by which instances."""

    api_version: PLUM = "plum.dev/v1"
    """Always plum.dev/v1."""
    kind: Literal["NodeUsage"] = "NodeUsage"
    """Always NodeUsage."""
    instances: tuple[UsageOfInstance, ...]
    """The instances that run there."""


class UsageList(Model):
    """What nodes and instances use."""

    api_version: PLUM = "plum.dev/v1"
    """Always plum.dev/v1."""
    kind: Literal["UsageList"] = "UsageList"
    """Always UsageList."""
    metadata: ListMeta
    """The page of instances."""
    nodes: Listed[UsageOfNode] = ()
    """The nodes, all on the first page."""
    items: tuple[UsageOfInstance, ...]
    """The instances, in the order of namespace and name."""


class StatusAnswer(Model):
    """What became of one reported status: exactly one of object and error."""

    object: Assignment | None = None
    """The assignment as it is now."""
    error: Status | None = None
    """Why the status was refused."""


class NodeStatuses(Model):
    """What became of the reported statuses, in their order."""

    api_version: PLUM = "plum.dev/v1"
    """Always plum.dev/v1."""
    kind: Literal["NodeStatuses"] = "NodeStatuses"
    """Always NodeStatuses."""
    items: tuple[StatusAnswer, ...]
    """One for each status."""


class WatchEventBatch(Model):
    """What a long-poll is answered."""

    api_version: PLUM = "plum.dev/v1"
    """Always plum.dev/v1."""
    kind: Literal["WatchEventBatch"] = "WatchEventBatch"
    """Always WatchEventBatch."""
    metadata: ListMeta
    """Its ``resourceVersion`` is where the next poll goes on."""
    items: tuple[WatchEvent, ...]
    """The events; none when the time was up."""
