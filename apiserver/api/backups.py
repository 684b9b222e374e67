"""The archive of a backup: a plain tar that says first what is in it, so that nothing in it needs to be believed.

``backup.json`` names every other member with its size and digest, in order: ``plum.db``, then artifacts as
``artifacts/sha256/<hex>``. A reader accepts exactly these members and the two blocks of zeros that end a tar, and
nothing before, between or after them. Pure: bytes come in pieces and are given on in pieces.
"""

import hashlib
import tarfile
from collections.abc import Callable, Generator
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from apiserver.api.meta import MicroTime, Model

FORMAT = 1
MANIFEST, DATABASE, ARTIFACTS = "backup.json", "plum.db", "artifacts/sha256/"
BLOCK = 512
END = bytes(2 * BLOCK)
"""What ends a tar."""

MAX_MANIFEST = 64 * 1024 * 1024
"""Bytes; enough for 300,000 artifacts. It is held in memory."""

PIECE = 256 * 1024
"""Bytes that are given on at a time."""

Count = Annotated[int, Field(ge=0)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class NotABackup(Exception):
    """The bytes are not a whole backup; the message says what is wrong."""


class Member(Model):
    """One file of the archive."""

    name: str
    size: Count
    """Bytes."""
    sha256: Digest


class Manifest(Model):
    """What ``backup.json`` says."""

    format: Literal[1]
    schema_version: Count
    version: Count
    """The resourceVersion that the database is as of."""
    cluster_id: str
    created: MicroTime
    """Just before the copy was made, by the server's clock."""
    objects: Count
    """How many objects there are."""
    members: tuple[Member, ...]

    @model_validator(mode="after")
    def _check_members(self) -> Self:
        names = [member.name for member in self.members]
        if names[:1] != [DATABASE]:
            raise ValueError(f"the first member is not {DATABASE}")
        artifacts = self.artifacts
        if any(member.name != ARTIFACTS + member.sha256 for member in artifacts):
            raise ValueError("an artifact is not named by its digest")
        if len(set(names)) != len(names):
            raise ValueError("a member is named twice")
        return self

    @property
    def artifacts(self) -> tuple[Member, ...]:
        """The members that are artifacts."""
        return self.members[1:]

    def to_json(self) -> bytes:
        """The bytes of ``backup.json``."""
        return self.model_dump_json(by_alias=True, indent=1).encode() + b"\n"


def header(name: str, size: int, seconds: float) -> bytes:
    """The one block before a member; ``seconds`` since 1970 is its time."""
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, int(seconds), 0o600
    # The format that holds any size in one block.
    return info.tobuf(tarfile.GNU_FORMAT)


def padding(size: int) -> bytes:
    """What fills a member's last block."""
    return bytes(-size % BLOCK)


def length(raw: bytes, manifest: Manifest) -> int:
    """Bytes of the whole archive; ``raw`` are those of the manifest."""
    sizes = [len(raw), *(member.size for member in manifest.members)]
    return sum(BLOCK + size + len(padding(size)) for size in sizes) + len(END)


Take = Callable[[Member, bytes], None]
"""Gets each member's pieces in order, then an empty one: the member is complete and what its digest says."""


class Reader:
    """Checks an archive while it comes in."""

    def __init__(self, take: Take = lambda member, piece: None) -> None:
        self.manifest: Manifest | None = None
        """Once it has come in."""
        self._take = take
        self._buffer = bytearray()
        self._is_whole = False
        self._steps = self._read()
        self._needed = next(self._steps)

    def feed(self, data: bytes) -> None:
        """Take in what comes next. Raises NotABackup, and what ``take`` raises."""
        self._buffer += data
        while len(self._buffer) >= self._needed:
            piece = bytes(self._buffer[: self._needed])
            del self._buffer[: self._needed]
            self._needed = self._steps.send(piece)

    def end(self) -> Manifest:
        """Nothing more comes. Raises NotABackup unless everything has."""
        if not self._is_whole or self.manifest is None:
            raise NotABackup("it is cut off before its end")
        return self.manifest

    def _read(self) -> Generator[int, bytes, None]:
        """Asks for a number of bytes and is sent them."""
        size = _regular((yield BLOCK), MANIFEST)
        if size > MAX_MANIFEST:
            raise NotABackup(f"its {MANIFEST} is larger than {MAX_MANIFEST} bytes")
        self.manifest = _parse((yield size) if size else b"")
        yield from _pad(size)
        for member in self.manifest.members:
            yield from self._member(member)
        for _ in range(len(END) // BLOCK):
            _zeros((yield BLOCK), "behind its last member")
        self._is_whole = True
        yield 1
        raise NotABackup("there is more behind its end")

    def _member(self, member: Member) -> Generator[int, bytes, None]:
        size = _regular((yield BLOCK), member.name)
        if size != member.size:
            raise NotABackup(f"{member.name} has {size} bytes, {MANIFEST} says {member.size}")
        hashed = hashlib.sha256()
        while size:
            piece = yield min(size, PIECE)
            size -= len(piece)
            hashed.update(piece)
            self._take(member, piece)
        if hashed.hexdigest() != member.sha256:
            raise NotABackup(f"{member.name} is damaged: its SHA-256 is {hashed.hexdigest()}, not {member.sha256}")
        self._take(member, b"")
        yield from _pad(member.size)


def _regular(raw: bytes, name: str) -> int:
    """The size of the regular file that the block announces, which must be the one expected."""
    if not any(raw):
        raise NotABackup(f"it ends where {name} should begin")
    try:
        info = tarfile.TarInfo.frombuf(raw, "utf-8", "strict")
    except (tarfile.TarError, ValueError):
        raise NotABackup(f"it is no tar where {name} should begin") from None
    if info.name != name or info.type != tarfile.REGTYPE or info.size < 0:
        raise NotABackup(f"it has {info.name[:100]!r} (type {info.type!r}) where the file {name} should begin")
    return info.size


def _parse(raw: bytes) -> Manifest:
    try:
        return Manifest.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        hint = "; a newer version of Plum may have made it" if where == "format" else ""
        raise NotABackup(f"its {MANIFEST} cannot be used: {where}: {first['msg']}{hint}") from None


def _pad(size: int) -> Generator[int, bytes, None]:
    if filling := len(padding(size)):
        _zeros((yield filling), "that fill a block")


def _zeros(raw: bytes, where: str) -> None:
    if any(raw):
        raise NotABackup(f"it has other bytes than zeros {where}")
