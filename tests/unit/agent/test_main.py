"""The program: what it refuses, and that it leaves nothing behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent import __main__ as program
from agent import processes
from agent.__main__ import main
from agent.folders import Folders
from agent.host import Host
from agent.instances import Record
from agent.runtime import MARKER, Process
from apiserver.client.config import Config
from tests.unit.agent.waiting import eventually

NOWHERE = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data-dir", "d"], "Missing option '--node'"),
        (["--node", "a", "--data-dir", "d", "--port-range", "9-1"], "'9-1' is not a range of ports"),
        (["--node", "a/b", "--data-dir", "d"], "'a/b' is not a node name"),
        (["--node", "..", "--data-dir", "d"], "'..' is not a node name"),
        (["--node", "a", "--data-dir", "/proc/none"], "--data-dir /proc/none"),
        (["--node", "a", "--data-dir", ""], "Missing option '--data-dir'"),
        (["--node", "a", "--data-dir", "d", "--server", "foo"], "'foo' is not an address of the form http://HOST:PORT"),
        (["--node", "a", "--data-dir", "d", "--ip", "foo"], "'--ip': 'foo' is not an IP address: write one like"),
        (["--node", "a", "--data-dir", "d", "--ip", "0.0.0.0"], "'--ip': '0.0.0.0' is every address"),
        (["--node", "a", "--data-dir", "d", "--server", "http://"], "'http://' is not an address"),
    ],
)
def test_wrong_input_is_named(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(main, ["--server", NOWHERE, *arguments])
    assert result.exit_code != 0
    assert message in result.output


@pytest.mark.parametrize(
    ("arguments", "environ", "found"),
    [
        ([], {}, ("http://old:8080", "nodeOld", "old")),
        ([], {"PLUM_SERVER": "http://ours", "PLUM_NODE": "ours", "PLUM_DATA_DIR": "o"}, ("http://ours", "ours", "o")),
        (["--server", "http://f", "--node", "f", "--data-dir", "f"], {"PLUM_NODE": "ours"}, ("http://f", "f", "f")),
    ],
)
def test_the_names_of_the_original_are_aliases(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    environ: dict[str, str],
    found: tuple[str, str, str],
) -> None:
    seen: list[tuple[str, str, str]] = []

    async def run(host: Host, folders: Folders, config: Config, max_bytes: int, until_eof: bool) -> None:
        seen.append((config.server, host.node, folders.root.name))

    monkeypatch.setattr(program, "_run", run)
    monkeypatch.chdir(tmp_path)
    old = {"CONTROLLER_BASE": "http://old:8080/", "AGENT_NODE_ID": "nodeOld", "AGENT_DATA_DIR": "old"}
    result = CliRunner().invoke(main, arguments, env=old | environ)
    assert result.exit_code == 0, result.output
    assert seen == [found]


def test_a_second_agent_is_refused(tmp_path: Path) -> None:
    with Folders(tmp_path).locked():
        result = CliRunner().invoke(main, ["--server", NOWHERE, "--node", "a", "--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert f"another agent (pid {os.getpid()}) uses this data folder" in result.output


@contextmanager
def agent(data: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "agent", "--server", NOWHERE, "--node", "a", "--data-dir", str(data)]
    with subprocess.Popen([*command, "--until-eof"], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("how", ["TERM", "INT", "end of input"])
async def test_a_planned_end_without_a_server_leaves_nothing(tmp_path: Path, how: str) -> None:
    folders = Folders(tmp_path)
    with folders.locked():
        pass
    with subprocess.Popen(["sleep", "1000"], env={MARKER: "u"}, start_new_session=True) as old:
        found = processes.entry(old.pid)
        assert found is not None
        known = Process(uid="u", boot_id=processes.boot_id(), pid=old.pid, start_time=found.start_time)
        folders.save(Record(namespace="default", name="web", uid="u", process=known))
        with agent(tmp_path) as one:
            assert one.stderr is not None
            assert one.stdin is not None
            line = one.stderr.readline()
            assert b"not renewed: cannot reach the API server" in line or b"cannot reach" in line
            if how == "end of input":
                one.stdin.close()
            else:
                one.send_signal(getattr(signal, f"SIG{how}"))
            await eventually(lambda: one.poll() is not None)
            assert one.returncode == 0
            await eventually(lambda: old.poll() == -signal.SIGKILL)
    with Folders(tmp_path).locked():
        assert (tmp_path / "instances/default.web").is_dir()
