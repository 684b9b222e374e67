"""What ``/proc`` says about processes. Entries vanish while one reads; that is not an error here."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.runtime import MARKER, Process

PROC = Path("/proc")


@dataclass(frozen=True)
class Entry:
    """One line of the process table."""

    pid: int
    session: int
    start_time: int
    """Clock ticks after boot."""
    is_zombie: bool = False


def boot_id() -> str:
    """A value that changes with every boot of the machine."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def parse_stat(text: str) -> Entry:
    """Read ``/proc/PID/stat``. The command's name may hold spaces and brackets: what counts follows the last one."""
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    return Entry(
        pid=int(head.split(" ", 1)[0]), session=int(fields[3]), start_time=int(fields[19]), is_zombie=fields[0] in "ZX"
    )


def entry(pid: int) -> Entry | None:
    """The process of that pid, if there is one."""
    try:
        return parse_stat((PROC / str(pid) / "stat").read_text(errors="replace"))
    except OSError:
        return None


def entries() -> Iterator[Entry]:
    """All processes, as of the moment each is looked at."""
    for name in os.listdir(PROC):
        if name.isdigit() and (found := entry(int(name))):
            yield found


def has_marker(pid: int, uid: str) -> bool:
    """Whether the process carries the instance's marker in the environment it was started with."""
    try:
        environment = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    return f"{MARKER}={uid}".encode() in environment.split(b"\0")


def members(process: Process) -> list[Entry]:
    """The instance's living processes: those of its session, and those that carry its marker.

    The session counts only while its leader is there, dead or alive: without it the number may have been
    given to somebody else.
    """
    leader = entry(process.pid) if process.pid else None
    ours = leader is not None and leader.start_time == process.start_time
    return [
        found
        for found in entries()
        if not found.is_zombie
        and found.pid != os.getpid()
        and ((ours and found.session == process.pid) or has_marker(found.pid, process.uid))
    ]


def kill_members(process: Process) -> int:
    """Send KILL to every member; returns how many there were."""
    found = members(process)
    for member in found:
        _kill(member)
    return len(found)


def _kill(member: Entry) -> None:
    """KILL through a pidfd, so that a pid given anew between look and kill hits nobody else."""
    with suppress(ProcessLookupError):
        fd = os.pidfd_open(member.pid)
        try:
            now = entry(member.pid)
            if now is not None and now.start_time == member.start_time:
                signal.pidfd_send_signal(fd, signal.SIGKILL)
        finally:
            os.close(fd)
