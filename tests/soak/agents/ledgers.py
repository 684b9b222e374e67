"""What an app wrote down about itself."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Life(NamedTuple):
    """A process beyond doubt, within one boot."""

    pid: int
    ticks: int
    """When it started, in clock ticks after boot."""


class How(NamedTuple):
    """How a process ended: by a code or by a signal; by neither: nobody knows."""

    code: int | None = None
    signal: int | None = None


UNKNOWN = How()
SIGNALS = {"ABRT": 6, "KILL": 9, "SEGV": 11, "TERM": 15}


@dataclass
class Run:
    """One run of an app's main process."""

    life: Life
    folder: Path
    """Where its log is."""
    end: How | None = None
    """How it was about to end by itself; None: it was killed, or lives."""
    wrote: int | None = None
    """The lines it has written, if it is a writer that ended by itself."""


@dataclass
class Ledger:
    """All that an app noted."""

    runs: list[Run] = field(default_factory=list)
    daemons: list[Life] = field(default_factory=list)
    doubles: int = 0
    """How often a start found an earlier process alive."""
    terms: int = 0
    """How often TERM was ignored."""

    @property
    def lives(self) -> list[Life]:
        """Every process there ever was."""
        return [*(run.life for run in self.runs), *self.daemons]


def parse(lines: Iterable[str]) -> Ledger:
    """Read the notes in the order in which they were written."""
    found = Ledger()
    for line in lines:
        what, *rest = line.split()
        match what:
            case "start":
                pid, ticks, _, log = rest
                found.runs.append(Run(Life(int(pid), int(ticks)), Path(log).parent))
            case "daemon":
                found.daemons.append(Life(int(rest[0]), int(rest[1])))
            case "end":
                _end(found.runs[-1], *rest)
            case "double":
                found.doubles += 1
            case "term":
                found.terms += 1
            case _:
                raise ValueError(f"{line!r} is no note")
    return found


def _end(run: Run, kind: str, value: str, *wrote: str) -> None:
    run.end = How(code=int(value)) if kind == "code" else How(signal=SIGNALS[value])
    run.wrote = int(wrote[1]) if wrote else None


def read(path: Path) -> Ledger:
    """The ledger of one app; an empty one while it has not started."""
    try:
        return parse(path.read_text().splitlines())
    except FileNotFoundError:
        return Ledger()


def read_all(folder: Path) -> dict[str, Ledger]:
    """All ledgers by the names of their assignments."""
    return {path.name: read(path) for path in sorted(folder.iterdir())}


def is_alive(life: Life) -> bool:
    """Whether it is there and no zombie."""
    with suppress(OSError):
        fields = Path(f"/proc/{life.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[19]) == life.ticks and fields[0] not in "ZX"
    return False


def inhabitants(folder: Path) -> Iterator[int]:
    """Live processes whose working directory is below a folder."""
    for entry in os.scandir("/proc"):
        with suppress(OSError):
            if entry.name.isdecimal() and Path(os.readlink(f"{entry.path}/cwd")).is_relative_to(folder):
                yield int(entry.name)
