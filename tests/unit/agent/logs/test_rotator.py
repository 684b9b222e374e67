"""The rotator as a process: killed at any moment, replaced, and ended in time."""

import asyncio
import contextlib
import fcntl
import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import psutil
import pytest

from agent.logs import keeper
from agent.logs.keeper import Keeper
from agent.logs.runs import lives
from agent.logs.segments import spans
from apiserver.client.backoff import Backoff
from tests.background import background
from tests.unit.agent.disks import small_disk
from tests.unit.agent.logs.world import World, settle, told
from tests.unit.agent.logs.writing import numbers, writing
from tests.unit.agent.waiting import eventually


def holder(data: Path) -> str:
    """``<pid> <start time>`` of the rotator at work; empty for none."""
    try:
        process = (data / "rotator.lock").read_text().strip().rpartition(" ")[0]
    except FileNotFoundError:
        return ""
    return process if process and lives(process) else ""


def pid_of(data: Path) -> int:
    return int(holder(data).split()[0])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "RETRY", Backoff(base=0.01, cap=0.02))


@pytest.mark.usefixtures("quick")
async def test_kills_lose_and_repeat_nothing(tmp_path: Path) -> None:
    await kill_rotators(tmp_path, lines=12_000, kills=8)


async def kill_rotators(data: Path, *, lines: int, kills: int, segments: int = 10) -> None:
    """A rotator after the other is killed while an app writes and a reader follows."""
    world = World(data, size=8 * 1024, files=100_000)
    run = world.start(alive=False)
    rng = random.Random(7)
    reader = world.reader(follow=True, cursors=True)
    reader.open()
    raw = reader.step().data
    hand = Keeper(data)
    killed = 0
    with writing(run, lines) as app:
        async with background(hand.run()):
            while killed < kills or app.poll() is None:
                await eventually(lambda: holder(data))
                pause = asyncio.create_task(asyncio.sleep(rng.uniform(0.0, 0.15)))
                while not pause.done():
                    step = await asyncio.to_thread(reader.step)
                    raw += step.data
                    await asyncio.sleep(0.001 if step.is_idle else 0)
                if killed < kills and (found := holder(data)):
                    os.kill(int(found.split()[0]), signal.SIGKILL)
                    killed += 1
            await eventually(lambda: len(spans(str(run))) > segments)
    await hand.end()
    raw += settle(reader)
    text = b"".join(line.text + b"\n" for line in told(raw) if line.text is not None)
    assert numbers(text) == [*range(1, lines + 1)]
    assert numbers(world.read()) == [*range(1, lines + 1)]


@pytest.mark.usefixtures("quick")
async def test_one_works_whoever_started_it_and_one_of_another_version_is_replaced(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.start()
    first, second = Keeper(tmp_path), Keeper(tmp_path)
    async with background(first.run()), background(second.run()):
        await eventually(lambda: holder(tmp_path))
        at_work = holder(tmp_path)
    other = Keeper(tmp_path, version="another")
    async with background(other.run()):
        await eventually(lambda: holder(tmp_path) not in ("", at_work))
        assert not lives(at_work)
        replaced = holder(tmp_path)
        await asyncio.sleep(0)
    assert lives(replaced)
    await other.end()
    assert holder(tmp_path) == ""


@pytest.mark.usefixtures("quick")
async def test_it_outlives_the_agent_and_ends_after_the_last_run(tmp_path: Path) -> None:
    world = World(tmp_path)
    run = world.start(alive=False)
    with writing(run, 10**6) as app:
        async with background(Keeper(tmp_path).run()):
            await eventually(lambda: holder(tmp_path))
        at_work = holder(tmp_path)
        await eventually((run / "times").exists)
        assert holder(tmp_path) == at_work
        app.kill()
        app.wait()
        await eventually(lambda: not holder(tmp_path))


@pytest.mark.usefixtures("quick")
async def test_it_stays_while_there_is_an_agent(tmp_path: Path) -> None:
    world = World(tmp_path)
    run = world.start(alive=False)
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        async with background(Keeper(tmp_path).run()):
            await eventually(lambda: holder(tmp_path))
        at_work = holder(tmp_path)
        (run / "gone").write_text("gone\n")
        (run / "out.log").write_text("a look has been taken\n")
        await eventually((run / "times").exists)
        assert holder(tmp_path) == at_work
    await eventually(lambda: not holder(tmp_path))


@pytest.mark.usefixtures("quick")
async def test_it_ends_with_its_folder(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.start()
    async with background(Keeper(tmp_path).run()):
        await eventually(lambda: holder(tmp_path))
    process = psutil.Process(pid_of(tmp_path))
    (tmp_path / "rotator.lock").unlink()
    await eventually(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.usefixtures("quick")
async def test_lines_have_the_time_at_which_they_were_written(tmp_path: Path) -> None:
    world = World(tmp_path)
    run = world.start()
    (run / "times").touch()
    moments = []
    async with background(Keeper(tmp_path).run()):
        for number in range(3):
            before = time.time()
            world.write(b"%d\n" % number)
            moments.append((before, time.time()))
            await eventually(lambda: (run / "times").read_bytes().count(b"\n") == len(moments))
    await Keeper(tmp_path).end()
    for line, (before, after) in zip(told(world.read(cursors=True)), moments, strict=False):
        written = datetime.fromisoformat(line.time.decode()).timestamp()
        assert before - 0.02 <= written <= after + 0.02  # the clock of the file system is coarse


def test_it_loads_nothing_but_the_standard_library() -> None:
    root = Path(keeper.__file__).parents[2]
    program = "import sys; sys.path.insert(0, sys.argv[1]); from agent.logs.rotator import main; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-ISE", "-c", program, str(root)], capture_output=True, check=True)
    modules = {name.partition(".")[0] for name in found.stdout.decode().split()}
    assert modules <= {*sys.stdlib_module_names, "agent", "__main__"}
    assert not modules & {"asyncio", "typing", "dataclasses", "logging", "subprocess", "pathlib"}


@pytest.mark.usefixtures("quick")
async def test_the_same_where_no_hole_can_be_punched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills also hit a rotator while it has stopped the app."""
    cannot = "import agent.logs.rotator as it; it.can_punch = lambda folder: False; it.main(*sys.argv[1:3])"
    monkeypatch.setattr(keeper, "_PROGRAM", f"import sys; sys.path.insert(0, sys.argv[3]); {cannot}")
    await kill_rotators(tmp_path, lines=12_000, kills=8, segments=0)
    run = tmp_path / "instances" / "default.web" / "runs" / "1"
    assert (run / "truncates").exists()
    assert not (run / "stopped").exists()
    assert (run / "out.log").stat().st_size < 100_000


def test_a_complaint_that_the_disk_does_not_take_ends_nothing(tmp_path: Path) -> None:
    """What the rotator tells goes to the same disk that it complains of."""
    world = World(tmp_path)
    world.start()
    (tmp_path / "elsewhere").write_bytes(b"x\n" * 5000)
    (world.now / "out.log").symlink_to(tmp_path / "elsewhere")
    program = "import sys; from agent.logs.tending import Instance; print(Instance(sys.argv[1]).look())"
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(
            [sys.executable, "-c", program, str(world.folder)], stdout=subprocess.PIPE, stderr=full, check=False
        )
    assert answer.stdout == b"False\n"


@pytest.mark.usefixtures("quick")
async def test_it_starts_on_a_full_disk(tmp_path: Path) -> None:
    """It is who gives space back."""
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        world = World(disk, size=64 * 1024, files=3)
        log = world.start() / "out.log"
        with contextlib.suppress(OSError), log.open("ab", buffering=0) as file:
            while True:
                file.write(b"z" * 99 + b"\n")
        async with background(Keeper(disk).run()):
            await eventually(lambda: log.stat().st_blocks * 512 < (world.files + 2) * world.size)
            await eventually(lambda: holder(disk))
        world.end()
        await eventually(lambda: not holder(disk))
