"""Writers that own their objects, and so know what must be stored."""

import asyncio
import random
from collections.abc import Callable
from typing import Any, Literal

import orjson

from tests.soak.ledger import MARK, Attempt, Ledger, Place, Verb
from tests.soak.process import Server
from tests.soak.selections import GROUP, NAMESPACES
from tests.soak.wire import Broken, Connection, connected

NAMES = 5
"""Objects of a writer; the last one is an Event."""

PAUSE = 0.03
"""Seconds before a writer that was refused tries again."""

MERGE = "application/merge-patch+json"
SPEC = {
    "entry": "main",
    "template": {
        "artifactUrl": "/artifacts/sha256/x",
        "sha256": "0" * 64,
        "env": [{"name": "PAD", "value": "x" * 200}],
    },
    "templateHash": "h",
}


State = Literal["absent", "waiting", "placed"]
"""Whether it is there; an assignment is placed on a node once."""


class Writer:
    """Creates, patches and deletes objects of its own, one write at a time."""

    def __init__(self, number: int, server: Server, ledger: Ledger, *, is_cause: Callable[[str], bool]) -> None:
        """``is_cause`` tells whether the text of a 503 says what is known to be wrong."""
        self._server, self._ledger, self._is_cause = server, ledger, is_cause
        self._rng = random.Random(number)
        self._number, self._serial = number, 0
        namespace = NAMESPACES[number % len(NAMESPACES)]
        kinds = ["Assignment"] * (NAMES - 1) + ["Event"]
        self._places = [Place(kind, namespace, f"w{number}-{n}") for n, kind in enumerate(kinds)]
        self._states: dict[Place, State | None] = dict.fromkeys(self._places, "absent")
        """None: read it first."""

    async def run(self, stop: asyncio.Event) -> None:
        """Write until stopped; then bring every object to a state that is known, with one more write each."""
        left = list(self._places)
        while left:
            await self._server.ready.wait()
            try:
                async with connected(self._server.url) as connection:
                    while not stop.is_set():
                        await self._step(connection, self._rng.choice(self._places))
                    while left:
                        if await self._step(connection, left[-1]):
                            left.pop()
            except Broken:
                await asyncio.sleep(PAUSE)

    async def _step(self, connection: Connection, place: Place) -> bool:
        """One request about an object; whether it was a write, and was stored. Raises Broken."""
        state = self._states[place]
        if state is None:
            await self._read(connection, place)
            return False
        verb: Verb = "create" if state == "absent" else "delete" if self._rng.random() < 0.25 else "patch"
        return await self._write(connection, place, verb, state)

    async def _read(self, connection: Connection, place: Place) -> None:
        status, raw = await connection.request("GET", path_of(place))
        assert status in (200, 404), (status, raw)
        body = orjson.loads(raw) if status == 200 else None
        metadata = body and body["metadata"]
        found = (metadata["annotations"][MARK], int(metadata["resourceVersion"])) if metadata else None
        self._ledger.check_read(place, found)
        self._states[place] = _state(body)

    async def _write(self, connection: Connection, place: Place, verb: Verb, state: State) -> bool:
        self._serial += 1
        attempt = Attempt(verb, f"{self._number}.{self._serial}")
        is_certain = self._ledger.is_certain(place)
        self._ledger.attempts[place].append(attempt)
        before = self._ledger.highest
        self._states[place] = None
        try:
            status, raw = await self._send(connection, place, attempt, state)
        except Broken:
            self._ledger.settle(attempt, "unknown")
            raise
        if status not in (200, 201):
            self._note(attempt, status, raw, is_certain=is_certain)
            await asyncio.sleep(PAUSE)
            return False
        body = None if verb == "delete" else orjson.loads(raw)
        version = int(body["metadata"]["resourceVersion"]) if body else 0
        self._ledger.settle(attempt, "stored", version, highest_before=before)
        self._states[place] = _state(body)
        return True

    def _note(self, attempt: Attempt, status: int, raw: bytes, *, is_certain: bool) -> None:
        """A write that was not acknowledged: not stored (503), not known (504), or overtaken by one of before
        whose outcome was not known."""
        if status == 504:
            self._ledger.settle(attempt, "unknown")
            return
        message = orjson.loads(raw)["message"]
        if status == 503:
            assert self._is_cause(message), f"refused without a cause that is known: {message}"
        else:
            # It is gone, or there, or has a node by now.
            assert status in (404, 409, 422), (status, raw)
            assert not is_certain, f"{attempt} was refused against what was acknowledged: {message}"
        self._ledger.settle(attempt, "refused")

    async def _send(self, connection: Connection, place: Place, attempt: Attempt, state: State) -> tuple[int, bytes]:
        match attempt.verb:
            case "delete":
                return await connection.request("DELETE", path_of(place))
            case "patch":
                body = self._patch(attempt, is_waiting=state == "waiting")
                return await connection.request("PATCH", path_of(place), body, content=MERGE)
            case "create":
                return await connection.request("POST", collection_of(place), self._body(place, attempt))

    def _body(self, place: Place, attempt: Attempt) -> dict[str, Any]:
        labels = {key: value for key, value in self._labels().items() if value}
        metadata = {"name": place.name, "labels": labels, "annotations": {MARK: attempt.serial}}
        if place.kind == "Event":
            about = {"kind": "Task", "name": "soak"}
            return {"apiVersion": "v1", "kind": "Event", "metadata": metadata, "involvedObject": about}
        spec = SPEC | {"taskName": self._rng.choice(("t1", "t2"))}
        if self._rng.random() < 0.3:
            spec["nodeName"] = self._node()
        return {"apiVersion": "plum.dev/v1", "kind": "Assignment", "metadata": metadata, "spec": spec}

    def _patch(self, attempt: Attempt, *, is_waiting: bool) -> dict[str, Any]:
        patch: dict[str, Any] = {"metadata": {"annotations": {MARK: attempt.serial}, "labels": self._labels()}}
        if is_waiting and self._rng.random() < 0.5:
            patch["spec"] = {"nodeName": self._node()}
        return patch

    def _labels(self) -> dict[str, str | None]:
        return {"app": self._rng.choice("abc"), "tier": self._rng.choice(("front", "back", None))}

    def _node(self) -> str:
        return self._rng.choice(("n1", "n2", "n3"))


def _state(body: Any) -> State:
    if body is None:
        return "absent"
    return "placed" if body["kind"] == "Event" or body["spec"].get("nodeName") else "waiting"


def collection_of(place: Place) -> str:
    """The path to create it under."""
    if place.kind == "Event":
        return f"/api/v1/namespaces/{place.namespace}/events"
    return f"{GROUP}/namespaces/{place.namespace}/assignments"


def path_of(place: Place) -> str:
    """The object's path."""
    return f"{collection_of(place)}/{place.name}"
