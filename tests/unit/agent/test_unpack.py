import stat
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.unpack import Abandoned, Limits, Refused, unpack
from tests.unit.agent.archives import archive, entries


def unpacked(tmp_path: Path, raw: bytes, limits: Limits | None = None) -> Path:
    packed, target = tmp_path / "a.zip", tmp_path / "box" / "app"
    target.parent.mkdir(exist_ok=True)
    packed.write_bytes(raw)
    unpack(packed, target, limits=limits or Limits())
    return target


def names(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def test_files_come_out_as_they_went_in(tmp_path: Path) -> None:
    app = unpacked(tmp_path, archive({"start.sh": "echo hi", "lib/data.bin": b"\0\1", "empty/": ""}))
    assert names(app) == {"start.sh", "lib", "lib/data.bin", "empty"}
    assert (app / "lib/data.bin").read_bytes() == b"\0\1"
    assert (app / "start.sh").stat().st_mode & 0o111 == 0o111
    assert names(app.parent) == {"app"} | {f"app/{name}" for name in names(app)}


def test_a_single_top_folder_is_taken_off(tmp_path: Path) -> None:
    app = unpacked(tmp_path, archive({"hello-1.0/": "", "hello-1.0/start.sh": "x", "hello-1.0/a/b": "y"}))
    assert names(app) == {"start.sh", "a", "a/b"}


def test_two_top_entries_stay(tmp_path: Path) -> None:
    assert names(unpacked(tmp_path, archive({"bin/start.sh": "x", "README": "y"}))) == {"bin", "bin/start.sh", "README"}


def test_modes_are_kept_but_for_the_dangerous_bits(tmp_path: Path) -> None:
    app = unpacked(
        tmp_path,
        entries([("run", "x", stat.S_IFREG | 0o6777), ("secret", "x", stat.S_IFREG | 0o400), ("plain", "x", 0)]),
    )
    assert [stat.S_IMODE((app / name).stat().st_mode) for name in ("run", "secret", "plain")] == [0o755, 0o600, 0o644]


def test_links_within_are_made(tmp_path: Path) -> None:
    app = unpacked(
        tmp_path, archive({"bin/tool-1": "x", "start.sh": ""}, links={"bin/tool": "tool-1", "t": "bin/tool"})
    )
    assert (app / "t").read_text() == "x"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(archive({"../evil": "x"}), id="up"),
        pytest.param(archive({"a/../../evil": "x"}), id="up from below"),
        pytest.param(archive({"/evil": "x"}), id="absolute"),
        pytest.param(archive({"a\\..\\evil": "x"}), id="backslash"),
        pytest.param(archive({"a": "x", "a/b": "y"}), id="a file that is a folder too"),
        pytest.param(archive({"d/f": "x"}, links={"d/f": "y"}), id="a file that is a link too"),
        pytest.param(archive({"x": ""}, links={"l": "/etc"}), id="absolute link"),
        pytest.param(archive({"x": ""}, links={"l": "../.."}), id="link up"),
        pytest.param(archive({"x": ""}, links={"a/b/d": "../..", "l": "a/b/d/../../etc"}), id="link up through a link"),
        pytest.param(archive({"x": ""}, links={"l": "../../..", "l/evil/m": "x"}), id="link behind a link"),
        pytest.param(archive({"x": ""}, links={"l": ""}), id="empty link"),
        pytest.param(archive({"x": ""}, links={"l": "m", "m": "l"}), id="links in a circle"),
        pytest.param(archive({"top/x": ""}, links={"top/l": "../top/x"}), id="link out of a top folder taken off"),
        pytest.param(entries([("pipe", "", stat.S_IFIFO | 0o644)]), id="pipe"),
        pytest.param(entries([("disk", "", stat.S_IFBLK | 0o644)]), id="device"),
        pytest.param(entries([("f", "x", 0)], compression=zipfile.ZIP_LZMA), id="lzma"),
        pytest.param(archive({"x" * 256: ""}), id="long name"),
        pytest.param(archive({"/".join("d" * 80): ""}), id="deep name"),
        pytest.param(b"not a zip", id="no archive"),
        pytest.param(b"", id="nothing"),
        pytest.param(archive({"start.sh": "x" * 5000})[:-40], id="cut off"),
    ],
)
def test_the_hostile_and_the_damaged_are_refused(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(Refused):
        unpacked(tmp_path, raw)
    assert names(tmp_path) == {"a.zip", "box"}, "something was left behind"


def test_nul_in_a_name_is_refused(tmp_path: Path) -> None:
    raw = archive({"start.shXevil": "x"}).replace(b"start.shX", b"start.sh\0")
    with pytest.raises(Refused, match="NUL"):
        unpacked(tmp_path, raw)


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    raw = entries([("f", "x", 0), ("f", "y", 0)])
    with pytest.raises(Refused):
        unpacked(tmp_path, raw)


def test_encrypted_entries_are_refused(tmp_path: Path) -> None:
    raw = bytearray(archive({"f": "x"}))
    raw[6] |= 1
    raw[raw.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(Refused, match="encrypted"):
        unpacked(tmp_path, bytes(raw))


def test_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    raw = entries([("f", b"hello", 0)], compression=zipfile.ZIP_STORED).replace(b"hello", b"hellO")
    with pytest.raises(Refused):
        unpacked(tmp_path, raw)


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    raw = archive({f"f{i}": "" for i in range(11)})
    with pytest.raises(Refused, match="11 entries"):
        unpacked(tmp_path, raw, Limits(entries=10))


def test_a_list_of_entries_too_long_to_read_is_refused_before_it_is_read(tmp_path: Path) -> None:
    raw = bytearray(archive({"f": ""}))
    at = raw.rindex(b"PK\5\6") + 12
    raw[at : at + 4] = (1 << 30).to_bytes(4, "little")
    with pytest.raises(Refused, match="list of entries"):
        unpacked(tmp_path, bytes(raw))


def test_what_really_comes_out_is_counted(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="more than 1000 bytes"):
        unpacked(tmp_path, archive({"a": "x" * 600, "b": "x" * 600}), Limits(inflated_bytes=1000))


def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    bomb = archive({"bomb": b"\0" * 400_000})
    with pytest.raises(Refused, match="200 times"):
        unpacked(tmp_path, bomb, Limits(ratio_from=100_000))
    assert unpacked(tmp_path, bomb).exists(), "small archives may be very regular"


def test_it_ends_when_nobody_wants_it(tmp_path: Path) -> None:
    packed, abandoned = tmp_path / "a.zip", threading.Event()
    packed.write_bytes(archive({"f": "x"}))
    abandoned.set()
    with pytest.raises(Abandoned):
        unpack(packed, tmp_path / "app", abandoned=abandoned)
    assert names(tmp_path) == {"a.zip"}


PARTS = st.sampled_from(["a", "b", "..", ".", "", "start.sh", "a b", "ä", "c:"])
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(NAMES, max_size=4, unique=True), links=st.dictionaries(NAMES, NAMES, max_size=3))
def test_nothing_ever_lands_or_leads_outside(
    tmp_path_factory: pytest.TempPathFactory, files: list[str], links: dict[str, str]
) -> None:
    tmp_path = tmp_path_factory.mktemp("box")
    raw = entries([(name, "x", 0) for name in files], links={k: v for k, v in links.items() if k not in files})
    try:
        app = unpacked(tmp_path, raw)
    except Refused:
        assert names(tmp_path) == {"a.zip", "box"}
        return
    assert all(name in ("a.zip", "box") or name.startswith("box/app") for name in names(tmp_path))
    for path in app.rglob("*"):
        assert path.resolve().is_relative_to(app.resolve())
