"""A folder to a zip that is the same every time, so that pushing it again is no new upload."""

import hashlib
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from apiserver.api.archives import MAX_FILES, app_meta, check_contents, check_entries
from apiserver.api.package import Meta, NotAnApp

# What zipfile raises for bytes that are not what they should be; a seek to a wild offset is an OSError.
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError, RuntimeError)

SKIPPED = {".git", ".hg", ".svn", "__pycache__", ".DS_Store"}
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Archive:
    """A zip on disk and what its ``meta.ini`` says."""

    path: Path
    meta: Meta
    sha256: str
    size: int


def pack(folder: Path, target: Path) -> None:
    """Zip the folder: sorted names, fixed times, executable bits kept. Raises NotAnApp."""
    files = sorted(_files(folder), key=lambda path: path.relative_to(folder).as_posix())
    if len(files) > MAX_FILES:
        raise NotAnApp(f"{folder}: has {len(files)} files, at most {MAX_FILES} can be pushed")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            mode = 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644
            info.external_attr = (stat.S_IFREG | mode) << 16
            with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as sink:
                while chunk := source.read(1 << 20):
                    sink.write(chunk)


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in [*folders, *names]:
            path = Path(root) / name
            if not _is_unicode(name):
                raise NotAnApp(f"{str(path)!a}: the name is not UTF-8; rename it")
            if path.is_symlink():
                raise NotAnApp(f"{path}: is a symbolic link; replace it with the file itself")
        for name in names:
            path = Path(root) / name
            if name in SKIPPED:
                continue
            if not path.is_file():
                raise NotAnApp(f"{path}: is neither a file nor a folder; remove it")
            yield path


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def inspect(path: Path) -> Archive:
    """Judge an archive, read its ``meta.ini`` and digest. Raises NotAnApp."""
    try:
        with zipfile.ZipFile(path) as archive:
            check_entries(archive, path.stat().st_size, str(path))
            check_contents(archive, str(path))
            meta = _read_meta(archive, path)
    except NotAnApp:
        raise
    except _DAMAGED as error:
        raise NotAnApp(f"{path}: is not a zip that can be read: {error}") from error
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Archive(path, meta, digest, path.stat().st_size)


def _read_meta(archive: zipfile.ZipFile, path: Path) -> Meta:
    try:
        return app_meta(archive)
    except NotAnApp as error:
        raise NotAnApp(f"{path}: {error}") from None
