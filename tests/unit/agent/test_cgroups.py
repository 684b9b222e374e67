"""Groups that nobody comes back to. Folders stand for them: both go only when they are empty."""

import os
from pathlib import Path

from agent import cgroups


def group(parent: Path, name: str, *, pid: int = 0) -> Path:
    made = parent / name
    made.mkdir(parents=True)
    if pid:
        (made / "cgroup.procs").write_text(f"{pid}\n")
    return made


def test_what_data_folders_that_are_gone_have_left_is_taken_away(tmp_path: Path) -> None:
    group(tmp_path / "plum.gone", "uid-1/made-by-the-app")
    group(tmp_path / "plum.mine", "uid-2")
    group(tmp_path / "other", "uid-3")
    (tmp_path / "plum.file").touch()
    cgroups.tidy(tmp_path, spare="plum.mine")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "plum.file", "plum.mine"]
    assert (tmp_path / "plum.mine" / "uid-2").is_dir()
    assert (tmp_path / "other" / "uid-3").is_dir()


def test_where_a_process_is_nothing_is_touched(tmp_path: Path) -> None:
    alive = group(tmp_path / "plum.gone", "uid-1", pid=os.getpid())
    below = group(alive, "made-by-the-app")
    empty = group(tmp_path / "plum.gone", "uid-2")
    cgroups.tidy(tmp_path, spare="plum.mine")
    assert below.is_dir()
    assert not empty.exists()


def test_what_another_agent_works_with_stays_while_it_is_empty(tmp_path: Path) -> None:
    parent = tmp_path / "plum.other"
    other = cgroups.Cgroups(parent, cgroups._hold(parent))
    cgroups.tidy(tmp_path, spare="plum.mine")
    assert parent.is_dir()
    other.lock.close()
    cgroups.tidy(tmp_path, spare="plum.mine")
    assert not parent.exists()
    assert other.make("uid-1") == parent / "uid-1", "whoever holds no lock can go on all the same"
