"""Probes by command, with real processes: however they end, and whoever is killed in between, nothing stays."""

import asyncio
import errno
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent import cgroups, probe_commands, processes
from agent.probe_commands import MAX_SEEN, Commands, Place
from agent.probes import Outcome
from agent.process_runtime import ProcessRuntime
from agent.runtime import MARKER, Launch, Process
from agent.testing import FakeRuntime
from tests.unit.agent.waiting import eventually

PASSED = Outcome(True)
TOO_LONG = Outcome(False, "did not end within 0.3 s")
DAEMON = "(setsid sleep 1000 & setsid env -i sleep 1000 &) ; "
"""Two that have left session and parent, one of them its marker too."""


@dataclass
class Scene:
    """An instance whose commands are run, without the instance."""

    root: Path
    runtime: ProcessRuntime

    def __post_init__(self) -> None:
        self.commands = Commands(self.runtime, self.root / "probes")
        app = self.root / "app"
        app.mkdir()
        uid = str(uuid.uuid4())  # who kills by a marker finds it anywhere on the machine
        self.place = Place(uid, app, {"PATH": "/usr/bin:/bin", "GREETING": "hello", MARKER: uid})

    async def run(self, script: str, *, within: float = 10.0) -> Outcome | None:
        return await self.commands.run("liveness", ("/bin/sh", "-c", script), self.place, within=within)

    @property
    def runs(self) -> list[Path]:
        probes = self.root / "probes"
        return [*probes.iterdir()] if probes.exists() else []

    def sleepers(self) -> list[int]:
        """What runs in the instance's folder, whatever its environment."""
        return [
            int(path.name)
            for path in processes.PROC.iterdir()
            if path.name.isdigit() and _cwd(path) == str(self.place.folder)
        ]


def _cwd(process: Path) -> str:
    try:
        return str((process / "cwd").readlink())
    except OSError:
        return ""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    runtime = ProcessRuntime()
    yield Scene(tmp_path, runtime)
    runtime.close()


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        pytest.param("exit 0", PASSED, id="pass"),
        pytest.param('[ "$GREETING $PWD" = "hello $(pwd -P)" ] && [ -d ../app ]', PASSED, id="environment and folder"),
        pytest.param("exit 3", Outcome(False, "exited with code 3"), id="fail"),
        pytest.param(
            "echo one; echo ' two\t\x1b[31m'; echo; exit 1", Outcome(False, "exited with code 1: two  [31m"), id="words"
        ),
        pytest.param(
            "head -c 5000 /dev/zero | tr '\\0' x; exit 1",
            Outcome(False, "exited with code 1: " + "x" * MAX_SEEN),
            id="a long line",
        ),
        pytest.param("kill -9 $$", Outcome(False, "ended by signal 9"), id="signal"),
    ],
)
async def test_how_a_command_ends_is_what_counts(scene: Scene, script: str, outcome: Outcome) -> None:
    assert await scene.run(script) == outcome
    assert scene.runs == []


async def test_a_command_that_is_not_there(scene: Scene) -> None:
    found = await scene.commands.run("liveness", ("./missing",), scene.place, within=10.0)
    assert found
    assert found.seen.startswith("exited with code 127: ")
    assert "missing" in found.seen


async def test_arguments_arrive_as_they_are(scene: Scene) -> None:
    words = ("/bin/sh", "-c", '[ "$1" = "$2" ] && [ $# = 3 ]', "sh", "a 'b' $c", "a 'b' $c", "\n;exit 1")
    assert await scene.commands.run("startup", words, scene.place, within=10.0) == PASSED


@pytest.mark.parametrize("script", ["trap '' TERM; sleep 1000", DAEMON + "sleep 1000", "sleep 1000 & wait"])
async def test_who_hangs_is_killed_with_all_that_it_has_started(scene: Scene, script: str) -> None:
    found = await scene.run("echo waiting for the database; " + script, within=0.3)
    assert found in (TOO_LONG, Outcome(False, f"{TOO_LONG.seen}: waiting for the database")), "as far as it came"
    assert scene.runs == []
    assert scene.sleepers() == []


@pytest.mark.parametrize("code", [0, 1])
async def test_who_ends_leaves_nobody_behind(scene: Scene, code: int) -> None:
    found = await scene.run(f"{DAEMON} exit {code}")
    assert found
    assert found.passed == (code == 0)
    assert scene.sleepers() == []


async def test_endless_output_fills_no_disk(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_commands, "MAX_OUTPUT", 1000)
    monkeypatch.setattr(probe_commands, "LOOK_SECONDS", 0.02)
    largest = 0

    async def look() -> None:
        nonlocal largest
        while True:
            for run in scene.runs:
                largest = max(largest, (run / "out.log").stat().st_size if (run / "out.log").exists() else 0)
            await asyncio.sleep(0.005)

    looking = asyncio.create_task(look())
    script = "for i in 1 2 3 4 5 6 7 8 9 10; do head -c 2000 /dev/zero; sleep 0.05; done; echo over; exit 1"
    found = await scene.run(script)
    looking.cancel()
    assert found in (Outcome(False, "exited with code 1: over"), Outcome(False, "exited with code 1")), "cut at the end"
    assert largest < 20_000


async def test_an_instance_that_ends_takes_its_probe_along(scene: Scene) -> None:
    asking = asyncio.create_task(scene.run(DAEMON + "sleep 1000", within=1000))
    await eventually(lambda: len(scene.sleepers()) >= 3)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await scene.commands.close()
    assert scene.sleepers() == []
    assert scene.runs == []


async def test_a_probe_is_not_taken_for_its_instance(scene: Scene) -> None:
    asking = asyncio.create_task(scene.run("sleep 1000", within=1000))
    await eventually(scene.sleepers)
    instance = Process(uid=scene.place.uid, boot_id=scene.runtime.boot_id, run=str(scene.root / "no-run"))
    assert await scene.runtime.kill(instance)
    assert scene.sleepers(), "who kills the instance by its marker leaves the probe alone"
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await scene.commands.close()


async def test_the_next_agent_kills_what_a_killed_one_was_asking(scene: Scene, tmp_path: Path) -> None:
    asking = asyncio.create_task(scene.run(DAEMON + "sleep 1000", within=1000))
    await eventually(lambda: len(scene.sleepers()) >= 3)
    (tmp_path / "probes" / "half-made").mkdir()
    (tmp_path / "probes" / "half-made" / "uid").write_text(f"{uuid.uuid4()}.probe-startup\n")
    runtime = ProcessRuntime()
    later = Commands(runtime, tmp_path / "probes")
    assert await later.run("liveness", ("true",), scene.place, within=10.0) == PASSED
    await later.sweep()
    assert scene.sleepers() == []
    await asyncio.wait([asking])
    await scene.commands.close()
    await later.close()
    assert scene.runs == []
    runtime.close()


async def test_a_fault_of_the_system_says_nothing_of_the_process(tmp_path: Path) -> None:
    commands = Commands(FakeRuntime(), tmp_path / "probes")
    place = Place("uid-1", tmp_path / "nowhere", {})
    assert await commands.run("liveness", ("true",), place, within=10.0) is None


async def test_nothing_to_sweep_is_no_fault(scene: Scene) -> None:
    shutil.rmtree(scene.root / "probes", ignore_errors=True)
    await scene.commands.sweep()


async def test_what_clears_up_after_one_run_of_a_probe_spares_the_next(tmp_path: Path) -> None:
    groups = cgroups.find(tmp_path)
    if groups is None:
        pytest.skip("no cgroup of version 2 can be made here")
    with closing(ProcessRuntime(groups=groups)) as killed, closing(ProcessRuntime(groups=groups)) as later:
        scene = Scene(tmp_path, killed)
        left = asyncio.create_task(scene.run("touch started; sleep 1000", within=1000))
        await eventually((scene.place.folder / "started").exists)
        scene.commands = Commands(later, tmp_path / "probes")
        next_one = asyncio.create_task(scene.run("touch again; while [ ! -e cleared ]; do sleep 0.01; done"))
        await eventually((scene.place.folder / "again").exists)
        await scene.commands.sweep()
        (scene.place.folder / "cleared").touch()
        assert await next_one == PASSED
        await left
    assert not scene.runs


async def test_a_probe_of_which_nobody_can_say_whether_it_runs_is_ended(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = scene.runtime.start

    async def blind(launch: Launch) -> Process:
        await start(launch)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(scene.runtime, "start", blind)
    assert await scene.run("sleep 1000") is None
    assert not scene.sleepers()
    assert not scene.runs


async def test_an_agent_that_stood_still_holds_it_against_nobody(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_commands, "STALLED_SECONDS", 0.1)
    for number in range(5):
        running = asyncio.create_task(scene.run(f"touch up{number}; sleep 0.1", within=0.3))
        await eventually((scene.place.folder / f"up{number}").exists)
        time.sleep(0.5)  # noqa: ASYNC251 - as if it had been stopped
        assert await running in (PASSED, None)
