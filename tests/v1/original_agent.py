"""``python -m tests.v1.original_agent``: a node agent that knows no more than the original's did.

It finds what it needs by searching for texts, decodes no escapes, tells a status once and never again, follows no
redirect, gives every request five seconds, and asks for nothing that ``/v1`` has gained since. What it reads from its
environment has the original's names; only ``AGENT_POLL_SECONDS`` is ours.
"""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import quote, urlsplit

TIMEOUT_SECONDS = 5.0
GRACE_SECONDS = 5.0
STREAM_SECONDS = 75.0
"""Silence after which a stream is opened anew; the server says something every 30 s."""

KEYS = ('"instanceId":"', '"desired":"', '"artifactUrl":"', '"startCmd":"')


@dataclass(frozen=True)
class Item:
    """What the agent understands of an assignment."""

    instance: str
    desired: str
    artifact_url: str
    start_cmd: str


def items(body: str) -> Iterator[Item]:
    """All that can be found, one key after the other; the first that is missing ends it."""
    at = 0
    while True:
        values = []
        for key in KEYS:
            begin = body.find(key, at)
            if begin < 0:
                return
            begin += len(key)
            at = body.find('"', begin)
            if at < 0:
                return
            values.append(body[begin:at])
        yield Item(*values)


class Controller:
    """The server, by HTTP as simple as it can be."""

    def __init__(self, base: str) -> None:
        self._base = base.rstrip("/")

    def request(self, method: str, url: str, body: object = None) -> tuple[int, bytes]:
        """Status and body; status 0 when there was no answer in time."""
        try:
            connection, path = self._connect(url, TIMEOUT_SECONDS)
            with contextlib.closing(connection):
                raw = b"" if body is None else json.dumps(body).encode()
                connection.request(method, path, raw, {"Content-Type": "application/json"})
                reply = connection.getresponse()
                return reply.status, reply.read()
        except (OSError, HTTPException):
            return 0, b""

    def listen(self, node: str, wake: threading.Event) -> None:
        """Wake at any byte of the node's stream, for ever."""
        while True:
            with contextlib.suppress(OSError, HTTPException):
                connection, path = self._connect(f"/v1/stream?nodeId={node}", STREAM_SECONDS)
                with contextlib.closing(connection):
                    connection.request("GET", path)
                    reply = connection.getresponse()
                    while reply.read1(4096):
                        wake.set()
            time.sleep(0.2)

    def _connect(self, url: str, timeout: float) -> tuple[HTTPConnection, str]:
        """A connection to where the URL leads, and what to ask there."""
        parts = urlsplit(url if url.startswith("http") else self._base + url)
        path = quote(parts.path, safe="/%") + (f"?{parts.query}" if parts.query else "")
        return HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout), path


class App:
    """One instance whose process has been started."""

    def __init__(self, item: Item, folder: Path) -> None:
        self.instance, self._folder = item.instance, folder
        command = f"cd {folder} && {item.start_cmd or './start.sh'}"  # the name of the instance is a word of the shell
        self._process = subprocess.Popen(["/bin/sh", "-c", command], start_new_session=True)

    @property
    def code(self) -> int | None:
        """How it ended, as a shell would tell it; None while it runs."""
        code = self._process.poll()
        return code if code is None or code >= 0 else 128 - code

    def stop(self) -> None:
        """TERM to all of it, five seconds, KILL to what is left."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_SECONDS)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def services(self) -> Iterator[dict[str, object]]:
        """The ``service=name:protocol:port`` lines of its meta.ini."""
        meta = self._folder / "meta.ini"
        for line in meta.read_text(encoding="utf-8").splitlines() if meta.is_file() else ():
            key, _, value = line.partition("=")
            if key.strip() == "service" and value.count(":") == 2:
                name, protocol, port = value.strip().split(":")
                yield {"serviceName": name, "protocol": protocol, "port": int(port), "version": "", "labels": {}}


class Agent:
    """Reaps, stops and starts, in this order, as often as it is woken."""

    def __init__(self, node: str, controller: Controller, data_dir: Path) -> None:
        self._node, self._controller, self._data_dir = node, controller, data_dir
        self._apps: dict[str, App] = {}

    def step(self) -> None:
        """One turn. Any other answer than 200 leaves all processes as they are."""
        beat = {"nodeId": self._node, "ip": "127.0.0.1", "labels": {}}
        self._controller.request("POST", "/v1/nodes/heartbeat", beat)
        status, body = self._controller.request("GET", f"/v1/assignments?nodeId={self._node}")
        if status == 200:
            self._reconcile({item.instance: item for item in items(body.decode())})
        for instance in self._apps:
            self._controller.request("POST", "/v1/services/heartbeat", {"instanceId": instance})

    def end(self) -> None:
        """Stop everything."""
        for app in self._apps.values():
            app.stop()

    def _reconcile(self, found: dict[str, Item]) -> None:
        wanted = {instance: item for instance, item in found.items() if item.desired == "Running"}
        for app in list(self._apps.values()):
            if app.code is not None:
                del self._apps[app.instance]
                self._tell(app.instance, "Failed" if app.code else "Exited", app.code)
            elif app.instance not in wanted:
                app.stop()
                del self._apps[app.instance]
                self._tell(app.instance, "Stopped", 0)
        for instance, item in wanted.items():
            if instance not in self._apps:
                self._start(item)

    def _start(self, item: Item) -> None:
        status, archive = self._controller.request("GET", item.artifact_url)
        if status != 200:
            return  # tried again at the next turn, and never told
        folder = self._data_dir / item.instance / "app"
        try:
            unpack(archive, folder)
        except (zipfile.BadZipFile, OSError):
            return
        app = self._apps[item.instance] = App(item, folder)
        self._tell(item.instance, "Running", 0)
        if endpoints := list(app.services()):
            place = {"instanceId": item.instance, "nodeId": self._node, "ip": "127.0.0.1"}
            self._controller.request("POST", "/v1/services/register", place | {"endpoints": endpoints})

    def _tell(self, instance: str, phase: str, code: int) -> None:
        """Once; what is lost stays lost."""
        body = {"instanceId": instance, "phase": phase, "exitCode": code, "healthy": phase == "Running"}
        self._controller.request("POST", "/v1/instances/status", body | {"tsUnix": int(time.time())})


def unpack(archive: bytes, folder: Path) -> None:
    """As ``unzip -o`` does it."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        opened.extractall(folder)
    for script in folder.glob("*.sh"):
        script.chmod(0o755)


def main() -> None:
    node = os.environ.get("AGENT_NODE_ID", "nodeA")
    data_dir = Path(os.environ.get("AGENT_DATA_DIR", "/tmp/plum-agent"))
    controller = Controller(os.environ.get("CONTROLLER_BASE", "http://127.0.0.1:8080"))
    seconds = float(os.environ.get("AGENT_POLL_SECONDS", "5"))
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    wake = threading.Event()
    threading.Thread(target=controller.listen, args=(node, wake), daemon=True).start()
    agent = Agent(node, controller, data_dir)
    try:
        while True:
            agent.step()
            wake.wait(seconds)
            wake.clear()
    finally:
        agent.end()


if __name__ == "__main__":
    main()
