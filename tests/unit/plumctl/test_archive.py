"""A folder becomes the same zip every time; what is no app is refused by name."""

import os
import zipfile
from pathlib import Path

import pytest

from apiserver.api.package import NotAnApp
from plumctl.archive import inspect, pack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "app"
    (root / "lib").mkdir(parents=True)
    (root / "start.sh").write_text("#!/bin/sh\n")
    (root / "start.sh").chmod(0o755)
    (root / "meta.ini").write_text("name=demo\nversion: 1.0.0\n")
    (root / "lib" / "data").write_text("x")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("secret")
    return root


def test_the_same_folder_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "one.zip")
    for path in folder.rglob("*"):
        os.utime(path, (1, 1))
    pack(folder, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == ["lib/data", "meta.ini", "start.sh"]
        assert archive.getinfo("start.sh").external_attr >> 16 & 0o111
        assert not archive.getinfo("meta.ini").external_attr >> 16 & 0o111


def test_inspect_reads_the_root_or_the_one_top_folder(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "flat.zip")
    with zipfile.ZipFile(tmp_path / "nested.zip", "w") as archive:
        for name in ("start.sh", "meta.ini"):
            archive.write(folder / name, f"demo-1/{name}")
    for name in ("flat", "nested"):
        found = inspect(tmp_path / f"{name}.zip")
        assert (found.meta.name, found.meta.version, len(found.sha256)) == ("demo", "1.0.0", 64)


def test_refusals_name_the_file_and_the_remedy(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_text("no zip")
    with pytest.raises(NotAnApp, match=r"no\.zip: is not a zip"):
        inspect(tmp_path / "no.zip")
    (folder / "link").symlink_to("/etc/passwd")
    with pytest.raises(NotAnApp, match="link: is a symbolic link"):
        pack(folder, tmp_path / "x.zip")
    (folder / "link").unlink()
    os.mkfifo(folder / "fifo")
    with pytest.raises(NotAnApp, match="fifo: is neither a file nor a folder"):
        pack(folder, tmp_path / "x.zip")
    (folder / "fifo").unlink()
    (folder / "meta.ini").unlink()
    pack(folder, tmp_path / "x.zip")
    with pytest.raises(NotAnApp, match=r"has no meta\.ini"):
        inspect(tmp_path / "x.zip")
