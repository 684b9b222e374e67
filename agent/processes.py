"""What ``/proc`` says about processes. Entries vanish while one reads; that is not an error here."""

import os
import signal
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.runtime import MARKER, Process

PROC = Path("/proc")
_MARKER = f"\0{MARKER}=".encode()


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


def marker(pid: int) -> str:
    """The uid of the instance in the environment that the process was started with, or nothing."""
    try:
        environment = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return ""
    at = (b"\0" + environment).find(_MARKER)
    return environment[at + len(_MARKER) - 1 :].partition(b"\0")[0].decode(errors="replace") if at >= 0 else ""


class Table:
    """All processes but this one, each as of the moment it was looked at."""

    def __init__(self, found: Iterable[tuple[Entry, str]]) -> None:
        """``found`` are processes, each with its marker."""
        self._by_pid: dict[int, Entry] = {}
        self._by_session: defaultdict[int, set[Entry]] = defaultdict(set)
        self._by_uid: defaultdict[str, set[Entry]] = defaultdict(set)
        for entry, uid in found:
            self._by_pid[entry.pid] = entry
            if not entry.is_zombie:
                self._by_session[entry.session].add(entry)
                self._by_uid[uid].add(entry)

    def members(self, process: Process) -> set[Entry]:
        """The instance's living processes: those of its session, and those that carry its marker.

        The session counts only while its leader is there, dead or alive: without it the number may have been
        given to somebody else.
        """
        leader = self._by_pid.get(process.pid)
        ours = leader is not None and leader.start_time == process.start_time
        session = self._by_session.get(process.pid, set()) if ours else set()
        return session | self._by_uid.get(process.uid, set())


def read_table() -> Table:
    """Look at all processes. Blocks for some 20 microseconds a process."""
    pids = (int(name) for name in os.listdir(PROC) if name.isdigit() and int(name) != os.getpid())
    return Table((found, "" if found.is_zombie else marker(pid)) for pid in pids if (found := entry(pid)))


def members(process: Process) -> set[Entry]:
    """The instance's processes that live now."""
    return read_table().members(process)


def kill(member: Entry) -> None:
    """KILL through a pidfd, so that a pid given anew between look and kill hits nobody else."""
    with suppress(ProcessLookupError):
        fd = os.pidfd_open(member.pid)
        try:
            now = entry(member.pid)
            if now is not None and now.start_time == member.start_time:
                signal.pidfd_send_signal(fd, signal.SIGKILL)
        finally:
            os.close(fd)
