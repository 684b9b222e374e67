"""Every way in which an archive cannot become a folder has its own reason."""

import asyncio
import errno
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from agent import room
from agent.artifact_failures import ArtifactFailure
from agent.artifacts import Artifacts
from agent.files import is_full
from agent.preparations import ArchivePreparer, NotPrepared
from apiserver.api.kinds.assignment import Template
from tests.unit.agent.archives import archive
from tests.unit.agent.disks import small_disk
from tests.unit.agent.sites import CONTENT, SHA, File, Site, answer, redirect, serving, status

GOOD = archive({"start.sh": "exec sleep 1"})
NOISE = os.urandom(1 << 20)
MIB = 1 << 20


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as site:
        yield site


class Node:
    """A data folder, and what prepares in it."""

    def __init__(self, root: Path, server: httpx.AsyncClient) -> None:
        self.root, self.cache = root, root / "cache"
        self.cache.mkdir()
        self.artifacts = Artifacts(self.cache, server, max_bytes=4 * MIB)
        self.preparer = ArchivePreparer(self.artifacts)

    async def prepare(self, url: str, sha256: str = "") -> Path:
        app = self.root / "app"
        await self.preparer.prepare(Template(artifact_url=url, sha256=sha256), app)
        return app

    async def refusal(self, url: str, sha256: str = "") -> NotPrepared:
        with pytest.raises(NotPrepared) as found:
            await self.prepare(url, sha256)
        assert not [path for path in self.root.iterdir() if path != self.cache], "something is left of it"
        return found.value


@pytest.fixture
async def node(site: Site, tmp_path: Path) -> AsyncIterator[Node]:
    async with httpx.AsyncClient(base_url=site.url) as server:
        node = Node(tmp_path, server)
        yield node
        node.preparer.close()


@pytest.mark.parametrize(
    ("url", "reason", "message"),
    [
        ("/none", "ArtifactNotFound", "404 Not Found; push the app"),
        ("/gone", "ArtifactNotFound", "410 Gone"),
        ("/secret", "ArtifactRefused", "401 Unauthorized; the agent's token"),
        ("/forbidden", "ArtifactRefused", "403 Forbidden"),
        ("/teapot", "ArtifactRefused", "418 I'm a teapot"),
        ("/broken", "ArtifactUnavailable", "500 Internal Server Error"),
        ("/away", "ArtifactUnavailable", "503 Service Unavailable"),
        ("/busy", "ArtifactUnavailable", "429 Too Many Requests"),
        ("/moved", "ArtifactUnavailable", "302 Found"),
        ("/short", "ArtifactUnavailable", "peer closed connection"),
        ("/nonsense", "ArtifactUnavailable", "illegal"),
        ("http://127.0.0.1:1/x", "ArtifactUnavailable", "connection"),
        ("ftp://host/x", "ArtifactUnavailable", "neither a path of the server nor"),
        ("//host/x", "ArtifactUnavailable", "neither a path of the server nor"),
        ("http://host:abc/x", "ArtifactUnavailable", "port"),
        ("http://127.0.0.1:99999/x", "ArtifactUnavailable", "port out of range"),
        ("http://[::1/x", "ArtifactUnavailable", "invalid IPv6 URL"),
        ("http://xn--a/x", "ArtifactUnavailable", "codepoint"),
        ("http://host/\x01", "ArtifactUnavailable", "non-printable"),
        ("/other", "ArtifactCorrupt", f"its SHA-256 is {SHA}, not 0000"),
        ("/big", "ArtifactInvalid", "larger than 4194304 bytes, the agent's --max-artifact-bytes"),
        ("/big-unsaid", "ArtifactInvalid", "larger than 4194304 bytes, the agent's --max-artifact-bytes"),
    ],
)
async def test_what_cannot_be_fetched_says_why(site: Site, node: Node, url: str, reason: str, message: str) -> None:
    site.answers |= {
        "/gone": status("410 Gone"),
        "/secret": status("401 Unauthorized"),
        "/forbidden": status("403 Forbidden"),
        "/teapot": status("418 I'm a teapot"),
        "/broken": status("500 Internal Server Error"),
        "/away": status("503 Service Unavailable"),
        "/busy": status("429 Too Many Requests"),
        "/moved": redirect(f"{site.url}/app.zip"),
        "/short": answer(b"x", length=10),
        "/nonsense": b"what?\r\n\r\n",
        "/other": answer(CONTENT),
        "/big": answer(b"x", length=4 * MIB + 1),
        "/big-unsaid": b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + b"x" * (4 * MIB + 1),
    }
    refusal = await node.refusal(url, "0" * 64)
    assert refusal.reason == reason
    assert message.lower() in str(refusal).lower()
    assert [*node.cache.iterdir()] == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no zip", "not a zip archive"),
        (GOOD[:-10], "not a zip archive"),
        (archive({"../out": "x"}), "leaves the archive's folder"),
        (archive({"a": "x"}, links={"b": "/etc"}), "is absolute"),
        (archive({"bomb": b"\0" * (30 * MIB)}), "times its size"),
    ],
)
async def test_what_cannot_be_unpacked_says_why(site: Site, node: Node, content: bytes, message: str) -> None:
    site.answers["/app.zip"] = answer(content)
    refusal = await node.refusal("/app.zip", hashlib.sha256(content).hexdigest())
    assert refusal.reason == "ArtifactInvalid"
    assert message in str(refusal)


async def test_an_archive_that_was_damaged_in_the_cache_is_fetched_anew(site: Site, node: Node) -> None:
    site.answers["/app.zip"] = answer(GOOD)
    sha256 = hashlib.sha256(GOOD).hexdigest()
    (node.cache / f"{sha256}.zip").write_bytes(GOOD[:-10])
    assert (await node.prepare("/app.zip", sha256) / "start.sh").exists()
    assert (node.cache / f"{sha256}.zip").read_bytes() == GOOD


async def test_a_later_upload_is_found(site: Site, node: Node) -> None:
    assert (await node.refusal("/late.zip")).reason == "ArtifactNotFound"
    site.answers["/late.zip"] = answer(GOOD)
    assert (await node.prepare("/late.zip")).is_dir()


@pytest.fixture
async def small(site: Site, tmp_path: Path) -> AsyncIterator[Node]:
    """A node whose disk has 3 MiB."""
    with small_disk(tmp_path / "disk", 3 * MIB) as disk:
        async with httpx.AsyncClient(base_url=site.url) as server:
            node = Node(disk, server)
            yield node
            node.preparer.close()


def test_a_full_disk_is_told_from_other_trouble() -> None:
    assert is_full(OSError(errno.ENOSPC, ""))
    assert is_full(OSError(errno.EDQUOT, ""))
    assert not is_full(OSError(errno.EIO, ""))


@pytest.mark.parametrize("said", [True, False])
async def test_a_download_that_does_not_fit_says_so_and_gives_back_what_it_took(
    site: Site, small: Node, said: bool
) -> None:
    """Whether the server says beforehand how much is coming or not."""
    whole = answer(NOISE * 4)
    site.answers["/app.zip"] = whole if said else b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + NOISE * 4
    refusal = await small.refusal("/app.zip", hashlib.sha256(NOISE * 4).hexdigest())
    assert refusal.reason == "DiskFull"
    assert "free some, or give the agent a --data-dir on a larger disk" in str(refusal)
    assert [*small.cache.iterdir()] == []


@pytest.mark.parametrize("said", [True, False])
async def test_an_app_that_does_not_fit_says_so_and_leaves_nothing(
    site: Site, small: Node, said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the archive says beforehand how much it becomes or not."""
    if not said:
        monkeypatch.setattr(room.Room, "ensure", lambda *_: None)
    content = archive({"start.sh": "", "noise": NOISE, "zeros": b"\0" * (8 * MIB)})
    site.answers["/app.zip"] = answer(content)
    refusal = await small.refusal("/app.zip", hashlib.sha256(content).hexdigest())
    assert refusal.reason == "DiskFull"
    assert "unpacking" in str(refusal)


async def test_archives_that_nobody_needs_make_room_for_the_next(site: Site, small: Node) -> None:
    for number in range(3):
        content = archive({"start.sh": f"{number}", "noise": NOISE})
        site.answers["/app.zip"] = answer(content)
        app = await small.prepare("/app.zip", hashlib.sha256(content).hexdigest())
        await asyncio.to_thread(os.rename, app, small.root / f"app-{number}")
        (small.root / f"app-{number}" / "noise").unlink()
    assert len([*small.cache.iterdir()]) < 3


async def test_after_space_was_freed_it_goes_on(site: Site, small: Node) -> None:
    ballast = small.root / "ballast"
    ballast.write_bytes(NOISE * 3)
    content = archive({"start.sh": "", "noise": NOISE})
    site.answers["/app.zip"] = File(content)
    with pytest.raises(NotPrepared, match="no space left"):
        await small.prepare("/app.zip", hashlib.sha256(content).hexdigest())
    ballast.unlink()
    assert (await small.prepare("/app.zip", hashlib.sha256(content).hexdigest())).is_dir()


async def test_other_errors_of_the_disk_are_told(site: Site, node: Node) -> None:
    site.answers["/app.zip"] = answer(GOOD)
    with pytest.raises(NotPrepared, match=r"cannot unpack: .*No such file or directory") as found:
        await node.preparer.prepare(Template(artifact_url="/app.zip", sha256=""), node.root / "nowhere" / "app")
    assert found.value.reason == "UnpackFailed"


def test_every_reason_is_a_word_of_its_own() -> None:
    reasons = [kind.reason for kind in ArtifactFailure.__subclasses__()]
    assert len({*reasons}) == len(reasons) == 6
