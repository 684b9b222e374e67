"""What the machine as a whole uses: processors, memory, disk, load."""

import os
from dataclasses import dataclass
from pathlib import Path

from agent.usage.counters import rate
from apiserver.api.usage import NodeUsage

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Point:
    """What the processors have worked since the boot, at a moment after it."""

    seconds: float
    cpu_seconds: float


def parse_cpu(text: str) -> float:
    """The seconds that processors have worked, of ``/proc/stat``: neither idle nor waiting for a disk."""
    ticks = [int(field) for field in text.split("\n", 1)[0].split()[1:]]
    user, nice, system, _, _, irq, softirq, steal = ticks[:8]
    return (user + nice + system + irq + softirq + steal) / TICKS


def parse_memory(text: str) -> tuple[int, int]:
    """Bytes that new programs could not have, and all, of ``/proc/meminfo``."""
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    total, available = (int(lines[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    return max(0, total - available), total


def read_machine(data: Path, seconds: float, before: Point | None) -> tuple[NodeUsage, Point]:
    """The machine as it is ``seconds`` after its boot; ``data`` is on the disk that counts. Raises OSError."""
    now = Point(seconds, parse_cpu(Path("/proc/stat").read_text()))
    used, memory = parse_memory(Path("/proc/meminfo").read_text())
    disk = os.statvfs(data)
    load1, load5, load15 = os.getloadavg()
    usage = NodeUsage(
        cpus=os.cpu_count() or 1,
        cpu_seconds=now.cpu_seconds,
        cpu=rate(before.cpu_seconds, now.cpu_seconds, seconds - before.seconds, digits=4) if before else None,
        memory_bytes=used,
        memory_total_bytes=memory,
        disk_free_bytes=disk.f_bavail * disk.f_frsize,
        disk_total_bytes=disk.f_blocks * disk.f_frsize,
        load1=load1,
        load5=load5,
        load15=load15,
    )
    return usage, now
