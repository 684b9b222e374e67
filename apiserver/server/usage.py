"""What agents report of their nodes, kept in memory for as long as it is fresh. Nothing of it is stored.

Who reads: ``/metrics``, the usage endpoints, and whatever else wants to know. What has no object any more, or was
received more than ``STALE_SECONDS`` ago, is not there for any of them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from apiserver.api.kinds.assignment import ASSIGNMENTS
from apiserver.api.kinds.node import NODES
from apiserver.api.meta import format_micro_time
from apiserver.api.usage import STALE_SECONDS, InstanceUsage, NodeUsage, UsageReport
from apiserver.server.store.snapshot import Slot
from apiserver.server.store.store import Store
from apiserver.server.transaction import not_found

SWEEP_SECONDS = 15.0
"""The pause between two searches for reports that nobody may see any more."""


@dataclass(frozen=True, slots=True)
class Report:
    """The last that was heard of a node."""

    node: str
    usage: NodeUsage
    window_seconds: float
    received_at: str
    """RFC 3339."""
    ticks: float
    """The same by the monotonic clock."""
    instances: Mapping[tuple[str, str], bytes]
    """By namespace and name, as JSON: a fifth of what the objects would take, and hardly ever read."""


@dataclass(frozen=True, slots=True)
class Instance:
    """What an assignment's instance uses, as its node reported it."""

    slot: Slot
    report: Report
    usage: InstanceUsage


class UsageStore:
    """The last report of each node."""

    def __init__(self, store: Store, *, monotonic: Callable[[], float], clock: Callable[[], datetime]) -> None:
        self._store, self._monotonic, self._clock = store, monotonic, clock
        self._reports: dict[str, Report] = {}
        self._swept = monotonic()

    def put(self, node: str, report: UsageReport) -> None:
        """Take in a node's report; it replaces the one before. Raises NotFound where there is no such node."""
        if self._store.get(NODES, "", node) is None:
            raise not_found(NODES, node)
        instances = {
            (one.namespace, one.name): one.model_dump_json(by_alias=True, exclude_none=True).encode()
            for one in report.instances
        }
        now, told = self._monotonic(), format_micro_time(self._clock())
        self._reports[node] = Report(node, report.node, report.window_seconds, told, now, instances)
        self._sweep(now)

    def node(self, name: str) -> Report | None:
        """What is known of a node now."""
        report = self._reports.get(name)
        return report if report is not None and self._is_current(report) else None

    def nodes(self) -> list[Report]:
        """What is known of all nodes now, by name."""
        return [report for _, report in sorted(self._reports.items()) if self._is_current(report)]

    def instance(self, slot: Slot) -> Instance | None:
        """What is known now of an assignment's instance: what the node says on which it is."""
        report = self.node(slot.seen.fields.get("spec.nodeName", ""))
        return self._of(slot, report) if report is not None else None

    def instances(self, report: Report) -> Iterator[Instance]:
        """What a report says of assignments that still are on its node."""
        for namespace, name in report.instances:
            slot = self._store.get(ASSIGNMENTS, namespace, name)
            if slot is not None and slot.seen.fields.get("spec.nodeName") == report.node:
                found = self._of(slot, report)
                if found is not None:
                    yield found

    def _of(self, slot: Slot, report: Report) -> Instance | None:
        raw = report.instances.get((slot.key.namespace, slot.key.name))
        if raw is None:
            return None
        usage = InstanceUsage.model_validate_json(raw)
        # Another object of the same name has another uid; to look for it is cheaper than to parse the object.
        return Instance(slot, report, usage) if usage.uid.encode() in slot.body else None

    def _is_current(self, report: Report) -> bool:
        return self._is_fresh(report) and self._store.get(NODES, "", report.node) is not None

    def _is_fresh(self, report: Report) -> bool:
        return self._monotonic() - report.ticks <= STALE_SECONDS

    def _sweep(self, now: float) -> None:
        if now - self._swept > SWEEP_SECONDS:
            self._swept = now
            self._reports = {name: report for name, report in self._reports.items() if self._is_current(report)}
