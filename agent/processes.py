"""What ``/proc`` says about processes. Entries vanish while one reads; that is not an error here. Where there is no
descriptor or memory left to look with everything raises OSError: nobody is to be taken for dead because of that.
"""

import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


@dataclass(frozen=True)
class Entry:
    """One line of the process table."""

    pid: int
    parent: int
    session: int
    start_time: int
    """Clock ticks after boot."""
    is_zombie: bool = False


@contextmanager
def vanishing() -> Iterator[None]:
    """What is read in this block may go meanwhile, or be not ours to see. Raises OSError for want of a descriptor or of
    memory."""
    try:
        yield
    except OSError as error:
        if error.errno in _EXHAUSTED:
            raise


def boot_id() -> str:
    """A value that changes with every boot of the machine."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def parse_stat(text: str) -> Entry:
    """Read ``/proc/PID/stat``. The command's name may hold spaces and brackets: what counts follows the last one."""
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    return Entry(
        pid=int(head.split(" ", 1)[0]),
        parent=int(fields[1]),
        session=int(fields[3]),
        start_time=int(fields[19]),
        is_zombie=fields[0] in "ZX",
    )


def entry(pid: int) -> Entry | None:
    """The process of that pid, if there is one."""
    found = None
    with vanishing(), suppress(IndexError):
        found = parse_stat(_read(f"{PROC}/{pid}/stat").decode(errors="replace"))
    return found


def exit_status(pid: int) -> int | None:
    """How a process ended that its parent has not asked about yet, as ``wait`` would tell; None: not a zombie, or not
    ours to know."""
    fields: list[str] = []
    with vanishing():
        fields = _read(f"{PROC}/{pid}/stat").decode(errors="replace").rpartition(")")[2].split()
    return int(fields[49]) if fields and fields[0] in "ZX" else None


def children(pid: int) -> list[int]:
    """The children of all threads of a process."""
    found: list[int] = []
    with vanishing():
        for thread in os.listdir(f"{PROC}/{pid}/task"):
            with vanishing():
                found += [int(child) for child in _read(f"{PROC}/{pid}/task/{thread}/children").split()]
    return found


def descendants(pid: int) -> set[Entry]:
    """The living processes below one, as of some moment in between: who forks meanwhile may be missed, so look again
    until there is nobody."""
    found: set[Entry] = set()
    seen, waiting = {pid}, children(pid)
    while waiting:
        child = waiting.pop()
        known = entry(child)
        if child in seen or known is None:
            continue
        seen.add(child)
        if not known.is_zombie:
            found.add(known)
        waiting += children(child)
    return found


def marked(name: str, value: str) -> set[Entry]:
    """The living processes that were started with that environment variable, but for this one. Looks at all there are,
    which takes some 20 microseconds each."""
    wanted = f"\0{name}={value}\0".encode()
    return {found for pid in _all() if _carries(pid, wanted) and (found := entry(pid)) and not found.is_zombie}


def kill(member: Entry) -> None:
    """KILL through a pidfd, so that a pid given anew between look and kill hits nobody else. Who has become another
    user may be beyond our reach, and lives on."""
    with suppress(ProcessLookupError, PermissionError):
        fd = os.pidfd_open(member.pid)
        try:
            now = entry(member.pid)
            if now is not None and now.start_time == member.start_time:
                signal.pidfd_send_signal(fd, signal.SIGKILL)
        finally:
            os.close(fd)


def _all() -> Iterator[int]:
    own = os.getpid()
    return (int(name) for name in os.listdir(PROC) if name.isdigit() and int(name) != own)


def _carries(pid: int, wanted: bytes) -> bool:
    environ = b""
    with vanishing():
        environ = _read(f"{PROC}/{pid}/environ")
    return wanted in b"\0" + environ


def _read(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = b""
        while chunk := os.read(fd, 65536):
            content += chunk
        return content
    finally:
        os.close(fd)
