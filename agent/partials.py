"""Downloads that broke off, kept to be gone on with: by this agent or the next one.

Of an archive with the digest D there is ``D.part``, its first bytes, and ``D.part.json``, which says where they
come from. The note is written before the first byte and is of no use without the bytes; bytes without a note
are begun anew. Nothing is believed for lying here: what is completed is verified as a whole.
"""

import json
import os
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FORMAT = 1
MAX_PARTIALS = 16
MAX_AGE = 24 * 3600.0
"""Seconds without a new byte after which nobody goes on with it."""


@dataclass(frozen=True)
class Origin:
    """Where the bytes come from. ``validator`` names the very content there: a strong ETag, or its date."""

    url: str
    validator: str
    size: int | None = None
    """Bytes of the whole, if the server said so."""


class Partial:
    """One broken or running download in the cache folder. All methods block and may raise OSError."""

    def __init__(self, cache: Path, name: str) -> None:
        """``name`` is the digest, or another that no digest is."""
        self.path = cache / f"{name}.part"
        self.archive = cache / f"{name}.zip"
        """Where the bytes go when they are complete; of an unknown digest that is set when it is known."""
        self._note = cache / f"{name}.part.json"
        self._scratch = cache / f"{name}.part.json.tmp-"

    def size(self) -> int:
        """How many bytes are here."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def origin(self) -> Origin | None:
        """Where the bytes come from; None where that is not known, and they cannot be gone on with."""
        try:
            return _read(json.loads(self._note.read_bytes()))
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None

    def begin(self, origin: Origin | None) -> None:
        """Begin anew. Without an origin this download will not be gone on with."""
        self.discard()
        self.path.touch(mode=0o640)
        if origin is not None:
            self._scratch.write_text(json.dumps({"format": FORMAT} | asdict(origin)))
            self._scratch.replace(self._note)

    def complete(self) -> None:
        """Give the bytes, which the caller has verified, the archive's name."""
        self.path.replace(self.archive)
        self._note.unlink(missing_ok=True)

    def discard(self) -> None:
        """Forget it."""
        for path in (self._note, self._scratch, self.path):
            path.unlink(missing_ok=True)


def _read(note: Any) -> Origin:
    """Raises ValueError, TypeError or KeyError for what is no note of ours."""
    if note["format"] != FORMAT:
        raise ValueError("another format")
    size = note["size"]
    if not isinstance(size, int | None):
        raise TypeError("no size")
    return Origin(str(note["url"]), str(note["validator"]), size)


def sweep(
    cache: Path, *, spared: Collection[Path] = (), most: int = MAX_PARTIALS, max_age: float = MAX_AGE, now: float = 0.0
) -> None:
    """Delete what nobody goes on with: old ones, all but the ``most`` newest, and halves without the other.

    ``spared`` are the files of downloads under way; ``now`` is in seconds since 1970, by default the present.
    """
    now = now or time.time()
    found = sorted((path for path in cache.glob("*.part") if path not in spared), key=_changed_at, reverse=True)
    whole = [path for path in found if path.with_suffix(".part.json").exists() and now - _changed_at(path) < max_age]
    for path in {*found} - {*whole[:most]}:
        Partial(cache, path.stem).discard()
    for note in cache.glob("*.part.json"):
        if not os.path.exists(path := note.with_suffix("")) and path not in spared:
            note.unlink(missing_ok=True)


def _changed_at(path: Path) -> float:
    with suppress(FileNotFoundError):
        return path.stat().st_mtime
    return 0.0
