"""Reading and setting conditions. A transition time moves only when the status flips."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from apiserver.api.meta import Condition


def find(conditions: Sequence[Condition], kind: str) -> Condition | None:
    """The condition of that type, if it is there."""
    return next((c for c in conditions if c.type == kind), None)


def is_true(conditions: Sequence[Condition], kind: str) -> bool:
    """Whether the condition is there and True."""
    found = find(conditions, kind)
    return found is not None and found.status == "True"


def renew(
    conditions: Sequence[Condition],
    kind: str,
    status: Literal["True", "False", "Unknown"],
    *,
    reason: str,
    message: str = "",
    now: datetime,
    observed_generation: int | None = None,
) -> Condition:
    """The condition as it should be now, with the old transition time if the status stands."""
    old = find(conditions, kind)
    stands = old is not None and old.status == status and old.last_transition_time is not None
    since = old.last_transition_time if old is not None and stands else now.replace(microsecond=0)
    return Condition(
        type=kind,
        status=status,
        reason=reason,
        message=message,
        last_transition_time=since,
        observed_generation=observed_generation,
    )
