"""Rotation where holes cannot be punched: stop whoever writes, copy the rest, truncate, let them go on.

Most is copied before anybody is stopped, so that the pause is short. In such a run ``out.log`` begins at the end of
the last segment (``truncates`` says so). What may be half done when the rotator is killed is on disk before it is
done: ``stopped`` lists who has to go on, ``truncating`` the part that is being moved. While the latter is there
nobody writes, so ``recover`` can tell what is left to do.
"""

import os
import signal
import time
from contextlib import suppress

from agent.files import plain
from agent.logs.cutting import copy
from agent.logs.runs import lives
from agent.logs.segments import LOG, SCRATCH, TRUNCATES, TRUNCATING, name_of, span_of

STOPPED = "stopped"
STOP_SECONDS = 1.0
"""How long writers may take to stop; then they go on, and it is tried again later."""

_STILL = (b"T", b"t", b"Z", b"X")


def move(folder: str, start: int, *, keeps: bool) -> int:
    """Move all of the log, which begins at ``start``, to a segment, or with ``keeps`` False give it up; where the log
    begins now. Raises OSError."""
    _write(folder, TRUNCATES, b"")
    source = os.open(os.path.join(folder, LOG), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    target = os.open(os.path.join(folder, SCRATCH), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    try:
        before = os.fstat(source).st_size if keeps else 0
        copy(source, target, 0, before)
        os.fdatasync(target)
        _stop_writers(folder, source)
        size = os.fstat(source).st_size
        if keeps:
            copy(source, target, before, size)
            os.fdatasync(target)
        if size:
            _write(folder, TRUNCATING, name_of((start, start + size)).encode())
            os.rename(os.path.join(folder, SCRATCH), os.path.join(folder, name_of((start, start + size))))
            os.ftruncate(source, 0)
            os.unlink(os.path.join(folder, TRUNCATING))
        _go_on(folder)
    except OSError:
        recover(folder)
        raise
    finally:
        os.close(source)
        os.close(target)
    return start + size


def recover(folder: str) -> None:
    """Finish, or undo, what a rotator left half done. May be repeated. Raises OSError."""
    journal = os.path.join(folder, TRUNCATING)
    with suppress(FileNotFoundError), open(journal, opener=plain) as file:
        name = file.read()
        if span_of(name) and os.path.exists(os.path.join(folder, name)):
            os.truncate(os.path.join(folder, LOG), 0)
        os.unlink(journal)
    _go_on(folder)


def _stop_writers(folder: str, log: int) -> None:
    """Stop everybody who has the log open for writing. Raises OSError if they do not stop in time."""
    state = os.fstat(log)
    known: set[str] = set()
    deadline = time.monotonic() + STOP_SECONDS
    while True:
        found = {process for process in _writers(state) if process not in known}
        if found:
            known |= found
            _write(folder, STOPPED, "\n".join(sorted(known)).encode())
            for process in found:
                _signal(process, signal.SIGSTOP)
        elif all(_is_still(process) for process in known):
            return
        if time.monotonic() > deadline:
            raise TimeoutError("who writes to the log does not stop")
        time.sleep(0.0005)


def _go_on(folder: str) -> None:
    path = os.path.join(folder, STOPPED)
    with suppress(FileNotFoundError), open(path, opener=plain) as file:
        for process in file.read().split("\n"):
            _signal(process, signal.SIGCONT)
        os.unlink(path)


def _writers(log: os.stat_result) -> set[str]:
    """``<pid> <start time>`` of all processes that have the file open for writing, but for this one."""
    found = set()
    for pid in os.listdir("/proc"):
        if pid.isdecimal() and int(pid) != os.getpid() and _writes(pid, log):
            with suppress(OSError, IndexError), open(f"/proc/{pid}/stat", "rb") as file:
                found.add(f"{pid} {file.read().rpartition(b')')[2].split()[19].decode()}")
    return found


def _writes(pid: str, log: os.stat_result) -> bool:
    with suppress(OSError):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                if os.path.samestat(os.stat(f"/proc/{pid}/fd/{fd}"), log) and _is_for_writing(pid, fd):
                    return True
    return False


def _is_for_writing(pid: str, fd: str) -> bool:
    with open(f"/proc/{pid}/fdinfo/{fd}") as file:
        flags = next(line.split()[1] for line in file if line.startswith("flags:"))
    return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY


def _is_still(process: str) -> bool:
    """Whether all threads of a process are stopped, or gone."""
    pid = process.partition(" ")[0]
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return True
    return all(_state(f"/proc/{pid}/task/{thread}/stat") in _STILL for thread in threads)


def _state(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read().rpartition(b")")[2].split()[0]
    except (OSError, IndexError):
        return b"X"


def _signal(process: str, number: signal.Signals) -> None:
    """Signal ``<pid> <start time>``, and nobody who has the pid after it."""
    with suppress(OSError, ValueError):
        fd = os.pidfd_open(int(process.partition(" ")[0]))
        try:
            if lives(process):
                signal.pidfd_send_signal(fd, number)
        finally:
            os.close(fd)


def _write(folder: str, name: str, content: bytes) -> None:
    """Make a file of the run, whole or not at all. Raises OSError."""
    scratch = os.path.join(folder, f"{name}.tmp")
    with open(scratch, "wb") as file:
        file.write(content)
    os.replace(scratch, os.path.join(folder, name))
