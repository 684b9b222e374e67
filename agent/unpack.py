"""An archive into a folder, however hostile it is: nothing is written outside, nothing without bound.

The whole list of names is judged before the first byte is written. Files come first, each created anew;
links come last, so that nothing is ever written through one, and a folder in which any link leads outside
is thrown away. It appears under its name only when it is complete.
"""

import os
import shutil
import stat
import struct
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

START_SCRIPT = "start.sh"
CHUNK = 1 << 16
FEW_FILES = 50
"""Up to so many files are synced to disk one by one; more, with everything else in the machine's buffers."""

_ENCRYPTED = 0x1 | 0x20 | 0x40 | 0x2000
"""Bits of a member's flags: encrypted, patch data, strong encryption, masked headers."""


class Refused(ValueError):
    """The archive is damaged or not one we unpack; the text names the entry and the rule."""


class Abandoned(Exception):
    """Nobody wants the folder any more."""


@dataclass(frozen=True)
class Limits:
    """How much an archive may become."""

    entries: int = 20_000
    inflated_bytes: int = 2 << 30
    """Counted as they come out, whatever the archive says."""
    ratio: int = 200
    """Inflated to archived bytes, once there are ``ratio_from`` of them."""
    ratio_from: int = 10 << 20
    name_bytes: int = 1024
    part_bytes: int = 255
    depth: int = 64


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class _Member:
    """An entry that has been judged; ``path`` is relative to the app's root."""

    info: zipfile.ZipInfo
    path: str
    kind: int
    """The file type of its mode: S_IFREG, S_IFDIR or S_IFLNK."""

    @property
    def mode(self) -> int:
        """Permissions: the owner may always read and write, others never write, nothing is setuid."""
        given = (self.info.external_attr >> 16) & 0o755
        extra = 0o700 if self.kind == stat.S_IFDIR else 0o600
        if self.path == START_SCRIPT:
            extra = 0o755
        return (given or (0o755 if self.kind == stat.S_IFDIR else 0o644)) | extra


def unpack(
    archive: Path,
    target: Path,
    *,
    limits: Limits = DEFAULT_LIMITS,
    abandoned: threading.Event | None = None,
    ensure: Callable[[int], None] = lambda size: None,
) -> None:
    """Unpack into ``target``, which must not exist; a single top folder is taken off.

    ``ensure`` is called before the first byte is written with how many the archive says it becomes, and may raise.
    Blocks. Raises Refused, Abandoned soon after the event is set, or OSError; ``target`` then does not exist.
    """
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=f"{target.name}.tmp-"))
    try:
        scratch.chmod(0o755)
        with _reading(archive, limits) as opened:
            members = _judged(opened.infolist(), limits)
            ensure(min(limits.inflated_bytes, sum(member.info.file_size for member in members)))
            _Writer(opened, scratch, limits, archive.stat().st_size, abandoned or threading.Event()).write(members)
        _sync(scratch, members)
        scratch.rename(target)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


@contextmanager
def _reading(archive: Path, limits: Limits) -> Iterator[zipfile.ZipFile]:
    try:
        _check_directory_size(archive, limits)
        with zipfile.ZipFile(archive) as opened:
            yield opened
    except (zipfile.BadZipFile, zlib.error, EOFError, UnicodeError, struct.error, NotImplementedError) as error:
        raise Refused(f"not a zip archive that can be read: {error}") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise Refused(f"two entries claim the same path: {os.path.basename(str(error.filename))!r}") from error


def _check_directory_size(archive: Path, limits: Limits) -> None:
    """The list of entries is read into memory as a whole: refuse a huge one before that."""
    with archive.open("rb") as file:
        file.seek(max(0, archive.stat().st_size - (1 << 16) - 22 - 76))
        tail = file.read()
    longest = limits.entries * (46 + limits.name_bytes + 256)
    for signature, at, form in ((b"PK\5\6", 12, "<L"), (b"PK\6\6", 40, "<Q")):
        where = tail.rfind(signature)
        if where < 0 or where + at + struct.calcsize(form) > len(tail):
            continue
        size = struct.unpack_from(form, tail, where + at)[0]
        if size > longest and size != 0xFFFFFFFF:
            raise Refused(f"its list of entries is {size} bytes long; at most {limits.entries} entries are unpacked")


def _judged(infos: Sequence[zipfile.ZipInfo], limits: Limits) -> list[_Member]:
    if len(infos) > limits.entries:
        raise Refused(f"it has {len(infos)} entries; at most {limits.entries} are unpacked")
    parts = [_parts(info, limits) for info in infos]
    root = _common_root(infos, parts)
    members = []
    for info, path in zip(infos, parts, strict=True):
        if inner := path[root:]:
            members.append(_Member(info, "/".join(inner), _kind(info)))
    _refuse_behind_links(members)
    return members


def _parts(info: zipfile.ZipInfo, limits: Limits) -> list[str]:
    """The components of an entry's name. Raises Refused if it could lead anywhere but down."""
    name = info.orig_filename
    if "\0" in name or "\\" in name or name.startswith("/") or not name:
        raise Refused(f"the entry {name[:200]!r} is absolute, empty, or holds a backslash or NUL")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise Refused(f"the entry {name[:200]!r} leaves the archive's folder")
    encoded = [os.fsencode(part) for part in parts]
    if len(parts) > limits.depth or any(len(part) > limits.part_bytes for part in encoded):
        raise Refused(f"the entry {name[:200]!r} is nested or named too long")
    if sum(map(len, encoded)) + len(parts) > limits.name_bytes:
        raise Refused(f"the entry {name[:200]!r}… is longer than {limits.name_bytes} bytes")
    return parts


def _common_root(infos: Sequence[zipfile.ZipInfo], parts: Sequence[list[str]]) -> int:
    """1 if everything lies in one top folder, which is then the app's root, else 0."""
    tops = {path[0] for path in parts if path}
    has_file_at_top = any(len(path) == 1 and not info.is_dir() for info, path in zip(infos, parts, strict=True))
    return 1 if len(tops) == 1 and not has_file_at_top else 0


def _refuse_behind_links(members: Sequence[_Member]) -> None:
    """No entry may have a link above it: its folders would be made wherever that link leads."""
    links = {member.path for member in members if member.kind == stat.S_IFLNK}
    for member in members:
        if any(str(above) in links for above in PurePosixPath(member.path).parents):
            raise Refused(f"the entry {member.path[:200]!r} lies behind a link")


def _kind(info: zipfile.ZipInfo) -> int:
    """What the entry is. Raises Refused for what is neither file, folder nor link, or cannot be read."""
    if info.flag_bits & _ENCRYPTED:
        raise Refused(f"the entry {info.filename[:200]!r} is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused(f"the entry {info.filename[:200]!r} is compressed by method {info.compress_type}; use deflate")
    kind = stat.S_IFMT(info.external_attr >> 16) or (stat.S_IFDIR if info.is_dir() else stat.S_IFREG)
    if kind not in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        raise Refused(f"the entry {info.filename[:200]!r} is a device, pipe or socket")
    return kind


class _Writer:
    """Writes judged members into a scratch folder, counting what really comes out."""

    def __init__(
        self, opened: zipfile.ZipFile, root: Path, limits: Limits, archived: int, abandoned: threading.Event
    ) -> None:
        self._opened, self._root, self._limits = opened, root, limits
        self._archived, self._abandoned = archived, abandoned
        self._inflated = 0

    def write(self, members: Sequence[_Member]) -> None:
        """Files, then links, then the modes of folders, so that a read-only folder can be filled."""
        for member in members:
            if member.kind == stat.S_IFREG:
                self._write_file(member)
            elif member.kind == stat.S_IFDIR:
                (self._root / member.path).mkdir(mode=0o755, parents=True, exist_ok=True)
        links = [member for member in members if member.kind == stat.S_IFLNK]
        for member in links:
            self._write_link(member)
        for member in links:
            self._check_link(member)
        for member in members:
            if member.kind == stat.S_IFDIR:
                (self._root / member.path).chmod(member.mode)

    def _write_file(self, member: _Member) -> None:
        path = self._root / member.path
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "wb") as file, self._opened.open(member.info) as source:
            while chunk := self._read(source):
                file.write(chunk)
            os.fchmod(fd, member.mode)

    def _read(self, source: IO[bytes]) -> bytes:
        if self._abandoned.is_set():
            raise Abandoned
        chunk = source.read(CHUNK)
        self._inflated += len(chunk)
        if self._inflated > self._limits.inflated_bytes:
            raise Refused(f"it unpacks to more than {self._limits.inflated_bytes} bytes")
        if self._inflated > max(self._limits.ratio_from, self._limits.ratio * self._archived):
            raise Refused(f"it unpacks to more than {self._limits.ratio} times its size")
        return chunk

    def _write_link(self, member: _Member) -> None:
        with self._opened.open(member.info) as source:
            target = source.read(self._limits.name_bytes + 1)
        if not target or b"\0" in target or target.startswith(b"/") or len(target) > self._limits.name_bytes:
            raise Refused(f"the link {member.path!r} is absolute, empty or too long")
        path = self._root / member.path
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        os.symlink(target, os.fsencode(path))

    def _check_link(self, member: _Member) -> None:
        path = self._root / member.path
        if not self._is_inside(path):
            raise Refused(f"the link {member.path!r} leads out of the app's folder")
        try:
            path.stat()
        except FileNotFoundError:
            return  # the app may yet make it
        except OSError as error:
            raise Refused(f"the link {member.path!r} leads nowhere: {error.strerror}") from error

    def _is_inside(self, path: Path) -> bool:
        root = os.path.realpath(self._root)
        found = os.path.realpath(path)
        return found == root or found.startswith(root + os.sep)


def _sync(root: Path, members: Sequence[_Member]) -> None:
    """The rename must not outlive the contents when the machine loses power."""
    files = [member for member in members if member.kind == stat.S_IFREG]
    if len(files) > FEW_FILES:
        os.sync()
        return
    for member in files:
        fd = os.open(root / member.path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
