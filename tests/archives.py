"""Archives of backups for tests: honest ones out of a store, and any that somebody might make up."""

import hashlib
import io
import sqlite3
import tarfile
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from apiserver.server.store.sqlite import SQLiteEngine
from tests.stores import NOW, body, put, running

APPS = "apps.plum.dev"


def sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def member(name: str, raw: bytes) -> dict[str, Any]:
    return {"name": name, "size": len(raw), "sha256": sha256(raw)}


def artifact(raw: bytes) -> tuple[str, bytes]:
    """Its name in the archive, and itself."""
    return f"artifacts/sha256/{sha256(raw)}", raw


def manifest(files: Sequence[tuple[str, bytes]], **other: Any) -> bytes:
    """A backup.json about these files."""
    found = {"format": 1, "schemaVersion": 2, "version": 7, "clusterId": "c", "objects": 0}
    found |= {"created": "2026-01-02T03:04:05Z", "members": [member(*file) for file in files]} | other
    return orjson.dumps(found)


Entry = tuple[str, bytes] | tarfile.TarInfo


def tar(entries: Sequence[Entry]) -> bytes:
    """A tar of files and of whatever else, one after the other, in that order."""
    made = io.BytesIO()
    for entry in entries:
        info, raw = (entry, b"") if isinstance(entry, tarfile.TarInfo) else (tarfile.TarInfo(entry[0]), entry[1])
        info.size = info.size or len(raw)
        made.write(info.tobuf(tarfile.GNU_FORMAT) + raw + bytes(-len(raw) % 512))
    return made.getvalue() + bytes(1024)


def backup(files: Sequence[tuple[str, bytes]], **other: Any) -> bytes:
    """An archive of these files, with a backup.json about them."""
    return tar([("backup.json", manifest(files, **other)), *files])


def facts(database: Path, created: datetime = NOW) -> dict[str, Any]:
    """What backup.json says of a database."""
    with closing(sqlite3.connect(database)) as opened:
        meta = dict(opened.execute("SELECT key, value FROM meta"))
        (objects,) = opened.execute("SELECT count(*) FROM objects").fetchone()
    found = {"schemaVersion": int(meta["schema_version"]), "version": int(meta["version"])}
    return found | {"clusterId": meta["cluster_id"], "objects": objects, "created": created.isoformat()}


def of_database(database: Path, *artifacts: bytes, created: datetime = NOW) -> bytes:
    """The backup of a database file."""
    files = [("plum.db", database.read_bytes()), *map(artifact, artifacts)]
    return backup(files, **facts(database, created))


async def write_store(directory: Path, *names: str) -> int:
    """A store with these objects, each created and changed once; its version."""
    async with running(SQLiteEngine(directory)) as store:
        for name in names:
            await store.write(put(body(name)))
            await store.write(put(body(name, note="changed")))
        return store.version


def add_app(database: Path, name: str, artifact: bytes) -> None:
    """Put an App of this artifact into the database."""
    metadata = {"name": name, "namespace": "default", "uid": name, "resourceVersion": "1"}
    raw = orjson.dumps({"kind": "App", "metadata": metadata, "spec": {"sha256": sha256(artifact)}})
    row = (APPS, "default", name, name, 1, raw)
    with closing(sqlite3.connect(database)) as opened, opened:
        opened.execute("INSERT INTO objects (kind, namespace, name, uid, version, body) VALUES (?, ?, ?, ?, ?, ?)", row)
