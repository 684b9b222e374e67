"""The server as a process: who may reach it, what it bounds, how it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.servers import first_line, start_apiserver


def run(*args: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "apiserver.server", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_other_machines_need_tokens_or_a_word(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    refused = run("--data-dir", data, "--addr", "0.0.0.0:0")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.strip().startswith("error: --addr 0.0.0.0:0 is open to other machines: give --token-file")
    assert run("--data-dir", data, "--addr", "nonsense").stderr.startswith("error: --addr 'nonsense': write HOST:PORT")
    tokens = tmp_path / "tokens"
    tokens.write_text("short,me\n")
    refused = run("--data-dir", data, "--addr", ":0", "--token-file", str(tokens))
    assert "line 1: write token,user" in refused.stderr
    assert "short" not in refused.stderr


def test_tokens(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("# ours\n0123456789abcdef,ann,uid,group\n")
    with start_apiserver(tmp_path / "data", "--token-file", str(tokens)) as url:
        for header in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic 0123456789abcdef"}):
            refused = httpx.get(f"{url}/apis", headers=header, trust_env=False)
            assert (refused.status_code, refused.json()["reason"]) == (401, "Unauthorized")
        for path in ("/healthz", "/version"):
            assert httpx.get(url + path, trust_env=False).status_code == 200
        assert httpx.get(f"{url}/metrics", trust_env=False).status_code == 401
        allowed = httpx.get(f"{url}/apis", headers={"authorization": "Bearer 0123456789abcdef"}, trust_env=False)
        assert allowed.status_code == 200


@pytest.fixture
def port(server: str) -> int:
    return urlsplit(server).port or 0


def test_the_head_of_a_request_is_bounded(server: str, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n")
        connection.settimeout(10)
        try:
            for _ in range(300):
                connection.sendall(b"x-filler: " + b"y" * 1000 + b"\r\n")
            reply = connection.recv(100)
        except ConnectionError:
            reply = b""  # closed while we were still sending
    assert reply == b"" or reply.startswith(b"HTTP/1.1 431")
    assert httpx.get(f"{server}/healthz", trust_env=False).text == "ok"


def test_nonsense_does_not_hurt(server: str, port: int) -> None:
    for raw in (b"\x00" * 100, b"GET / HTTP/9.9\r\n\r\n", b"POST /apis HTTP/1.1\r\ncontent-length: -1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(raw)
            connection.settimeout(10)
            assert b" 200 " not in connection.recv(100)
    assert httpx.get(f"{server}/healthz", trust_env=False).text == "ok"


def test_a_second_server_on_the_data_is_refused(tmp_path: Path) -> None:
    with start_apiserver(tmp_path):
        second = run("--data-dir", str(tmp_path), "--addr", "127.0.0.1:0")
    assert second.returncode == 1
    assert "in use by another server; stop that one, or choose another --data-dir" in second.stderr


def test_the_end_closes_watches_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "apiserver.server", "--data-dir", str(tmp_path), "--addr", "127.0.0.1:0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout
    url = first_line(process.stdout, 30).split()[-1]
    began = threading.Event()
    lines: list[str] = []

    def watch() -> None:
        query = {"watch": "true", "resourceVersion": "0"}
        with httpx.stream("GET", f"{url}/api/v1/namespaces", params=query, trust_env=False, timeout=30) as response:
            for line in response.iter_lines():
                lines.append(line)
                began.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert began.wait(20)
    namespace = {"metadata": {"name": "kept"}}
    assert httpx.post(f"{url}/api/v1/namespaces", json=namespace, trust_env=False).status_code == 201
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.stdout.close()
    watcher.join(20)
    assert not watcher.is_alive()
    with start_apiserver(tmp_path) as again:
        assert httpx.get(f"{again}/api/v1/namespaces/kept", trust_env=False).status_code == 200


def test_a_directory_that_cannot_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "lost" / "artifacts" / "sha256").mkdir(parents=True)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "plum.db").write_text("certainly no database" * 1000)
    for name, words in {
        "file": "cannot be used",
        "lost": "its database .* is missing or empty: restore a backup",
        "damaged": "not a database; restore a backup",
    }.items():
        refused = run("--data-dir", str(tmp_path / name), "--addr", ":0")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert re.fullmatch(f"error: .*{words}.*\n", refused.stderr), refused.stderr


def test_a_folder_of_the_original_can_be_used(tmp_path: Path) -> None:
    """It has a folder of artifacts, and a database that is told of and not touched."""
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "demo_1.0_01234567.zip").write_bytes(b"an upload")
    (tmp_path / "controller.db").write_bytes(b"a database")
    environ = {**os.environ, "CONTROLLER_DB": str(tmp_path / "controller.db"), "CONTROLLER_ADDR": ":0"}
    command = [sys.executable, "-m", "apiserver.server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ) as process:
        try:
            assert process.stdout
            url = first_line(process.stdout, 30).split()[-1]
            assert url.startswith("http://127.0.0.1:")
            assert httpx.get(f"{url}/readyz", trust_env=False).text == "ok"
        finally:
            process.terminate()
            _, log = process.communicate(timeout=20)
    assert b"the original's database is not read" in log
    assert (tmp_path / "plum.db").exists()
    assert (tmp_path / "controller.db").read_bytes() == b"a database"
    assert (tmp_path / "artifacts" / "demo_1.0_01234567.zip").read_bytes() == b"an upload"


@pytest.mark.parametrize("option", [("--history-age", "1s"), ("--history-age", "1y"), ("--history-bytes", "1")])
def test_a_bound_of_the_log_that_makes_no_sense_is_refused(tmp_path: Path, option: tuple[str, str]) -> None:
    refused = run("--data-dir", str(tmp_path / "data"), *option)
    assert refused.returncode == 2
    assert option[0] in refused.stderr
    assert not (tmp_path / "data").exists()
