"""Processes that have nothing to do with Plum, some of them with pids that were an app's or a shim's: who signals them
has mistaken them for somebody else."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
"""What is written there is the pid before the next one."""

TRIES = 40
SCRIPT = r"""
for name in HUP INT QUIT USR1 USR2 ALRM TERM CONT TSTP; do trap "echo $name >>\"$1\"" "$name"; done
exec 3<>"$2"
echo ready >>"$1"
while :; do read -r _ <&3; done
"""


class Bystanders:
    """Each in a session of its own, so that a signal to a group of its number meets it too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: dict[int, tuple[subprocess.Popen[bytes], Path]] = {}
        self.recycled = 0
        """How many have the pid that they were to have."""
        folder.mkdir()
        os.mkfifo(folder / "fifo")

    def add(self) -> None:
        """One with any pid."""
        process = self._spawn()
        self._found[process.pid] = (process, self._log(process))

    def take(self, pid: int) -> bool:
        """One with this pid, if that is free and this machine lets us have it. Then pids go on from where they were,
        for the sake of whoever else works here and is not prepared for old ones."""
        try:
            before = LAST_PID.read_text()
        except OSError:
            return False
        try:
            return self._try_to_take(pid)
        finally:
            with suppress(OSError):
                LAST_PID.write_text(before)

    def _try_to_take(self, pid: int) -> bool:
        for _ in range(TRIES):
            if Path(f"/proc/{pid}").exists():
                return False
            try:
                LAST_PID.write_text(str(pid - 1))
            except OSError:
                return False
            process = self._spawn()
            if process.pid == pid:
                self._found[pid] = (process, self._log(process))
                self.recycled += 1
                return True
            process.kill()
            process.wait(10)
        return False

    def faults(self) -> list[str]:
        """Who was signalled, or is dead."""
        found = []
        for pid, (process, log) in self._found.items():
            told = log.read_text().split() if log.exists() else ["ready"]
            if process.poll() is not None:
                found.append(f"bystander {pid} ended with {process.returncode}")
            found += [f"bystander {pid} got {name}" for name in told if name != "ready"]
        return found

    def close(self) -> None:
        """End them."""
        for process, _ in self._found.values():
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.wait(10)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        command = ["/bin/sh", "-c", 'f=$1/$$; shift; set -- "$f" "$1"\n' + SCRIPT, "sh"]
        return subprocess.Popen([*command, str(self._folder), str(self._folder / "fifo")], start_new_session=True)

    def _log(self, process: "subprocess.Popen[bytes]") -> Path:
        return self._folder / str(process.pid)
