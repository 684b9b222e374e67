"""The files of one run of an instance: all that shim, launcher and agents know of it, and how they agree.

A run's folder has ``start`` (the script), ``uid`` (whose it is), ``run.json`` and maybe ``cgroup`` before anything
happens. Then, each written once:

- ``claim``  who is its shim; whoever creates it decides, the shim to run it, or an agent that it never runs
- ``pid``    the main process; likewise
- ``stop``   until when, in seconds of uptime, a stop leaves the children
- ``exit``   the exit code as the shell tells it
- ``gone``   nothing of the tree is left

``pid``, ``exit`` and ``gone`` count once they end in a line break. A folder may vanish at any time: then it says
nothing.
"""

import errno
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.files import line

SCRATCH = ".new-"
"""What the name of a run's folder begins with while it is made."""

NOBODY = "0 0\n"
"""A claim or pid of nobody: withdrawn."""


@dataclass(frozen=True)
class Who:
    """A process of this boot: its pid, and its start in clock ticks after boot."""

    pid: int
    start_time: int


def write(run: Path, *, uid: str, script: str, facts: bytes, cgroup: Path | None = None) -> None:
    """Make the folder with everything a start needs: whoever sees it sees all of that. One that is there already is
    left as it is. Raises OSError."""
    files = {"uid": f"{uid}\n".encode(), "run.json": facts, "start": os.fsencode(script)}
    if cgroup is not None:
        files["cgroup"] = os.fsencode(cgroup) + b"\n"
    scratch = run.with_name(f"{SCRATCH}{run.name}")
    scratch.mkdir(mode=0o750, parents=True, exist_ok=True)
    for name, content in files.items():
        with open(scratch / name, "wb", opener=_private) as file:
            file.write(content)
    try:
        scratch.rename(run)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        shutil.rmtree(scratch)


def exists(run: Path) -> bool:
    """Whether there is the folder; an app may remove it."""
    return run.is_dir()


def shim(run: Path) -> Who | None:
    """Who runs it, or did; of pid 0: it was withdrawn. None: nobody yet."""
    return _who(run / "claim")


def main_process(run: Path) -> Who | None:
    """The main process; of pid 0: it was withdrawn. None: not yet known."""
    return _who(run / "pid")


def exit_code(run: Path) -> int | None:
    """What the shell told of the main process's end, once it did."""
    text = line(run / "exit")
    return int(text) if text.isdigit() else None


def is_gone(run: Path) -> bool:
    """Whether the shim has seen the end of the whole tree."""
    return line(run / "gone") != ""


def uid(run: Path) -> str:
    """Whose run it is."""
    return line(run / "uid")


def cgroup(run: Path) -> Path | None:
    """The group that its processes are in, if there is one."""
    text = line(run / "cgroup")
    return Path(text) if text else None


def written_at(run: Path, name: str) -> datetime | None:
    """When a file of the run was written."""
    try:
        return datetime.fromtimestamp((run / name).stat().st_mtime, UTC)
    except OSError:
        return None


def withdraw(run: Path, name: str) -> bool:
    """Create ``claim`` or ``pid`` so that nobody else can, in a folder that may not be there yet. Whether it is ours
    now. Raises OSError."""
    run.mkdir(mode=0o750, parents=True, exist_ok=True)
    scratch = run / f"{name}.{os.getpid()}"
    try:
        scratch.write_text(NOBODY)
        os.link(scratch, run / name)
    except FileExistsError:
        return False
    finally:
        scratch.unlink(missing_ok=True)
    return True


def leave_until(run: Path, uptime: float) -> None:
    """Leave the children after the main process's end until that many seconds of uptime; then they are killed. Where
    that cannot be written they are killed at once."""
    with suppress(OSError):
        scratch = run / "stop.tmp"
        scratch.write_text(f"{int(uptime)}\n")
        scratch.replace(run / "stop")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)  # the environment of an app may hold secrets


def _who(path: Path) -> Who | None:
    pid, _, start_time = line(path).partition(" ")
    return Who(int(pid), int(start_time)) if pid.isdigit() and start_time.isdigit() else None
