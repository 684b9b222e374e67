"""What Prometheus scrapes. Names follow kube-apiserver's where it has the same thing."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from apiserver.server.channels import Channels
from apiserver.server.http import usage_metrics
from apiserver.server.http.store_metrics import StoreCollector
from apiserver.server.http.streams import StreamedResponse
from apiserver.server.store.store import Store
from apiserver.server.usage import UsageStore

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LATENCY = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_FLUSH = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
_REQUEST = ("verb", "resource", "code")


class Metrics:
    """The server's metrics, in a register of their own: two servers in one process do not mix."""

    def __init__(self, store: Store, usage: UsageStore) -> None:
        self._usage = usage
        self._register = register = CollectorRegistry()
        self._requests = Counter("apiserver_request", "Requests.", _REQUEST, registry=register)
        self._latency = Histogram(
            "apiserver_request_duration_seconds",
            "Time to the end of the reply; watches, channels and logs are left out.",
            _REQUEST,
            buckets=_LATENCY,
            registry=register,
        )
        self._sizes = Histogram(
            "apiserver_response_sizes", "Bytes of replies.", _REQUEST, buckets=_SIZES, registry=register
        )
        in_flight = Gauge(
            "apiserver_current_inflight_requests", "Requests being served.", ["request_kind"], registry=register
        )
        self._reading, self._mutating = in_flight.labels("readOnly"), in_flight.labels("mutating")
        self._watchers = Gauge(
            "apiserver_registered_watchers", "Watches being served.", ["resource"], registry=register
        )
        self._events = Counter("apiserver_watch_events", "Events sent to watches.", ["resource"], registry=register)
        self._stuck = Counter(
            "plum_stuck_watchers_cut", "Watches ended because the client took nothing.", registry=register
        )
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram, Histogram]] = {}
        self._observe(store)
        register.register(StoreCollector(store))
        ProcessCollector(registry=register)

    def _observe(self, store: Store) -> None:
        register = self._register
        batch = Histogram(
            "plum_store_batch_writes",
            "Writes in one commit.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=register,
        )
        commit = Histogram(
            "plum_store_commit_duration_seconds", "Time to store a batch.", buckets=_FLUSH, registry=register
        )
        sync = Histogram(
            "plum_store_sync_duration_seconds",
            "Time of one COMMIT: writing the log and flushing it.",
            buckets=_FLUSH,
            registry=register,
        )
        failures = Counter("plum_store_commit_failures", "Batches that were not stored.", registry=register)

        def committed(writes: int, seconds: float) -> None:
            batch.observe(writes)
            commit.observe(seconds)

        store.committer.on_commit, store.committer.on_failure = committed, failures.inc
        store.engine.on_sync = sync.observe

    @property
    def register(self) -> CollectorRegistry:
        """Where parts of the server add metrics of their own."""
        return self._register

    def begin(self, method: str) -> Gauge:
        """A request has come; its end is told by ``dec`` of what is returned."""
        gauge = self._reading if method in ("GET", "HEAD") else self._mutating
        gauge.inc()
        return gauge

    def end(self, verb: str, resource: str, code: int, seconds: float, size: int) -> None:
        """A request has been answered."""
        key = (verb, resource, code)
        found = self._children.get(key)
        if found is None:
            labels = (verb, resource, str(code))
            found = self._requests.labels(*labels), self._latency.labels(*labels), self._sizes.labels(*labels)
            self._children[key] = found
        count, latency, sizes = found
        count.inc()
        if verb not in ("watch", "connect"):
            latency.observe(seconds)
            sizes.observe(size)

    async def watch(self, resource: str, frames: AsyncIterator[tuple[bytes, int]]) -> AsyncIterator[bytes]:
        """A watch's frames, counted as they go by; each comes with the number of its events."""
        sent = self._events.labels(resource)
        with self._watchers.labels(resource).track_inprogress():
            async with aclosing(frames) as found:  # type: ignore[type-var]
                async for frame, events in found:
                    yield frame
                    sent.inc(events)

    def channels(self, channels: Channels) -> None:
        """Tell how many channels there are, and streams over them."""
        nodes = Gauge("plum_node_channels", "Nodes whose agent has a channel.", registry=self._register)
        nodes.set_function(lambda: channels.nodes)
        streams = Gauge("plum_node_streams", "Answers of agents under way, such as logs.", registry=self._register)
        streams.set_function(lambda: channels.streams)

    def stuck(self) -> None:
        """A watch has been cut because its client took nothing."""
        self._stuck.inc()

    async def serve(self, request: Request) -> Response:
        """``GET /metrics``."""
        return StreamedResponse(self._text(), media_type=CONTENT_TYPE)

    async def _text(self) -> AsyncIterator[bytes]:
        yield generate_latest(self._register)
        async for piece in usage_metrics.pieces(self._usage):
            yield piece.encode()
