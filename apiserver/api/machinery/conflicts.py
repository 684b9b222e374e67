"""What an apply is told that would take values from other managers, in Kubernetes' words."""

from collections.abc import Sequence

import orjson

from apiserver.api.errors import Cause, Conflict, Details
from apiserver.api.machinery.fieldsets import Path, dotted
from apiserver.api.machinery.managers import NOTHING, Entries, Owner
from apiserver.api.scheme import Kind

Contested = tuple[Path, Owner]
"""A leaf, and one who owns it with another value."""

MAX_TOLD = 1000
"""Conflicts that one answer lists; it counts all."""

_LONGEST = 500
"""Characters of a path that are told: keys are as long as their client likes."""


def conflict(kind: Kind, name: str, contested: Sequence[Contested], entries: Entries) -> Conflict:
    """The refusal, with a cause a field and owner."""
    told = sorted(contested, key=lambda one: (one[1].manager, one[1], one[0]))[:MAX_TOLD]
    causes = [
        Cause(_field(path), f"conflict with {_called(owner, entries)}", "FieldManagerConflict") for path, owner in told
    ]
    details = Details(name=name, group=kind.group, kind=kind.plural, causes=causes)
    if len(contested) == 1:
        return Conflict(f"Apply failed with 1 conflict: {causes[0].message}: {causes[0].field}", details=details)
    lines: dict[str, list[str]] = {}
    for path, owner in told:
        lines.setdefault(f"conflicts with {_called(owner, entries)}:", []).append(f"- {_field(path)}")
    text = "\n".join(line for who, fields in lines.items() for line in (who, *fields))
    more = f"\nand {len(contested) - MAX_TOLD} more" if len(contested) > MAX_TOLD else ""
    return Conflict(f"Apply failed with {len(contested)} conflicts: {text}{more}", details=details)


def _field(path: Path) -> str:
    text = dotted(path)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _called(owner: Owner, entries: Entries) -> str:
    """An owner by name; for one who applied nothing, also the version and the time of the last write."""
    name = orjson.dumps(owner.manager).decode()
    through = f' with subresource "{owner.subresource}"' if owner.subresource else ""
    if owner.operation == "Apply":
        return f"{name}{through}"
    time = entries.get(owner, NOTHING).time
    return f"{name}{through} using {owner.api_version}{f' at {time}' if time else ''}"
