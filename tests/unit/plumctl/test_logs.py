"""``plumctl logs`` without ``-f``, against a real server and a node that is only a folder."""

import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from agent.logs import times
from tests.channels import ASSIGNMENTS, NODES, assignment, channel_process
from tests.unit.agent.logs.world import World
from tests.unit.plumctl.conftest import Ctl

TASK = {
    "apiVersion": "plum.dev/v1",
    "kind": "Task",
    "metadata": {"name": "web"},
    "spec": {"entries": [{"artifactUrl": "http://x/y.zip", "sha256": "a" * 64}]},
}


@pytest.fixture(scope="module")
def worlds(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[World]]:
    """A task with two instances on one node, each with two runs."""
    data = tmp_path_factory.mktemp("node")
    with httpx.Client(base_url=server, trust_env=False) as http:
        http.post(NODES, json={"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": "n1"}})
        assert http.post("/apis/plum.dev/v1/namespaces/default/tasks", json=TASK).status_code == 201
        found = []
        for name in ("web-1", "web-2"):
            uid = http.post(ASSIGNMENTS, json=assignment(name, "n1")).json()["metadata"]["uid"]
            found.append(World(data, name=name, uid=uid))
        http.post(ASSIGNMENTS, json=assignment("web-3", ""))
        http.post(ASSIGNMENTS, json=assignment("other", "n2") | {"metadata": {"name": "other"}})
        for world in found:
            world.start()
            world.write(b"before of %s\n" % world.name.encode())
            world.start()
        for step in range(4):
            world = found[step % 2]
            world.write(b"line %d of %s\n" % (step, world.name.encode()))
            times.append(str(world.now), len(world.written[2]), 1000.0 + step)
        with channel_process(server, "n1", data):
            deadline = time.monotonic() + 30
            while http.get(f"{ASSIGNMENTS}/web-1/log").status_code == 503:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield found


@pytest.mark.usefixtures("worlds")
def test_a_task_is_all_its_instances_in_the_order_of_time(ctl: Ctl) -> None:
    expected = "line 0 of web-1\nline 1 of web-2\nline 2 of web-1\nline 3 of web-2\n"
    for target in ("web", "task/web", "tk/web"):
        assert ctl("logs", target).stdout == expected
    assert ctl("logs", "-l", "plum.dev/task=web").stdout == expected
    assert ctl("logs", "assignment/web-2", "asg/web-1").stdout == expected
    assert ctl("logs", "web-1").stdout == "line 0 of web-1\nline 2 of web-1\n"


@pytest.mark.usefixtures("worlds")
def test_options(ctl: Ctl) -> None:
    assert ctl("logs", "web", "--tail", "1").stdout == "line 2 of web-1\nline 3 of web-2\n"
    assert ctl("logs", "web", "--tail", "1", "--prefix").stdout == (
        "[assignment/web-1] line 2 of web-1\n[assignment/web-2] line 3 of web-2\n"
    )
    assert ctl("logs", "web-1", "--timestamps", "--tail=1").stdout == "1970-01-01T00:16:42.000000Z line 2 of web-1\n"
    assert ctl("logs", "web", "-p").stdout in (
        "before of web-1\nbefore of web-2\n",
        "before of web-2\nbefore of web-1\n",
    )
    assert ctl("logs", "web", "--since-time", "1970-01-01T00:16:41.5Z").stdout == "line 2 of web-1\nline 3 of web-2\n"
    assert ctl("logs", "web-1", "--limit-bytes", "20").stdout == "line 0 of web-1\nline\n"


ERRORS = (
    ((), 2, "say whose logs"),
    (("web", "-l", "a=b"), 2, "names or --selector, not both"),
    (("node/n1",), 2, "tasks and assignments have logs"),
    (("web", "--since", "soon"), 2, "--since 'soon': write how long"),
    (("web", "--since-time", "soon"), 2, "--since-time 'soon': write a time"),
    (("web", "--since", "1m", "--since-time", "2026-01-02T15:04:05Z"), 2, "not both"),
    (("web", "-f", "-p"), 2, "leave out --follow"),
    (("nobody",), 1, "'nobody' is neither a task nor an assignment in namespace default"),
    (("task/nobody",), 1, 'tasks.plum.dev "nobody" not found'),
    (("assignment/nobody",), 1, 'assignments.plum.dev "nobody" not found'),
    (("other",), 1, "node n2 has no channel to this server"),
    (("web", "--max-log-requests", "1"), 1, "these are 2 logs, and at most 1"),
    (("web", "-f", "--max-log-requests", "1"), 1, "these are 2 logs, and at most 1"),
)


@pytest.mark.usefixtures("worlds")
def test_errors(ctl: Ctl) -> None:
    for arguments, code, said in ERRORS:
        result = ctl("logs", *arguments)
        assert (result.exit_code, result.stdout) == (code, ""), arguments
        assert result.stderr.startswith("error: ")
        assert said in result.stderr
        assert result.stderr.count("\n") == 1


@pytest.mark.usefixtures("worlds")
def test_what_cannot_be_had_is_told_beside_what_can(ctl: Ctl) -> None:
    result = ctl("logs", "web-1", "other")
    assert (result.exit_code, result.stdout) == (1, "line 0 of web-1\nline 2 of web-1\n")
    assert "error: assignment/other: node n2 has no channel" in result.stderr


@pytest.mark.usefixtures("worlds")
def test_labels_that_nothing_has(ctl: Ctl) -> None:
    result = ctl("logs", "-l", "no=such")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No assignments found.\n")


def test_without_a_standard_output_there_is_no_traceback(server: str, worlds: list[World]) -> None:
    command = [sys.executable, "-m", "plumctl", "--server", server, "logs", "web-1"]
    done = subprocess.run(["/bin/sh", "-c", 'exec "$@" >&-', "sh", *command], stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
