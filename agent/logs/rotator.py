"""The rotator: a process of its own that keeps the logs of a node's instances within bounds, agent or no agent.

It is small, holds no state but what the files say, and may be killed at any moment. Of all that are started for a
data folder one works, the holder of ``rotator.lock``. It ends when it is asked to (TERM), and by itself when there
is nothing left to look after: no run has a process and nobody holds the agent's lock.
"""

import fcntl
import os
import signal
import time

from agent.files import is_full
from agent.logs import retention, runs
from agent.logs.punching import can_punch
from agent.logs.tending import Instance

LOCK, AGENT_LOCK = "rotator.lock", "lock"
NOTE_BYTES = 128
TICK, BUSY_TICK = 0.5, 0.1
"""Seconds between two looks, and after one in which something was rotated; a line's time is known to within as
much."""

SWEEP_SECONDS = 60.0
"""The pause between looks at what ended instances have left."""


class Rotator:
    """Looks at everything below one data folder."""

    def __init__(self, data: str) -> None:
        """Raises OSError where nothing can be written."""
        self._data = data
        self._instances: dict[str, Instance] = {}
        self._swept = 0.0
        self._punches = can_punch(data)

    def look(self) -> float:
        """One round; the seconds until the next one."""
        found = self._names()
        self._instances = {name: self._instances.get(name) or self._instance(name) for name in found}
        is_busy = sum(instance.look() for instance in self._instances.values()) > 0
        if time.monotonic() - self._swept > SWEEP_SECONDS or not self._swept:
            self._swept = time.monotonic()
            retention.trim_ended(self._data)
        return BUSY_TICK if is_busy else TICK

    def _names(self) -> list[str]:
        try:
            return os.listdir(os.path.join(self._data, runs.INSTANCES))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _instance(self, name: str) -> Instance:
        return Instance(os.path.join(self._data, runs.INSTANCES, name), punches=self._punches)

    def is_needed(self) -> bool:
        """Whether somebody may still write, or an agent is there that may start something."""
        return self._has_agent() or any(instance.is_alive() for instance in self._instances.values())

    def _has_agent(self) -> bool:
        try:
            fd = os.open(os.path.join(self._data, AGENT_LOCK), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False


def hold(data: str) -> int:
    """Become the one rotator of a data folder; -1 while there is another. Raises OSError."""
    fd = os.open(os.path.join(data, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return -1
    return fd


def note(fd: int, version: str) -> bool:
    """Say in the lock who holds it, in as many bytes as whoever did before; False while the disk is full. Raises
    OSError."""
    with open("/proc/self/stat", "rb") as file:
        started = file.read().rpartition(b")")[2].split()[19].decode()
    try:
        os.pwrite(fd, f"{os.getpid()} {started} {version}".encode().ljust(NOTE_BYTES - 1) + b"\n", 0)
    except OSError as error:
        if not is_full(error):
            raise
        return False
    os.ftruncate(fd, NOTE_BYTES)
    return True


def main(data: str, version: str) -> None:
    """Work until it is told to end, or nobody needs it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    fd = hold(data)
    if fd < 0:
        return
    rotator = Rotator(data)
    is_noted = note(fd, version)
    while _is_holder(data, fd):
        pause = rotator.look()
        is_noted = is_noted or note(fd, version)
        if not rotator.is_needed() or signal.sigtimedwait([signal.SIGTERM, signal.SIGINT], pause):
            return


def _is_holder(data: str, fd: int) -> bool:
    """Whether the lock is still the file of that name: a folder that was removed has no logs to look after."""
    try:
        return os.path.samestat(os.stat(os.path.join(data, LOCK)), os.fstat(fd))
    except OSError:
        return False
