"""One try of a probe: what it asks, a slot to ask in, a limit to its time."""

import asyncio
import shlex
import time
from collections.abc import Callable, Mapping

from agent.probe_commands import STALLED_SECONDS, Commands, Place
from agent.probe_network import LOOPBACK, Network, authority, location
from agent.probes import Outcome
from apiserver.api.kinds.probe import Probe, ProbeName

NETWORK_SLOTS, COMMAND_SLOTS = 64, 8
"""Tries at a time. Waiting for a slot makes a try late, and never fail."""

MAX_TARGET = 200


class Probers:
    """Asks processes. Every try ends soon after its timeout, and none raises."""

    def __init__(
        self,
        network: Network,
        commands: Commands,
        *,
        slots: int = NETWORK_SLOTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._network, self._commands, self._clock = network, commands, clock
        self._network_slots = asyncio.Semaphore(slots)
        self._command_slots = asyncio.Semaphore(COMMAND_SLOTS)

    async def ask(self, name: ProbeName, probe: Probe, ports: Mapping[str, int], place: Place) -> Outcome | None:
        """One try; ``ports`` are the instance's by name. None: it says nothing of the process."""
        if probe.exec is not None:
            async with self._command_slots:
                return await self._commands.run(name, probe.exec.command, place, within=probe.timeout_seconds)
        port = port_of(probe, ports)
        if port is None:
            return Outcome(False, f"the instance has no port {probe.port!r}")
        async with self._network_slots:
            return await self._ask_over_network(probe, port)

    async def _ask_over_network(self, probe: Probe, port: int) -> Outcome | None:
        began, seconds = self._clock(), probe.timeout_seconds
        try:
            if probe.http_get is not None:
                return await self._network.get(probe.http_get, port, within=seconds)
            host = probe.tcp_socket.host if probe.tcp_socket is not None else ""
            return await self._network.connect(host, port, within=seconds)
        except TimeoutError:
            if self._clock() - began > seconds + STALLED_SECONDS:
                return None
            return Outcome(False, f"no answer within {seconds:g} s")


def port_of(probe: Probe, ports: Mapping[str, int]) -> int | None:
    """The number of the port that a probe asks. None: a name that the instance does not have."""
    return ports.get(probe.port) if isinstance(probe.port, str) else probe.port


def target(probe: Probe, ports: Mapping[str, int]) -> str:
    """What a probe asks, in words."""
    if probe.exec is not None:
        return f"exec {shlex.join(probe.exec.command)}"[:MAX_TARGET]
    port = port_of(probe, ports) or 0
    if probe.http_get is not None:
        return f"GET {location(probe.http_get, port)}"[:MAX_TARGET]
    return f"connect to {authority(probe.tcp_socket.host if probe.tcp_socket else LOOPBACK, port)}"
