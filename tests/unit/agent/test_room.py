"""Which files of the cache go, and when there is no space."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import partials
from agent.artifact_failures import DiskFull
from agent.partials import Origin, Partial
from agent.room import RESERVE_BYTES, Kept, Room, Space, superfluous

PLENTY = Space(total=1 << 40, free=1 << 39)


def room(
    cache: Path, *, max_bytes: int = 1 << 40, space: Space = PLENTY, spared: set[Path] | None = None, wanted: str = ""
) -> Room:
    """``space`` is that of a disk on which nothing but the files of 10 bytes in the cache comes and goes."""
    at_first = len([*cache.iterdir()])

    def now(folder: Path) -> Space:
        return Space(space.total, space.free + 10 * (at_first - len([*folder.iterdir()])))

    return Room(cache, max_bytes=max_bytes, spared=lambda: spared or set(), wanted=lambda: {wanted}, space=now)


def fill(cache: Path, *names: str) -> None:
    """Files of 10 bytes, the first one used last."""
    for age, name in enumerate(names):
        (cache / name).write_bytes(b"x" * 10)
        os.utime(cache / name, (1000 - age, 1000 - age))


def left(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()}


def test_the_archives_used_longest_ago_make_room(tmp_path: Path) -> None:
    fill(tmp_path, "new.zip", "used.zip", "old.zip", "oldest.zip")
    room(tmp_path, max_bytes=30, spared={tmp_path / "oldest.zip"}).make()
    assert left(tmp_path) == {"new.zip", "used.zip", "oldest.zip"}


def test_broken_downloads_go_first_and_what_instances_were_made_from_last(tmp_path: Path) -> None:
    fill(tmp_path, "broken.part", "unused.zip", "wanted.zip")
    keeper = room(tmp_path, max_bytes=20, wanted="wanted")
    keeper.make()
    assert left(tmp_path) == {"unused.zip", "wanted.zip"}
    keeper.make(need=10)
    assert left(tmp_path) == {"wanted.zip"}
    keeper.make(need=100)
    assert left(tmp_path) == set()


def test_a_reserve_of_the_disk_stays_free(tmp_path: Path) -> None:
    fill(tmp_path, "a.zip", "b.zip", "c.zip")
    room(tmp_path, space=Space(1000, 45)).make()
    assert left(tmp_path) == {"a.zip", "b.zip"}


def test_what_does_not_fit_is_refused_with_a_remedy(tmp_path: Path) -> None:
    fill(tmp_path, "a.zip", "b.zip")
    keeper = room(tmp_path, space=Space(1000, 100))
    keeper.ensure(110, "app.zip")
    assert left(tmp_path) == set()
    with pytest.raises(DiskFull, match=r"app.zip: no space .*\(120 bytes free, 130 bytes needed\); free some, or give"):
        keeper.ensure(130, "app.zip")


@pytest.mark.parametrize(("total", "reserve"), [(1 << 40, RESERVE_BYTES), (1000, 50), (0, 0)])
def test_the_reserve_is_small_on_a_small_disk(total: int, reserve: int) -> None:
    assert Space(total, 0).reserve == reserve


kept = st.builds(Kept, st.text("ab", min_size=1).map(Path), st.integers(0, 9), st.floats(0, 9), st.integers(0, 2))


@given(st.lists(kept, unique_by=lambda one: one.path), st.integers(-5, 50))
def test_no_more_goes_than_must_and_nothing_before_its_turn(files: list[Kept], excess: int) -> None:
    going = superfluous(files, excess)
    staying = [one for one in files if one not in going]
    assert sum(one.size for one in going) >= excess or not staying
    assert sum(one.size for one in going[:-1]) < max(excess, 1)
    for one in going:
        assert all((one.rank, one.used_at) <= (other.rank, other.used_at) for other in staying)


def partial(cache: Path, name: str, *, age: float, note: bool = True) -> Path:
    landing = Partial(cache, name)
    landing.begin(Origin("/a", '"v"') if note else None)
    os.utime(landing.path, (1000 - age, 1000 - age))
    return landing.path


def test_broken_downloads_are_kept_few_and_not_for_ever(tmp_path: Path) -> None:
    partial(tmp_path, "new", age=1)
    partial(tmp_path, "newer", age=0)
    partial(tmp_path, "one-too-many", age=2)
    partial(tmp_path, "no-note", age=0, note=False)
    running = partial(tmp_path, "running", age=0, note=False)
    (tmp_path / "gone.part.json").write_text("{}")
    partials.sweep(tmp_path, spared={running}, most=2, max_age=100, now=1000)
    assert {path.stem for path in tmp_path.glob("*.part")} == {"new", "newer", "running"}
    partials.sweep(tmp_path, spared={running}, max_age=100, now=1101)
    assert left(tmp_path) == {"running.part"}
