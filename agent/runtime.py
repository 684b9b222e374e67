"""What runs an instance's processes. The agent decides; a runtime starts, adopts, signals, watches and kills.

Processes outlive the agent: whatever a runtime has to know of them is on disk, in the folder of their run, and
names the same process to the next agent. A ``Process`` is plain data, not a handle of this agent's memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict

MARKER = "PLUM_INSTANCE_UID"
"""The environment variable that all processes of an instance inherit; it finds those that have lost their shim."""


class Process(BaseModel):
    """Which process, beyond doubt: a pid comes back, a pid with its start time and boot does not."""

    model_config = ConfigDict(frozen=True)

    uid: str
    """The assignment's uid, and the marker's value."""
    boot_id: str
    run: str = ""
    """The folder of the run. Empty: of an agent that knew no runs."""
    pid: int = 0
    """0 while the start is under way."""
    start_time: int = 0
    """Clock ticks after boot, field 22 of ``/proc/PID/stat``."""
    shim: int = 0
    """The pid of what holds the tree together; 0 while the start is under way."""


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
    run: Path
    """The folder of the run: of one start, and never of another. ``out.log`` there gets standard output and error."""
    environment: Mapping[str, str]
    ports: Mapping[str, int] = field(default_factory=dict)
    """By name, as they are in the environment."""
    facts: bytes = b"{}"
    """For ``run.json``: what the run is, for whoever finds nothing else."""

    def process(self, boot_id: str) -> Process:
        """The process before anything is known of it."""
        return Process(uid=self.uid, boot_id=boot_id, run=str(self.run))


@dataclass(frozen=True)
class Adopted:
    """What became of an earlier agent's start: it runs, or ended meanwhile."""

    process: Process
    started_at: datetime
    ended_at: datetime | None = None
    """None: its main process lives, or ended in a way that nobody wrote down."""


class StartFailed(Exception):
    """The system refused to start the command; the text says why."""


class Runtime(Protocol):
    """Every method may be repeated, and may be called for processes that are long gone."""

    @property
    def boot_id(self) -> str:
        """Which boot of the machine this is; processes of another one are dead."""
        ...

    async def start(self, launch: Launch) -> Process:
        """Start the command in a session of its own; it runs when this returns. A run is started once however often
        this is called, by whichever agent. Raises StartFailed: then it did not run, and never will; OSError where the
        system does not tell just now: then it may yet run, until ``adopt`` has said what became of it."""
        ...

    async def adopt(self, process: Process) -> Adopted | None:
        """Take over what an earlier agent started, or was about to. None: it did not run, and never will.

        Raises OSError where the system does not tell just now: nothing has changed, ask again."""
        ...

    def stop(self, process: Process, number: int, *, grace: float) -> None:
        """Send a signal to the main process's group. If the main process ends, what is left of the tree is left alone
        for ``grace`` seconds from now."""
        ...

    async def exited(self, process: Process) -> Exit:
        """Wait until the main process ends. It may leave children: see ``drained`` and ``kill``."""
        ...

    async def drained(self, process: Process, *, within: float) -> bool:
        """Wait at most ``within`` seconds for all of the instance's processes to end by themselves."""
        ...

    async def kill(self, process: Process, *, within: float = 10.0) -> bool:
        """KILL all of the instance's processes, again and again until none is left. False: some still are,
        after ``within`` seconds."""
        ...

    def release(self, process: Process) -> None:
        """Forget it, after ``exited`` and ``kill``."""
        ...
