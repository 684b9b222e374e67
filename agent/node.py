"""This machine as the server knows it: the Node object, and the lease that says the agent is alive.

The lease is renewed by a loop of its own, over a connection of its own, independent of everything else the
agent does. The condition Ready is not ours: the node controller derives it from the lease.
"""

import asyncio
import logging
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from apiserver.api.errors import ApiError, Conflict
from apiserver.api.kinds.lease import Lease
from apiserver.api.kinds.node import NODE_LEASES, Node
from apiserver.api.meta import Body, format_micro_time
from apiserver.client.backoff import Backoff
from apiserver.client.interface import Client

log = logging.getLogger(__name__)

LEASE_SECONDS = 15
RENEW_SECONDS = LEASE_SECONDS / 3
REQUEST_SECONDS = 4.0
REGISTER_SECONDS = 300.0
"""The pause between registrations, so that a Node that somebody deleted comes back."""

RETRY = Backoff(base=0.2, cap=RENEW_SECONDS)


@dataclass(frozen=True)
class Machine:
    """What the agent tells about its machine."""

    node: str
    identity: str
    """Who holds the node's lease: the agent of one data folder, over restarts."""
    ip: str
    boot_id: str
    version: str
    port_range: str
    cpu: str
    memory: str

    def status(self) -> Body:
        """The agent's part of the node's status."""
        return {
            "ip": self.ip,
            "agent": {"name": "plum", "version": self.version},
            "bootID": self.boot_id,
            "capacity": {"cpu": self.cpu, "memory": self.memory},
            "portRange": self.port_range,
        }


def capacity() -> tuple[str, str]:
    """Processors and memory of this machine, as Kubernetes quantities."""
    return str(os.cpu_count() or 1), f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') // 1024}Ki"


class Registration:
    """Keeps the Node registered and its lease renewed."""

    def __init__(
        self,
        client: Client,
        machine: Machine,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        rng: random.Random | None = None,
    ) -> None:
        self.registered = asyncio.Event()
        """Set after the first registration with a lease."""
        self.refused = False
        """Whether another agent held the lease when the server was last asked."""
        self._client, self._machine, self._now = client, machine, now
        self._rng = rng or random.Random()
        self._uid = ""
        """The Node's uid; empty: register first."""
        self._lease_uid = ""
        self._register_at = 0.0
        self._failures = 0

    async def run(self) -> None:
        """Register and renew until cancelled; waits for the server as long as it takes."""
        while True:
            try:
                await self._beat()
            except (ApiError, TimeoutError) as error:
                self._note(error)
                await asyncio.sleep(RETRY.delay(self._failures - 1, self._rng))
            else:
                self._failures, self.refused = 0, False
                self.registered.set()
                await asyncio.sleep(RENEW_SECONDS * self._rng.uniform(0.9, 1.1))

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(REQUEST_SECONDS):
            if self._uid and loop.time() < self._register_at and await self._renew():
                return
            node = await self._client.apply(Node, self._machine.node, {})
            self._uid = node.metadata.uid or ""
            # The lease first: while another agent holds it, this one has nothing to say about the node.
            await self._renew()
            await self._tell()
            self._register_at = loop.time() + REGISTER_SECONDS * self._rng.uniform(0.9, 1.1)

    def _note(self, error: Exception) -> None:
        level = logging.DEBUG if self._failures else logging.WARNING
        log.log(level, "the lease was not renewed: %s; trying again", str(error) or "no answer in time")
        self._failures += 1
        self.refused = self.refused or isinstance(error, Conflict)
        self._uid = ""  # the server may have lost the Node, or be another one

    async def _tell(self) -> None:
        status = {"status": self._machine.status()}
        await self._client.apply(Node, self._machine.node, status, subresource="status")

    async def _renew(self) -> bool:
        """Whether the lease is still the one it was: another one means that the server has lost it, and so perhaps
        the Node, as after a restore."""
        node = self._machine.node
        owner = {"apiVersion": "plum.dev/v1", "kind": "Node", "name": node, "uid": self._uid}
        spec = {
            "holderIdentity": self._machine.identity,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": format_micro_time(self._now()),
        }
        body: Body = {"metadata": {"ownerReferences": [owner]}, "spec": spec}
        lease = await self._client.apply(Lease, node, body, namespace=NODE_LEASES)
        known, self._lease_uid = self._lease_uid, lease.metadata.uid or ""
        return self._lease_uid == known
