"""The servers under load: each on a core of its own, away from the generator's."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench.load import Address, Client
from tests.bench.requests import http
from tests.servers import end

START_SECONDS = 120.0
END_SECONDS = 60.0
_CORES = sorted(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Server:
    """A running server."""

    address: Address
    process: psutil.Process
    started: float
    """Seconds from the start of its process to its first good answer."""

    def memory(self) -> int:
        """Its resident bytes."""
        return int(self.process.memory_info().rss)

    def cpu(self) -> float:
        """The seconds of a processor that it has used."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def plum(folder: Path, *flags: str) -> Iterator[Server]:
    """Our server over the folder."""
    address = free_address()
    command = [sys.executable, "-m", "apiserver.server", "--data-dir", str(folder), "--addr", f"127.0.0.1:{address[1]}"]
    command += flags
    with _running(command, folder, address, "/readyz") as server:
        yield server


def has_etcd() -> bool:
    return shutil.which("etcd") is not None


@contextmanager
def etcd(folder: Path) -> Iterator[Server]:
    """One etcd with its defaults."""
    address = free_address()
    mine, peers = f"http://127.0.0.1:{address[1]}", f"http://127.0.0.1:{free_address()[1]}"
    command = ["etcd", "--name", "one", "--data-dir", str(folder / "etcd"), "--log-level", "error"]
    command += ["--listen-client-urls", mine, "--advertise-client-urls", mine]
    command += [
        "--listen-peer-urls",
        peers,
        "--initial-advertise-peer-urls",
        peers,
        "--initial-cluster",
        f"one={peers}",
    ]
    with _running(command, folder, address, "/health") as server:
        yield server


@contextmanager
def loopback(folder: Path) -> Iterator[Server]:
    """The server that only copies; see ``tests.bench.loopback``."""
    address = free_address()
    command = [sys.executable, "-m", "tests.bench.loopback", str(address[1])]
    with _running(command, folder, address, "/1") as server:
        yield server


@contextmanager
def _running(command: Sequence[str], folder: Path, address: Address, ready: str) -> Iterator[Server]:
    """Start it on the first core, with this process on the last one until its end."""
    folder.mkdir(parents=True, exist_ok=True)
    before = os.sched_getaffinity(0)
    began = time.monotonic()
    told = folder / "server.log"
    with told.open("ab") as log:
        os.sched_setaffinity(0, _CORES[:1])
        process = subprocess.Popen(command, stdout=log, stderr=log)
        os.sched_setaffinity(0, _CORES[-1:])
    try:
        _wait(process, address, http("GET", ready), told)
        yield Server(address, psutil.Process(process.pid), time.monotonic() - began)
    finally:
        end(process, END_SECONDS)
        os.sched_setaffinity(0, before)


def _wait(process: "subprocess.Popen[bytes]", address: Address, request: bytes, told: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(address, request):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} does not serve:\n{told.read_text()[-2000:]}")
        time.sleep(0.005)


def _answers(address: Address, request: bytes) -> bool:
    try:
        with Client(address) as client:
            return client.request(request) == 200
    except OSError:
        return False


def free_address() -> Address:
    """A port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return ("127.0.0.1", int(taken.getsockname()[1]))
