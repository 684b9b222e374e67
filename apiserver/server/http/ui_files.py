"""The files of the web UI as its build left them. Which there are is found out by looking, never made from what a
request says; what has been asked for is kept in memory, compressed once."""

import asyncio
import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

BUILT = Path(__file__).parent.parent / "ui"
INDEX, ASSETS = "/index.html", "/assets/"
"""The page that everything begins with, and where files are that have the digest of their content in their name."""

MAX_KEPT_BYTES = 16 << 20
"""The whole UI is a tenth of that."""

_TEXTS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_COMPRESSED = {".woff2": "font/woff2", ".png": "image/png", ".ico": "image/x-icon"}
_TYPES = _TEXTS | _COMPRESSED
Stamp = tuple[int, ...]


@dataclass(frozen=True)
class Body:
    """What a file holds, in its shorter form."""

    raw: bytes
    is_gzip: bool
    tag: str
    """Weak: it is of the content, whether that is sent compressed or not."""


class BuiltFiles:
    """The files by their addresses. A new build is seen without a restart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp: Stamp = ()
        self._files: dict[str, Path] = {}
        self._bodies: dict[str, Body] = {}

    def has(self, address: str) -> bool:
        """Whether a file is there, ``/assets/index-x.js``. Looks at two times of change, no more."""
        self._look()
        return address in self._files

    async def body(self, address: str) -> Body | None:
        """What the file holds; None if there is none."""
        self._look()
        path = self._files.get(address)
        if path is None:
            return None
        found = self._bodies.get(address)
        if found is None:
            stamp = self._stamp
            try:
                found = await asyncio.to_thread(_read, path)
            except OSError:  # a build is about to replace it
                return None
            if stamp == self._stamp and self._kept + len(found.raw) <= MAX_KEPT_BYTES:
                self._bodies[address] = found
        return found

    @property
    def _kept(self) -> int:
        return sum(len(body.raw) for body in self._bodies.values())

    def _look(self) -> None:
        stamp = self._time(INDEX) + self._time(ASSETS)
        if stamp == self._stamp:
            return
        self._stamp, self._bodies = stamp, {}
        self._files = {
            f"/{path.relative_to(self._folder).as_posix()}": path
            for path in self._folder.rglob("*")
            if path.suffix in _TYPES and path.is_file()
        }

    def _time(self, address: str) -> Stamp:
        try:
            return (self._folder.joinpath(address.strip("/")).stat().st_mtime_ns,)
        except OSError:
            return (0,)


def media_type(address: str) -> str:
    """Of a file that there is."""
    return _TYPES[Path(address).suffix]


def _read(path: Path) -> Body:
    plain = path.read_bytes()
    tag = f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"'
    if path.suffix in _TEXTS:
        return Body(gzip.compress(plain, 9, mtime=0), is_gzip=True, tag=tag)
    return Body(plain, is_gzip=False, tag=tag)
