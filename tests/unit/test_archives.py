"""Folders to zips, and which zips are refused."""

import contextlib
import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.api.package import NotAnApp
from plumctl.archive import inspect, pack

META = "name = hello\nversion: 1.0\n"


def folder(root: Path) -> Path:
    made = root / "app"
    (made / "sub").mkdir(parents=True)
    (made / "meta.ini").write_text(META)
    (made / "start.sh").write_text("#!/bin/sh\n")
    (made / "start.sh").chmod(0o755)
    (made / "sub" / "data").write_bytes(b"x" * 1000)
    return made


def archive(path: Path, extra: dict[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("meta.ini", META)
        made.writestr("start.sh", "#!/bin/sh\n")
        for name, content in extra.items():
            made.writestr(name, content)
    return path


def special(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o644) << 16
    return info


def test_equal_folders_make_equal_archives(tmp_path: Path) -> None:
    first, second = folder(tmp_path / "a"), folder(tmp_path / "b")
    (second / ".git").mkdir()
    (second / ".git" / "HEAD").write_text("not packed")
    (first / "sub" / "data").touch()
    pack(first, tmp_path / "a.zip")
    pack(second, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    found = inspect(tmp_path / "a.zip")
    assert (found.meta.name, found.meta.version, found.size) == ("hello", "1.0", (tmp_path / "a.zip").stat().st_size)


def test_executable_bits_are_kept(tmp_path: Path) -> None:
    pack(folder(tmp_path), tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as opened:
        modes = {info.filename: stat.S_IMODE(info.external_attr >> 16) for info in opened.infolist()}
    assert modes == {"meta.ini": 0o644, "start.sh": 0o755, "sub/data": 0o644}


def test_a_link_in_the_folder_is_refused_by_name(tmp_path: Path) -> None:
    made = folder(tmp_path)
    (made / "link").symlink_to("/etc/passwd")
    with pytest.raises(NotAnApp, match=r"link: is a symbolic link"):
        pack(made, tmp_path / "a.zip")


def test_one_top_folder_may_hold_the_app(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr("top/meta.ini", META)
        made.writestr("top/start.sh", "")
    assert inspect(tmp_path / "a.zip").meta.name == "hello"


@pytest.mark.parametrize(
    ("entry", "content", "message"),
    [
        pytest.param("../escape", b"", "leads out", id="parent"),
        pytest.param("/etc/passwd", b"", "leads out", id="absolute"),
        pytest.param("a\\..\\b", b"", "leads out", id="backslash"),
        pytest.param("zeros", bytes(30_000_000), "200 times", id="bomb"),
        pytest.param("x/" * 70 + "y", b"", "too long a name", id="depth"),
        pytest.param(special("link", stat.S_IFLNK), b"/etc/passwd", "link out", id="absolute link"),
        pytest.param(special("a/link", stat.S_IFLNK), b"../../x", "link out", id="link out"),
        pytest.param(special("device", stat.S_IFBLK), b"", "no file", id="device"),
    ],
)
def test_hostile_archives_are_refused(
    tmp_path: Path, entry: str | zipfile.ZipInfo, content: bytes, message: str
) -> None:
    with pytest.raises(NotAnApp, match=message):
        inspect(archive(tmp_path / "a.zip", {entry: content}))


def test_a_link_within_the_app_is_fine(tmp_path: Path) -> None:
    assert inspect(archive(tmp_path / "a.zip", {special("a/link", stat.S_IFLNK): b"../start.sh"})).meta.name == "hello"


@settings(max_examples=50, deadline=None)
@given(raw=st.binary(max_size=300), at=st.integers(0, 400))
def test_damaged_archives_are_refused_or_read(tmp_path_factory: pytest.TempPathFactory, raw: bytes, at: int) -> None:
    path = archive(tmp_path_factory.mktemp("zip") / "a.zip", {"data": b"y" * 100})
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + raw + whole[at + len(raw) :])
    with contextlib.suppress(NotAnApp):
        assert inspect(path).path == path


@pytest.mark.parametrize("missing", ["meta.ini", "start.sh"])
def test_what_is_missing_is_named(tmp_path: Path, missing: str) -> None:
    made = folder(tmp_path)
    (made / missing).unlink()
    pack(made, tmp_path / "a.zip")
    with pytest.raises(NotAnApp, match=missing):
        inspect(tmp_path / "a.zip")
