"""What Prometheus scrapes. Names follow kube-apiserver's where it has the same thing."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from apiserver.server.store.store import Store

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LATENCY = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """The server's metrics, in a register of their own: two servers in one process do not mix."""

    def __init__(self, store: Store) -> None:
        self._register = CollectorRegistry()
        self.requests = Counter("apiserver_request", "Requests.", ["verb", "resource", "code"], registry=self._register)
        self.latency = Histogram(
            "apiserver_request_duration_seconds",
            "Time to the end of the reply; watches are left out.",
            ["verb", "resource"],
            buckets=_LATENCY,
            registry=self._register,
        )
        self.in_flight = Gauge("apiserver_current_inflight_requests", "Requests being served.", registry=self._register)
        batch = Histogram(
            "plum_store_batch_writes",
            "Writes in one commit.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=self._register,
        )
        store.committer.batch_sizes = batch.observe
        self._gauge("plum_store_version", "The highest resourceVersion.", lambda: store.version)
        self._gauge("plum_store_waiting_writes", "Writers waiting for their turn.", lambda: store.committer.depth)
        self._gauge("apiserver_watchers", "Watches being served.", lambda: store.watchers.count)
        self._gauge("plum_slow_watchers_cut", "Watches cut since the start.", lambda: store.watchers.cut)

    def _gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        Gauge(name, text, registry=self._register).set_function(read)

    async def serve(self, request: Request) -> Response:
        """``GET /metrics``."""
        return Response(generate_latest(self._register), headers={"content-type": CONTENT_TYPE})
