"""What instances and nodes use of their machines: measured by agents, kept in the server's memory, never stored."""

from typing import Annotated

from pydantic import ConfigDict, Field

from apiserver.api.meta import Model

MAX_INSTANCES = 5_000
"""Instances of one report, which is one node's."""

STALE_SECONDS = 60.0
"""Numbers that were received longer ago are not shown."""

Count = Annotated[int, Field(ge=0, lt=2**63)]
Amount = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=253)]


class _Figures(Model):
    """Figures are numbers, not texts that look like some."""

    model_config = ConfigDict(strict=True)


class InstanceUsage(_Figures):
    """What the process tree of one instance uses. Rates are means since the look before, and absent where there was
    none."""

    namespace: Text
    """The assignment's."""
    name: Text
    """The assignment's."""
    uid: Annotated[str, Field(min_length=1, max_length=64)]
    """The assignment's."""
    run: Count = 0
    """Which start of the process it is; the counters (``…Seconds``, ``…Bytes`` of I/O) begin anew with each."""
    restarts: Count = 0
    """How often it has been started again."""
    processes: Count = 0
    """Processes of the tree."""
    threads: Count = 0
    """Threads of the tree."""
    open_fds: Count = 0
    """Open file descriptors of the tree."""
    memory_bytes: Count = 0
    """Resident memory that is not shared with files: what would be free if the tree ended."""
    cpu_seconds: Amount = 0.0
    """Processor time used since its start, in seconds."""
    cpu: Amount | None = None
    """Processors, 0.25 for a quarter of one."""
    read_bytes: Count = 0
    """From storage; what the page cache answers is not counted."""
    written_bytes: Count = 0
    """To storage."""
    read_rate: Amount | None = None
    """Bytes a second."""
    write_rate: Amount | None = None
    """Bytes a second."""


class NodeUsage(_Figures):
    """What is used of a machine, by whatever runs on it."""

    cpus: Count = 0
    """Processors of the machine."""
    cpu_seconds: Amount = 0.0
    """Processor time used since the machine started, in seconds."""
    cpu: Amount | None = None
    """Processors, 1.5 for one and a half of ``cpus``."""
    memory_bytes: Count = 0
    """What new programs could not have."""
    memory_total_bytes: Count = 0
    """Memory of the machine."""
    disk_free_bytes: Count = 0
    """Where the agent keeps its data."""
    disk_total_bytes: Count = 0
    """The size of the file system where the agent keeps its data."""
    load1: Amount = 0.0
    """Load average over a minute."""
    load5: Amount = 0.0
    """Load average over five minutes."""
    load15: Amount = 0.0
    """Load average over a quarter of an hour."""


class UsageReport(_Figures):
    """What an agent sends: its node, and every instance on it that runs."""

    window_seconds: Amount = 0.0
    """The time between the two looks that the rates are means of."""
    node: NodeUsage
    """The machine."""
    instances: Annotated[tuple[InstanceUsage, ...], Field(max_length=MAX_INSTANCES)] = ()
    """What runs on it."""
