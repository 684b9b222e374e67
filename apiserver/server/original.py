"""What the environment says in the names of the original Plum. Pure.

Most of its names are aliases of options (see ``__main__``); here are those that are more than that.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

DATABASE = "CONTROLLER_DB"
"""The original's database file."""

FAILOVER = (
    "FAILOVER_ENABLED",
    "FAILOVER_INTERVAL_SEC",
    "FAILBACK_ENABLED",
    "FAILBACK_STABLE_SEC",
    "FAILBACK_MAX_RATE",
)


def data_dir(environ: Mapping[str, str]) -> Path | None:
    """The folder of the original's database, which serves as data directory where no other is given."""
    return Path(environ[DATABASE]).parent if environ.get(DATABASE) else None


def notes(environ: Mapping[str, str]) -> Iterator[str]:
    """What the log should say of names that do not mean what they meant, a line each."""
    if environ.get(DATABASE):
        yield f"{DATABASE}={environ[DATABASE]}: the original's database is not read; see docs/migration.md"
    if names := [name for name in FAILOVER if environ.get(name)]:
        yield f"{', '.join(names)}: set, but this version neither fails over nor back; nothing is moved between nodes"
