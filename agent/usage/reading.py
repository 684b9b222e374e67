"""What ``/proc`` says of processes. Processes vanish while one reads; that is not an error here.

Four small files a process are the whole cost of measuring, some 10 microseconds each.
"""

import os
from typing import NamedTuple

PROC = "/proc"
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
"""Units of processor time in a second."""

_ENOUGH = 4096
"""Bytes; none of the files is longer."""


class Stat(NamedTuple):
    """``/proc/PID/stat``: one process. Where two of its looks are equal, it has not run between them."""

    pid: int
    parent: int
    start_time: int
    """Ticks after boot."""
    ticks: int
    """Processor time of its own."""
    reaped_ticks: int
    """Processor time of its children that have ended and whose end it has taken note of, and of theirs."""
    threads: int
    faults: int
    """Page faults: what runs has them long before it has spent a tick."""
    resident_pages: int
    is_zombie: bool
    """Whether it has ended; a process may go on in its other threads when the first of them has."""


class Details(NamedTuple):
    """What else is told of a process; 0 where this agent may not know."""

    memory_bytes: int = 0
    """Resident, without what is shared with files: what nobody else needs."""
    open_fds: int = 0
    read_bytes: int = 0
    """From storage, the ended children of whom it took note included, as in all that follows."""
    written_bytes: int = 0


def parse_stat(raw: bytes) -> Stat:
    """Read ``/proc/PID/stat``. The command's name may hold anything: what counts follows the last bracket. Raises
    ValueError, IndexError."""
    end = raw.rindex(b")")
    fields = raw[end + 2 :].split(None, 22)
    return Stat(
        pid=int(raw[: raw.index(b" ")]),
        parent=int(fields[1]),
        start_time=int(fields[19]),
        ticks=int(fields[11]) + int(fields[12]),
        reaped_ticks=int(fields[13]) + int(fields[14]),
        threads=int(fields[17]),
        faults=int(fields[7]) + int(fields[9]),
        resident_pages=int(fields[21]),
        is_zombie=fields[0] in (b"Z", b"X") and int(fields[17]) <= 1,
    )


def parse_memory(raw: bytes) -> int:
    """The bytes that ``/proc/PID/statm`` calls resident and not shared."""
    fields = raw.split(None, 3)
    return max(0, int(fields[1]) - int(fields[2])) * PAGE_BYTES


def parse_io(raw: bytes) -> tuple[int, int]:
    """The bytes read from and written to storage, of ``/proc/PID/io``. What was written and deleted before it reached
    the disk counts as written."""
    found = dict(line.split(b": ", 1) for line in raw.splitlines())
    return int(found[b"read_bytes"]), int(found[b"write_bytes"])


def read_stats() -> dict[int, Stat]:
    """All processes of the machine, by pid."""
    found: dict[int, Stat] = {}
    for name in os.listdir(PROC):
        if name.isdigit():
            try:
                stat = parse_stat(_read(f"{PROC}/{name}/stat"))
            except (OSError, ValueError, IndexError):
                continue
            found[stat.pid] = stat
    return found


def read_details(stat: Stat) -> Details:
    """What is told of the process now; io, which may be refused where the rest is not, comes last."""
    folder = f"{PROC}/{stat.pid}"
    memory = read = written = fds = 0
    try:
        memory = parse_memory(_read(f"{folder}/statm"))
        fds = _count_fds(f"{folder}/fd")
        read, written = parse_io(_read(f"{folder}/io"))
    except (OSError, ValueError, IndexError, KeyError):
        pass
    return Details(memory, fds, read, written)


def _count_fds(folder: str) -> int:
    """How many descriptors are open: since Linux 6.2 the folder's size, before that a list to be made."""
    return os.stat(folder).st_size or len(os.listdir(folder))


def _read(path: str) -> bytes:
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, _ENOUGH)
    finally:
        os.close(file)
