"""``python -m apiserver.server.restore``: a data directory out of a backup. What ``plumctl restore`` runs.

Everything is unpacked beside the data and judged there; only then is it moved into place, by renaming. A mark in
the directory keeps servers out while not all files have been moved.
"""

import os
import sqlite3
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click
import orjson
from sqlalchemy.exc import SQLAlchemyError

from apiserver.api.backups import ARTIFACTS, DATABASE, PIECE, Manifest, Member, NotABackup, Reader
from apiserver.api.meta import format_micro_time, format_time
from apiserver.server.backup import SCRATCH, clear, read_facts
from apiserver.server.blobs import is_digest, sync_folder
from apiserver.server.store.directory import StoreUnusable, lock_directory
from apiserver.server.store.engine import Key
from apiserver.server.store.sqlite import COMPACTED_TIME, SQLiteEngine
from apiserver.server.store.tables import SCHEMA_VERSION

UNFINISHED = "restore.unfinished"
"""The mark; it holds the number of the place that the old database is being moved to."""

VERSIONS, VERSIONS_PER_SECOND = 1_000_000, 10_000
"""How far versions go on behind a backup: this many, and so many for each second of its age, which is several times
what a server can write. So nothing that the lost server has told anybody has a version that is given again."""

MOST_SECONDS = 366 * 86_400
"""An age over this is taken for a wrong clock: versions are to last."""

LAST_VERSION = 7 << 40
"""Seven eighths of what the log's row ids can hold."""

_SUFFIXES = ("-wal", "-shm", "")
_APPS = "apps.plum.dev"


class CannotRestore(Exception):
    """Nothing has been restored, and what was there is as it was; the message says why."""


@dataclass(frozen=True)
class Restored:
    """What has become of it."""

    manifest: Manifest
    version: int
    """Where versions go on."""
    missing: Sequence[str]
    """Apps whose artifact is not there, by namespace and name."""


def check_finished(directory: Path) -> None:
    """Raises StoreUnusable where a restore was interrupted between its first and its last move."""
    if (directory / UNFINISHED).exists():
        raise StoreUnusable(f"{directory}: a restore was interrupted; run plumctl restore again, with --replace")


def restore(file: BinaryIO, directory: Path, *, replace: bool, now: datetime) -> Restored:
    """Make ``directory`` what the backup says, durably. A database that is there is kept beside it with ``replace``.

    Whatever becomes of us, the old data or the new are there whole, or servers are kept out until this is done
    again. Raises CannotRestore, NotABackup, StoreUnusable while a server uses the directory, OSError.
    """
    lock = lock_directory(directory)
    sync_folder(directory.parent)
    try:
        there = [path.name for path in _files(directory / DATABASE) if path.exists()]
        if there and not replace:
            raise CannotRestore(
                f"{directory} has a database ({', '.join(there)}); --replace moves it aside, "
                "or choose another directory"
            )
        with _scratch(directory) as scratch:
            manifest = _unpack(file, scratch, directory)
            apps = _judge(scratch / DATABASE, manifest)
            _move_aside_what_an_earlier_one_left(directory)
            version = _next_version(manifest, directory, now)
            _go_on(scratch / DATABASE, version, now)
            _move(scratch, directory, manifest)
        missing = [name for name, digest in apps if not _has(directory, digest)]
        return Restored(manifest, version, missing)
    finally:
        os.close(lock)


def _has(directory: Path, digest: str) -> bool:
    return is_digest(digest) and (directory / ARTIFACTS / digest).is_file()


@contextmanager
def _scratch(directory: Path) -> Iterator[Path]:
    scratch = directory / SCRATCH
    clear(scratch)
    scratch.mkdir(mode=0o700)
    try:
        yield scratch
    finally:
        with suppress(OSError):  # the next start clears it too, and what has been done is done
            clear(scratch)


class _Unpacker:
    """Writes members into the scratch folder, but artifacts that are in the directory already."""

    def __init__(self, scratch: Path, directory: Path) -> None:
        self._scratch, self._directory = scratch, directory
        self._file: BinaryIO | None = None

    def take(self, member: Member, piece: bytes) -> None:
        """See Reader. Raises OSError."""
        if member.name != DATABASE and (self._directory / member.name).is_file():
            return
        if self._file is None:
            path = self._scratch / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb")
        self._file.write(piece)
        if not piece:
            self._file.flush()
            os.fsync(self._file.fileno())
            self.close()

    def close(self) -> None:
        """Let go of a member that is not complete."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _unpack(file: BinaryIO, scratch: Path, directory: Path) -> Manifest:
    with closing(_Unpacker(scratch, directory)) as unpacker:
        reader = Reader(unpacker.take)
        while data := file.read(PIECE):
            reader.feed(data)
        return reader.end()


def _judge(database: Path, manifest: Manifest) -> list[tuple[str, str]]:
    """Whether a server can start with it; the apps in it, and their digests. Raises CannotRestore."""
    try:
        facts = read_facts(database)
        said = (manifest.schema_version, manifest.version, manifest.cluster_id, manifest.objects)
        if (facts.schema_version, facts.version, facts.cluster_id, facts.objects) != said:
            raise CannotRestore("backup.json is not about the database beside it")
        if facts.schema_version > SCHEMA_VERSION:
            raise CannotRestore(
                f"the backup has schema version {facts.schema_version}, this is Plum with {SCHEMA_VERSION}: "
                "restore it with the Plum that made it, or a newer one"
            )
        with closing(sqlite3.connect(database)) as opened:
            if trouble := [row[0] for row in opened.execute("PRAGMA quick_check(1)") if row[0] != "ok"]:
                raise CannotRestore(f"the database in the backup is damaged: {trouble[0]}")
        with closing(SQLiteEngine(database.parent)) as engine:  # migrates the copy, as a server would
            return list(_apps(engine))
    except (sqlite3.Error, SQLAlchemyError, StoreUnusable, KeyError, ValueError, TypeError) as error:
        raise CannotRestore(f"the database in the backup cannot be used: {error}") from error


def _apps(engine: SQLiteEngine) -> Iterator[tuple[str, str]]:
    """Reads everything, as a server does at its start and later. Raises KeyError, ValueError, TypeError,
    StoreUnusable, SQLAlchemyError."""
    loaded = engine.load()
    for stored in loaded.objects:
        body = orjson.loads(stored.body)
        int(body["metadata"]["resourceVersion"])
        if stored.key.kind == _APPS:
            yield f"{stored.key.namespace}/{stored.key.name}", str(body["spec"]["sha256"])
    next(iter(loaded.newest), None)
    engine.revisions(Key("", "", ""))


def _next_version(manifest: Manifest, directory: Path, now: datetime) -> int:
    """Higher than any version that anybody can have seen. Raises CannotRestore."""
    here = [path for path in directory.glob(f"{DATABASE}*") if not path.name.endswith(_SUFFIXES[:2])]
    known = max(manifest.version, *(_version(path) for path in here), 0)
    age = (now - manifest.created).total_seconds()
    version = known + VERSIONS + VERSIONS_PER_SECOND * int(min(max(age, 0), MOST_SECONDS))
    if version > LAST_VERSION:
        raise CannotRestore(f"versions cannot go on behind {known}: that is no version a server has ever reached")
    return version


def _version(path: Path) -> int:
    """Of a database that is here; 0 where it cannot be read."""
    try:
        return read_facts(path).version
    except (sqlite3.Error, KeyError, ValueError):
        return 0


def _go_on(database: Path, version: int, now: datetime) -> None:
    """Let versions go on there, and everybody list again: without a log no watch of before can be resumed."""
    facts: dict[str, object] = {"version": version, "compacted": version, "cluster_id": uuid.uuid4()}
    facts[COMPACTED_TIME] = format_micro_time(now)
    with closing(sqlite3.connect(database, isolation_level=None)) as opened:
        opened.execute("PRAGMA journal_mode=DELETE")  # so that all of it is in this one file
        opened.execute("PRAGMA synchronous=FULL")
        opened.execute("BEGIN IMMEDIATE")
        opened.execute("DELETE FROM events")
        for key, value in facts.items():
            opened.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, str(value)))
        opened.execute("COMMIT")


def _move(scratch: Path, directory: Path, manifest: Manifest) -> None:
    """Artifacts first, which hurt nobody; then the database, all or marked as unfinished."""
    (directory / ARTIFACTS).mkdir(parents=True, exist_ok=True)
    for member in manifest.artifacts:
        if (scratch / member.name).exists():
            os.rename(scratch / member.name, directory / member.name)
    for folder in (directory / ARTIFACTS, (directory / ARTIFACTS).parent):
        sync_folder(folder)
    number = 1
    while any(path.exists() for path in _files(_aside(directory, number))):
        number += 1
    _mark(directory, number)
    _move_aside(directory, number)
    os.rename(scratch / DATABASE, directory / DATABASE)
    sync_folder(directory)
    (directory / UNFINISHED).unlink()
    with suppress(OSError):  # should the mark come back with a power cut, the restore is asked for again
        sync_folder(directory)


def _files(database: Path) -> Iterator[Path]:
    """A database and what belongs to it."""
    return (database.with_name(database.name + suffix) for suffix in _SUFFIXES)


def _aside(directory: Path, number: int) -> Path:
    return directory / f"{DATABASE}.before-restore-{number}"


def _move_aside(directory: Path, number: int) -> None:
    for source, target in zip(_files(directory / DATABASE), _files(_aside(directory, number)), strict=True):
        if source.exists() and not target.exists():
            os.rename(source, target)


def _move_aside_what_an_earlier_one_left(directory: Path) -> None:
    """A database and its write-ahead log belong together: what an interrupted restore has begun to move goes where
    the rest of it is."""
    mark = directory / UNFINISHED
    if mark.exists() and (number := mark.read_text()).isdecimal():
        _move_aside(directory, int(number))


def _mark(directory: Path, number: int) -> None:
    with (directory / UNFINISHED).open("w") as mark:
        mark.write(str(number))
        mark.flush()
        os.fsync(mark.fileno())
    sync_folder(directory)


def _told(done: Restored) -> Iterator[str]:
    manifest = done.manifest
    what = f"{manifest.objects} objects, {len(manifest.artifacts)} artifacts"
    yield f"restored version {manifest.version} as of {format_time(manifest.created)}: {what}"
    yield f"versions go on behind {done.version}; everybody who watches lists again"
    if done.missing:
        yield f"artifacts missing: {len(done.missing)}; push these apps again: {', '.join(map(_plain, done.missing))}"


def _plain(text: str) -> str:
    """A name out of an archive, which may hold what a terminal obeys."""
    return "".join(char if char.isprintable() else "?" for char in text)[:300]


@click.command(context_settings={"show_default": True})
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--data-dir", type=click.Path(path_type=Path), required=True, help="The folder of plum-apiserver.")
@click.option("--replace", is_flag=True, help="Move a database that is there aside.")
def main(*, file: Path, data_dir: Path, replace: bool) -> None:
    """Restore a backup into the folder of a server that does not run."""
    directory = data_dir.absolute()
    try:
        with file.open("rb") as opened:
            done = restore(opened, directory, replace=replace, now=datetime.now(UTC))
    except (CannotRestore, NotABackup, StoreUnusable, OSError) as error:
        why = f"{file} is not a whole backup: {error}" if isinstance(error, NotABackup) else str(error)
        half = (directory / UNFINISHED).exists()
        state = "some files have been moved: run it again, with --replace" if half else "nothing has been restored"
        click.echo(f"error: {_plain(why)}; {state}", err=True)
        sys.exit(1)
    for line in _told(done):
        click.echo(line)


if __name__ == "__main__":
    main()
