"""The archive of a backup: what is taken, and that nothing else is."""

import random
import tarfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.api.backups import END, Manifest, Member, NotABackup, Reader, header, length, padding
from tests.archives import Entry, artifact, backup, manifest, member, tar

DATABASE = b"database" * 100
FILES = [("plum.db", DATABASE), artifact(b""), artifact(b"x" * 512), artifact(b"one" * 200)]
WHOLE = backup(FILES)


def read(raw: bytes, size: int = 1 << 20) -> tuple[Manifest, dict[str, bytes]]:
    """What is in an archive that comes in pieces of a size. Raises NotABackup."""
    found: dict[str, bytes] = {}
    complete: list[str] = []

    def take(one: Member, piece: bytes) -> None:
        assert one.name not in complete
        found[one.name] = found.get(one.name, b"") + piece
        if not piece:
            complete.append(one.name)

    reader = Reader(take)
    for start in range(0, len(raw), size):
        reader.feed(raw[start : start + size])
    made = reader.end()
    assert complete == list(found)
    return made, found


@pytest.mark.parametrize("size", [1, 511, 512, 513, 1 << 20])
def test_a_whole_archive_comes_in_pieces_of_any_size(size: int) -> None:
    made, found = read(WHOLE, size)
    assert found == dict(FILES)
    assert [one.name for one in made.artifacts] == [name for name, _ in FILES[1:]]


def test_what_is_written_is_read_and_as_long_as_foretold() -> None:
    members = tuple(Member.model_validate(member(*file)) for file in FILES)
    about = {"format": 1, "schema_version": 2, "version": 7, "cluster_id": "c", "objects": 3, "members": members}
    made = Manifest.model_validate(about | {"created": "2026-01-02T03:04:05.678901Z"})
    raw = made.to_json()
    parts = [("backup.json", raw), *FILES]
    written = b"".join(header(name, len(one), 1.5) + one + padding(len(one)) for name, one in parts) + END
    assert read(written) == (made, dict(FILES))
    assert length(raw, made) == len(written)


def test_an_archive_cut_off_anywhere_is_known_as_such() -> None:
    reader = Reader()
    for at in range(len(WHOLE)):
        with pytest.raises(NotABackup, match="cut off"):
            reader.end()
        reader.feed(WHOLE[at : at + 1])
    assert reader.end().version == 7


@given(st.integers(0, 2**32))
def test_a_flipped_bit_is_found(seed: int) -> None:
    rng = random.Random(seed)
    # Behind the manifest, whose own bits are judged by what the database says; a header has fields nobody reads.
    start = WHOLE.index(DATABASE)
    raw = bytearray(WHOLE)
    raw[rng.randrange(start, start + len(DATABASE))] ^= 1 << rng.randrange(8)
    with pytest.raises(NotABackup, match=r"plum\.db is damaged"):
        read(bytes(raw))


def special(name: str, type: bytes, linkname: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = type, linkname
    return info


EVIL = ("../evil", b"x")
ABOUT = ("backup.json", manifest(FILES))
HOSTILE: dict[str, list[Entry]] = {
    "no manifest": [*FILES],
    "an absolute name": [ABOUT, ("/etc/passwd", b"x"), *FILES],
    "a name that leads out": [ABOUT, FILES[0], EVIL, *FILES[1:]],
    "a name that leads out at the end": [ABOUT, *FILES, EVIL],
    "an extra member": [ABOUT, *FILES, ("notes.txt", b"x")],
    "a member twice": [ABOUT, FILES[0], *FILES],
    "two manifests": [ABOUT, ABOUT, *FILES],
    "a member missing": [ABOUT, *FILES[:-1]],
    "another order": [ABOUT, FILES[0], *FILES[:0:-1]],
    "a symbolic link": [ABOUT, special("plum.db", tarfile.SYMTYPE, "/etc/passwd"), *FILES[1:]],
    "a hard link": [ABOUT, special("plum.db", tarfile.LNKTYPE, "/etc/passwd"), *FILES[1:]],
    "a device": [ABOUT, special("plum.db", tarfile.CHRTYPE), *FILES[1:]],
    "a folder": [ABOUT, special("plum.db", tarfile.DIRTYPE), *FILES[1:]],
    "a pipe": [special("backup.json", tarfile.FIFOTYPE), *FILES],
    "a long name in a member of its own": [ABOUT, special("././@LongLink", tarfile.GNUTYPE_LONGNAME), *FILES],
    "an extended header": [ABOUT, special("x", tarfile.XHDTYPE), *FILES],
    "another size": [ABOUT, ("plum.db", DATABASE + b"x"), *FILES[1:]],
    "other content": [ABOUT, ("plum.db", DATABASE[:-1] + b"x"), *FILES[1:]],
}


@pytest.mark.parametrize("what", HOSTILE)
def test_nothing_but_the_announced_members_is_taken(what: str) -> None:
    with pytest.raises(NotABackup):
        read(tar(HOSTILE[what]))


ARTIFACT = artifact(b"x")[1]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"format": 2}, "a newer version of Plum"),
        ({"version": -1}, "version"),
        ({"created": "yesterday"}, "created"),
        ({"created": "2026-01-02T03:04:05"}, "created"),
        ({"members": []}, "first member is not plum.db"),
        ({"members": [member(*artifact(ARTIFACT))]}, "first member is not plum.db"),
        ({"members": [member("plum.db", b""), member("plum.db", b"")]}, "not named by its digest"),
        ({"members": [member("plum.db", b""), member("artifacts/sha256/../../x", b"")]}, "not named by its digest"),
        ({"members": [member("plum.db", b"")] + [member(*artifact(b"x"))] * 2}, "named twice"),
        ({"members": [member("plum.db", b"") | {"sha256": "A" * 64}]}, "sha256"),
        ({"members": [member("plum.db", b"") | {"sha256": "a" * 64 + "\n"}]}, "sha256"),
        ({"members": [member("plum.db", b"") | {"size": -512}]}, "size"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(said: dict[str, Any], why: str) -> None:
    with pytest.raises(NotABackup, match=why):
        read(backup(FILES, **said))


def test_other_bytes_at_the_end_in_gaps_or_instead_are_refused() -> None:
    for raw in (WHOLE + b"\0", WHOLE[:-1] + b"x", b"PK\3\4" * 1000, b"\x1f\x8b" * 1000, bytes(10240)):
        with pytest.raises(NotABackup):
            read(raw)
    gap = WHOLE.index(DATABASE) + len(DATABASE)
    with pytest.raises(NotABackup, match="other bytes than zeros"):
        read(WHOLE[:gap] + b"x" + WHOLE[gap + 1 :])


def test_a_manifest_too_large_to_hold_is_refused_before_it_comes() -> None:
    info = tarfile.TarInfo("backup.json")
    info.size = 1 << 40
    with pytest.raises(NotABackup, match="larger than"):
        read(info.tobuf(tarfile.GNU_FORMAT))
