"""``plumctl up``: its ends, graceful and not; its data; its refusals."""

import json
import signal
import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.cluster import command_of, processes_of, running_cluster, wait_for
from tests.e2e.test_main_job import sleeper, watching
from tests.servers import answers


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_survives_up_but_data(tmp_path: Path, ending: signal.Signals) -> None:
    with running_cluster(tmp_path, nodes=1) as cluster:
        cluster.plumctl("app", "push", "manifests/hello/app")
        # A grandchild that ignores TERM must go too.
        stubborn = 'trap "" TERM; (trap "" TERM; sleep 1000) & wait; wait'
        task = json.loads(sleeper("stay", startCmd=stubborn, replicas=1, terminationGracePeriodSeconds=1))
        cluster.plumctl("apply", "-f", "-", stdin=json.dumps(task).encode())
        (copy,) = cluster.running("stay", 1)
        code = cluster.kill(ending)
        assert code == (-signal.SIGKILL if ending == signal.SIGKILL else 0)
        wait_for("no process", lambda: not cluster.leftovers())
    with running_cluster(tmp_path, nodes=1) as cluster:
        (again,) = cluster.running("stay", 1)
        assert again["metadata"]["uid"] == copy["metadata"]["uid"]


def test_a_second_up_and_a_taken_port_are_refused(tmp_path: Path) -> None:
    with running_cluster(tmp_path / "one", nodes=1) as cluster:
        second = start("--data-dir", str(tmp_path / "one"), "--addr", "127.0.0.1:0")
        assert (second.returncode, second.stdout) == (1, b"")
        assert second.stderr.startswith(b"error: ")
        assert b"in use by another plumctl up" in second.stderr
        taken = start("--data-dir", str(tmp_path / "two"), "--addr", cluster.url.removeprefix("http://"))
        assert taken.returncode == 1
        assert b"Address already in use; choose another address" in taken.stderr
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
    opened = start("--data-dir", str(tmp_path / "three"), "--addr", "0.0.0.0:0")
    assert opened.returncode == 1
    assert b"give --token-file" in opened.stderr


def start(*args: str) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "plumctl", "up", *args]
    return subprocess.run(command, capture_output=True, timeout=90, check=False)


def test_a_watch_lives_through_a_restart_of_the_server(tmp_path: Path) -> None:
    with running_cluster(tmp_path, nodes=1) as cluster:
        cluster.plumctl("app", "push", "manifests/hello/app")
        cluster.plumctl("apply", "-f", "-", stdin=sleeper("first", replicas=1).encode())
        cluster.running("first", 1)
        with watching(cluster) as watch:
            server = next(p for p in processes_of(tmp_path) if "apiserver.server" in command_of(p))
            server.kill()
            wait_for("the server", lambda: answers(cluster.url))
            cluster.plumctl("apply", "-f", "-", stdin=sleeper("second", replicas=1).encode())
            cluster.running("second", 1)
            wait_for(
                "the watch", lambda: any("second-main" in line and "Running   True" in line for line in watch.lines())
            )
            rows = [line for line in watch.lines() if line.startswith(("first-main", "second-main"))]
        first = [line for line in rows if line.startswith("first-main")]
        assert len(first) == 1, rows
        # Every row that is shown differs from the one before it in more than its age.
        second = [line.split()[:-1] for line in rows if line.startswith("second-main")]
        assert second
        assert all(one != next_one for one, next_one in pairwise(second)), rows
