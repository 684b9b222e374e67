"""Changes in a few words: who made them, and what they changed. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import orjson

from apiserver.api.machinery.differences import MAX_VALUE as CUT
from apiserver.api.machinery.fieldsets import ABSENT
from apiserver.api.meta import Body

MAX_PATHS = 3
"""Paths that a summary names."""

MAX_VALUE = 40
"""Characters of a value in a summary."""

ANONYMOUS = "system:anonymous"
_DELETION = "metadata.deletionTimestamp"
_NOISE = ("observedGeneration", "Time", "At")
"""How the last words of status paths end that say little."""


@dataclass(frozen=True)
class Row:
    """One line about one change, or about several in a row that only reported status."""

    version: str
    time: str
    who: str
    what: str


def rows(items: Sequence[Body]) -> list[Row]:
    """The lines about the items of a HistoryList, newest first."""
    made: list[Row] = []
    for _, run in groupby(_numbered(items), key=lambda pair: pair[0]):
        changes = [item for _, item in run]
        newest = changes[0]
        what = _what(newest) if len(changes) == 1 else f"status, {len(changes)} times: {_status(_merged(changes))}"
        made.append(Row(str(newest["version"]), str(newest["time"]), who(newest), what))
    return made


def _numbered(items: Sequence[Body]) -> Iterator[tuple[object, Body]]:
    """Each item with what it has in common with its neighbours if one line is to be about them all."""
    for index, item in enumerate(items):
        only_status = item["type"] == "MODIFIED" and bool(item["changes"]) and all(map(_is_status, item["changes"]))
        yield ((item["uid"], who(item)) if only_status else index), item


def who(item: Body) -> str:
    """The user and the field manager; a user who has no name is left out."""
    user = "" if item["user"] == ANONYMOUS else item["user"]
    return "/".join(name for name in (user, item["manager"]) if name) or ("anonymous" if item["user"] else "-")


def _what(item: Body) -> str:
    if item["type"] != "MODIFIED":
        return "created" if item["type"] == "ADDED" else "deleted"
    if item.get("truncated"):
        return "changed; what it was before is not known any more"
    changes = item["changes"]
    asked = ["deletion asked for"] if any(change["path"] == _DELETION for change in changes) else []
    rest = [change for change in changes if not _is_status(change) and change["path"] != _DELETION]
    status = [change for change in changes if _is_status(change)]
    named = [summary(rest, omitted=item.get("omitted", 0))] if rest else []
    reported = [f"status: {_status(status)}"] if status else []
    return "; ".join([*asked, *named, *reported]) or "the owners of fields"


def summary(changes: Sequence[Body], *, omitted: int = 0) -> str:
    """The first changes, and how many more there are; ``omitted`` are not among them."""
    more = len(changes) - MAX_PATHS + omitted
    return ", ".join([*map(one_change, changes[:MAX_PATHS]), *([f"{more} more"] if more > 0 else [])])


def one_change(change: Body) -> str:
    """``spec.entries[main].startCmd: "a" -> "b"``."""
    before, after = change.get("from", ABSENT), change.get("to", ABSENT)
    for value, other, done in ((before, after, "removed"), (after, before, "added")):
        if other is ABSENT and _is_whole(value):
            return f"{change['path']} {done}"
    return f"{change['path']}: {_value(before)} -> {_value(after)}"


def _is_whole(value: Any) -> bool:
    """Whether it is an object or a list, or the beginning of one that was too long to be told."""
    return isinstance(value, dict | list) or (isinstance(value, str) and len(value) > CUT and value[0] in "{[")


def _value(value: Any) -> str:
    text = "none" if value is ABSENT else orjson.dumps(value).decode()
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"


def _is_status(change: Body) -> bool:
    return str(change["path"]).partition(".")[0] == "status"


def _status(changes: Sequence[Body]) -> str:
    """Changes of status without the beginning that they share, the telling ones first."""
    inner = [dict(change, path=str(change["path"]).removeprefix("status.")) for change in changes]
    return summary(sorted(inner, key=lambda change: str(change["path"]).endswith(_NOISE)))


def _merged(items: Sequence[Body]) -> list[Body]:
    """What several changes, newest first, came to."""
    ends: dict[str, Body] = {}
    for item in reversed(items):
        for change in item["changes"]:
            path = str(change["path"])
            if any("from" not in one and path.startswith((f"{above}.", f"{above}[")) for above, one in ends.items()):
                continue  # within something that came meanwhile
            first = ends.get(path, change)
            parts = ((change, "path"), (first, "from"), (change, "to"))
            ends[path] = {key: one[key] for one, key in parts if key in one}
    return [one for one in ends.values() if one.get("from", ABSENT) != one.get("to", ABSENT)]
