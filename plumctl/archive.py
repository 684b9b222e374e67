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

from apiserver.api.kinds.task import is_app_text
from plumctl.entries import MAX_FILES, NotAnApp, check_contents, check_entries

__all__ = ["Archive", "NotAnApp", "inspect", "pack", "read_meta"]

# What zipfile raises for bytes that are not what they should be; a seek to a wild offset is an OSError.
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError, RuntimeError)

MAX_TEXT = 128
"""Characters of an app's name, and of its version."""

SKIPPED = {".git", ".hg", ".svn", "__pycache__", ".DS_Store"}
_EPOCH = (1980, 1, 1, 0, 0, 0)
META, START = "meta.ini", "start.sh"


@dataclass(frozen=True)
class Archive:
    """A zip on disk and what its ``meta.ini`` says."""

    path: Path
    name: str
    version: str
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
            root = _root(archive, path)
            name, version = read_meta(_meta_text(archive, root + META, path), f"{path}: {META}")
    except NotAnApp:
        raise
    except _DAMAGED as error:
        raise NotAnApp(f"{path}: is not a zip that can be read: {error}") from error
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Archive(path, name, version, digest, path.stat().st_size)


def _root(archive: zipfile.ZipFile, path: Path) -> str:
    """The folder inside the archive that holds the app: its root, or its one top folder."""
    names = set(archive.namelist())
    tops = {name.partition("/")[0] for name in names}
    roots = ["", *([f"{next(iter(tops))}/"] if len(tops) == 1 else [])]
    for root in roots:
        if root + META in names and root + START in names:
            return root
    missing = " and ".join(name for name in (START, META) if all(root + name not in names for root in roots))
    raise NotAnApp(f"{path}: has no {missing or f'{START} beside {META}'} at its root (or in its one top folder)")


def _meta_text(archive: zipfile.ZipFile, name: str, path: Path) -> str:
    if archive.getinfo(name).file_size > 64 * 1024:
        raise NotAnApp(f"{path}: {META} is larger than 64 KiB")
    try:
        return archive.read(name).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotAnApp(f"{path}: {META} is not UTF-8") from None


def read_meta(text: str, where: str) -> tuple[str, str]:
    """Name and version from ``key=value`` or ``key: value`` lines. Raises NotAnApp."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped[0] in "#;[":
            continue
        at = min((i for i in (stripped.find("="), stripped.find(":")) if i > 0), default=-1)
        if at > 0:
            values.setdefault(stripped[:at].strip(), stripped[at + 1 :].strip())
    for key in ("name", "version"):
        if not values.get(key):
            raise NotAnApp(f"{where}: says no {key}; add a line {key}=…")
        if not is_app_text(values[key]):
            raise NotAnApp(f"{where}: {key} has a slash or a control character; rename it")
        if len(values[key]) > MAX_TEXT:
            raise NotAnApp(f"{where}: {key} is longer than {MAX_TEXT} characters; shorten it")
    return values["name"], values["version"]
