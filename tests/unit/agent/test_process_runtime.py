import os
import signal
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import processes
from agent.process_runtime import ProcessRuntime
from agent.runtime import MARKER, Exit, Launch, Process, StartFailed
from tests.unit.agent.waiting import eventually

DAEMON = (
    "import os, time\n"
    "if os.fork(): os._exit(0)\n"
    "os.setsid()\n"
    "if os.fork(): os._exit(0)\n"
    "open('daemon.pid', 'w').write(str(os.getpid()))\n"
    "time.sleep(1000)\n"
)


@pytest.fixture
def runtime() -> Iterator[ProcessRuntime]:
    runtime = ProcessRuntime()
    yield runtime
    runtime.close()


def launch(folder: Path, command: str, **environment: str) -> Launch:
    uid = str(uuid.uuid4())
    return Launch(uid, command, folder, folder / "out.log", {"PATH": "/usr/bin:/bin", MARKER: uid} | environment)


def is_alive(pid: int) -> bool:
    found = processes.entry(pid)
    return found is not None and not found.is_zombie


async def finish(runtime: ProcessRuntime, process: Process) -> Exit:
    exit = await runtime.exited(process)
    assert await runtime.kill(process)
    runtime.release(process)
    return exit


@pytest.mark.parametrize(
    ("command", "exit"),
    [
        ("exit 0", Exit(code=0)),
        ("exit 255", Exit(code=255)),
        ("exit 137", Exit(code=137)),
        ("kill -KILL $$", Exit(signal=9)),
        ("kill -SEGV $$", Exit(signal=11)),
        ("./missing.sh", Exit(code=127)),
    ],
)
async def test_exits_are_told_apart(runtime: ProcessRuntime, tmp_path: Path, command: str, exit: Exit) -> None:
    assert await finish(runtime, await runtime.start(launch(tmp_path, command))) == exit


async def test_output_is_appended(runtime: ProcessRuntime, tmp_path: Path) -> None:
    for word in ("one", "two"):
        await finish(runtime, await runtime.start(launch(tmp_path, f"echo {word}; echo err >&2")))
    assert (tmp_path / "out.log").read_text() == "one\nerr\ntwo\nerr\n"


async def test_the_command_finds_its_folder_its_environment_and_nothing_else(
    runtime: ProcessRuntime, tmp_path: Path
) -> None:
    descriptor = os.open(tmp_path / "secret", os.O_CREAT | os.O_RDWR)
    os.set_inheritable(descriptor, True)
    try:
        command = "pwd; echo $COLOR; ls /proc/self/fd | wc -l; readlink /proc/self/fd/0; cat"
        await finish(runtime, await runtime.start(launch(tmp_path, command, COLOR="red")))
    finally:
        os.close(descriptor)
    # The fourth descriptor is the one by which ls reads the folder.
    assert (tmp_path / "out.log").read_text().split() == [str(tmp_path), "red", "4", "/dev/null"]


async def test_signals_have_their_defaults(runtime: ProcessRuntime, tmp_path: Path) -> None:
    process = await runtime.start(launch(tmp_path, "grep -E 'Sig(Blk|Ign)' /proc/self/status"))
    await finish(runtime, process)
    masks = [int(line.split()[1], 16) for line in (tmp_path / "out.log").read_text().splitlines()]
    # Signals above 31 are the C library's own: its posix_spawn, which make uses, leaves number 32 ignored.
    assert [mask & 0x7FFFFFFF for mask in masks] == [0, 0]


async def test_a_daemon_that_left_the_session_dies_with_its_instance(runtime: ProcessRuntime, tmp_path: Path) -> None:
    (tmp_path / "daemon.py").write_text(DAEMON)
    process = await runtime.start(launch(tmp_path, f"{sys.executable} -S daemon.py; exit 3"))
    assert await runtime.exited(process) == Exit(code=3)
    await eventually(lambda: (tmp_path / "daemon.pid").exists() and (tmp_path / "daemon.pid").read_text())
    pid = int((tmp_path / "daemon.pid").read_text())
    assert is_alive(pid)
    assert await finish(runtime, process) == Exit(code=3)
    assert not is_alive(pid)


async def test_a_child_without_the_marker_dies_with_its_session(runtime: ProcessRuntime, tmp_path: Path) -> None:
    process = await runtime.start(launch(tmp_path, "env -i sleep 1000 & echo $!; exit 0"))
    await finish(runtime, process)
    assert not is_alive(int((tmp_path / "out.log").read_text()))


async def test_those_that_multiply_are_killed_until_none_is_left(runtime: ProcessRuntime, tmp_path: Path) -> None:
    breeder = "trap '' TERM; n=0; while [ $n -lt 200 ]; do sleep 100 & n=$((n+1)); done; sleep 1000"
    process = await runtime.start(launch(tmp_path, breeder))
    await eventually(lambda: len(processes.members(process)) > 3)
    assert await runtime.kill(process)
    assert not processes.members(process)
    # A shell whose last command is killed before it may yet tell that in its own exit code.
    assert await finish(runtime, process) in (Exit(signal=9), Exit(code=137))


async def test_what_an_earlier_agent_left_is_killed(runtime: ProcessRuntime, tmp_path: Path) -> None:
    process = await runtime.start(launch(tmp_path, "exec sleep 1000"))  # a shell might tell of its child's end
    later = ProcessRuntime()
    assert await later.kill(process)
    assert not is_alive(process.pid)
    assert await later.exited(process) == Exit(), "it was not this one's child"
    later.close()
    assert await finish(runtime, process) == Exit(signal=9)


@pytest.mark.parametrize("change", [{"start_time": 1}, {"boot_id": "another"}, {"pid": 1, "start_time": 1}])
async def test_a_pid_that_came_back_is_somebody_elses(
    runtime: ProcessRuntime, tmp_path: Path, change: dict[str, object]
) -> None:
    process = await runtime.start(launch(tmp_path, "sleep 1000"))
    stranger = process.model_copy(update={"uid": "other", **change})
    later = ProcessRuntime()
    later.signal(stranger, signal.SIGTERM)
    assert await later.kill(stranger)
    later.close()
    assert is_alive(process.pid)
    await runtime.kill(process)
    await finish(runtime, process)


@pytest.mark.parametrize("command", ["echo \0", "x" * (1 << 22)])
async def test_a_start_that_the_system_refuses(runtime: ProcessRuntime, tmp_path: Path, command: str) -> None:
    with pytest.raises(StartFailed, match="cannot start the command"):
        await runtime.start(launch(tmp_path, command))


async def test_a_missing_folder_is_named(runtime: ProcessRuntime, tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="gone"):
        await runtime.start(launch(tmp_path / "gone", "exit 0"))


async def test_nothing_is_left_open(runtime: ProcessRuntime, tmp_path: Path) -> None:
    await finish(runtime, await runtime.start(launch(tmp_path, "exit 0")))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        await finish(runtime, await runtime.start(launch(tmp_path, "exit 0")))
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_command_name_may_hold_anything() -> None:
    fields = " ".join(["7", "(a) R (b)", "S", "1", "7", "7", *"0" * 15, "99", "0"])
    assert processes.parse_stat(fields) == processes.Entry(7, 7, 99)
