"""The log of a run as it lies on disk, read without the agent's code.

``out.log`` holds the end of the log at its true offsets; what was rotated away reads as NUL there and lies in
``out.log.<start>-<end>``. A writer's line says its own number, so every byte tells where it belongs.
"""

from dataclasses import dataclass
from pathlib import Path

from tests.soak.agents.apps import LINE


@dataclass(frozen=True)
class Found:
    """What the files of one run hold."""

    lines: int
    """Whole lines that are kept."""
    segments: int
    first: int
    """The first byte that is kept; what came before went with old segments."""
    size: int
    """The length of the log since its beginning."""
    faults: tuple[str, ...]
    """Bytes that are missing, twice there, or not what was written."""


def examine(folder: Path) -> Found:
    """Read a writer's log. The run has to be over, and no rotation under way."""
    live = folder / "out.log"
    size = live.stat().st_size
    spans = sorted(_span(path) for path in folder.glob("out.log.*-*"))
    first = spans[0][0] if spans else 0
    at, faults = first, []
    for start, end, path in spans:
        if start != at:
            faults.append(f"{path}: follows byte {at}")
        if path.stat().st_size != end - start:
            faults.append(f"{path}: has {path.stat().st_size} bytes")
        faults += _wrong(path, start, 0)
        at = end
    faults += _wrong(live, at, at)
    return Found((size - first) // LINE, len(spans), first, size, tuple(faults))


def _span(path: Path) -> tuple[int, int, Path]:
    start, _, end = path.name.removeprefix("out.log.").partition("-")
    return int(start), int(end), path


def _wrong(path: Path, offset: int, skip: int) -> list[str]:
    """What is wrong in a file from byte ``skip`` on, which is byte ``offset`` of the log."""
    if offset % LINE:
        return [f"{path}: cut within a line, at byte {offset}"]
    number = offset // LINE
    with path.open("rb") as file:
        file.seek(skip)
        while line := file.read(LINE):
            if line != b"%063d\n" % number:
                return [f"{path}: line {number} is {line[:80]!r}"]
            number += 1
    return []
