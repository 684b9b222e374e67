"""Probes: what asking a hundred processes, each once in ten seconds, takes of a processor, beside bare sockets."""

import asyncio
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from agent.probe_commands import Commands, Place
from agent.probe_network import Network
from agent.probers import Probers
from agent.probing import Hands, Probing, Subject
from agent.process_runtime import ProcessRuntime
from agent.runtime import Process
from apiserver.api.kinds.probe import Probes
from tests.bench.load import Address
from tests.bench.processes import loopback
from tests.bench.requests import http
from tests.bench.table import Row, Scale, milliseconds

PROBES, PERIOD = 100, 10
TRIES_PER_SECOND = PROBES / PERIOD
SECONDS = 20.0
AIM = "< 2 %"
RAW_TRIES, COMMANDS = 50, 50


def run(folder: Path, scale: Scale) -> Iterator[Row]:
    seconds = max(2.0, SECONDS * scale.share)
    with loopback(folder) as server:
        port = server.address[1]
        asks: dict[str, dict[str, Any]] = {
            "http": {"httpGet": {"port": port, "path": "/100"}},
            "tcp": {"tcpSocket": {"port": port}},
        }
        raws = {"http": http("GET", "/100"), "tcp": b""}
        for kind, ask in asks.items():
            raw = _raw(server.address, raws[kind], scale.count(RAW_TRIES)) * TRIES_PER_SECOND
            share = asyncio.run(_share(ask, seconds, folder))
            yield Row(f"{PROBES} {kind} probes, each once in {PERIOD} s: bare sockets", f"{raw:.2%} of a core")
            yield Row("  the agent's probes", f"{share:.2%} of a core", f"{share / raw:.2f}", AIM)
    taken = asyncio.run(_commands(folder, max(5, scale.count(COMMANDS))))
    yield Row(f"an exec probe of /bin/true, one after the other, {len(taken)} times", milliseconds(taken))


def _raw(address: Address, request: bytes, count: int) -> float:
    """Seconds of a processor for one try without Plum, at the same pace: what runs seldom finds cold caches."""
    taken = []
    for _ in range(count):
        time.sleep(1 / TRIES_PER_SECOND)
        began = time.process_time()
        with socket.create_connection(address) as connection:
            if request:
                connection.sendall(request)
                connection.recv(65536)
        taken.append(time.process_time() - began)
    return median(taken)


async def _share(ask: dict[str, Any], seconds: float, folder: Path) -> float:
    """What part of a processor the probes take; all must pass."""
    alarms: list[str] = []
    network, runtime = Network(), ProcessRuntime()
    probing = Probing(
        Hands(
            Probers(network, Commands(runtime, folder / "probes")),
            time.monotonic,
            random.Random(1),
            lambda key, process, health: None,
            lambda key, seen: alarms.append(seen),
        )
    )
    probes = Probes.model_validate({"liveness": ask | {"periodSeconds": PERIOD}})
    for number in range(PROBES):
        process = Process(uid=str(number), boot_id="boot", pid=number + 1)
        subject = Subject(process, probes, {}, Place(str(number), folder, {}), 0.0, None)
        probing.follow(("bench", str(number)), process, lambda subject=subject: subject)  # type: ignore[misc]
    await asyncio.sleep(min(seconds, PERIOD))
    began, at = time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    share = (time.process_time() - began) / (time.monotonic() - at)
    await probing.close()
    network.close()
    runtime.close()
    if alarms:
        raise RuntimeError(f"a probe failed: {alarms[0]}")
    return share


async def _commands(folder: Path, count: int) -> list[float]:
    """Seconds from the beginning of a try to its outcome, its process and its folder gone."""
    runtime = ProcessRuntime()
    commands = Commands(runtime, folder / "probes")
    taken = []
    for _ in range(count + 1):
        began = time.monotonic()
        await commands.run("liveness", ("/bin/true",), Place("uid", folder, {}), within=10.0)
        taken.append(time.monotonic() - began)
    runtime.close()
    return taken[1:]
