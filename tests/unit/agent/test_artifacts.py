"""The cache of archives: shared downloads, the token, and what is kept."""

import asyncio
import hashlib
import os
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from agent.artifact_failures import ArtifactFailure, Corrupt, Unavailable
from agent.artifacts import Artifacts
from tests.unit.agent.sites import CONTENT, SHA, File, Site, answer, redirect, serving
from tests.unit.agent.waiting import eventually


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as site:
        yield site


@pytest.fixture
async def artifacts(site: Site, tmp_path: Path) -> AsyncIterator[Artifacts]:
    async with httpx.AsyncClient(base_url=site.url, headers={"authorization": "Bearer secret"}) as server:
        yield Artifacts(tmp_path, server, max_bytes=100_000, total_seconds=5)


async def obtained(artifacts: Artifacts, url: str, sha256: str = SHA) -> Path:
    async with artifacts.held(url, sha256) as path:
        return path


async def test_an_archive_is_fetched_once_and_kept(site: Site, artifacts: Artifacts, tmp_path: Path) -> None:
    path = await obtained(artifacts, "/app.zip")
    assert path == await obtained(artifacts, "/app.zip")
    assert path.read_bytes() == CONTENT
    assert [*tmp_path.iterdir()] == [path]
    assert len(site.requests) == 1


async def test_without_a_digest_it_is_what_is_there_now(site: Site, artifacts: Artifacts, tmp_path: Path) -> None:
    assert (await obtained(artifacts, "/app.zip", "")).name == f"{SHA}.zip"
    site.answers["/app.zip"] = File(b"other")
    assert (await obtained(artifacts, "/app.zip", "")).read_bytes() == b"other"
    assert len([*tmp_path.iterdir()]) == 2


async def test_concurrent_wishes_share_a_download_that_outlives_one_of_them(site: Site, artifacts: Artifacts) -> None:
    site.gate.clear()
    wishes = [asyncio.create_task(obtained(artifacts, "/app.zip")) for _ in range(3)]
    await eventually(lambda: site.requests)
    wishes[0].cancel()
    await asyncio.wait([wishes[0]])
    site.gate.set()
    assert (await wishes[1]).read_bytes() == (await wishes[2]).read_bytes() == CONTENT
    assert len(site.requests) == 1


async def test_a_download_that_nobody_wants_ends(site: Site, artifacts: Artifacts, tmp_path: Path) -> None:
    site.gate.clear()
    wish = asyncio.create_task(obtained(artifacts, "/app.zip"))
    await eventually(lambda: site.requests)
    wish.cancel()
    await asyncio.wait([wish])
    site.gate.set()
    assert (await obtained(artifacts, "/app.zip")).read_bytes() == CONTENT
    assert len([*tmp_path.iterdir()]) == 1


async def test_a_wish_that_comes_while_another_is_given_up_waits_for_its_end(site: Site, artifacts: Artifacts) -> None:
    """However they come and go, one of them writes."""
    site.answers["/app.zip"] = File(CONTENT, stalls_after=100)
    site.gate.clear()
    for _ in range(3):
        asked = len(site.requests)
        wish = asyncio.create_task(obtained(artifacts, "/app.zip"))
        await eventually(lambda asked=asked: len(site.requests) > asked)  # type: ignore[misc]
        wish.cancel()
        for _ in range(5):
            short = asyncio.create_task(obtained(artifacts, "/app.zip"))
            await asyncio.sleep(0)
            short.cancel()
    site.gate.set()
    assert (await obtained(artifacts, "/app.zip")).read_bytes() == CONTENT


async def test_other_bytes_are_refused_and_not_kept(artifacts: Artifacts, tmp_path: Path) -> None:
    with pytest.raises(Corrupt, match=f"its SHA-256 is {SHA}, not 0000"):
        await obtained(artifacts, "/app.zip", "0" * 64)
    assert [*tmp_path.iterdir()] == []


async def test_a_drip_without_end_is_given_up(site: Site, tmp_path: Path) -> None:
    site.gate.clear()
    async with httpx.AsyncClient(base_url=site.url) as server:
        with pytest.raises(Unavailable, match=r"more than 0.05 s"):
            await obtained(Artifacts(tmp_path, server, total_seconds=0.05), "/app.zip")


async def test_the_token_goes_to_our_server_only(site: Site, artifacts: Artifacts) -> None:
    async with serving() as other:
        other.answers["/moved"] = redirect("/app.zip")
        path = await obtained(artifacts, f"{other.url}/moved")
        assert [path for path, _ in other.requests] == ["/moved", "/app.zip"]
        assert all("authorization" not in headers for _, headers in other.requests)
    path.unlink()
    await obtained(artifacts, f"{site.url}/app.zip")
    assert site.requests[-1][1]["authorization"] == "Bearer secret"


async def test_redirects_stay_within_the_scheme_and_have_an_end(artifacts: Artifacts) -> None:
    async with serving() as other:
        other.answers |= {"/tls": redirect("https://host/x"), "/loop": redirect("/loop")}
        with pytest.raises(Unavailable, match="redirects to another scheme"):
            await obtained(artifacts, f"{other.url}/tls")
        with pytest.raises(Unavailable, match="more than 5 redirects"):
            await obtained(artifacts, f"{other.url}/loop")


async def test_an_archive_stays_while_it_is_held(site: Site, tmp_path: Path) -> None:
    contents = {f"/{number}": bytes([number]) * 1000 for number in range(3)}
    site.answers |= {path: answer(content) for path, content in contents.items()}
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    async with httpx.AsyncClient(base_url=site.url) as server:
        artifacts = Artifacts(tmp_path, server, cache_bytes=1500)
        async with artifacts.held("/0", digests["/0"]) as first:
            os.utime(first, (1, 1))
            async with artifacts.held("/1", digests["/1"]) as second:
                assert first.exists()
                assert second.exists()
        await obtained(artifacts, "/2", digests["/2"])
    assert [path.stem for path in tmp_path.iterdir()] == [digests["/2"]]


async def test_whoever_holds_an_archive_has_it_whole_however_others_come_and_go(site: Site, tmp_path: Path) -> None:
    """Six archives in a cache for one or two of them, breaks, and wishes that are given up at any moment."""
    rng = random.Random(7)
    files = {f"/{number}": File(rng.randbytes(rng.randrange(1, 1 << 20))) for number in range(6)}
    site.answers |= files
    held = 0
    async with httpx.AsyncClient(base_url=site.url) as server:
        artifacts = Artifacts(tmp_path, server, cache_bytes=1 << 20)

        async def wish(url: str, *, named: bool) -> None:
            nonlocal held
            digest = hashlib.sha256(files[url].content).hexdigest() if named else ""
            with suppress(ArtifactFailure):
                async with artifacts.held(url, digest) as path:
                    await asyncio.sleep(0)
                    assert path.read_bytes() == files[url].content
                    held += 1

        wishes: list[asyncio.Task[None]] = []
        for _ in range(200):
            url = rng.choice([*files])
            if rng.random() < 0.2:
                files[url].breaks.append(rng.randrange(1 << 19))
            wishes.append(asyncio.create_task(wish(url, named=rng.random() < 0.8)))
            for _ in range(rng.randrange(20)):
                await asyncio.sleep(0)
            if rng.random() < 0.3:
                rng.choice(wishes[-8:]).cancel()
        outcomes = await asyncio.gather(*wishes, return_exceptions=True)
        assert [found for found in outcomes if isinstance(found, Exception)] == []
        assert held
        await eventually(lambda: artifacts.idle)


async def test_a_damaged_archive_is_dropped_and_a_sound_one_kept(artifacts: Artifacts) -> None:
    path = await obtained(artifacts, "/app.zip")
    assert not await artifacts.renew(path)
    path.write_bytes(CONTENT[:-1])
    assert await artifacts.renew(path)
    assert await artifacts.renew(path)
    assert (await obtained(artifacts, "/app.zip")).read_bytes() == CONTENT


async def test_it_tends_the_cache_by_itself(artifacts: Artifacts, tmp_path: Path) -> None:
    (tmp_path / f"{SHA}.part").write_bytes(b"nobody knows from where")
    tending = asyncio.create_task(artifacts.tend())
    await eventually(lambda: not [*tmp_path.iterdir()])
    tending.cancel()
