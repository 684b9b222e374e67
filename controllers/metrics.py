"""What Prometheus scrapes of a controller process. Names follow client-go's and controller-runtime's."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from apiserver.client.informer import Informer
from apiserver.client.leader import Leadership
from apiserver.client.observers import WorkObserver

_LATENCY = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """The metrics, in a register of their own: two managers in one process do not mix."""

    def __init__(self) -> None:
        self.register = CollectorRegistry()

        def counter(name: str, text: str, label: str) -> Counter:
            return Counter(name, text, [label], registry=self.register)

        def gauge(name: str, text: str, label: str = "name") -> Gauge:
            return Gauge(name, text, [label], registry=self.register)

        self._depth = gauge("workqueue_depth", "Keys that wait for a worker.")
        self._adds = counter("workqueue_adds", "Keys put into the queue.", "name")
        self._retries = counter("workqueue_retries", "Keys put back after a failure.", "name")
        self._errors = counter("controller_runtime_reconcile_errors", "Reconciles that failed.", "controller")
        self._time = Histogram(
            "controller_runtime_reconcile_time_seconds",
            "How long reconciles took, failed ones included.",
            ["controller"],
            buckets=_LATENCY,
            registry=self.register,
        )
        self._leader = (
            gauge("plum_leader", "Whether this process leads."),
            gauge("leader_election_master_status", "The same under client-go's name."),
        )
        self._transitions = counter("plum_leader_transitions", "How often it began or ceased to lead.", "name")

    def work(self, controller: str) -> WorkObserver:
        """The observer of a controller."""
        return _Work(
            self._depth.labels(controller),
            self._adds.labels(controller),
            self._retries.labels(controller),
            self._errors.labels(controller),
            self._time.labels(controller),
        )

    def election(self, name: str) -> Callable[[Leadership | None], None]:
        """What to call when this process begins (a leadership) and ceases (None) to lead."""
        leader, transitions = [gauge.labels(name) for gauge in self._leader], self._transitions.labels(name)

        def on_change(leadership: Leadership | None) -> None:
            transitions.inc()
            for gauge in leader:
                gauge.set(leadership is not None)

        return on_change

    def watch_informers(self, informers: Mapping[str, Informer[Any]]) -> None:
        """Tell about these informers, by plural name."""
        self.register.register(_Informers(informers))

    @contextmanager
    def served(self, host: str, port: int) -> Iterator[str]:
        """Serve them over HTTP from a thread of its own, on every path; yields the URL. Raises OSError."""
        server, thread = start_http_server(port, host, registry=self.register)
        try:
            yield f"http://{f'[{host}]' if ':' in host else host}:{server.server_port}/metrics"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Work:
    """One controller's series."""

    def __init__(self, depth: Gauge, adds: Counter, retries: Counter, errors: Counter, time: Histogram) -> None:
        self._depth, self._adds, self._retries, self._errors, self._time = depth, adds, retries, errors, time

    def added(self) -> None:
        self._adds.inc()

    def waiting(self, keys: int) -> None:
        self._depth.set(keys)

    def retried(self) -> None:
        self._retries.inc()

    def reconciled(self, seconds: float, *, failed: bool) -> None:
        self._time.observe(seconds)
        if failed:
            self._errors.inc()


class _Informers(Collector):
    """Read when it is scraped."""

    def __init__(self, informers: Mapping[str, Informer[Any]]) -> None:
        self._informers = informers

    def collect(self) -> Iterator[Metric]:
        objects = GaugeMetricFamily("plum_informer_objects", "Objects in the cache.", labels=["resource"])
        lists = CounterMetricFamily(
            "plum_informer_lists", "How often the collection was listed; one is normal.", labels=["resource"]
        )
        for plural, informer in self._informers.items():
            objects.add_metric([plural], len(informer))
            lists.add_metric([plural], informer.lists)
        yield from (objects, lists)
