"""What ``plum-agent stop`` says of an agent that ends in one way or another."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.ending import stop

AGENT = """
import signal, sys
from pathlib import Path
from agent import ending
from agent.folders import Folders
folders = Folders(Path(sys.argv[1]))
def end(*_):
    if sys.argv[2] == "drains":
        ending.confirm(folders)
    sys.exit()
with folders.locked():
    if sys.argv[2] != "deaf":
        signal.signal(signal.SIGTERM, end)
    print("locked", flush=True)
    signal.pause()
"""


@contextmanager
def agent(data: Path, kind: str) -> Iterator[None]:
    command = [sys.executable, "-c", AGENT, str(data), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.kill()


def asked(data: Path, *options: str) -> Result:
    return CliRunner().invoke(stop, ["--data-dir", str(data), *options])


@pytest.mark.parametrize(("kind", "code"), [("drains", 0), ("leaves", 1), ("deaf", 1)])
def test_a_drain_is_one_when_the_agent_says_so(tmp_path: Path, kind: str, code: int) -> None:
    (tmp_path / "drained").touch()  # of an earlier one
    with agent(tmp_path, kind):
        answer = asked(tmp_path, "--drain")
    assert answer.exit_code == code
    assert ("stopped, and everything that it ran" if code == 0 else "but not all that it ran") in answer.output


def test_without_a_drain_nothing_is_claimed_of_what_it_ran(tmp_path: Path) -> None:
    with agent(tmp_path, "leaves"):
        assert asked(tmp_path).output == "stopped; what it ran goes on\n"
    assert "no agent works" in asked(tmp_path).output
    assert "goes on: start an agent" in asked(tmp_path, "--drain").output


def test_a_lock_that_cannot_be_read_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    answer = asked(tmp_path)
    assert answer.exit_code == 1
    assert answer.output.startswith(f"Error: cannot see which agent works with {tmp_path}: ")
    assert answer.output.endswith("run this as the agent's user, or as root\n")


def test_who_may_only_read_the_lock_sees_whose_it_is(tmp_path: Path) -> None:
    with agent(tmp_path, "leaves"):
        (tmp_path / "lock").chmod(0o400)
        assert asked(tmp_path).output == "stopped; what it ran goes on\n"
