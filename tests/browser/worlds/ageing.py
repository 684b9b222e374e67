"""Gives objects a past: the server stamps what it creates with the present, and a fleet of one age looks like none.

Works on the database of a server that does not run.
"""

import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from apiserver.api.meta import format_micro_time, format_time

DATABASE = "plum.db"

DAYS = {
    "nodes.plum.dev": (30, 400),
    "apps.plum.dev": (2, 200),
    "tasks.plum.dev": (1, 160),
    "services.plum.dev": (1, 90),
}
"""How old objects of a kind are at least and at most."""

LATEST, EARLIEST = timedelta(minutes=5), timedelta(hours=20)
"""How long ago changes were that the log shall still hold: it forgets what is older than a day."""


def age(directory: Path, *, seed: int = 7, now: datetime | None = None) -> None:
    """Move what a data folder holds into the past, each object by a time of its own."""
    now, rng = now or datetime.now(UTC), random.Random(seed)
    with closing(sqlite3.connect(directory / DATABASE)) as opened, opened:
        owners: dict[str, datetime] = {}
        rows = opened.execute("SELECT id, kind, name, body FROM objects ORDER BY kind DESC, id").fetchall()
        for identity, kind, name, body in rows:  # tasks before assignments, which are younger
            found = orjson.loads(body)
            born = _born(rng, kind, found, now, owners)
            if born is None:
                continue
            if kind == "tasks.plum.dev":
                owners[name] = born
            found["metadata"]["creationTimestamp"] = format_time(born)
            for entry in found["metadata"].get("managedFields", ()):
                entry["time"] = format_time(born)
            opened.execute("UPDATE objects SET body = ? WHERE id = ?", (orjson.dumps(found), identity))
        _revisions(opened, rng, owners, now)


def _born(
    rng: random.Random, kind: str, body: dict[str, object], now: datetime, owners: dict[str, datetime]
) -> datetime | None:
    if kind == "assignments.plum.dev":
        spec, status = body["spec"], body.get("status", {})
        assert isinstance(spec, dict)
        assert isinstance(status, dict)
        begun = status.get("startedAt") or status.get("reportedAt")
        latest = datetime.fromisoformat(begun) if begun else now
        return max(owners.get(spec["taskName"], latest), latest - timedelta(days=rng.uniform(0, 2)))
    if kind not in DAYS:
        return None
    return now - timedelta(days=rng.uniform(*DAYS[kind]))


def _revisions(opened: sqlite3.Connection, rng: random.Random, owners: dict[str, datetime], now: datetime) -> None:
    """The first spec of a task is as old as the task; the changes since lie in the day that the log holds."""
    found = opened.execute("SELECT id, name, number, version FROM revisions ORDER BY name, number").fetchall()
    last: dict[str, datetime] = {}
    for identity, name, number, version in found:
        first = number == 1
        moment = owners.get(name, now) if first else now - timedelta(seconds=rng.uniform(*_window()))
        moment = max(moment, last.get(name, moment))
        last[name] = moment
        time = format_micro_time(moment)
        opened.execute("UPDATE revisions SET time = ? WHERE id = ?", (time, identity))
        if not first:
            opened.execute("UPDATE events SET time = ? WHERE id >> 20 = ?", (time, version))


def _window() -> tuple[float, float]:
    return LATEST.total_seconds(), EARLIEST.total_seconds()
