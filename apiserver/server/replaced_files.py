"""Files that are read again when they have been replaced: certificates, tokens.

Looked at again and again, since a look that comes late is better than news that gets lost. What cannot be used leaves
in force what was read before.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
_Signature = tuple[tuple[int, int, int], ...]


class ReplacedFiles:
    """Some files that are read together."""

    def __init__(self, what: str, paths: Sequence[Path], read: Callable[[], None]) -> None:
        """``read`` reads them again, and may raise what it likes. They have been read before, at a time that is not
        known: so the first look reads them in any case."""
        self._what, self._paths, self._read = what, paths, read
        self._seen: _Signature | None = None
        self._told = ""

    def look(self) -> None:
        """Read them if they have changed; a failure is told once and tried again at each look."""
        found = _signature(self._paths)
        if found == self._seen:
            return
        try:
            self._read()
        except Exception as error:
            if str(error) != self._told:
                log.warning("%s: %s; what was read before stays in force", self._what, error)
                self._told = str(error)
        else:
            if self._seen is not None:
                log.info("%s: read again", self._what)
            self._seen, self._told = found, ""


async def look_for_ever(watched: Sequence[ReplacedFiles]) -> None:
    """Look at all of them until cancelled."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        for one in watched:
            one.look()


def _signature(paths: Sequence[Path]) -> _Signature:
    """What changes with the content of the files, or with what is at their paths."""
    return tuple(_state(path) for path in paths)


def _state(path: Path) -> tuple[int, int, int]:
    try:
        state = path.stat()
    except OSError:
        return 0, 0, 0
    return state.st_mtime_ns, state.st_ino, state.st_size
