"""What the store tells Prometheus: read when asked, not counted along the way."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from apiserver.server.store.store import Store


class StoreCollector(Collector):
    """Sizes, versions and the work of compaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client. Nothing here asks the engine: sizes of files are at most a minute old."""
        for name, text, value in self._gauges():
            yield GaugeMetricFamily(f"plum_store_{name}", text, value=value)
        for name, text, value in self._counters():
            yield CounterMetricFamily(f"plum_store_{name}", text, value=value)
        objects = GaugeMetricFamily("apiserver_storage_objects", "Objects stored.", labels=["resource"])
        sizes = GaugeMetricFamily("plum_store_object_bytes", "Bytes of objects, as cached.", labels=["resource"])
        for resource, table in self._store.cache.tables.items():
            objects.add_metric([resource], len(table.slots))
            sizes.add_metric([resource], table.bytes)
        yield objects
        yield sizes

    def _gauges(self) -> Iterator[tuple[str, str, float]]:
        store, sizes = self._store, self._store.maintenance.sizes
        log_changes, log_bytes = store.engine.log_size
        ring_events, ring_bytes = store.cache.ring_size
        yield "writable", "1 if the last write was stored.", 0.0 if store.committer.trouble else 1.0
        yield "version", "The highest resourceVersion.", store.version
        yield "compacted_version", "The version up to which changes are forgotten.", store.maintenance.compacted
        yield "waiting_writes", "Writers waiting for their turn.", store.committer.depth
        yield "database_bytes", "Size of the database file.", sizes.database
        yield "database_free_bytes", "What of it is free for later use.", sizes.free
        yield "wal_bytes", "Size of the write-ahead log.", sizes.wal
        yield "log_changes", "Changes in the log of changes.", log_changes
        yield "log_bytes", "Bytes in the log of changes.", log_bytes
        yield "ring_events", "Recent changes in memory.", ring_events
        yield "ring_bytes", "Bytes of recent changes in memory.", ring_bytes

    def _counters(self) -> Iterator[tuple[str, str, float]]:
        done = self._store.maintenance.done
        yield "compactions", "Runs of compaction that forgot something.", done.runs
        yield "compacted_changes", "Changes forgotten.", done.changes
        yield "compaction_seconds", "Time spent on compaction, pauses included.", done.seconds
        yield "maintenance_failures", "Runs of maintenance that failed.", done.failures
        yield "slow_watchers", "Watches that fell behind and went back to the log.", self._store.watchers.overflows
