"""How many copies of an entry run where, as ``/v1`` says it and as a task does. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from apiserver.api.meta import Body


def shown(entry: Body, placed: Iterable[str]) -> dict[str, int]:
    """Copies by node. Where the scheduler places them, ``placed`` tells where they are now."""
    given: Mapping[str, int] = entry.get("nodeReplicas") or {}
    return dict(given) if given else dict(sorted(Counter(placed).items()))


def without_one(entry: Body, home: str) -> Body:
    """The entry with one copy less at a home, the empty one for the scheduler's; a home stays even with none, for
    an entry without homes would be the scheduler's."""
    if home:
        counts = dict(entry.get("nodeReplicas") or {})
        if home in counts:
            counts[home] = max(0, counts[home] - 1)
        return dict(entry, nodeReplicas=counts) if counts else entry
    changed: dict[str, Any] = dict(entry, replicas=max(0, int(entry.get("replicas", 1)) - 1))
    return entry if entry.get("nodeReplicas") else changed
