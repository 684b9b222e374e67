"""kill -9 of the server under load: nothing acknowledged is lost, no version goes back, informers end exact.

``make soak`` runs it longer: PLUM_SOAK_KILLS sets how often the server is killed.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from apiserver.api.errors import AlreadyExists, ApiError
from apiserver.api.kinds.event import Event, ObjectReference
from apiserver.api.meta import ObjectMeta
from apiserver.client.config import Config
from apiserver.client.informer import Informer
from apiserver.client.rest import RestClient

KILLS = int(os.environ.get("PLUM_SOAK_KILLS", "5"))
WRITERS = 16


@dataclass
class Ledger:
    """What the server has acknowledged."""

    versions: dict[str, int] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    """Names of writes whose outcome nobody can know: the connection broke."""

    highest: int = 0

    def acknowledge(self, name: str, version: int, seen_before: int) -> None:
        assert version > seen_before, "a version went back"
        self.versions[name] = version
        self.highest = max(self.highest, version)


class Server:
    """A server process that can be killed and started again on the same port."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir, self._port = data_dir, 0
        self.url = ""
        self._running: subprocess.Popen[str] | None = None

    async def start(self) -> None:
        command = [sys.executable, "-m", "apiserver.server", "--data-dir", str(self._data_dir)]
        command += ["--addr", f"127.0.0.1:{self._port}"]
        self._running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._running.stdout
        line = await asyncio.wait_for(asyncio.to_thread(self._running.stdout.readline), 30)
        self.url = line.split()[-1]
        self._port = int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        assert self._running
        self._running.send_signal(signal.SIGKILL)
        self._running.wait(10)
        assert self._running.stdout
        self._running.stdout.close()


def note(name: str) -> Event:
    metadata = ObjectMeta(name=name, namespace="default", labels={"soak": "1"})
    return Event(metadata=metadata, involved_object=ObjectReference(kind="Task", name="soak"), message=name)


async def write_forever(client: RestClient, ledger: Ledger, writer: int, stop: asyncio.Event) -> None:
    rng = random.Random(writer)
    number = 0
    while not stop.is_set():
        number += 1
        name = f"w{writer}-{number}"
        before = ledger.highest
        try:
            stored = await client.create(note(name))
        except AlreadyExists:
            raise AssertionError(f"{name} was created twice") from None
        except ApiError:
            ledger.unknown.add(name)
            await asyncio.sleep(0.02)
            continue
        ledger.acknowledge(name, int(stored.metadata.resource_version or 0), min(before, ledger.highest))
        if rng.random() < 0.3:
            await delete(client, ledger, name)


async def delete(client: RestClient, ledger: Ledger, name: str) -> None:
    try:
        await client.delete(Event, name, namespace="default")
    except ApiError:
        ledger.unknown.add(name)
    else:
        ledger.deleted.add(name)


async def test_acknowledged_writes_survive_kills_and_informers_end_exact(tmp_path: Path) -> None:
    server, ledger, stop = Server(tmp_path), Ledger(), asyncio.Event()
    await server.start()
    rng = random.Random(1)
    try:
        async with RestClient(Config(server.url), manager="soak") as client:
            informer = Informer(client, Event, labels="soak=1", rng=rng)
            watching = asyncio.create_task(informer.run())
            writers = [asyncio.create_task(write_forever(client, ledger, n, stop)) for n in range(WRITERS)]
            for _ in range(KILLS):
                target = len(ledger.versions) + rng.randint(50, 200)
                async with asyncio.timeout(60):
                    while len(ledger.versions) < target:
                        await asyncio.sleep(0.01)
                server.kill()
                await server.start()
            stop.set()
            await asyncio.wait_for(asyncio.gather(*writers), 60)
            await check(client, informer, ledger)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    finally:
        server.kill()
    print(f"{KILLS} kills, {len(ledger.versions)} acknowledged, {len(ledger.unknown)} unknown, 0 lost")


async def check(client: RestClient, informer: Informer[Event], ledger: Ledger) -> None:
    page = await client.list(Event, labels="soak=1")
    stored = {item.metadata.name: int(item.metadata.resource_version or 0) for item in page.items}
    expected = ledger.versions.keys() - ledger.deleted - ledger.unknown
    assert expected <= stored.keys(), f"lost: {sorted(expected - stored.keys())[:5]}"
    assert not (ledger.deleted & stored.keys()), "a deleted object came back"
    assert stored.keys() <= expected | ledger.unknown
    for name in expected:
        assert stored[name] == ledger.versions[name]
    assert len(set(stored.values())) == len(stored)
    assert int(page.resource_version) >= ledger.highest
    await informer.wait_for_version(int(page.resource_version), timeout=30)
    cached = {item.metadata.name: int(item.metadata.resource_version or 0) for item in informer.items()}
    assert cached == stored
