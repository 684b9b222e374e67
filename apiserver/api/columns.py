"""Column values that several kinds show."""

from datetime import datetime

from apiserver.api.meta import Body, parse_time
from apiserver.api.scheme import Column, at, dig


def human_duration(seconds: float) -> str:
    """A duration as kubectl prints it: ``42s``, ``5m30s``, ``3h12m``, ``2d``, ``400d``."""
    total = max(0, int(seconds))
    minutes, hours, days = total // 60, total // 3600, total // 86400
    if total < 120:
        return f"{total}s"
    if minutes < 10:
        return f"{minutes}m{total % 60}s" if total % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8 and hours % 24:
        return f"{days}d{hours % 24}h"
    return f"{days}d"


def since(path: str, body: Body, now: datetime) -> str | None:
    """How long ago the time at a dotted path was, or None where there is none."""
    moment = dig(body, path)
    if not isinstance(moment, str):
        return None
    return human_duration((now - parse_time(moment)).total_seconds())


def condition_status(kind: str, body: Body) -> str:
    """The status of a condition; empty where there is none."""
    conditions = dig(body, "status.conditions") or ()
    return next((str(c.get("status", "")) for c in conditions if c.get("type") == kind), "")


NAME = Column("Name", at("metadata.name"), description="Unique within kind and namespace.")
AGE = Column(
    "Age",
    lambda body, now: since("metadata.creationTimestamp", body, now) or "<unknown>",
    description="Time since the object was created.",
)
