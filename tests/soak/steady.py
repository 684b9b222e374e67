"""A long run of a server with a short log: whether everything that could grow levels off.

  python -m tests.soak.steady --minutes 30 --rate 100 --history-bytes 8000000 --history-changes 20000

``--rate 0`` writes as fast as it goes, to see whether compaction keeps up.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import click
import orjson

from tests.soak.ledger import MARK, Told
from tests.soak.levels import Sample, Sampler, judgement
from tests.soak.process import Server
from tests.soak.selections import GROUP, selections
from tests.soak.watchers import Watcher
from tests.soak.wire import Connection, Refused, ask, connected
from tests.soak.writers import MERGE, SPEC

DELETED = 0.3
"""The share of deletions among the writes of objects that are there."""

COLLECTION = f"{GROUP}/namespaces/default/assignments"


@dataclass
class Load:
    """Clients that write at a common rate, each its own objects."""

    url: str
    rate: float
    clients: int
    live: int
    written: int = 0

    async def fill(self) -> None:
        """As many objects as there will be, at once."""
        share = self.live // self.clients
        await asyncio.gather(*(self._create_all(number, share) for number in range(self.clients)))

    async def run(self) -> None:
        """Write until cancelled."""
        began = time.monotonic()
        await asyncio.gather(*(self._client(number, began) for number in range(self.clients)))

    async def _create_all(self, number: int, share: int) -> None:
        async with connected(self.url) as connection:
            for n in range(share):
                await _write(connection, "POST", f"w{number}-{n}", random.Random(n))

    async def _client(self, number: int, began: float) -> None:
        rng = random.Random(number)
        share = self.live // self.clients
        here = [f"w{number}-{n}" for n in range(share)]
        # So many more names that creations and deletions balance with ``share`` objects.
        gone = [f"w{number}-{n}" for n in range(share, int(share * (1 + DELETED)))]
        async with connected(self.url) as connection:
            for turn in count(1):
                if self.rate:
                    await asyncio.sleep(began + turn * self.clients / self.rate - time.monotonic())
                await self._one(connection, rng, here, gone)
                self.written += 1

    async def _one(self, connection: Connection, rng: random.Random, here: list[str], gone: list[str]) -> None:
        place = rng.randrange(len(here) + len(gone))
        if place >= len(here):
            name = gone.pop(place - len(here))
            await _write(connection, "POST", name, rng)
            here.append(name)
        elif rng.random() < DELETED:
            name = here.pop(place)
            await _write(connection, "DELETE", name, rng)
            gone.append(name)
        else:
            await _write(connection, "PATCH", here[place], rng)


async def _write(connection: Connection, method: str, name: str, rng: random.Random) -> None:
    path = COLLECTION if method == "POST" else f"{COLLECTION}/{name}"
    content = MERGE if method == "PATCH" else "application/json"
    status, raw = await connection.request(method, path, _body(method, name, rng), content=content)
    assert status in (200, 201), raw


def _body(method: str, name: str, rng: random.Random) -> dict[str, Any] | None:
    metadata = {"labels": {"app": rng.choice("abc")}, "annotations": {MARK: str(rng.random())}}
    match method:
        case "POST":
            spec = SPEC | {"taskName": "t1", "nodeName": rng.choice(("n1", "n2"))}
            return {
                "apiVersion": "plum.dev/v1",
                "kind": "Assignment",
                "metadata": metadata | {"name": name},
                "spec": spec,
            }
        case "PATCH":
            return {"metadata": metadata}
        case _:
            return None


class Forgetful(Watcher):
    """Keeps nothing, and goes on from now where it was too slow for the log."""

    async def run(self, since: int) -> None:
        """Follow until cancelled."""
        while True:
            try:
                await super().run(since)
            except Refused as error:
                if error.status != 410:
                    raise
                self._counts["expired"] += 1
                since = await _version(self._server.url)

    def keep(self, told: Told, body: dict[str, object]) -> None:
        """Nothing."""


async def _version(url: str) -> int:
    status, raw = await ask(url, f"{GROUP}/assignments?limit=1")
    assert status == 200
    return int(orjson.loads(raw)["metadata"]["resourceVersion"])


@asynccontextmanager
async def working(server: Server, load: Load, watchers: int, counts: "Counter[str]") -> AsyncIterator[None]:
    """Writers and watchers at work; their failure ends it."""
    async with asyncio.TaskGroup() as group:
        since = await _version(server.url)
        chosen = selections(watchers)
        watching = [Forgetful(one, server, bookmarks=True, counts=counts) for one in chosen]
        tasks = [group.create_task(watcher.run(since)) for watcher in watching]
        tasks.append(group.create_task(load.run()))
        yield
        for task in tasks:
            task.cancel()


async def steady(server: Server, database: Path, load: Load, *, seconds: float, every: float, watchers: int) -> bool:
    """Run, print, and judge; whether everything levelled off."""
    counts: Counter[str] = Counter()
    samples: list[Sample] = []
    await server.start()
    load.url = server.url
    try:
        await load.fill()
        async with working(server, load, watchers, counts):
            sampler = Sampler(server, database)
            print(Sample.head())
            began = time.monotonic()
            while (passed := time.monotonic() - began) < seconds:
                await asyncio.sleep(min(every, seconds - passed))
                samples.append(await sampler.take(load.written, time.monotonic() - began))
                print(samples[-1].line(), flush=True)
    finally:
        await server.kill()
    text, is_level = judgement(samples)
    print(f"{text}\nevents {counts['events']}, expired watches {counts['expired']}")
    return is_level


@click.command(context_settings={"show_default": True})
@click.option("--minutes", type=float, default=30.0)
@click.option("--rate", type=float, default=100.0, help="Writes per second; 0: as fast as it goes.")
@click.option("--history-bytes", type=int, default=8_000_000)
@click.option("--history-changes", type=int, default=20_000)
@click.option("--every", type=float, default=60.0, help="Seconds between two lines.")
@click.option("--live", type=int, default=2000, help="Objects, about.")
@click.option("--clients", type=int, default=4)
@click.option("--watchers", type=int, default=20)
def main(
    *,
    minutes: float,
    rate: float,
    history_bytes: int,
    history_changes: int,
    every: float,
    live: int,
    clients: int,
    watchers: int,
) -> None:
    """See the module."""
    with tempfile.TemporaryDirectory() as folder:
        bounds = ("--history-bytes", str(history_bytes), "--history-changes", str(history_changes))
        server = Server(Path(folder) / "data", *bounds, log=Path(folder) / "server.log")
        load = Load("", rate, clients, live)
        database = Path(folder) / "data" / "plum.db"
        running = steady(server, database, load, seconds=minutes * 60, every=every, watchers=watchers)
        with suppress(KeyboardInterrupt):
            sys.exit(0 if asyncio.run(running) else 1)


if __name__ == "__main__":
    main()
