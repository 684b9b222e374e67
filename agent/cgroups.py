"""Control groups of version 2, where this process may make some: KILL then reaches a whole tree at once.

Nothing but the membership is used: no controller is enabled, so that no process has to move out of the way. Who uses
the groups of a data folder holds a lock on their parent; what nobody holds and has no process in it is taken away by
whichever agent starts there next.
"""

import fcntl
import hashlib
import os
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from agent import processes

LOCK_TRIES, LOCK_PAUSE = 10, 0.01

_UNESCAPED = {"\\040": " ", "\\011": "\t", "\\134": "\\"}


@dataclass(frozen=True)
class Cgroups:
    """Where the groups of one data folder's instances are made."""

    parent: Path
    lock: ExitStack = field(default_factory=ExitStack)
    """Open as long as the lock is held."""

    def place(self, uid: str) -> Path:
        """Where the group of an instance is, if there is one."""
        return self.parent / uid

    def make(self, uid: str) -> Path | None:
        """The group of an instance; None if it cannot be made just now."""
        path = self.place(uid)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError:
            return None
        return path

    def close(self) -> None:
        """Take the parent away, if no group is left."""
        self.lock.close()
        with suppress(OSError):
            self.parent.rmdir()


def find(data: Path, *, proc: Path = Path("/proc/self")) -> Cgroups | None:
    """A place for groups below this process's own, if there is version 2 with ``cgroup.kill`` and we may write. Takes
    away what data folders that nobody works with any more have left beside it."""
    try:
        mount = _mount((proc / "mountinfo").read_text())
        own = next((line[3:] for line in (proc / "cgroup").read_text().splitlines() if line.startswith("0::")), "")
        if mount is None or not own:
            return None
        name = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
        parent = mount / _settled(own) / f"plum.{name}"
        parent.mkdir(exist_ok=True)
        if not os.access(parent / "cgroup.kill", os.W_OK) or not os.access(parent / "cgroup.procs", os.W_OK):
            parent.rmdir()
            return None
        tidy(parent.parent, spare=parent.name)
        return Cgroups(parent, _hold(parent))
    except OSError:
        return None


def _hold(parent: Path) -> ExitStack:
    """Keep others from taking the groups away while they are empty, if that can be. Raises OSError."""
    lock = ExitStack()
    for _ in range(LOCK_TRIES):
        parent.mkdir(exist_ok=True)  # somebody may just have taken it away
        fd = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            if os.stat(parent).st_ino == os.fstat(fd).st_ino:
                lock.callback(os.close, fd)
                return lock
        os.close(fd)
        time.sleep(LOCK_PAUSE)
    return lock


def tidy(folder: Path, *, spare: str) -> None:
    """Take away the groups of data folders below ``folder`` but ``spare``, as far as no agent holds them and no process
    is in them. Raises OSError."""
    for parent in folder.glob("plum.*"):
        if parent.name == spare or not parent.is_dir() or parent.is_symlink():
            continue
        with suppress(OSError):
            fd = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove_empty(parent)
            finally:
                os.close(fd)


def _remove_empty(parent: Path) -> None:
    """The groups of instances without a process, with those that their apps made, and the parent if none is left."""
    for group in parent.iterdir():
        if group.is_dir() and not group.is_symlink() and not members(group):
            remove(group)
    parent.rmdir()


def _settled(own: str) -> str:
    """The own group without our part, should this process have been started by an instance of a Plum."""
    return own.partition("/plum.")[0].strip("/")


def _mount(mountinfo: str) -> Path | None:
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        if after.startswith("cgroup2 "):
            path = before.split()[4]
            for escape, char in _UNESCAPED.items():
                path = path.replace(escape, char)
            return Path(path)
    return None


def kill(path: Path) -> None:
    """KILL everything in a group and below it, as far as there is such a group."""
    with suppress(OSError):
        (path / "cgroup.kill").write_text("1")


def members(path: Path) -> set[processes.Entry]:
    """The living processes of a group and of those below it. Raises OSError as ``processes`` does."""
    found: set[processes.Entry] = set()
    for folder, _, _ in os.walk(path):
        with processes.vanishing():
            for pid in (Path(folder) / "cgroup.procs").read_text().split():
                entry = processes.entry(int(pid))
                if entry is not None and not entry.is_zombie:
                    found.add(entry)
    return found


def remove(path: Path) -> None:
    """Take a group away, with those that the app made in it; what is not empty stays."""
    with suppress(OSError):
        for below in path.iterdir():
            if below.is_dir() and not below.is_symlink():
                remove(below)
    with suppress(OSError):
        path.rmdir()
