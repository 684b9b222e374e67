"""``plumctl up`` when its parts, or it itself, are killed; and what it keeps between two runs."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e.cluster import command_of, processes_of, running_cluster, wait_for
from tests.servers import answers, first_line


def child(up: "subprocess.Popen[bytes]", module: str) -> psutil.Process:
    return next(found for found in psutil.Process(up.pid).children() if module in command_of(found))


def test_a_new_up_waits_for_what_a_killed_one_left_and_takes_its_port(tmp_path: Path) -> None:
    with running_cluster(tmp_path, nodes=1) as cluster:
        cluster.process.kill()
        cluster.process.wait()
        # At once, while what was left is still ending.
        with running_cluster(tmp_path, nodes=1) as again:
            assert "nodeA" in again.plumctl("get", "nodes", "-o", "name")
            again.kill(signal.SIGTERM)
        wait_for("no process", lambda: not processes_of(tmp_path))
        with running_cluster(tmp_path, nodes=1) as last:
            assert last.url == again.url, "a kubeconfig stays right from run to run"


def test_killed_parts_come_back_and_a_watch_tells_every_change_once(tmp_path: Path) -> None:
    with running_cluster(tmp_path, nodes=1) as cluster:
        command = [sys.executable, "-m", "plumctl", "get", "namespaces", "-w", "-o", "name"]
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=cluster.environ) as watching,
            killed(watching),
        ):
            assert watching.stdout
            there = [watching.stdout.readline() for _ in cluster.plumctl("get", "ns", "-o", "name").splitlines()]
            assert all(line.startswith("namespace/") for line in there)
            expected = [f"namespace/n{number}\n" for number in range(9)]
            for number in range(9):
                if number == 3:
                    child(cluster.process, "apiserver.server").kill()
                    wait_for("the server", lambda: answers(cluster.url))
                if number == 6:
                    child(cluster.process, "controllers").kill()
                    child(cluster.process, "agent").kill()
                manifest = f'{{"apiVersion": "v1", "kind": "Namespace", "metadata": {{"name": "n{number}"}}}}'
                cluster.plumctl("apply", "-f", "-", stdin=manifest.encode())
            assert [watching.stdout.readline() for _ in expected] == expected
            watching.send_signal(signal.SIGINT)
            assert watching.stdout.read() == ""
        for module in ("apiserver.server", "controllers", "agent"):
            wait_for(module, lambda module=module: is_there(cluster.process, module))  # type: ignore[misc]


@contextmanager
def killed(process: "subprocess.Popen[str]") -> Iterator[None]:
    """Kill it when the block fails, so that nobody waits for it."""
    try:
        yield
    except BaseException:
        process.kill()
        raise


def is_there(up: "subprocess.Popen[bytes]", module: str) -> bool:
    return any(module in command_of(found) for found in psutil.Process(up.pid).children())


@pytest.mark.parametrize("ending", ["TERM", "end of standard input"])
def test_an_end_while_starting_leaves_nothing(tmp_path: Path, ending: str) -> None:
    command = [sys.executable, "-m", "plumctl", "up", "--data-dir", str(tmp_path / "data"), "--addr", "127.0.0.1:0"]
    pipe = subprocess.PIPE
    with subprocess.Popen([*command, "--until-eof"], stdin=pipe, stdout=pipe, stderr=pipe) as process:
        wait_for("the first log", (tmp_path / "data" / "logs" / "apiserver.log").exists)
        assert process.stdin
        if ending == "TERM":
            process.terminate()
        process.stdin.close()
        assert process.wait(60) == 0
    assert processes_of(tmp_path / "data") == []


def test_tokens_are_demanded_and_stay_out_of_settings_of_children(tmp_path: Path) -> None:
    tokens, data = tmp_path / "tokens", tmp_path / "data"
    tokens.write_text("# who may\nan-example-token-for-tests,ann\n")
    command = [sys.executable, "-m", "plumctl", "up", "--data-dir", str(data), "--addr", "127.0.0.1:0", "--nodes", "1"]
    # Settings of up come from its environment too; as settings of every child they would do harm.
    environment = os.environ | {"PLUM_TOKEN_FILE": str(tokens), "PLUM_SERVER": "http://127.0.0.1:1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout
        try:
            url = first_line(process.stdout, 60).removeprefix("ready: ")
            assert httpx.get(f"{url}/apis/plum.dev/v1/nodes", trust_env=False).status_code == 401
            assert (data / "kubeconfig").stat().st_mode & 0o077 == 0
        finally:
            process.terminate()
            assert process.wait(60) == 0
    assert processes_of(data) == []


def test_what_a_killed_agent_left_does_not_survive_up_either(tmp_path: Path) -> None:
    manifest = (
        '{"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": {"name": "naps"}, "spec": {"entries": '
        '[{"app": {"name": "hello", "version": "1.0.0"}, "startCmd": "exec sleep 1000", "replicas": 2}]}}'
    )
    with running_cluster(tmp_path, nodes=1) as cluster:
        cluster.plumctl("app", "push", "manifests/hello/app")
        cluster.plumctl("apply", "-f", "-", stdin=manifest.encode())
        cluster.running("naps", 2)
        child(cluster.process, "agent").kill()
        cluster.kill(signal.SIGTERM)
        wait_for("no process", lambda: not processes_of(tmp_path))
