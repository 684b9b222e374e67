"""This machine as the server knows it: the Node object, and the lease that says the agent is alive.

The lease is renewed by a loop of its own, over a connection of its own, independent of everything else the
agent does. The condition Ready is not ours: the node controller derives it from the lease. Ours is Draining: that
everything here is about to end, so that nothing is placed here any more. An agent that has ended everything gives the
lease back; one that ends alone, or is killed, leaves it to its term.
"""

import asyncio
import logging
import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from apiserver.api import conditions
from apiserver.api.errors import ApiError, Conflict
from apiserver.api.kinds.lease import Lease
from apiserver.api.kinds.node import DRAINING, NODE_LEASES, Node
from apiserver.api.meta import Body, format_micro_time
from apiserver.client.backoff import Backoff
from apiserver.client.interface import Client

log = logging.getLogger(__name__)

LEASE_SECONDS = 15
RENEW_SECONDS = LEASE_SECONDS / 3
REQUEST_SECONDS = 4.0
DRAIN_SECONDS, RELEASE_SECONDS = 2.0, 6.0
"""How long a drain waits to be announced, and at its end for the lease to be taken back: it needs no server."""

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
        """Set while the node is registered and the lease ours, as far as we know: a server that is away changes
        nothing."""
        self.superseded = asyncio.Event()
        """Set while another agent holds the lease."""
        self._client, self._machine, self._now = client, machine, now
        self._rng = rng or random.Random()
        self._uid = ""
        """The Node's uid."""
        self._is_known = False
        """Whether the server had the Node when it was last asked; else register first."""
        self._lease_uid = self._lease_version = ""
        self._draining: Body | None = None
        """The condition Draining, once there is something to say."""
        self._sending = asyncio.Lock()
        self._is_over = False
        self._register_at = 0.0
        self._failures = 0

    async def run(self) -> None:
        """Register and renew until cancelled, or the lease is given back; waits for the server as long as it takes."""
        while not self._is_over:
            try:
                async with self._sending:
                    await self._beat()
            except (ApiError, TimeoutError) as error:
                self._note(error)
                await asyncio.sleep(RETRY.delay(self._failures - 1, self._rng))
            else:
                self._failures = 0
                self.superseded.clear()
                self.registered.set()
                await asyncio.sleep(RENEW_SECONDS * self._rng.uniform(0.9, 1.1))

    async def announce_drain(self) -> None:
        """Say that everything here is about to end, if the server can be told soon."""
        self._draining = self._drain_condition("True", "AgentDraining", "the agent ends all that it runs")
        if self.registered.is_set():
            await self._try("a drain was not announced", self._tell, DRAIN_SECONDS)

    async def give_back(self) -> None:
        """Everything here has ended, and nothing is started any more: let go of the lease, so that nobody waits for
        its term. The last act of an agent."""
        self._is_over = True
        if not self.registered.is_set():
            return
        await self._try("the lease was not given back, and ends with its term", self._release, RELEASE_SECONDS)

    async def _release(self) -> None:
        """The lease first: it must not look as if copies could be placed here again."""
        lease = self._claim("")
        lease["metadata"]["resourceVersion"] = self._lease_version  # in the state that is ours
        await self._client.apply(Lease, self._machine.node, lease, namespace=NODE_LEASES)
        self._draining = self._drain_condition("False", "Drained", "the agent has ended all that it ran")
        await self._tell()

    async def _try(self, failure: str, act: Callable[[], Awaitable[None]], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds), self._sending:
                await act()
        except (ApiError, TimeoutError) as error:
            log.warning("%s: %s", failure, str(error) or "no answer in time")

    def _drain_condition(self, status: Literal["True", "False"], reason: str, message: str) -> Body:
        found = conditions.renew((), DRAINING, status, reason=reason, message=message, now=self._now())
        body: Body = found.model_dump(mode="json", by_alias=True, exclude_none=True)
        return body

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(REQUEST_SECONDS):
            if self._is_known and loop.time() < self._register_at and await self._renew():
                return
            node = await self._client.apply(Node, self._machine.node, {})
            self._uid, self._is_known = node.metadata.uid or "", True
            # The lease first: while another agent holds it, this one has nothing to say about the node.
            await self._renew()
            await self._tell()
            self._register_at = loop.time() + REGISTER_SECONDS * self._rng.uniform(0.9, 1.1)

    def _note(self, error: Exception) -> None:
        if isinstance(error, Conflict):
            self._step_back(error)
        else:
            level = logging.DEBUG if self._failures else logging.WARNING
            log.log(level, "the lease was not renewed: %s; trying again", str(error) or "no answer in time")
        self._failures += 1
        self._is_known = False  # the server may have lost the Node, or be another one

    def _step_back(self, error: Conflict) -> None:
        if not self.superseded.is_set():
            log.warning("%s; until then nothing is started or stopped here, and what runs goes on", error)
        self.registered.clear()
        self.superseded.set()

    async def _tell(self) -> None:
        status = self._machine.status() | ({"conditions": [self._draining]} if self._draining else {})
        await self._client.apply(Node, self._machine.node, {"status": status}, subresource="status")

    async def _renew(self) -> bool:
        """Whether the lease is still the one it was: another one means that the server has lost it, and so perhaps
        the Node, as after a restore."""
        claim = self._claim(self._machine.identity)
        lease = await self._client.apply(Lease, self._machine.node, claim, namespace=NODE_LEASES)
        known, self._lease_uid = self._lease_uid, lease.metadata.uid or ""
        self._lease_version = lease.metadata.resource_version or ""
        return self._lease_uid == known

    def _claim(self, holder: str) -> Body:
        """The lease as it is to be; an empty ``holder`` gives it back."""
        owner = {"apiVersion": "plum.dev/v1", "kind": "Node", "name": self._machine.node, "uid": self._uid}
        spec = {
            "holderIdentity": holder,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": format_micro_time(self._now()),
        }
        return {"metadata": {"ownerReferences": [owner]}, "spec": spec}
