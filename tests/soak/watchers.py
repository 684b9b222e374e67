"""Watchers that resume after every break and keep all that they are told."""

import asyncio
from collections import Counter
from typing import Any

import orjson

from tests.soak.ledger import MARK, Logged, Place, Told
from tests.soak.process import Server
from tests.soak.selections import Selection
from tests.soak.wire import Broken, Refused, connected

PAUSE = 0.05
"""Seconds before a watcher that was refused tries again."""

POLL_SECONDS = 2


class Watcher:
    """One watch, for as long as ``run`` runs. It never lists."""

    def __init__(self, selection: Selection, server: Server, *, bookmarks: bool, counts: "Counter[str]") -> None:
        self.selection = selection
        self.told: list[Told] = []
        self.version = 0
        """The last one seen."""
        self._server, self._bookmarks, self._counts = server, bookmarks, counts

    async def run(self, since: int) -> None:
        """Follow from a version on until cancelled."""
        self.version = since
        while True:
            await self._server.ready.wait()
            try:
                await (self._poll() if self.selection.form == "poll" else self._stream())
            except Broken:
                await asyncio.sleep(PAUSE)
            except Refused as error:
                if error.status != 503:
                    raise
                await asyncio.sleep(PAUSE)
            self._counts["resumes"] += 1

    async def _stream(self) -> None:
        query = {"resourceVersion": str(self.version)} | ({"allowWatchBookmarks": "true"} if self._bookmarks else {})
        async with connected(self._server.url) as connection:
            async for line in connection.lines(self.selection.path(**query)):
                self._take(orjson.loads(line))

    async def _poll(self) -> None:
        async with connected(self._server.url) as connection:
            while True:
                query = {"resourceVersion": str(self.version), "timeoutSeconds": str(POLL_SECONDS), "limit": "20"}
                status, raw = await connection.request("GET", self.selection.path(**query))
                if status != 200:
                    raise Refused(status, raw)
                batch = orjson.loads(raw)
                for item in batch["items"]:
                    self._take(item)
                self._advance(int(batch["metadata"]["resourceVersion"]))

    def _take(self, event: dict[str, Any]) -> None:
        if event["type"] == "ERROR":
            raise Refused(event["object"]["code"], orjson.dumps(event))
        metadata = event["object"]["metadata"]
        version = int(metadata["resourceVersion"])
        if event["type"] == "BOOKMARK":
            self._counts["bookmarks"] += 1
            self._advance(version)
            return
        assert version > self.version, f"{self.selection}: {event} after {self.version}"
        self.version = version
        self._counts["events"] += 1
        place = Place(event["object"]["kind"], metadata["namespace"], metadata["name"])
        self.keep(Told(event["type"], place, version), event["object"])

    def _advance(self, version: int) -> None:
        assert version >= self.version, f"{self.selection}: back to {version} from {self.version}"
        self.version = version

    def keep(self, told: Told, body: dict[str, Any]) -> None:
        """Note an event."""
        self.told.append(told)


class LogWatcher(Watcher):
    """Watches everything: what it is told is the log of all changes."""

    def __init__(self, selection: Selection, server: Server, *, bookmarks: bool, counts: "Counter[str]") -> None:
        super().__init__(selection, server, bookmarks=bookmarks, counts=counts)
        self.log: list[Logged] = []

    def keep(self, told: Told, body: dict[str, Any]) -> None:
        """Note an event with what selectors see."""
        super().keep(told, body)
        metadata, spec = body["metadata"], body.get("spec") or {}
        seen = {"node": spec.get("nodeName", ""), "task": spec.get("taskName", ""), "name": told.place.name}
        self.log.append(Logged(told, seen | (metadata.get("labels") or {}), metadata["annotations"][MARK]))
