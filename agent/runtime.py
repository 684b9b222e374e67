"""What runs an instance's processes. The agent decides; a runtime starts, signals, watches and kills.

A ``Process`` is plain data, not a handle of this agent's memory: it is written to disk and names the same
process to the next agent, which is what lets a runtime take over what an earlier agent started.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict

MARKER = "PLUM_INSTANCE_UID"
"""The environment variable that all processes of an instance inherit; it finds those that left the session."""


class Process(BaseModel):
    """Which process, beyond doubt: a pid comes back, a pid with its start time and boot does not."""

    model_config = ConfigDict(frozen=True)

    uid: str
    """The assignment's uid, and the marker's value."""
    boot_id: str
    pid: int = 0
    """0 while the start is under way: only the marker can tell."""
    start_time: int = 0
    """Clock ticks after boot, field 22 of ``/proc/PID/stat``."""


class Exit(BaseModel):
    """How a main process ended: by a code, by a signal, or nobody knows."""

    model_config = ConfigDict(frozen=True)

    code: int | None = None
    signal: int | None = None

    @property
    def success(self) -> bool:
        """Whether it ended by itself with code 0."""
        return self.code == 0


@dataclass(frozen=True)
class Launch:
    """Everything a start needs."""

    uid: str
    command: str
    """For ``/bin/sh -c``."""
    folder: Path
    """The working directory."""
    log: Path
    """Standard output and error are appended here."""
    environment: dict[str, str]


class StartFailed(Exception):
    """The system refused to start the command; the text says why."""


class Runtime(Protocol):
    """Every method may be repeated, and may be called for processes that are long gone."""

    @property
    def boot_id(self) -> str:
        """Which boot of the machine this is; processes of another one are dead."""
        ...

    async def start(self, launch: Launch) -> Process:
        """Start the command in a session of its own; it runs when this returns. Raises StartFailed."""
        ...

    def signal(self, process: Process, number: int) -> None:
        """Send a signal to the whole process group."""
        ...

    async def exited(self, process: Process) -> Exit:
        """Wait until the main process ends. Its children may live on; its pid stays taken until ``release``."""
        ...

    async def drained(self, process: Process, *, within: float) -> bool:
        """Wait at most ``within`` seconds for all of the instance's processes to end by themselves."""
        ...

    async def kill(self, process: Process, *, within: float = 10.0) -> bool:
        """KILL all of the instance's processes, again and again until none is left. False: some still are,
        after ``within`` seconds."""
        ...

    def release(self, process: Process) -> None:
        """Give the pid back, after ``exited`` and ``kill``."""
        ...
