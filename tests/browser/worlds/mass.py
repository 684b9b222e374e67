"""Thousands of writes in a few seconds, over many connections at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from tests.bench.load import Address, exchange_all
from tests.bench.requests import http
from tests.browser.worlds.door import PLUM, Json, path_of

AGENT = b"plumctl/0.1.0"
"""The program that people made all this with."""

STATUSES = 100
"""Statuses in one report, as an agent packs them."""


@dataclass(frozen=True)
class Mass:
    """The API of one server."""

    address: Address

    def create(self, plural: str, bodies: Iterable[Json]) -> Iterator[Json]:
        """The objects as they are stored, in any order."""
        return self._send(http("POST", path_of(plural), orjson.dumps(body)) for body in bodies)

    def apply_status(self, plural: str, bodies: Iterable[Json], manager: str) -> Iterator[Json]:
        """Statuses, each applied by force."""
        query = f"/status?fieldManager={manager}&force=true"
        return self._send(
            http(
                "PATCH",
                path_of(plural, body["metadata"]["name"]) + query,
                orjson.dumps(body),
                "application/apply-patch+yaml",
            )
            for body in bodies
        )

    def report(self, node: str, statuses: list[Json]) -> None:
        """What the node's agent says of its instances."""
        path = f"{PLUM}/nodes/{node}/statuses?fieldManager=plum-agent"
        pieces = (statuses[at : at + STATUSES] for at in range(0, len(statuses), STATUSES))
        for answer in self._send(http("POST", path, orjson.dumps({"items": piece})) for piece in pieces):
            wrong = [item["error"] for item in answer.get("items", ()) if "error" in item]
            assert not wrong, wrong[:3]

    def put(self, contents: Iterable[tuple[str, bytes]]) -> None:
        """Raw bodies, by path."""
        for _ in exchange_all(
            self.address, (http("PUT", path, raw, "application/octet-stream") for path, raw in contents)
        ):
            pass

    def _send(self, requests: Iterator[bytes]) -> Iterator[Json]:
        # Who writes without saying as whom is known by the program's name.
        named = (request.replace(b"bench/plum", AGENT, 1) for request in requests)
        for reply in exchange_all(self.address, named):
            head, _, body = reply.partition(b"\r\n\r\n")
            whole = f"content-length: {len(body)}".encode() in head.lower()
            yield orjson.loads(body) if whole else {}  # of a long reply only the beginning is kept


def mass_of(url: str) -> Mass:
    """Of a server by its URL."""
    parts = urlsplit(url)
    return Mass((parts.hostname or "", parts.port or 80))
