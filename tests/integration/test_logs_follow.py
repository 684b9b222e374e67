"""``plumctl logs -f`` as a process, over everything that may break between it and a node's folder."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from agent.logs.tending import Instance
from tests.channels import ASSIGNMENTS, NODES, assignment, channel_process
from tests.e2e.cluster import wait_for
from tests.servers import running_apiserver
from tests.unit.agent.logs.world import World

TASK = {
    "apiVersion": "plum.dev/v1",
    "kind": "Task",
    "metadata": {"name": "web"},
    "spec": {"entries": [{"artifactUrl": "http://x/y.zip", "sha256": "a" * 64}]},
}


class Following:
    """A running ``plumctl logs -f``."""

    def __init__(self, url: str, folder: Path, *args: str) -> None:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PLUM_")}
        command = [sys.executable, "-m", "plumctl", "logs", "-f", *args]
        self.out, self.err = folder / "out.txt", folder / "err.txt"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err, env=kept | {"PLUM_SERVER": url})

    def lines(self) -> list[str]:
        """What it has printed."""
        return self.out.read_text().splitlines()

    def has(self, count: int) -> None:
        """Wait until it has printed so many lines, and no more."""
        wait_for(f"{count} lines", lambda: len(self.lines()) >= count)
        assert len(self.lines()) == count, self.lines()[-20:]


@contextmanager
def following(url: str, folder: Path, *args: str) -> Iterator[Following]:
    found = Following(url, folder, *args)
    try:
        yield found
    finally:
        found.process.kill()
        found.process.wait(10)


def make(http: httpx.Client, data: Path, name: str, node: str) -> World:
    made = http.post(ASSIGNMENTS, json=assignment(name, node))
    assert made.status_code == 201, made.text
    return World(data, name=name, uid=made.json()["metadata"]["uid"], size=2000, files=1000)


def test_a_task_over_rotations_runs_comings_goings_and_a_server_restart(tmp_path: Path) -> None:
    data = tmp_path / "node"
    with ExitStack() as stack:
        server = running_apiserver(tmp_path / "server")
        process, url = stack.enter_context(server)
        port = url.rpartition(":")[2]
        http = stack.enter_context(httpx.Client(base_url=url, trust_env=False))
        http.post(NODES, json={"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": "n1"}})
        http.post("/apis/plum.dev/v1/namespaces/default/tasks", json=TASK)
        worlds = [make(http, data, f"web-{number}", "n1") for number in range(3)]
        for world in worlds:
            world.start()
        stack.enter_context(channel_process(url, "n1", data))
        wait_for("the channel", lambda: http.get(f"{ASSIGNMENTS}/web-0/log").status_code == 200)
        told = stack.enter_context(following(url, tmp_path, "web", "--prefix"))
        count = 0

        def write(lines: int) -> None:
            nonlocal count
            for _ in range(lines):
                for world in worlds:
                    count += 1
                    world.write(f"{count} {'.' * 40}\n".encode())
            told.has(count)

        write(50)
        for world in worlds:
            Instance(str(world.folder)).look()
        write(50)
        for world in worlds:
            world.start()
        write(20)
        worlds.append(make(http, data, "web-3", "n1"))
        worlds[-1].start()
        write(20)
        process.terminate()
        process.wait(15)
        for world in worlds:
            world.write(b"while the server is away\n")
            Instance(str(world.folder)).look()
        count += len(worlds)
        again = running_apiserver(tmp_path / "server", "--addr", f"127.0.0.1:{port}")
        stack.enter_context(again)
        write(20)
        # One note a break, however many streams broke, and no other word.
        assert [line.endswith("trying again") for line in told.err.read_text().splitlines()] == [True]
        leaving = worlds.pop()
        leaving.write(b"bye\n")
        http.delete(f"{ASSIGNMENTS}/{leaving.name}")
        leaving.remove()
        count += 1
        write(5)
        assert "[assignment/web-3] bye" in told.lines()
        for name in ("web-0", "web-1", "web-2", "web-3"):
            own = [line.split()[1] for line in told.lines() if line.startswith(f"[assignment/{name}] ")]
            numbers = [int(word) for word in own if word.isdecimal()]
            assert len(numbers) > 20
            assert numbers == sorted(set(numbers))
        told.process.send_signal(signal.SIGINT)
        assert told.process.wait(10) == 130
        assert "Traceback" not in told.err.read_text()


@dataclass(frozen=True)
class Site:
    """A server, and a node that is a folder with a channel."""

    url: str
    http: httpx.Client
    data: Path

    def world(self, name: str) -> World:
        """An assignment with its first run, whose log can be had."""
        world = make(self.http, self.data, name, "n1")
        world.start()
        wait_for("the channel", lambda: self.http.get(f"{ASSIGNMENTS}/{name}/log").status_code == 200)
        return world


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with running_apiserver(folder / "server") as (_, url), httpx.Client(base_url=url, trust_env=False) as http:
        http.post(NODES, json={"apiVersion": "plum.dev/v1", "kind": "Node", "metadata": {"name": "n1"}})
        with channel_process(url, "n1", folder / "node"):
            yield Site(url, http, folder / "node")


def test_it_ends_with_what_it_is_about(site: Site, tmp_path: Path) -> None:
    site.http.post("/apis/plum.dev/v1/namespaces/default/tasks", json=TASK)
    world = site.world("web-0")
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    with (
        following(site.url, one, "assignment/web-0", "--limit-bytes", "1000") as of_one,
        following(site.url, other, "web") as of_task,
    ):
        world.write(b"one\n")
        of_one.has(1)
        of_task.has(1)
        site.http.delete(f"{ASSIGNMENTS}/web-0")
        site.http.delete("/apis/plum.dev/v1/namespaces/default/tasks/web")
        world.write(b"two")
        world.remove()
        assert of_one.process.wait(15) == of_task.process.wait(15) == 0
        assert of_one.lines() == of_task.lines() == ["one", "two"]


def test_a_pipe_that_closes_is_quiet(site: Site) -> None:
    world = site.world("piped")
    world.write(b"a line of some length\n" * 20_000)
    command = [sys.executable, "-m", "plumctl", "logs", "-f", "piped", "--server", site.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"a line of some length\n"
        process.stdout.close()
        world.write(b"nobody reads this\n")
        assert process.wait(15) == 0
        assert process.stderr.read() == b""


def test_a_log_that_is_no_file_any_more_is_not_followed(site: Site, tmp_path: Path) -> None:
    world = site.world("odd")
    world.write(b"one\n")
    with following(site.url, tmp_path, "odd") as told:
        told.has(1)
        (world.now / "out.log").unlink()
        os.mkfifo(world.now / "out.log")
        assert told.process.wait(15) == 1
        said = [line for line in told.err.read_text().splitlines() if line.startswith("error: ")]
        assert len(said) == 1
        assert 'assignment "odd" cannot be read' in said[0]
        assert "not a regular file but a pipe (FIFO): the app has put that there" in said[0]


def test_a_log_that_was_removed_is_told_of_once(site: Site, tmp_path: Path) -> None:
    world = site.world("removed")
    world.write(b"one\n")
    os.utime(world.now / "pid", (1000.0, 1000.0))
    (world.now / "out.log").unlink()
    with following(site.url, tmp_path, "removed") as told:
        told.has(1)
        world.start()
        world.write(b"two\n")
        told.has(2)
        assert told.lines() == [
            "--- the log of run 1 is gone: out.log was removed, and with it what is written to it ---",
            "two",
        ]
