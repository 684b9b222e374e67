"""Which uploaded files are apps. Whatever the file is, the answer is what it says or one refusal, soon."""

import io
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apiserver.api.archives import MAX_FILES
from apiserver.api.errors import BadRequest
from apiserver.api.kinds.app import AppService
from apiserver.api.package import MAX_META, Meta
from apiserver.server.uploads import judge

META = "name = hello\nversion: 1.0\nservice=orders:http:8080\n"
FOUND = Meta("hello", "1.0", (AppService(name="orders", protocol="http", port=8080),))
REFUSALS = ("not a zip: ", "zip must contain start.sh and meta.ini(name,version): ")


def archive(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return made.getvalue()


def app(meta: bytes = META.encode(), **more: bytes) -> bytes:
    return archive({"start.sh": b"#!/bin/sh\n", "meta.ini": meta, **more})


def entries(count: int, name: bytes = b"a") -> bytes:
    """A zip that says it has so many files, and has none."""
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 3, 20, 0, 0, 0, 0, 33, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0)
    listed = (entry + name) * count
    shown = min(count, 0xFFFF)
    return listed + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, shown, shown, len(listed), 0, 0)


def encrypted() -> bytes:
    """An archive whose list says that its files are encrypted."""
    raw = bytearray(app())
    at = raw.index(b"PK\1\2")
    raw[at + 8] |= 1
    return bytes(raw)


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    return tmp_path / "upload"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(app(), id="at the root"),
        pytest.param(archive({"a/": b"", "a/start.sh": b"", "a/meta.ini": META.encode()}), id="in a top folder"),
        pytest.param(archive({"start.sh": b"", "meta.ini": META.encode()}, zipfile.ZIP_STORED), id="stored"),
        pytest.param(app(b"\xef\xbb\xbf" + META.encode()), id="byte order mark"),
        pytest.param(b"something before" + app(), id="something before"),
    ],
)
def test_apps(upload: Path, raw: bytes) -> None:
    upload.write_bytes(raw)
    assert judge(upload) == FOUND


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param(b"", "not a zip: File is not a zip file; pack the app again", id="empty"),
        pytest.param(b"#!/bin/sh\n" * 1000, "not a zip: File is not a zip file", id="text"),
        pytest.param(app()[:-30], "not a zip: ", id="cut short"),
        pytest.param(archive({}), "zip must .*: has no start.sh and meta.ini at its root", id="no files"),
        pytest.param(archive({"meta.ini": META.encode()}), "zip must .*: has no start.sh", id="no start.sh"),
        pytest.param(archive({"start.sh": b""}), "zip must .*: has no meta.ini", id="no meta.ini"),
        pytest.param(archive({"a/start.sh": b"", "b/meta.ini": b""}), "zip must .*: has no start.sh", id="two folders"),
        pytest.param(app(b"name=a"), r"zip must .*: meta.ini says no version; add a line version=", id="no version"),
        pytest.param(app(b"name=\xff\nversion=1"), "zip must .*: meta.ini is not UTF-8; save it as", id="not UTF-8"),
        pytest.param(app(b"\n" * (MAX_META + 1)), "zip must .*: meta.ini is larger than 64 KiB", id="long meta.ini"),
        pytest.param(app(bytes(10 << 20)), "zip must .*: meta.ini is larger than 64 KiB", id="bomb"),
        pytest.param(
            archive({"start.sh": b"", "meta.ini": META.encode()}, zipfile.ZIP_BZIP2),
            "zip must .*: meta.ini is compressed by another method",
            id="bzip2",
        ),
        pytest.param(encrypted(), "not a zip: no agent .*: the entry 'start.sh' is encrypted", id="encrypted"),
        pytest.param(app(**{"../x": b""}), "not a zip: no agent .*: the entry '../x' leads out", id="a way out"),
        pytest.param(app(zeros=bytes(30_000_000)), "not a zip: no agent .* 200 times its size", id="what bursts"),
        pytest.param(
            app(**{"meta.inx": b""}).replace(b"meta.inx", b"meta.ini"),
            "zip must .*: meta.ini is there twice",
            id="twice",
        ),
        pytest.param(entries(MAX_FILES + 1), "zip must .*: it has more than 20000 entries", id="many entries"),
        pytest.param(entries(10_000, b"a" * 2000), "zip must .*: its list of entries is over", id="long list"),
    ],
)
def test_other_files_are_refused(upload: Path, raw: bytes, message: str) -> None:
    upload.write_bytes(raw)
    with pytest.raises(BadRequest, match=f"^{message}"):
        judge(upload)


def test_as_many_entries_as_may_be_are_read(upload: Path) -> None:
    upload.write_bytes(entries(MAX_FILES))
    with pytest.raises(BadRequest, match="has no start"):
        judge(upload)


def test_what_the_list_says_of_sizes_is_not_believed(upload: Path) -> None:
    """The list says that meta.ini inflates to a few bytes."""
    raw = bytearray(app(b"name=a\nversion=1\n" + b"\n" * (5 << 20)))
    at = raw.rindex(b"PK\1\2")
    raw[at + 24 : at + 28] = struct.pack("<L", 100)
    upload.write_bytes(raw)
    with pytest.raises(BadRequest, match="not a zip: Bad CRC-32"):
        judge(upload)


@settings(max_examples=300, deadline=None)
@given(
    raw=st.binary(max_size=60),
    at=st.integers(0, 500),
    cut=st.integers(0, 500),
    flips=st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=4),
)
def test_damaged_archives_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes, at: int, cut: int, flips: list[tuple[int, int]]
) -> None:
    upload = tmp_path_factory.getbasetemp() / "damaged.zip"
    whole = bytearray(app(data=b"y" * 100))
    for place, value in flips:
        whole[place % len(whole)] = value
    upload.write_bytes((whole[:at] + raw + whole[at + len(raw) :])[: len(whole) + 60 - cut % 100])
    try:
        refusal = "" if judge(upload).version else "no version"
    except BadRequest as error:
        refusal = error.message
    assert not refusal or refusal.startswith(REFUSALS)
