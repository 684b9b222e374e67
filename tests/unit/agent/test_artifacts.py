import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from agent.artifacts import Artifacts, Corrupt, Unavailable, evict
from tests.unit.agent.waiting import eventually

CONTENT = b"archive" * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass
class Site:
    """A real HTTP server of a few lines: what it was asked, and what it answers."""

    url: str = ""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    answers: dict[str, bytes] = field(default_factory=dict)
    open: int = 0
    """Requests that are being answered."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        path = head[0].split(" ")[1]
        self.requests.append((path, {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}))
        self.open += 1
        await self.gate.wait()
        writer.write(self.answers.get(path, NOT_FOUND))
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        self.open -= 1


def answer(content: bytes, *, length: int | None = None) -> bytes:
    size = len(content) if length is None else length
    return f"HTTP/1.1 200 OK\r\ncontent-length: {size}\r\nconnection: close\r\n\r\n".encode() + content


def redirect(target: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()


@asynccontextmanager
async def serving() -> AsyncIterator[Site]:
    site = Site()
    site.gate.set()
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    site.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    site.answers["/app.zip"] = answer(CONTENT)
    async with server:
        yield site
        site.gate.set()
        await eventually(lambda: not site.open)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as site:
        yield site


@pytest.fixture
async def artifacts(site: Site, tmp_path: Path) -> AsyncIterator[Artifacts]:
    async with httpx.AsyncClient(base_url=site.url, headers={"authorization": "Bearer secret"}) as server:
        yield Artifacts(tmp_path, server, max_bytes=100_000, total_seconds=5)


async def test_an_archive_is_fetched_once_and_kept(site: Site, artifacts: Artifacts, tmp_path: Path) -> None:
    path = await artifacts.obtain("/app.zip", SHA)
    assert path == await artifacts.obtain("/app.zip", SHA) == artifacts.cached(SHA)
    assert path.read_bytes() == CONTENT
    assert [*tmp_path.iterdir()] == [path]
    assert len(site.requests) == 1


async def test_concurrent_wishes_share_a_download_that_outlives_one_of_them(site: Site, artifacts: Artifacts) -> None:
    site.gate.clear()
    wishes = [asyncio.create_task(artifacts.obtain("/app.zip", SHA)) for _ in range(3)]
    await eventually(lambda: site.requests)
    wishes[0].cancel()
    await asyncio.wait([wishes[0]])
    site.gate.set()
    assert (await wishes[1]).read_bytes() == (await wishes[2]).read_bytes() == CONTENT
    assert len(site.requests) == 1


async def test_a_download_that_nobody_wants_ends(site: Site, artifacts: Artifacts, tmp_path: Path) -> None:
    site.gate.clear()
    wish = asyncio.create_task(artifacts.obtain("/app.zip", SHA))
    await eventually(lambda: site.requests)
    wish.cancel()
    await eventually(lambda: not [*tmp_path.iterdir()])
    site.gate.set()
    assert (await artifacts.obtain("/app.zip", SHA)).read_bytes() == CONTENT


async def test_other_bytes_are_refused_and_not_kept(site: Site, artifacts: Artifacts, tmp_path: Path) -> None:
    with pytest.raises(Corrupt, match=f"its SHA-256 is {SHA}, not 0000"):
        await artifacts.obtain("/app.zip", "0" * 64)
    assert [*tmp_path.iterdir()] == []


async def test_failures_say_what_and_why(site: Site, artifacts: Artifacts, tmp_path: Path) -> None:
    site.answers |= {
        "/big": answer(b"x" * 100_001),
        "/short": answer(b"x", length=10),
        "/elsewhere": redirect(f"{site.url}/app.zip"),
        "/nowhere": redirect("http://127.0.0.1:99999/x"),
    }
    for url, cause in {
        "/none": "404 Not Found",
        "/big": "larger than 100000 bytes",
        "/short": "peer closed connection",
        "/elsewhere": "302 Found",
        "ftp://host/x": "neither a path of the server nor",
        "//host/x": "neither a path of the server nor",
        "http://127.0.0.1:1/x": "connection",
        "http://host:abc/x": "port",
        "http://127.0.0.1:99999/x": "port out of range",
        "http://[::1/x": "invalid IPv6 URL",
        "http://xn--a/x": "codepoint",
        "http://host/\x01": "non-printable",
        site.url.replace("127.0.0.1", "localhost") + "/nowhere": "port out of range",
    }.items():
        with pytest.raises(Unavailable, match=rf"(?i){cause}"):
            await artifacts.obtain(url, SHA)
    assert [*tmp_path.iterdir()] == []


async def test_a_drip_without_end_is_given_up(site: Site, tmp_path: Path) -> None:
    site.gate.clear()
    async with httpx.AsyncClient(base_url=site.url) as server:
        with pytest.raises(Unavailable, match=r"more than 0.05 s"):
            await Artifacts(tmp_path, server, total_seconds=0.05).obtain("/app.zip", SHA)


async def test_the_token_goes_to_our_server_only(site: Site, artifacts: Artifacts) -> None:
    async with serving() as other:
        other.answers["/moved"] = redirect("/app.zip")
        await artifacts.obtain(f"{other.url}/moved", SHA)
        assert [path for path, _ in other.requests] == ["/moved", "/app.zip"]
        assert all("authorization" not in headers for _, headers in other.requests)
    artifacts.cached(SHA).unlink()  # type: ignore[union-attr]
    await artifacts.obtain(f"{site.url}/app.zip", SHA)
    assert site.requests[-1][1]["authorization"] == "Bearer secret"


async def test_redirects_stay_within_the_scheme_and_have_an_end(site: Site, artifacts: Artifacts) -> None:
    async with serving() as other:
        other.answers |= {"/tls": redirect("https://host/x"), "/loop": redirect("/loop")}
        with pytest.raises(Unavailable, match="redirects to another scheme"):
            await artifacts.obtain(f"{other.url}/tls", SHA)
        with pytest.raises(Unavailable, match="more than 5 redirects"):
            await artifacts.obtain(f"{other.url}/loop", SHA)


def test_the_archives_used_longest_ago_make_room(tmp_path: Path) -> None:
    for age, name in enumerate(["new.zip", "used.zip", "old.zip", "oldest.zip"]):
        (tmp_path / name).write_bytes(b"x" * 10)
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    evict(tmp_path, keep=tmp_path / "oldest.zip", max_bytes=30)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.zip", "oldest.zip", "used.zip"]
