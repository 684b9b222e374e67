"""A server under writers and watchers, and the judgement at the end."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import orjson

from tests.soak.ledger import MARK, Ledger, Place
from tests.soak.process import Server
from tests.soak.selections import EVERYTHING, GROUP, selections
from tests.soak.watchers import LogWatcher, Watcher
from tests.soak.wire import ask, connected
from tests.soak.writers import Writer

WRITERS, WATCHERS = 24, 50
END_SECONDS = 120.0
"""What writers and watchers may take to come to their end once nothing is wrong any more."""


class Scene:
    """Made by ``playing``."""

    def __init__(self, server: Server, *, writers: int, watchers: int, is_cause: Callable[[str], bool]) -> None:
        self.server, self.ledger, self.stop = server, Ledger(), asyncio.Event()
        self.counts: Counter[str] = Counter()
        self.writers = [Writer(number, server, self.ledger, is_cause=is_cause) for number in range(writers)]
        self.log = LogWatcher(EVERYTHING, server, bookmarks=False, counts=self.counts)
        self.watchers = [
            Watcher(selection, server, bookmarks=number % 2 == 0, counts=self.counts)
            for number, selection in enumerate(selections(watchers - 1))
        ]
        self.since = 0
        """The version that all watches began after."""
        self._began = time.monotonic()
        self._writing: list[asyncio.Task[None]] = []
        self._watching: list[asyncio.Task[None]] = []

    async def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait for something to become true. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)

    async def some_writes(self, count: int) -> None:
        """Wait until so many more have been acknowledged."""
        target = self.ledger.counts["stored"] + count
        await self.until(lambda: self.ledger.counts["stored"] >= target)

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Start the server, the writers and the watchers."""
        await self.server.start()
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "soak"}}
        async with connected(self.server.url) as connection:
            status, raw = await connection.request("POST", "/api/v1/namespaces", body)
        assert status == 201, raw
        self.since = int(orjson.loads(raw)["metadata"]["resourceVersion"])
        self._watching = [group.create_task(watcher.run(self.since)) for watcher in (self.log, *self.watchers)]
        self._writing = [group.create_task(writer.run(self.stop)) for writer in self.writers]

    async def rest(self) -> None:
        """Let the writers end; from then on nothing changes."""
        self.stop.set()
        async with asyncio.timeout(END_SECONDS):
            await asyncio.gather(*self._writing)

    async def finish(self) -> None:
        """Let the writers end, compare everything with everything, and end the server in order."""
        await self.rest()
        async with asyncio.timeout(END_SECONDS):
            stored = await self._list()
            await self.until(lambda: self.log.version >= max(stored.values(), default=0), END_SECONDS)
            await self._check_log(stored)
            for watcher in self.watchers:
                await self._check_watcher(watcher)
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        assert await self.server.end() == 0

    def summary(self, **more: object) -> str:
        """One line of counts, for the reader of a long run."""
        counts, ledger = self.counts, self.ledger.counts
        found: dict[str, object] = {
            "acknowledged": ledger["stored"],
            "refused": ledger["refused"],
            "unknown": ledger["unknown"],
            "lost": 0,
            "changes": len(self.log.log),
            "watchers": len(self.watchers) + 1,
            "events": counts["events"],
            "bookmarks": counts["bookmarks"],
            "resumes": counts["resumes"],
            "expired": 0,
            "seconds": round(time.monotonic() - self._began),
        }
        return ", ".join(f"{value} {name}" for name, value in (more | found).items())

    async def _list(self) -> dict[Place, int]:
        """Every object with its version; the marks are compared as if a writer read them."""
        found: dict[Place, int] = {}
        for path in (f"{GROUP}/assignments", "/api/v1/events"):
            status, raw = await ask(self.server.url, path)
            assert status == 200, raw
            listed = orjson.loads(raw)
            assert int(listed["metadata"]["resourceVersion"]) >= self.ledger.highest
            for item in listed["items"]:
                metadata = item["metadata"]
                place = Place(item.get("kind") or listed["kind"][:-4], metadata["namespace"], metadata["name"])
                found[place] = int(metadata["resourceVersion"])
                self.ledger.check_read(place, (metadata["annotations"][MARK], found[place]))
        assert len(set(found.values())) == len(found), "two objects of one version"
        return found

    async def _check_log(self, stored: dict[Place, int]) -> None:
        """What the log ends with is what is stored, and it holds what the writers know."""
        versions = [told.version for told in self.log.told]
        assert versions == sorted(set(versions)), "versions of changes repeat or go back"
        state: dict[Place, int] = {}
        for kind, place, version in self.log.told:
            assert (place in state) == (kind != "ADDED"), f"{kind} {place} at {version}"
            if kind == "DELETED":
                del state[place]
            else:
                state[place] = version
        assert state == stored
        self.ledger.check_log(self.log.log)

    async def _check_watcher(self, watcher: Watcher) -> None:
        expected = list(watcher.selection.expected(self.log.log))
        await self.until(lambda: len(watcher.told) >= len(expected))
        if watcher.told != expected:
            at = next(
                (n for n, (a, b) in enumerate(zip(watcher.told, expected, strict=False)) if a != b), len(expected)
            )
            raise AssertionError(
                f"{watcher.selection}: event {at} is {watcher.told[at : at + 3]}, not {expected[at : at + 3]}"
            )


@asynccontextmanager
async def playing(
    server: Server,
    *,
    writers: int = WRITERS,
    watchers: int = WATCHERS,
    is_cause: Callable[[str], bool] = lambda message: False,
) -> AsyncIterator[Scene]:
    """Everything at work; what a writer or a watcher finds wrong ends it. At the end everything is compared."""
    scene = Scene(server, writers=writers, watchers=watchers, is_cause=is_cause)
    try:
        async with asyncio.TaskGroup() as group:
            await scene.start(group)
            yield scene
            await scene.finish()
    finally:
        await server.kill()
