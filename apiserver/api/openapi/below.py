"""What there is below objects that is not made of the object itself: what it takes, and what it answers with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from apiserver.api.openapi import answers, parameters
from apiserver.api.reports import StatusReport
from apiserver.api.usage import UsageReport

METHODS = {"get": "get", "create": "post", "update": "put", "patch": "patch", "delete": "delete"}
WORDS = {"get": "read", "create": "create", "update": "replace", "patch": "patch", "delete": "delete"}


@dataclass(frozen=True)
class Below:
    """A subresource as discovery tells of it."""

    name: str
    verbs: Sequence[str]
    answer: Mapping[str, str]
    """Group, version and kind of what it answers with."""


@dataclass(frozen=True)
class Described:
    """A subresource that is not a part of the object, verb by verb."""

    text: str
    """The words before ``one <kind>``."""
    parameters: Mapping[str, Sequence[dict[str, Any]]] = field(default_factory=dict)
    requests: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    answers: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    is_text: bool = False
    """Whether it answers with plain text."""


DESCRIBED: Mapping[tuple[str, str], Described] = {
    ("", "history"): Described(
        "Who changed what, newest first, of", {"get": parameters.HISTORY}, answers={"get": answers.HistoryList}
    ),
    ("", "revisions"): Described("The kept specs of", answers={"get": answers.RevisionList}),
    ("", "log"): Described("What was written by the process of", {"get": parameters.LOG}, is_text=True),
    ("nodes", "usage"): Described(
        "What is used of",
        requests={"update": UsageReport},
        answers={"get": answers.NodeUsageDetails},
    ),
    ("nodes", "statuses"): Described(
        "Statuses of the instances of",
        {"create": parameters.WRITE},
        requests={"create": StatusReport},
        answers={"create": answers.NodeStatuses},
    ),
}
"""By plural and name; without a plural for all kinds that have it."""
