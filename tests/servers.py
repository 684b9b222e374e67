"""Real servers for tests: child processes on free ports, ended by their process id."""

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx

START_SECONDS = 30.0


def first_line(stream: IO[bytes], seconds: float) -> str:
    """The first line a child prints. Raises TimeoutError, or EOFError when it ended before."""
    deadline = time.monotonic() + seconds
    raw = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while b"\n" not in raw:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError(f"nothing printed within {seconds} s")
            chunk = os.read(stream.fileno(), 4096)
            if not chunk:
                raise EOFError("ended before it was ready")
            raw += chunk
    return raw.split(b"\n")[0].decode()


def end(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """TERM, and KILL when the time is up."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def answers(url: str) -> bool:
    """Whether the server is ready."""
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def start_apiserver(data_dir: Path, *args: str) -> Iterator[str]:
    """A server over ``data_dir`` on a free port; yields its URL."""
    with running_apiserver(data_dir, *args) as (_, url):
        yield url


@contextmanager
def running_apiserver(data_dir: Path, *args: str) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """As ``start_apiserver``, with the process."""
    command = [sys.executable, "-m", "apiserver.server", "--data-dir", str(data_dir), "--addr", "127.0.0.1:0", *args]
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "server.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
    assert process.stdout
    try:
        line = first_line(process.stdout, START_SECONDS)
        yield process, line.split()[-1]
    finally:
        end(process, 15)
        process.stdout.close()
