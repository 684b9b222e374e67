"""What is kept of usage, for how long, and how Prometheus gets it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from apiserver.api.errors import NotFound
from apiserver.api.kinds.node import NODES
from apiserver.api.usage import InstanceUsage, NodeUsage, UsageReport
from apiserver.server.http import usage_metrics
from apiserver.server.store.decisions import Put, Remove
from apiserver.server.store.memory import MemoryEngine
from apiserver.server.store.store import Store
from apiserver.server.usage import UsageStore
from tests.stores import KIND, NOW, body, put, remove, running

LABELS = {"plum.dev/task": "web", "plum.dev/entry": "main"}


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def node(name: str) -> dict[str, Any]:
    return {"kind": "Node", "metadata": {"name": name, "uid": f"uid-{name}"}, "spec": {}}


def used(name: str, **figures: Any) -> InstanceUsage:
    return InstanceUsage(namespace="default", name=name, uid=f"uid-{name}", **figures)


def report(*instances: InstanceUsage, **figures: Any) -> UsageReport:
    return UsageReport(window_seconds=15.0, node=NodeUsage(**figures), instances=instances)


class World:
    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.usage = UsageStore(store, monotonic=clock, clock=lambda: NOW)

    def names(self) -> list[str]:
        return [one.usage.name for found in self.usage.nodes() for one in self.usage.instances(found)]

    def of(self, name: str) -> InstanceUsage | None:
        slot = self.store.get(KIND, "default", name)
        found = self.usage.instance(slot) if slot else None
        return found.usage if found else None

    async def metrics(self) -> dict[tuple[str, str], float]:
        """By the name of the metric and the value of the label that tells apart."""
        text = "".join([piece async for piece in usage_metrics.pieces(self.usage)])
        return {
            (sample.name, sample.labels.get("assignment") or sample.labels.get("node", "")): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    async with running(MemoryEngine()) as store:
        await store.write(lambda view: [Put(NODES, node("n1")), Put(NODES, node("n2"))])
        await store.write(put(*(body(name, node="n1", labels=LABELS) for name in ("a", "b"))))
        yield World(store, Clock())


async def test_the_last_report_of_a_node_counts() -> None:
    async with world() as found:
        found.usage.put("n1", report(used("a", cpu_seconds=1.0), used("b")))
        found.usage.put("n1", report(used("a", cpu_seconds=2.0, cpu=0.5), load1=0.25))
        assert found.names() == ["a"]
        assert found.of("a") == used("a", cpu_seconds=2.0, cpu=0.5)
        assert found.of("b") is None
        seen = found.usage.node("n1")
        assert seen
        assert (seen.usage.load1, seen.received_at) == (0.25, "2026-01-02T03:04:05.000000Z")


async def test_old_reports_are_not_shown_and_do_not_stay() -> None:
    async with world() as found:
        found.usage.put("n1", report(used("a")))
        found.clock.seconds = 60.0
        assert found.names() == ["a"]
        found.clock.seconds = 60.5
        assert found.usage.nodes() == []
        assert found.of("a") is None
        found.usage.put("n2", report())
        assert list(found.usage._reports) == ["n2"]


async def test_nothing_is_shown_of_what_is_gone() -> None:
    async with world() as found:
        with pytest.raises(NotFound, match=r'nodes\.plum\.dev "n3" not found'):
            found.usage.put("n3", report())
        found.usage.put("n1", report(used("a"), used("b"), used("never")))
        assert found.names() == ["a", "b"]
        await found.store.write(remove("b"))
        assert found.names() == ["a"]
        await found.store.write(lambda view: [Remove(NODES, node("n1"))])
        assert found.usage.nodes() == []
        assert found.of("a") is None


async def test_a_node_speaks_of_its_own_assignments_and_of_no_other_of_the_same_name() -> None:
    async with world() as found:
        found.usage.put("n2", report(used("a")))
        assert found.names() == []
        assert found.of("a") is None
        found.usage.put("n1", report(InstanceUsage(namespace="default", name="a", uid="another")))
        assert found.names() == []
        assert found.of("a") is None


async def test_what_prometheus_reads() -> None:
    async with world() as found:
        instances = [
            used("a", cpu_seconds=1.25, memory_bytes=2**30, read_bytes=7, written_bytes=8, restarts=2, open_fds=5),
            used("b", threads=3),
        ]
        found.usage.put("n1", report(*instances, cpus=4, disk_free_bytes=10**12))
        metrics = await found.metrics()
        assert metrics["plum_instance_cpu_seconds_total", "a"] == 1.25
        assert metrics["plum_instance_memory_bytes", "a"] == 2**30
        assert metrics["plum_instance_read_bytes_total", "a"] == 7
        assert metrics["plum_instance_written_bytes_total", "a"] == 8
        assert metrics["plum_instance_restarts_total", "a"] == 2
        assert metrics["plum_instance_open_fds", "a"] == 5
        assert metrics["plum_instance_threads", "b"] == 3
        assert metrics["plum_node_cpus", "n1"] == 4
        assert metrics["plum_node_disk_free_bytes", "n1"] == 10**12
        assert metrics["plum_instances_left_out", ""] == 0


async def test_every_family_is_one_block_with_its_labels() -> None:
    async with world() as found:
        found.usage.put("n1", report(used("a"), used("b")))
        text = "".join([piece async for piece in usage_metrics.pieces(found.usage)])
        families = [one for one in text_string_to_metric_families(text) if one.name.startswith("plum_instance_")]
        assert len({family.name for family in families}) == len(families) == len(usage_metrics.INSTANCE)
        for family in families:
            assert family.documentation
            assert [sample.labels["assignment"] for sample in family.samples] == ["a", "b"]
            assert family.samples[0].labels == {
                "namespace": "default", "task": "web", "entry": "main", "assignment": "a", "node": "n1",
            }  # fmt: skip


async def test_series_are_bounded_and_what_is_left_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_metrics, "MAX_INSTANCES", 1)
    async with world() as found:
        found.usage.put("n1", report(used("a"), used("b")))
        metrics = await found.metrics()
        assert ("plum_instance_threads", "a") in metrics
        assert ("plum_instance_threads", "b") not in metrics
        assert metrics["plum_instances_left_out", ""] == 1


def test_label_values_are_escaped() -> None:
    assert usage_metrics._labels(a='\\"\n') == '{a="\\\\\\"\\n"}'
