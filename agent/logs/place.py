"""Where an instance's logs are: with the instance, or among what ended ones have left."""

import os
import re
from pathlib import Path

from agent.logs import runs

_PART = re.compile(r"[A-Za-z0-9._-]{1,253}")


class Place:
    """One assignment's logs, by its uid: another assignment may have had its name before, or have it now."""

    def __init__(self, data: Path, namespace: str, name: str, uid: str) -> None:
        """Raises ValueError for names that are no folder's."""
        for part in (namespace, name, uid):
            if not _PART.fullmatch(part):
                raise ValueError(f"{part[:300]!r} cannot be part of a folder's name")
        self._uid = uid
        self._present = str(data / runs.INSTANCES / f"{namespace}.{name}")
        self._ended = str(data / runs.ENDED / f"{namespace}.{name}.{uid}")
        self._known: tuple[int, str] = (0, "")

    def find(self) -> tuple[str, bool]:
        """The instance's folder, empty where there is none, and whether the instance is gone."""
        if self._is_present():
            return self._present, False
        return (self._ended if os.path.isdir(self._ended) else ""), True

    def _is_present(self) -> bool:
        numbers = runs.numbers(self._present)
        if not numbers:
            return os.path.isdir(self._present) and not os.path.isdir(self._ended)
        newest = runs.folder(self._present, numbers[-1])
        try:
            identity = os.stat(newest).st_ino
        except FileNotFoundError:
            return False
        if self._known[0] != identity or not self._known[1]:
            self._known = identity, runs.uid(newest)
        return self._known[1] in ("", self._uid)
