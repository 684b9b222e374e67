"""The program itself: it waits for a server, ends when it is asked to, and refuses what it cannot use."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from controllers.__main__ import main


def test_it_waits_for_the_server_and_ends_with_its_standard_input() -> None:
    command = [sys.executable, "-m", "controllers", "--server", "http://127.0.0.1:9", "--until-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stderr
        first = process.stderr.readline().decode()
        assert "http://127.0.0.1:9" in first
        _, rest = process.communicate(timeout=15)
    assert process.returncode == 0
    assert "Traceback" not in rest.decode()


def test_an_empty_token_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    result = CliRunner().invoke(main, ["--token-file", str(tmp_path / "token")])
    assert result.exit_code == 1
    assert f"--token-file {tmp_path / 'token'}: is empty" in result.output


def test_a_bad_server_is_refused() -> None:
    result = CliRunner().invoke(main, ["--server", "ftp://x"])
    assert result.exit_code == 1
    assert "--server" in result.output


@pytest.mark.parametrize("address", ["9100", "localhost", ":x", ":99999"])
def test_a_bad_metrics_address_is_refused(address: str) -> None:
    result = CliRunner().invoke(main, ["--metrics-addr", address])
    assert result.exit_code == 2
    assert "write HOST:PORT" in result.output


def test_a_taken_metrics_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(main, ["--server", "http://127.0.0.1:9", "--metrics-addr", f":{port}"])
    assert result.exit_code == 1
    assert f"--metrics-addr 127.0.0.1:{port}: Address already in use; choose another address" in result.output
