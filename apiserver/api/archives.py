"""What an app's zip may hold. Agents judge again and are the ones to be trusted; judging before the upload, and at it,
tells the user before anything is stored. Opening archives is for others."""

import posixpath
import stat
import zipfile
from collections.abc import Sequence

from apiserver.api.package import MAX_META, META, Meta, NotAnApp, find_root, meta_text, read_meta

MAX_FILES = 20_000
MAX_INFLATED = 2 << 30
MAX_RATIO, RATIO_FROM = 200, 10 << 20
"""Inflated to archived bytes, once there are so many inflated ones."""

MAX_NAME_BYTES, MAX_DEPTH = 1024, 64
_ENCRYPTED = 0x1 | 0x40 | 0x2000
# Others inflate a few bytes to any size before anybody can stop them.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def check_entries(archive: zipfile.ZipFile, size: int, where: str) -> None:
    """Refuse names that lead elsewhere, links out, special files, encryption and bombs. Raises NotAnApp.

    ``size`` is the archive's own, in bytes.
    """
    infos = archive.infolist()
    if len(infos) > MAX_FILES:
        raise NotAnApp(f"{where}: has {len(infos)} files, at most {MAX_FILES} can be pushed")
    _check_size(infos, size, where)
    seen: set[str] = set()
    files = {info.orig_filename.strip("/") for info in infos if not info.is_dir()}
    for info in infos:
        if _is_below(info.orig_filename, files):
            raise NotAnApp(f"{where}: the entry {info.orig_filename[:100]!a} lies below a file; pack the app again")
        if problem := _problem(info, seen) or _link_problem(archive, info):
            raise NotAnApp(f"{where}: the entry {info.orig_filename[:100]!a} {problem}; pack the app again without it")


def app_meta(archive: zipfile.ZipFile) -> Meta:
    """What the archive's ``meta.ini`` says, whatever else is in it; no more of it than is allowed is inflated. Raises
    NotAnApp, and what ``zipfile`` raises for what is damaged."""
    names = archive.namelist()
    name = find_root(names) + META
    if names.count(name) > 1:
        raise NotAnApp(f"{META} is there twice; pack the app again")
    info = archive.getinfo(name)
    if info.compress_type not in _METHODS:
        raise NotAnApp(f"{META} is compressed by another method than deflate; pack the app again")
    with archive.open(info) as file:
        return read_meta(meta_text(file.read(MAX_META + 1)))


def check_contents(archive: zipfile.ZipFile, where: str) -> None:
    """Read every entry once: what is damaged is told now rather than by an agent. Raises NotAnApp."""
    if damaged := archive.testzip():
        raise NotAnApp(f"{where}: the entry {damaged[:100]!a} is damaged; pack the app again")


def _is_below(name: str, files: set[str]) -> bool:
    parts = name.strip("/").split("/")
    return any("/".join(parts[:length]) in files for length in range(1, len(parts)))


def _check_size(infos: Sequence[zipfile.ZipInfo], size: int, where: str) -> None:
    inflated = sum(info.file_size for info in infos)
    if inflated > MAX_INFLATED:
        raise NotAnApp(f"{where}: unpacks to {inflated} bytes, at most {MAX_INFLATED} are allowed")
    if inflated > max(RATIO_FROM, MAX_RATIO * size):
        raise NotAnApp(f"{where}: unpacks to more than {MAX_RATIO} times its size, which no agent accepts")


def _problem(info: zipfile.ZipInfo, seen: set[str]) -> str:
    name = info.orig_filename
    parts = [part for part in name.split("/") if part not in ("", ".")]
    path = "/".join(parts)
    if not name or name.startswith("/") or "\\" in name or "\0" in name or ".." in parts:
        return "leads out of the app's folder"
    raw = [part.encode(errors="surrogatepass") for part in parts]
    if sum(map(len, raw)) + len(raw) > MAX_NAME_BYTES or len(raw) > MAX_DEPTH or max(map(len, raw), default=0) > 255:
        return "has too long a name"
    if path in seen and not info.is_dir():
        return "is there twice"
    seen.add(path)
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in _METHODS:
        return "is compressed by another method than deflate"
    return "" if _file_type(info) in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK) else "is no file, folder or link"


def _link_problem(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    if _file_type(info) != stat.S_IFLNK:
        return ""
    if info.file_size > MAX_NAME_BYTES:
        return "is a link with too long a target"
    target = archive.read(info).decode(errors="surrogateescape")
    led = posixpath.normpath(posixpath.join(posixpath.dirname(info.filename), target))
    return "is a link out of the app's folder" if led.startswith(("/", "../")) or led == ".." else ""


def _file_type(info: zipfile.ZipInfo) -> int:
    return stat.S_IFMT(info.external_attr >> 16)
