"""A client of ``/v1`` that keeps raw bytes, and one of ``/apis`` to see what became of them."""

import json
import queue
import socket
import threading
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

VITE = "http://localhost:5173"
ALSO_VITE = "http://127.0.0.1:5173"
MERGE = {"content-type": "application/merge-patch+json"}


def compact(value: object) -> bytes:
    """JSON as the original writes it: no blanks, nothing escaped that needs no escape, one newline."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: httpx.Headers
    raw: bytes

    def json(self) -> Any:
        """The value of a good JSON reply, whose bytes must be compact."""
        assert self.status == 200, (self.status, self.raw)
        assert self.headers["content-type"].startswith("application/json"), self.headers
        value = json.loads(self.raw)
        assert self.raw == compact(value)
        return value

    def done(self) -> None:
        """Nothing to say, and nothing said."""
        assert (self.status, self.raw) == (204, b""), (self.status, self.raw)

    def error(self, status: int, words: str = "") -> str:
        """One line of plain text that begins with the original's words; all of it."""
        assert self.status == status, (self.status, self.raw)
        assert self.headers["content-type"] == "text/plain; charset=utf-8"
        assert self.headers["x-content-type-options"] == "nosniff"
        text = self.raw.decode().removesuffix("\n")
        assert text.startswith(words), text
        assert text, "an error without words"
        assert "\n" not in text, text
        return text

    def allows(self, origin: str) -> None:
        """A page of this origin may read the reply."""
        assert self.headers.get("access-control-allow-origin") == origin, self.headers
        methods = {word.strip() for word in self.headers["access-control-allow-methods"].split(",")}
        assert methods >= {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
        headers = {word.strip().lower() for word in self.headers["access-control-allow-headers"].split(",")}
        assert headers >= {"content-type", "authorization"}


class Wire:
    """One keep-alive connection or a few, to any path."""

    def __init__(self, url: str, **headers: str) -> None:
        self.url = url
        # Certificates are not needed here, and reading them takes longer than most tests.
        self._http = httpx.Client(base_url=url, headers=headers, trust_env=False, verify=False, timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, method: str, path: str, **how: Any) -> Reply:
        """One request, with whatever httpx can be told."""
        found = self._http.request(method, path, **how)
        return Reply(found.status_code, found.headers, found.content)

    def get(self, path: str, **params: str | int) -> Reply:
        return self.ask("GET", path, params=params)


class V1(Wire):
    """The calls that the original's clients make."""

    def post(self, path: str, body: object) -> Reply:
        return self.ask("POST", path, json=body)

    def patch(self, path: str, body: object) -> Reply:
        return self.ask("PATCH", path, json=body)

    def delete(self, path: str, **params: str) -> Reply:
        return self.ask("DELETE", path, params=params)

    def heartbeat(self, node: str, **more: Any) -> Reply:
        return self.post("/v1/nodes/heartbeat", {"nodeId": node, "ip": "10.0.0.1"} | more)

    def upload(self, archive: bytes, file: str = "app.zip") -> Reply:
        return self.ask("POST", "/v1/apps/upload", files={"file": (file, archive, "application/zip")})

    def create(self, name: str, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A new task; the reply's ``taskId`` and ``instances``."""
        found: dict[str, Any] = self.post("/v1/tasks", {"name": name, "entries": entries} | more).json()
        return found

    def items(self, node: str, **params: str | int) -> list[dict[str, Any]]:
        """The assignments of a node."""
        found: list[dict[str, Any]] = self.get("/v1/assignments", nodeId=node, **params).json()["items"]
        return found

    def item(self, node: str, instance: str) -> dict[str, Any]:
        """One of them."""
        (found,) = [one for one in self.items(node) if one["instanceId"] == instance]
        return found

    def task(self, task: str) -> dict[str, Any]:
        """A task with its assignments."""
        found: dict[str, Any] = self.get(f"/v1/tasks/{task}").json()
        return found

    def report(self, instance: str, phase: str, *, healthy: bool, code: int = 0, at: int = 0) -> None:
        """As an agent says how an instance is."""
        body = {"instanceId": instance, "phase": phase, "exitCode": code, "healthy": healthy, "tsUnix": at}
        self.post("/v1/instances/status", body).done()


class Apis(Wire):
    """The same objects through their own door; in ``default`` where nothing else is said."""

    def path(self, plural: str, name: str = "", namespace: str = "default") -> str:
        within = "" if plural == "nodes" else f"/namespaces/{namespace}"
        return f"/apis/plum.dev/v1{within}/{plural}" + (f"/{name}" if name else "")

    def read(self, plural: str, name: str, namespace: str = "default") -> dict[str, Any]:
        found = self.ask("GET", self.path(plural, name, namespace))
        assert found.status == 200, (found.status, found.raw)
        body: dict[str, Any] = json.loads(found.raw)
        return body

    def all(self, plural: str, **params: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.ask("GET", self.path(plural), params=params).raw)["items"]
        return found

    def create(self, plural: str, kind: str, name: str, namespace: str = "default", **body: Any) -> dict[str, Any]:
        metadata = {"name": name} | body.pop("metadata", {})
        whole = {"apiVersion": "plum.dev/v1", "kind": kind, "metadata": metadata} | body
        found = self.ask("POST", self.path(plural, namespace=namespace), json=whole)
        assert found.status == 201, (found.status, found.raw)
        made: dict[str, Any] = json.loads(found.raw)
        return made

    def merge(self, plural: str, name: str, body: object, namespace: str = "default") -> dict[str, Any]:
        found = self.ask("PATCH", self.path(plural, name, namespace), json=body, headers=MERGE)
        assert found.status == 200, (found.status, found.raw)
        changed: dict[str, Any] = json.loads(found.raw)
        return changed

    def has(self, plural: str, name: str, namespace: str = "default") -> bool:
        return self.ask("GET", self.path(plural, name, namespace)).status == 200


class Stream:
    """A node's ``/v1/stream``, read by a thread of its own so that silence can be told from waiting."""

    def __init__(self, url: str, node: str, **headers: str) -> None:
        where = urlsplit(url)
        self._connection = HTTPConnection(where.hostname or "", where.port, timeout=60)
        self._path, self._headers = f"/v1/stream?nodeId={node}", headers
        self._blocks: queue.Queue[bytes] = queue.Queue()

    def __enter__(self) -> Self:
        self._connection.request("GET", self._path, headers=self._headers)
        self._socket = self._connection.sock
        found = self._connection.getresponse()
        self.status, self.headers = found.status, httpx.Headers(found.getheaders())
        self._reader = threading.Thread(target=self._read, args=(found,))
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join(10)
        self._connection.close()

    def block(self, seconds: float = 5.0) -> bytes:
        """The next event, up to its blank line; empty when none comes in time. Comments are passed over."""
        try:
            return self._blocks.get(timeout=seconds)
        except queue.Empty:
            return b""

    def begin(self) -> None:
        """The first event, which always comes."""
        assert self.block() == b"event: ping\ndata: init\n\n"

    def updated(self) -> None:
        """An update, which has to come now."""
        assert self.block() == b"event: update\ndata: assignments\n\n"

    def rest(self, seconds: float) -> list[bytes]:
        """What else comes, until nothing has for so long."""
        found = []
        while block := self.block(seconds):
            found.append(block)
        return found

    def _read(self, response: HTTPResponse) -> None:
        block = b""
        while line := _line(response):
            block += line
            if line == b"\n":
                if not block.startswith(b":"):
                    self._blocks.put(block)
                block = b""


def _line(response: HTTPResponse) -> bytes:
    try:
        return response.readline()
    except (OSError, ValueError):
        return b""  # we have hung up
