"""Usage as Prometheus reads it. Rendered by hand: the client library takes half a second for 5,000 instances."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Generic, TypeVar

from apiserver.api.kinds.assignment import ENTRY_LABEL, TASK_LABEL
from apiserver.api.usage import InstanceUsage, NodeUsage
from apiserver.server.usage import Instance, Report, UsageStore

MAX_INSTANCES = 20_000
"""More are left out, and their number is told."""

SLICE = 500
"""Instances that are rendered without a break."""

T = TypeVar("T")
Labelled = Sequence[tuple[str, T]]


@dataclass(frozen=True)
class Family(Generic[T]):
    """One metric."""

    name: str
    type: str
    help: str
    value: Callable[[T], float | None]

    def head(self) -> str:
        """What comes before the samples."""
        return f"# HELP {self.name} {self.help}\n# TYPE {self.name} {self.type}\n"

    def samples(self, found: Labelled[T]) -> str:
        """A line for each of what has such a figure."""
        name, value = self.name, self.value
        return "".join(f"{name}{labels} {shown}\n" for labels, one in found if (shown := value(one)) is not None)


INSTANCE: Sequence[Family[InstanceUsage]] = (
    Family("plum_instance_cpu_seconds_total", "counter", "Processor time of the present run.", lambda u: u.cpu_seconds),
    Family(
        "plum_instance_memory_bytes",
        "gauge",
        "Resident memory that is not shared with files.",
        lambda u: u.memory_bytes,
    ),
    Family("plum_instance_processes", "gauge", "Processes.", lambda u: u.processes),
    Family("plum_instance_threads", "gauge", "Threads of all processes.", lambda u: u.threads),
    Family("plum_instance_open_fds", "gauge", "Open file descriptors of all processes.", lambda u: u.open_fds),
    Family(
        "plum_instance_read_bytes_total",
        "counter",
        "Bytes read from storage in the present run.",
        lambda u: u.read_bytes,
    ),
    Family(
        "plum_instance_written_bytes_total",
        "counter",
        "Bytes written to storage in the present run.",
        lambda u: u.written_bytes,
    ),
    Family("plum_instance_restarts_total", "counter", "Restarts.", lambda u: u.restarts),
)

NODE: Sequence[Family[NodeUsage]] = (
    Family("plum_node_cpus", "gauge", "Processors.", lambda u: u.cpus),
    Family("plum_node_cpu_seconds_total", "counter", "Processor time used since the boot.", lambda u: u.cpu_seconds),
    Family("plum_node_memory_bytes", "gauge", "Memory that new programs could not have.", lambda u: u.memory_bytes),
    Family("plum_node_memory_total_bytes", "gauge", "Memory.", lambda u: u.memory_total_bytes),
    Family(
        "plum_node_disk_free_bytes", "gauge", "Free space where the agent keeps its data.", lambda u: u.disk_free_bytes
    ),
    Family(
        "plum_node_disk_total_bytes", "gauge", "Space where the agent keeps its data.", lambda u: u.disk_total_bytes
    ),
    Family("plum_node_load1", "gauge", "Load average of a minute.", lambda u: u.load1),
    Family("plum_node_load5", "gauge", "Load average of five minutes.", lambda u: u.load5),
    Family("plum_node_load15", "gauge", "Load average of a quarter of an hour.", lambda u: u.load15),
)


async def pieces(usage: UsageStore) -> AsyncIterator[str]:
    """The text, piece by piece, with room for others in between."""
    reports = usage.nodes()
    nodes = [(node_labels(report), report.usage) for report in reports]
    for node_family in NODE:
        yield node_family.head() + node_family.samples(nodes)
    instances = chain.from_iterable(map(usage.instances, reports))
    found: list[tuple[str, InstanceUsage]] = []
    while some := list(islice(instances, min(SLICE, MAX_INSTANCES - len(found)))):
        found += ((instance_labels(one), one.usage) for one in some)
        await asyncio.sleep(0)
    for family in INSTANCE:
        yield family.head()
        for part in _parts(found):
            yield family.samples(part)
            await asyncio.sleep(0)
    left_out = max(0, sum(len(report.instances) for report in reports) - MAX_INSTANCES)
    yield (
        f"# HELP plum_instances_left_out Instances beyond the first {MAX_INSTANCES}, which are not shown.\n"
        f"# TYPE plum_instances_left_out gauge\nplum_instances_left_out {left_out}\n"
    )


def _parts(found: Labelled[T]) -> Iterator[Labelled[T]]:
    for start in range(0, len(found), SLICE):
        yield found[start : start + SLICE]


def instance_labels(one: Instance) -> str:
    """Which instance it is, between braces."""
    labels = one.slot.seen.labels
    return _labels(
        namespace=one.slot.key.namespace,
        task=labels.get(TASK_LABEL, ""),
        entry=labels.get(ENTRY_LABEL, ""),
        assignment=one.slot.key.name,
        node=one.report.node,
    )


def node_labels(report: Report) -> str:
    """Which node it is, between braces."""
    return _labels(node=report.node)


def _labels(**labels: str) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
