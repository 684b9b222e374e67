"""What a server holds, measured from outside, and whether it has stopped growing."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import psutil
from prometheus_client.parser import text_string_to_metric_families

from tests.soak.process import Server
from tests.soak.wire import ask

MB = 1_000_000
TOLERANCE = 0.1
"""The last third may be so much above the middle third."""

SMALL = 1.0
"""Differences that are no more than this, in the unit of the column, mean nothing."""


@dataclass(frozen=True)
class Sample:
    """One line of the table."""

    seconds: float
    writes: int
    database_mb: float
    free_mb: float
    wal_mb: float
    log_changes: float
    log_mb: float
    rss_mb: float
    descriptors: int
    live_mb: float
    ratio: float
    """Of the database to the live objects."""

    @staticmethod
    def head() -> str:
        """The names of the columns."""
        return " ".join(f"{field.name:>11}" for field in fields(Sample))

    def line(self) -> str:
        """As printed."""
        return " ".join(f"{value:>11.1f}" if isinstance(value, float) else f"{value:>11}" for value in astuple(self))


class Sampler:
    """Asks the server, the system, and the database by a reader of its own."""

    def __init__(self, server: Server, database: Path) -> None:
        self._server, self._database, self._process = server, database, psutil.Process(server.pid)

    async def take(self, writes: int, seconds: float) -> Sample:
        """One line."""
        status, raw = await ask(self._server.url, "/metrics")
        assert status == 200
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(raw.decode()):
            for sample in family.samples:
                found[sample.name] = found.get(sample.name, 0.0) + sample.value
        database, free = self._pages()
        live = found["plum_store_object_bytes"]
        return Sample(
            seconds=seconds,
            writes=writes,
            database_mb=database / MB,
            free_mb=free / MB,
            wal_mb=self._database.with_name(f"{self._database.name}-wal").stat().st_size / MB,
            log_changes=found["plum_store_log_changes"],
            log_mb=found["plum_store_log_bytes"] / MB,
            rss_mb=self._process.memory_info().rss / MB,
            descriptors=self._process.num_fds(),
            live_mb=live / MB,
            ratio=database / live,
        )

    def _pages(self) -> tuple[int, int]:
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as reader:
            size, total, free = (
                int(reader.execute(f"PRAGMA {name}").fetchone()[0])
                for name in ("page_size", "page_count", "freelist_count")
            )
        return size * total, size * free


JUDGED = ("database_mb", "free_mb", "wal_mb", "log_changes", "log_mb", "rss_mb", "descriptors", "live_mb")


def judgement(samples: Sequence[Sample]) -> tuple[str, bool]:
    """What has levelled off, in words, and whether everything has."""
    third = len(samples) // 3
    if not third:
        return "too short to judge", False
    middle, last = samples[third : 2 * third], samples[2 * third :]
    lines, is_level = [], True
    for name in JUDGED:
        before, after = (sum(getattr(one, name) for one in some) / len(some) for some in (middle, last))
        fits = after - before <= max(SMALL, TOLERANCE * before)
        is_level = is_level and fits
        lines.append(f"{name:>11}: {before:.1f}, then {after:.1f}: {'level' if fits else 'STILL GROWING'}")
    highest = max(sample.ratio for sample in samples)
    lines.append(f"highest ratio of database to live objects: {highest:.1f}")
    return "\n".join(lines), is_level
