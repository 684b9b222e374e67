"""Real processes under real shims: how they are started, watched, stopped and found again."""

import ast
import asyncio
import contextlib
import errno
import os
import queue
import re
import resource
import shutil
import signal
import sys
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from agent import cgroups, processes, runs
from agent.pidfds import Pidfd
from agent.process_runtime import ProcessRuntime
from agent.runs import Who
from agent.runtime import MARKER, Exit, Launch, Process, StartFailed
from tests.unit.agent.waiting import eventually

KERNEL = tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
"""Since 6.15 a pidfd tells how its process ended."""

DAEMON = (
    "import os, time\n"
    "if os.fork(): os._exit(0)\n"
    "os.setsid()\n"
    "if os.fork(): os._exit(0)\n"
    "open('daemon.pid', 'w').write(str(os.getpid()))\n"
    "time.sleep(1000)\n"
)


WAIT_FOR_IT = "while [ ! -s daemon.pid ]; do sleep 0.01; done"


@pytest.fixture
def runtime() -> Iterator[ProcessRuntime]:
    runtime = ProcessRuntime()
    yield runtime
    runtime.close()


def launch(folder: Path, command: str, **environment: str) -> Launch:
    uid = str(uuid.uuid4())
    return Launch(uid, command, folder, folder / f"run.{uid}", {"PATH": "/usr/bin:/bin", MARKER: uid} | environment)


def output(process: Process) -> str:
    """What it has written; nothing before its shim has begun."""
    log = Path(process.run) / "out.log"
    return log.read_text() if log.exists() else ""


def members(process: Process) -> set[processes.Entry]:
    return {found for found in processes.marked(MARKER, process.uid) if found.pid != process.shim}


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
        ("kill -KILL $$", Exit(signal=9)),
        ("kill -SEGV $$", Exit(signal=11)),
        ("./missing.sh", Exit(code=127)),
    ],
)
async def test_exits_are_told_apart(runtime: ProcessRuntime, tmp_path: Path, command: str, exit: Exit) -> None:
    assert await finish(runtime, await runtime.start(launch(tmp_path, command))) == exit


async def test_a_code_that_looks_like_a_signal_is_told_apart_while_an_agent_watches(
    runtime: ProcessRuntime, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "go")
    process = await runtime.start(launch(tmp_path, "read line <go; exit 137"))
    (tmp_path / "go").write_text("now\n")
    exit = await finish(runtime, process)
    assert exit == (Exit(code=137) if KERNEL >= (6, 15) else Exit(signal=9))


async def test_output_and_errors_are_in_order(runtime: ProcessRuntime, tmp_path: Path) -> None:
    process = await runtime.start(launch(tmp_path, "echo one; echo two >&2; echo three"))
    await finish(runtime, process)
    assert output(process) == "one\ntwo\nthree\n"


async def test_the_command_finds_its_folder_its_environment_and_nothing_else(
    runtime: ProcessRuntime, tmp_path: Path
) -> None:
    descriptor = os.open(tmp_path / "secret", os.O_CREAT | os.O_RDWR)
    os.set_inheritable(descriptor, True)
    try:
        command = "pwd; echo $COLOR; ls /proc/self/fd | wc -l; readlink /proc/self/fd/0; cat"
        process = await runtime.start(launch(tmp_path, command, COLOR="red"))
        await finish(runtime, process)
    finally:
        os.close(descriptor)
    # The fourth descriptor is the one by which ls reads the folder.
    assert output(process).split() == [str(tmp_path), "red", "4", "/dev/null"]


async def test_the_environment_is_what_was_given_whatever_it_holds(runtime: ProcessRuntime, tmp_path: Path) -> None:
    wanted = {
        "QUOTES": 'it\'s "so" $HOME `date` \\',
        "LINES": "one\ntwo\n",
        "UID": "of the shell",
        "BASH_ENV": "/dev/null",
        "EMPTY": "",
        "BYTES": "\udcff\u4e2d",
    }
    one = launch(tmp_path, f"exec {sys.executable} -ISc 'import os; print(ascii(dict(os.environ)))'", **wanted)
    process = await runtime.start(one)
    await finish(runtime, process)
    found = ast.literal_eval(output(process))
    assert {key: found[key] for key in one.environment} == dict(one.environment)
    assert set(found) - set(one.environment) <= {"PWD", "LC_CTYPE"}


async def test_an_app_may_open_as_many_files_as_by_default(runtime: ProcessRuntime, tmp_path: Path) -> None:
    process = await runtime.start(launch(tmp_path, "ulimit -Sn"))
    await finish(runtime, process)
    assert output(process) == "1024\n"


async def test_signals_have_their_defaults(runtime: ProcessRuntime, tmp_path: Path) -> None:
    process = await runtime.start(launch(tmp_path, "grep -E 'Sig(Blk|Ign)' /proc/self/status"))
    await finish(runtime, process)
    masks = [int(line.split()[1], 16) for line in output(process).splitlines()]
    # Signals above 31 are the C library's own: its posix_spawn, which make uses, leaves number 32 ignored.
    assert [mask & 0x7FFFFFFF for mask in masks] == [0, 0]


@pytest.mark.parametrize("ending", ["exit 3", "exec sleep 1000"])
async def test_a_daemon_without_session_and_environment_dies_with_its_instance(
    runtime: ProcessRuntime, tmp_path: Path, ending: str
) -> None:
    """Nothing but who its parent is tells whose it is: the shim adopts what forks twice."""
    (tmp_path / "daemon.py").write_text(DAEMON)
    process = await runtime.start(launch(tmp_path, f"env -i {sys.executable} -S daemon.py; {WAIT_FOR_IT}; {ending}"))
    await eventually(lambda: (tmp_path / "daemon.pid").exists() and (tmp_path / "daemon.pid").read_text())
    pid = int((tmp_path / "daemon.pid").read_text())
    if ending == "exit 3":
        assert await runtime.exited(process) == Exit(code=3)
        assert await runtime.drained(process, within=5), "the shim sees to it without us"
    else:
        assert is_alive(pid)
        runtime.stop(process, signal.SIGTERM, grace=0)
        assert await finish(runtime, process) == Exit(signal=15)
    assert not is_alive(pid)
    runtime.release(process)


async def test_those_that_multiply_are_killed_until_none_is_left(runtime: ProcessRuntime, tmp_path: Path) -> None:
    breeder = "trap '' TERM; n=0; while [ $n -lt 200 ]; do sleep 100 & n=$((n+1)); done; sleep 1000"
    process = await runtime.start(launch(tmp_path, breeder))
    await eventually(lambda: len(members(process)) > 3)
    assert await runtime.kill(process)
    assert not members(process)
    # A shell whose last command is killed before it may yet tell that in its own exit code.
    assert await finish(runtime, process) in (Exit(signal=9), Exit(code=137))


async def test_what_lost_its_shim_lives_on_and_is_stopped_whole(runtime: ProcessRuntime, tmp_path: Path) -> None:
    process = await runtime.start(launch(tmp_path, "setsid sleep 1000 & echo up; exec sleep 1001"))
    await eventually(lambda: output(process) == "up\n")
    os.kill(process.shim, signal.SIGKILL)
    later = ProcessRuntime()
    adopted = await later.adopt(process)
    assert adopted is not None
    assert (adopted.process, adopted.ended_at) == (process, None)
    assert len(members(process)) == 2
    later.stop(process, signal.SIGTERM, grace=5)
    assert (await later.exited(process)).code is None
    assert await later.kill(process)
    assert not members(process)
    later.close()
    await finish(runtime, process)


async def test_how_it_ended_may_be_unknown_if_the_shim_was_killed_while_no_agent_was_there(
    runtime: ProcessRuntime, tmp_path: Path
) -> None:
    process = await runtime.start(launch(tmp_path, "exec sleep 1000"))
    os.kill(process.shim, signal.SIGKILL)
    await eventually(lambda: not is_alive(process.shim))
    os.kill(process.pid, signal.SIGKILL)
    await eventually(lambda: processes.entry(process.pid) is None)
    later = ProcessRuntime()
    assert await later.adopt(process) is not None
    assert await finish(later, process) == Exit()
    later.close()
    await finish(runtime, process)


@pytest.mark.parametrize("grouped", [True, False])
async def test_a_late_kill_of_a_run_spares_the_next_one(tmp_path: Path, grouped: bool) -> None:
    groups = cgroups.find(tmp_path) if grouped else None
    if grouped and groups is None:
        pytest.skip("no cgroup can be made here")
    runtime = ProcessRuntime(groups=groups)
    first = launch(tmp_path, "exit 0")
    process = await runtime.start(first)
    await finish(runtime, process)
    later = await runtime.start(replace(first, command="sleep 1000", run=tmp_path / "run.2"))
    assert await runtime.kill(process)
    assert members(later)
    assert await runtime.kill(later)
    await finish(runtime, later)
    runtime.close()


async def test_an_exit_that_is_written_down_is_not_written_again(runtime: ProcessRuntime, tmp_path: Path) -> None:
    """Else whoever kills the shim in between loses it, and its time would be that of the last child's end."""
    os.mkfifo(tmp_path / "go")
    process = await runtime.start(launch(tmp_path, "sleep 1000 & read line <go; exit 3"))
    run = Path(process.run)
    runs.leave_until(run, float("1e9"))
    (tmp_path / "go").write_text("now\n")
    await eventually(lambda: runs.exit_code(run) == 3)
    before = (run / "exit").stat().st_mtime_ns
    for child in members(process):
        processes.kill(child)
    await eventually(lambda: runs.is_gone(run))
    assert (run / "exit").stat().st_mtime_ns == before
    await finish(runtime, process)


async def test_a_shim_that_was_stopped_does_not_keep_its_tree(runtime: ProcessRuntime, tmp_path: Path) -> None:
    process = await runtime.start(launch(tmp_path, "trap '' TERM; echo up; while :; do sleep 0.1; done"))
    await eventually(lambda: output(process) == "up\n")
    os.kill(process.shim, signal.SIGSTOP)
    assert await runtime.kill(process)
    assert await finish(runtime, process) == Exit(signal=9)
    assert not members(process)
    assert not is_alive(process.shim)


async def test_a_shim_that_cannot_write_down_the_end_does_not_delay_it(runtime: ProcessRuntime, tmp_path: Path) -> None:
    """As on a full disk: once a stop took all of its grace there."""
    process = await runtime.start(launch(tmp_path, "echo up; exec sleep 1000"))
    await eventually(lambda: output(process) == "up\n")
    (Path(process.run) / "gone").mkdir()
    runtime.stop(process, signal.SIGTERM, grace=1000)
    assert await runtime.exited(process) == Exit(signal=15)
    async with asyncio.timeout(60):
        assert await runtime.drained(process, within=1000)
    assert is_alive(process.shim)
    (Path(process.run) / "gone").rmdir()
    await eventually(lambda: not is_alive(process.shim))
    runtime.release(process)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
async def test_a_signal_for_the_shim_changes_nothing(
    runtime: ProcessRuntime, tmp_path: Path, number: signal.Signals
) -> None:
    os.mkfifo(tmp_path / "go")
    process = await runtime.start(launch(tmp_path, "read line <go; exit 7"))
    os.kill(process.shim, number)
    (tmp_path / "go").write_text("now\n")
    assert await finish(runtime, process) == Exit(code=7)


async def test_a_launcher_that_is_killed_loses_no_start(runtime: ProcessRuntime, tmp_path: Path) -> None:
    for _ in range(5):
        starts = asyncio.gather(*(runtime.start(launch(tmp_path, "exit 5")) for _ in range(20)))
        await asyncio.sleep(0)
        for child in psutil.Process().children():
            if "launcher.py" in " ".join(child.cmdline()):
                child.kill()
        for process in await starts:
            assert await finish(runtime, process) == Exit(code=5)


async def test_a_launcher_that_is_killed_while_others_wait_to_write_to_it_loses_no_start(
    runtime: ProcessRuntime, tmp_path: Path
) -> None:
    await finish(runtime, await runtime.start(launch(tmp_path, "exit 0")))
    (launcher,) = [one for one in psutil.Process().children() if "launcher.py" in " ".join(one.cmdline())]
    launcher.suspend()
    await eventually(lambda: launcher.status() == psutil.STATUS_STOPPED)
    running = runtime._launcher._running
    assert running is not None
    for size in (4096, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(running.input, b"\n" * size)
    starts = asyncio.gather(*(runtime.start(launch(tmp_path, "exit 5")) for _ in range(3)))
    await eventually(running.full.locked)
    launcher.kill()
    for process in await starts:
        assert await finish(runtime, process) == Exit(code=5)


async def test_what_a_launcher_cannot_do_is_told_in_plain_words(runtime: ProcessRuntime, tmp_path: Path) -> None:
    run, told = tmp_path / "nö run", ""

    def is_told() -> bool:
        nonlocal told
        told = runtime._launcher.failure(run)
        return bool(told)

    await runtime._launcher.send(run)
    await eventually(is_told)
    assert told == f"[Errno 2] No such file or directory: '{run}'"


async def test_a_launcher_that_hangs_is_replaced(
    runtime: ProcessRuntime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await finish(runtime, await runtime.start(launch(tmp_path, "exit 0")))
    (launcher,) = [one for one in psutil.Process().children() if "launcher.py" in " ".join(one.cmdline())]
    launcher.suspend()
    with monkeypatch.context() as patched:
        patched.setattr("agent.process_runtime.START_SECONDS", 0.2)
        with pytest.raises(StartFailed, match="did not come up"):
            await runtime.start(launch(tmp_path, "exit 0"))
    monkeypatch.setattr("agent.process_runtime.START_SECONDS", 10.0)
    assert await finish(runtime, await runtime.start(launch(tmp_path, "exit 5"))) == Exit(code=5)


async def test_a_start_that_lost_its_shim_fails_and_leaves_nothing(runtime: ProcessRuntime, tmp_path: Path) -> None:
    one = launch(tmp_path, "sleep 1000")
    runs.write(one.run, uid=one.uid, script="", facts=b"")
    (one.run / "claim").write_text("4194303 1\n")
    with pytest.raises(StartFailed, match="shim was killed"):
        await runtime.start(one)
    assert runs.main_process(one.run) == Who(0, 0), "whoever comes late finds the place taken"


async def test_an_app_that_removes_the_folder_of_its_run_is_not_left_running(
    runtime: ProcessRuntime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before its pid was seen; else the next start would be a double."""
    monkeypatch.setattr(runs, "main_process", lambda run: None)
    one = launch(tmp_path, "rm -rf run.*; touch up; exec sleep 1000")
    with pytest.raises(StartFailed, match=re.escape(f"removed: {one.run}")):
        await runtime.start(one)
    await eventually(lambda: not processes.marked(MARKER, one.uid))


@pytest.mark.parametrize("told", [True, False])
async def test_the_folder_of_a_run_may_go_while_it_runs(
    runtime: ProcessRuntime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    """Its shim, which cannot note the end then, keeps nobody waiting. ``told``: the system tells how it ended."""
    monkeypatch.setattr("agent.process_runtime.SHIM_SECONDS", 0.1)
    monkeypatch.setattr("agent.process_runtime.UNKNOWN_SECONDS", 0.1)
    if not told:
        monkeypatch.setattr(Pidfd, "wait_status", lambda self: None)
    os.mkfifo(tmp_path / "go")
    process = await runtime.start(launch(tmp_path, "read line <go; rm -rf run.*; exit 3"))
    (tmp_path / "go").write_text("now\n")
    exit = await asyncio.wait_for(finish(runtime, process), 5)
    assert exit.code == (3 if told and KERNEL >= (6, 15) else None)
    assert not is_alive(process.shim)


@pytest.mark.parametrize("change", [{"start_time": 1}, {"boot_id": "another"}, {"pid": 1, "start_time": 1}])
async def test_a_pid_that_came_back_is_somebody_elses(
    runtime: ProcessRuntime, tmp_path: Path, change: dict[str, object]
) -> None:
    process = await runtime.start(launch(tmp_path, "sleep 1000"))
    stranger = process.model_copy(update={"uid": "other", "run": str(tmp_path / "other"), **change})
    later = ProcessRuntime()
    later.stop(stranger, signal.SIGTERM, grace=0)
    assert await later.kill(stranger)
    later.close()
    assert is_alive(process.pid)
    await runtime.kill(process)
    await finish(runtime, process)


@pytest.mark.parametrize("command", ["echo \0", "x" * (1 << 22)])
async def test_a_start_that_the_system_refuses(runtime: ProcessRuntime, tmp_path: Path, command: str) -> None:
    with pytest.raises(StartFailed, match="cannot start the command"):
        await runtime.start(launch(tmp_path, command))


async def test_a_start_that_is_refused_leaves_no_group(tmp_path: Path) -> None:
    groups = cgroups.find(tmp_path)
    if groups is None:
        pytest.skip("no cgroup can be made here")
    with contextlib.closing(ProcessRuntime(groups=groups)) as runtime:
        with pytest.raises(StartFailed):
            await runtime.start(launch(tmp_path, "echo \0"))
        one = launch(tmp_path, "sleep 1000")
        runs.write(one.run, uid=one.uid, script="", facts=b"")
        (one.run / "claim").write_text("0 0\n")
        with pytest.raises(StartFailed):
            await runtime.start(one)
        assert not [path for path in groups.parent.iterdir() if path.is_dir()]


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
    assert processes.parse_stat(fields) == processes.Entry(7, 1, 7, 99)


def test_a_pid_that_is_a_threads_now_is_not_the_process(tmp_path: Path) -> None:
    ids: queue.Queue[int] = queue.Queue()
    end = threading.Event()

    def live() -> None:
        ids.put(threading.get_native_id())
        end.wait()

    thread = threading.Thread(target=live)
    thread.start()
    try:
        assert Pidfd.open(Who(ids.get(), 1)) is None
    finally:
        end.set()
        thread.join()


async def test_a_daemon_in_the_group_is_found_when_nothing_else_tells_whose_it_is(tmp_path: Path) -> None:
    groups = cgroups.find(tmp_path)
    if groups is None:
        pytest.skip("no cgroup of version 2 can be made here")
    (tmp_path / "daemon.py").write_text(DAEMON)
    command = f"env -i {sys.executable} -S daemon.py; {WAIT_FOR_IT}; echo up; exec sleep 1000"
    runtime = ProcessRuntime(groups=groups)
    process = await runtime.start(launch(tmp_path, command))
    await eventually(lambda: output(process) == "up\n")
    pid = int((tmp_path / "daemon.pid").read_text())
    for lost in (process.shim, process.pid):
        os.kill(lost, signal.SIGKILL)
        await eventually(lambda lost=lost: not is_alive(lost))  # type: ignore[misc]
    assert not await runtime.drained(process, within=0)
    later = ProcessRuntime()
    assert await later.kill(process), "also by who does not hold it"
    assert not is_alive(pid)
    later.close()
    await finish(runtime, process)
    assert not [path for path in groups.parent.iterdir() if path.is_dir()]
    runtime.close()
    assert not groups.parent.exists()


@pytest.mark.parametrize("free", range(4))
async def test_a_healthy_process_is_not_taken_for_dead_for_want_of_descriptors(
    runtime: ProcessRuntime, tmp_path: Path, free: int
) -> None:
    process = await runtime.start(launch(tmp_path, "sleep 1000"))
    later = ProcessRuntime()
    with all_descriptors_but(free), contextlib.suppress(OSError):
        await later.adopt(process)
    adopted = await later.adopt(process)
    assert adopted is not None
    exited = asyncio.ensure_future(later.exited(process))
    await asyncio.wait([exited], timeout=0.05)
    assert not exited.done()
    exited.cancel()
    later.close()
    await runtime.kill(process)
    await finish(runtime, process)


async def test_a_tree_that_cannot_be_looked_at_is_not_taken_for_dead(runtime: ProcessRuntime, tmp_path: Path) -> None:
    process = await runtime.start(launch(tmp_path, "sleep 1000"))
    with all_descriptors_but(0), pytest.raises(OSError, match="Too many open files"):
        await runtime.drained(process, within=0)
    assert await runtime.kill(process)
    assert not is_alive(process.pid)
    await finish(runtime, process)


@contextlib.contextmanager
def all_descriptors_but(free: int) -> Iterator[None]:
    """This process can open no more than so many files."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(int(name) for name in os.listdir("/proc/self/fd")) + 10, limits[1]))
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(free):
            os.close(taken.pop())
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for fd in taken:
            os.close(fd)


async def test_a_shim_that_cannot_note_the_end_is_not_taken_for_a_process_that_survives(
    runtime: ProcessRuntime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk, where it tries again after a pause."""
    monkeypatch.setattr("agent.process_runtime.SHIM_SECONDS", 0.1)
    os.mkfifo(tmp_path / "go")
    process = await runtime.start(launch(tmp_path, "read line <go; exit 3"))
    (Path(process.run) / "gone").mkdir()
    (tmp_path / "go").write_text("now\n")
    await eventually(lambda: not is_alive(process.pid))
    assert await asyncio.wait_for(runtime.kill(process), 5)
    assert not is_alive(process.shim)
    runtime.release(process)


async def test_a_start_ends_what_was_lost_sight_of(tmp_path: Path) -> None:
    """Somebody removed the folder of an instance while no agent was there. Its shim ends as well."""
    groups = cgroups.find(tmp_path)
    if groups is None:
        pytest.skip("no cgroup of version 2 can be made here")
    first, second = ProcessRuntime(groups=groups), ProcessRuntime(groups=groups)
    lost = await first.start(launch(tmp_path, "sleep 1000"))
    shutil.rmtree(lost.run)
    anew = replace(launch(tmp_path, "sleep 1000"), uid=lost.uid)
    process = await second.start(anew)
    await eventually(lambda: not is_alive(lost.pid) and not is_alive(lost.shim))
    assert is_alive(process.pid)
    assert await second.start(anew) == process, "a second time it is the same"
    await second.kill(process)
    await finish(second, process)
    first.close()
    second.close()


async def test_what_cannot_be_told_just_now_is_not_taken_for_dead(
    runtime: ProcessRuntime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = await runtime.start(launch(tmp_path, "sleep 1000"))
    later = ProcessRuntime()

    def refused(who: Who) -> Pidfd:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(Pidfd, "open", refused)
        with pytest.raises(OSError, match="Too many open files"):
            await later.adopt(process)
    assert is_alive(process.pid)
    assert await later.adopt(process) is not None
    later.close()
    await runtime.kill(process)
    await finish(runtime, process)


async def test_who_may_not_be_killed_keeps_nobody_else_alive(
    runtime: ProcessRuntime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = await runtime.start(launch(tmp_path, "sleep 1000 & sleep 1000 & sleep 1000 & echo up; wait"))
    await eventually(lambda: len(members(process)) == 4)
    out_of_reach = max(found.pid for found in members(process))
    send = signal.pidfd_send_signal

    def refused(fd: int, number: int) -> None:
        if f"Pid:\t{out_of_reach}\n" in Path(f"/proc/self/fdinfo/{fd}").read_text():
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        send(fd, number)

    os.kill(process.shim, signal.SIGSTOP)  # it would be refused as well
    with monkeypatch.context() as patched:
        patched.setattr(signal, "pidfd_send_signal", refused)
        patched.setattr("agent.process_runtime.SHIM_SECONDS", 0.1)
        assert not await runtime.kill(process, within=0.1)
    assert {found.pid for found in members(process)} == {out_of_reach}
    os.kill(process.shim, signal.SIGCONT)
    assert await runtime.kill(process)
    await finish(runtime, process)
