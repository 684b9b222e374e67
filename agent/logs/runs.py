"""The folders of instances and of their runs, and whether a run is over. Reads only."""

import json
import os
import time

from agent.files import line, plain

RUNS, ENDED, INSTANCES = "runs", "ended", "instances"
DEFAULT_MAX_SIZE, DEFAULT_MAX_FILES = 10 * 1024 * 1024, 5
BOOT_ID = "/proc/sys/kernel/random/boot_id"
START_SECONDS = 60.0
"""How long a run may be without a claim before it counts as never begun."""


class Limits:
    """How much of an instance's log is kept: segments of about ``size`` bytes, ``files`` of them, and what has not
    been rotated yet."""

    __slots__ = ("files", "size")

    def __init__(self, size: int = DEFAULT_MAX_SIZE, files: int = DEFAULT_MAX_FILES) -> None:
        self.size, self.files = size, files

    @property
    def budget(self) -> int:
        """Bytes of an instance's logs, all together."""
        return self.size * (self.files + 1)


def numbers(instance: str) -> list[int]:
    """The runs of an instance, oldest first; none where there is no such folder."""
    try:
        found = os.listdir(os.path.join(instance, RUNS))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(name) for name in found if name.isdecimal() and name.isascii())


def folder(instance: str, number: int) -> str:
    """A run's folder."""
    return os.path.join(instance, RUNS, str(number))


def limits(run: str) -> Limits:
    """What was agreed when the run was started; the defaults where that cannot be read."""
    try:
        with open(os.path.join(run, "run.json"), "rb", opener=plain) as file:
            said = json.load(file)["logs"]
        size, files = int(said["maxSizeBytes"]), int(said["maxFiles"])
    except (OSError, ValueError, TypeError, KeyError):
        return Limits()
    return Limits(size, files) if size > 0 and files > 0 else Limits()


def agreed(instance: str) -> Limits:
    """The limits of the newest run that has its written down: its folder is there a moment before."""
    for number in reversed(numbers(instance)):
        run = folder(instance, number)
        if os.path.exists(os.path.join(run, "run.json")):
            return limits(run)
    return Limits()


def uid(run: str) -> str:
    """The uid of the assignment whose run it is; empty where that cannot be read."""
    try:
        with open(os.path.join(run, "run.json"), "rb", opener=plain) as file:
            return str(json.load(file)["uid"])
    except (OSError, ValueError, TypeError, KeyError):
        return ""


def is_over(run: str) -> bool:
    """Whether nobody writes to the run's log any more: all its processes are gone, or the machine was restarted."""
    if _state(run, "gone") is not None:
        return True
    claim, pid = _state(run, "claim"), _state(run, "pid")
    if claim is None and pid is None:
        return _age(run) > START_SECONDS
    return not any(lives(text) for text in (claim, pid) if text is not None) or _is_of_another_boot(run)


def _is_of_another_boot(run: str) -> bool:
    """Whether the machine was restarted since: who has the pid now is somebody else."""
    try:
        with open(os.path.join(run, "run.json"), "rb", opener=plain) as told, open(BOOT_ID) as present:
            return bool(json.load(told)["process"]["boot_id"] != present.read().strip())
    except (OSError, ValueError, TypeError, KeyError):
        return False


def lives(text: str) -> bool:
    """Whether the process ``<pid> <start time>`` is there, and no zombie."""
    pid, _, start = text.partition(" ")
    try:
        with open(f"/proc/{int(pid)}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return int(start) == int(fields[19]) and fields[0] not in (b"Z", b"X")
    except (OSError, ValueError, IndexError):
        return False


def _state(run: str, name: str) -> str | None:
    """What a state file says; None until it is complete."""
    try:
        return line(os.path.join(run, name)) or None
    except OSError:
        return None


def _age(path: str) -> float:
    """Seconds since a folder changed; endless where there is none."""
    try:
        return max(0.0, time.time() - os.stat(path).st_mtime)
    except OSError:
        return float("inf")
