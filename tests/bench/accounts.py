"""What processes cost, read from ``/proc``."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median

KERNEL = ("PageTables", "KernelStack", "Slab")
"""What processes cost beside their own memory."""

SAMPLES, PAUSE = 7, 0.15
QUIET, QUIET_SECONDS, QUIET_LOOKS, QUIET_WITHIN = 0.01, 0.5, 3, 30.0
"""The share of a core below which a process rests, the seconds of a look, how many in a row, and the seconds of all."""


def kernel() -> int:
    """The bytes that the kernel holds for all processes of this machine: the middle of some looks."""
    found = []
    for _ in range(SAMPLES):
        fields = _fields(Path("/proc/meminfo").read_text())
        found.append(sum(fields[name] for name in KERNEL))
        time.sleep(PAUSE)
    return round(median(found))


def pss(pids: Iterable[int]) -> int:
    """The bytes of memory that these processes account for; shared pages in equal parts."""
    found = 0
    for pid in pids:
        with suppress(OSError):
            found += _fields(Path(f"/proc/{pid}/smaps_rollup").read_text().split("\n", 1)[1])["Pss"]
    return found


def cpu(pids: Iterable[int]) -> float:
    """The seconds of a processor that the threads of these processes have used."""
    found = 0
    for pid in pids:
        for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with suppress(OSError):
                found += int(path.read_text().split()[0])
    return found / 1e9


def until_quiet(pids: Iterable[int]) -> None:
    """Wait until these processes have done what was asked of them, or for a while."""
    pids, deadline, quiet = list(pids), time.monotonic() + QUIET_WITHIN, 0
    while quiet < QUIET_LOOKS and time.monotonic() < deadline:
        quiet = quiet + 1 if idle(pids, QUIET_SECONDS) < QUIET else 0


def idle(pids: Iterable[int], seconds: float) -> float:
    """The share of a core that these processes use over some time."""
    pids = list(pids)
    before, began = cpu(pids), time.monotonic()
    time.sleep(seconds)
    return (cpu(pids) - before) / (time.monotonic() - began)


def children(pid: int) -> list[int]:
    """The children of a process, whichever of its threads started them."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, path.read_text().split())
    return found


def commands() -> Iterator[tuple[int, list[str]]]:
    """All live processes but this one with their command lines."""
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with suppress(OSError):
                words = Path(entry.path, "cmdline").read_bytes().split(b"\0")[:-1]
                if words:  # else a zombie, or the kernel's
                    yield int(entry.name), [word.decode(errors="replace") for word in words]


def sleepers(argument: str) -> set[int]:
    """The processes ``sleep ARGUMENT``."""
    return {pid for pid, (command, *rest) in commands() if rest == [argument] and Path(command).name == "sleep"}


def _fields(text: str) -> dict[str, int]:
    """``Name:  12 kB`` a line, in bytes."""
    pairs = (line.split() for line in text.splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in pairs if len(words) > 1 and words[1].isdecimal()}
