"""Every status that the server was told of, as a watcher sees them."""

import json
import threading
from collections import defaultdict
from contextlib import suppress
from typing import Any

import httpx

from tests.soak.agents.ledgers import UNKNOWN, How

NOBODY_KNOWS = "nobody knows how"


class Reports:
    """Watches all assignments in a thread of its own, from its start to ``close``."""

    def __init__(self, http: httpx.Client) -> None:
        listed = http.get("/assignments", params={"limit": "1"}).raise_for_status().json()
        self.latest: dict[str, dict[str, Any]] = {}
        """The assignments that are there, by name."""
        self.unclear: list[str] = []
        """What was told in two ways, or unknown and not told to be."""
        self._ends: dict[str, dict[str, How]] = defaultdict(dict)
        self._version = listed["metadata"]["resourceVersion"]
        self._http, self._closed = http, False
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def ends(self, name: str) -> list[How]:
        """How an app ended, each time, in the order in which it was told."""
        return list(self._ends[name].values())

    def phase(self, name: str) -> str:
        """What it is said to do."""
        return str(self.latest.get(name, {}).get("status", {}).get("phase", "Pending"))

    def close(self) -> None:
        """End the thread, which sees that within a second."""
        self._closed = True
        self._thread.join(10)

    def _watch(self) -> None:
        while not self._closed:
            query = {"watch": "true", "resourceVersion": self._version, "timeoutSeconds": "1"}
            with suppress(httpx.HTTPError), self._http.stream("GET", "/assignments", params=query) as response:
                for line in response.iter_lines():
                    if line:
                        self._take(json.loads(line))

    def _take(self, event: dict[str, Any]) -> None:
        assignment = event["object"]
        assert event["type"] != "ERROR", assignment
        name = assignment["metadata"]["name"]
        self._version = assignment["metadata"]["resourceVersion"]
        if event["type"] == "DELETED":
            self.latest.pop(name, None)
            return
        self.latest[name] = assignment
        status = assignment.get("status", {})
        if finished := status.get("finishedAt"):
            how = How(status.get("exitCode"), status.get("signal"))
            before = self._ends[name].setdefault(finished, how)
            if before != how:
                self.unclear.append(f"{name}: the end of {finished} is told as {before} and as {how}")
            told = status.get("message", "")
            if how == UNKNOWN and status["phase"] in ("Failed", "BackOff") and NOBODY_KNOWS not in told:
                self.unclear.append(f"{name}: an end of which nothing is known is told as {told!r}")
