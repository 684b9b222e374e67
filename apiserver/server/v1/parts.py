"""What the handlers of ``/v1`` are made of."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from apiserver.server.blobs import Blobs
from apiserver.server.endpoint_leases import EndpointLeases
from apiserver.server.registry import Registry
from apiserver.server.unused_blobs import UnusedBlobs


@dataclass(frozen=True)
class Parts:
    """See ``http.app.Parts``."""

    registry: Registry
    blobs: Blobs
    unused: UnusedBlobs
    endpoint_leases: EndpointLeases
    heartbeat_ttl: int
    """Seconds that a heartbeat of a node or a service counts."""
    clock: Callable[[], datetime]
    rng: random.Random
