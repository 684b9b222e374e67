"""Reports of a node's agent: the statuses of its instances, many in one request."""

from typing import Annotated, Any

from pydantic import Field

from apiserver.api.meta import Model

MAX_STATUSES = 500
"""Statuses of one report."""

Text = Annotated[str, Field(min_length=1, max_length=253)]


class StatusOf(Model):
    """What the agent says of one instance."""

    namespace: Text
    """The assignment's."""
    name: Text
    """The assignment's."""
    uid: Text
    """The assignment's."""
    status: dict[str, Any]
    """The agent's part of the assignment's status: applied by force, as ``PATCH …/status`` would."""


class StatusReport(Model):
    """Statuses of one node's instances, each on its own: what is refused of one holds up no other."""

    items: Annotated[tuple[StatusOf, ...], Field(max_length=MAX_STATUSES)]
    """The statuses."""
