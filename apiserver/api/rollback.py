"""Back to an earlier revision of a spec: which one, and what becomes of it. Pure.

A revision is what ``Kind.rolled_out`` sees of a spec: how many copies there are, and whether they run at all, makes
none and is not taken back either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apiserver.api.kinds.task import COUNTS
from apiserver.api.meta import Body
from apiserver.api.scheme import Kind


@dataclass(frozen=True, slots=True)
class Revision:
    """A kept spec and its number."""

    number: int
    spec: Body


class NoRollback(Exception):
    """There is nothing to go back to; the message says why."""


def choose(kind: Kind, present: Body, revisions: Sequence[Revision], number: int = 0) -> Revision:
    """The revision to go back to: that of the number, or the newest one that is rolled out otherwise than the
    present object. Raises NoRollback."""
    if number:
        found = next((one for one in revisions if one.number == number), None)
        if found is None:
            raise NoRollback(f"unable to find specified revision {number} in history")
        return found
    others = [one for one in revisions if not is_rolled_out(kind, present, one)]
    if not others:
        raise NoRollback(f'no rollout history found for {kind.singular} "{present["metadata"]["name"]}"')
    return max(others, key=lambda one: one.number)


def is_rolled_out(kind: Kind, present: Body, revision: Revision) -> bool:
    """Whether the present object already matches the revision."""
    assert kind.rolled_out is not None, f"{kind.plural} have no revisions"
    return bool(kind.rolled_out(present) == kind.rolled_out({"spec": revision.spec}))


def rolled_back(present: Body, revision: Revision) -> Body:
    """The spec of the revision for the present object.

    ``state`` stays as it is, and so do the counts of entries that are there today; entries that are gone come back
    with the counts of the revision. The arguments stay as they are.
    """
    today = {entry["name"]: entry for entry in present["spec"]["entries"]}
    entries = [_with_counts(entry, today.get(entry["name"])) for entry in revision.spec["entries"]]
    kept = {"state": present["spec"]["state"]} if "state" in present["spec"] else {}
    spec = {key: value for key, value in revision.spec.items() if key != "state"}
    return kept | spec | {"entries": entries}


def template(spec: Body) -> Body:
    """What of a spec a rollback takes back, for people to compare."""
    entries = [_without_counts(entry) for entry in spec["entries"]]
    return {key: value for key, value in spec.items() if key != "state"} | {"entries": entries}


def _with_counts(entry: Mapping[str, Any], today: Mapping[str, Any] | None) -> Body:
    if today is None:
        return dict(entry)
    return _without_counts(entry) | {key: today[key] for key in COUNTS if key in today}


def _without_counts(entry: Mapping[str, Any]) -> Body:
    return {key: value for key, value in entry.items() if key not in COUNTS}
