"""What goes, and what stays."""

import contextlib
import os
import time
from pathlib import Path

import pytest

from agent.logs import retention, runs, times
from agent.logs.segments import LOG, base, spans
from agent.logs.tending import Instance
from tests.unit.agent.disks import small_disk
from tests.unit.agent.logs.world import World


def used(folder: Path) -> int:
    """Bytes on disk of all logs below a folder."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob(f"{LOG}*"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, size=64 * 1024, files=3)


def test_an_instance_keeps_to_its_bounds_over_runs(world: World) -> None:
    rotator = Instance(str(world.folder))
    line = b"z" * 99 + b"\n"
    for number in range(60):
        if number % 7 == 0:
            world.start()
        world.write(line * 500)
        rotator.look()
        # Blocks are whole ones, and the newest run may be short of one segment.
        assert used(world.folder) < (world.files + 1) * world.size + 8 * 8192
        segments = [path for path in world.folder.rglob(f"{LOG}.*") if path.stat().st_size]
        assert len(segments) <= world.files


def test_what_nobody_could_rotate_is_given_up_in_one_go(world: World) -> None:
    """The rotator was away for long: what would be deleted next is not copied first."""
    world.start()
    world.write((b"z" * 99 + b"\n") * 20_000)
    Instance(str(world.folder)).look()
    segments = spans(str(world.now))
    assert len(segments) <= world.files + 1
    assert used(world.folder) < (world.files + 1) * world.size + 4 * 8192
    assert all(start % 100 == 0 for start, _ in segments)
    assert len(world.written[1]) - base(segments) < world.size


def test_a_few_runs_are_kept(world: World) -> None:
    for _ in range(25):
        world.start()
        world.write(b"x\n")
    Instance(str(world.folder)).look()
    assert runs.numbers(str(world.folder)) == [*range(16, 26)]


def test_a_run_whose_limits_are_not_written_yet_trims_nobody_by_the_defaults(tmp_path: Path) -> None:
    """Its folder comes first. Seen between the two, it once took the parts of the run before, and rotated nothing."""
    world = World(tmp_path, files=8)
    tended = Instance(str(world.folder))
    world.start()
    for _ in range(8):
        world.write((b"a" * 99 + b"\n") * 10)
        tended.look()
    assert len(spans(str(world.now))) == 8
    said = (world.now / "run.json").read_text()
    world.start()
    (world.now / "run.json").unlink()
    tended.look()
    assert len(spans(str(world.folder / "runs" / "1"))) == 8
    (world.now / "run.json").write_text(said)
    world.write((b"b" * 99 + b"\n") * 15)
    tended.look()
    assert len(spans(str(world.now))) == 1


def test_a_run_goes_all_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads while it goes, or after a rotator was killed over it, sees no punched log without its segments."""
    world.start()
    world.write((b"z" * 99 + b"\n") * 1000)
    Instance(str(world.folder)).look()
    for _ in range(retention.MAX_RUNS):
        world.start()
        world.write(b"x\n")

    def killed(path: str, **_: object) -> None:
        if os.path.exists(path):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            Instance(str(world.folder)).look()
    assert b"\0" not in world.read(cursor="1:0")
    Instance(str(world.folder)).look()
    assert len(list((world.folder / "runs").iterdir())) == retention.MAX_RUNS


def test_a_run_that_is_not_over_stays(world: World) -> None:
    for number in range(12):
        world.start()
        if number == 1:
            (world.now / "alive").touch()
    (world.folder / "runs" / "2" / "gone").unlink()
    Instance(str(world.folder)).look()
    assert runs.numbers(str(world.folder)) == [2, *range(3, 13)]


def test_a_machine_that_was_restarted_has_ended_its_runs(world: World) -> None:
    folder = world.start(alive=False)
    (folder / "claim").write_text(f"{os.getpid()} 1\n")
    assert runs.is_over(str(folder))
    (folder / "claim").write_text(f"{os.getpid()} 1")
    assert not runs.is_over(str(folder))  # not complete: a start is under way
    os.utime(folder, (1, 1))
    assert runs.is_over(str(folder))


def test_what_is_gone_is_kept_for_a_while_and_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ENDED_BYTES", 100_000)
    for number in range(4):
        folder = tmp_path / "ended" / f"default.web.{number}" / "runs" / "1"
        folder.mkdir(parents=True)
        (folder / LOG).write_bytes(b"x" * 40_000)
        os.utime(tmp_path / "ended" / f"default.web.{number}")
        time.sleep(0.02)  # the clock of the file system is coarse
    retention.trim_ended(str(tmp_path))
    assert sorted(path.name for path in (tmp_path / "ended").iterdir()) == ["default.web.2", "default.web.3"]
    retention.trim_ended(str(tmp_path), now=time.time() + retention.ENDED_SECONDS + 10)
    assert list((tmp_path / "ended").iterdir()) == []
    retention.trim_ended(str(tmp_path / "nowhere"))


def test_samples_are_thinned_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "MAX_BYTES", 2000)
    world.start()
    rotator = Instance(str(world.folder))
    for number in range(300):
        world.write(b"x\n")
        os.utime(world.now / LOG, (1000 + number, 1000 + number))
        rotator.look()
    file = world.now / times.TIMES
    assert file.stat().st_size <= 2000
    known = times.load(str(world.now))
    assert known.at(598) == 1299
    assert known.at(596) == 1298
    assert 1000 <= (known.at(0) or 0) <= 1299


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"logs": {"maxSizeBytes": "x", "maxFiles": 1}}', '{"logs": null}'])
def test_limits_that_cannot_be_read_are_the_default(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    found = runs.limits(str(tmp_path))
    assert (found.size, found.files) == (10 * 1024 * 1024, 5)
    assert runs.uid(str(tmp_path)) == ""


def test_a_disk_without_space_loses_what_cannot_be_copied_at_last(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rotation fails, and goes on failing: the log grows to its bound and no further."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("agent.logs.cutting.copy", full)
    world.start()
    rotator = Instance(str(world.folder))
    for _ in range(30):
        world.write((b"z" * 99 + b"\n") * 250)
        rotator.look()
        assert used(world.folder) < (world.files + 1) * world.size + 25_000 + 4 * 8192
    monkeypatch.undo()
    world.write(b"last\n")
    rotator.look()
    assert world.read().endswith(b"z\nlast\n")


def test_a_log_that_has_filled_its_disk_gives_space_back(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1 << 20) as disk:
        world = World(disk, size=64 * 1024, files=3)
        world.start()
        with contextlib.suppress(OSError), (world.now / LOG).open("ab", buffering=0) as log:
            while True:
                log.write(b"z" * 99 + b"\n")
        rotator = Instance(str(world.folder))
        for _ in range(3):
            rotator.look()
        assert used(world.folder) < (world.files + 2) * world.size
        assert times.load(str(world.now)).offsets, "and when it was written is known again"


def test_half_a_sample_is_none(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1 << 16) as disk:
        (disk / times.TIMES).write_bytes(b"\n" * 4090)
        with contextlib.suppress(OSError), (disk / "rest").open("ab", buffering=0) as rest:
            while True:
                rest.write(b"x" * 4096)
        with pytest.raises(OSError, match="No space"):
            times.append(str(disk), 1234567, 1000.0)
        assert (disk / times.TIMES).read_bytes() == b"\n" * 4090


def test_a_run_that_cannot_be_rotated_keeps_no_later_one_from_it(world: World, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"x" * 100_000)
    (world.start() / LOG).symlink_to(tmp_path / "elsewhere")
    world.start()
    (world.folder / "runs" / "1" / "gone").unlink()
    world.write((b"z" * 99 + b"\n") * 1000)
    Instance(str(world.folder)).look()
    assert spans(str(world.now))
