"""Downloads that break off are gone on with, and what comes together is verified as a whole."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from agent import sources
from agent.artifact_failures import Corrupt, Unavailable
from agent.artifacts import Artifacts
from agent.partials import Origin, Partial
from tests.unit.agent.sites import LARGE, LARGE_SHA, File, Site, serving
from tests.unit.agent.waiting import eventually

PROGRAM = """
import asyncio, sys
from pathlib import Path
import httpx
from agent.artifacts import Artifacts

async def main(url, cache, sha256):
    async with httpx.AsyncClient(base_url=url) as server:
        async with Artifacts(Path(cache), server).held("/large.zip", sha256):
            pass

asyncio.run(main(*sys.argv[1:]))
"""
SOME = 2 << 20


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as site:
        yield site


@pytest.fixture
async def artifacts(site: Site, tmp_path: Path) -> AsyncIterator[Artifacts]:
    async with httpx.AsyncClient(base_url=site.url) as server:
        yield Artifacts(tmp_path, server, total_seconds=10)


@pytest.fixture
def file(site: Site) -> File:
    file = File(LARGE)
    site.answers["/large.zip"] = file
    return file


async def fetched(artifacts: Artifacts, sha256: str = LARGE_SHA) -> bytes:
    async with artifacts.held("/large.zip", sha256) as path:
        return path.read_bytes()


async def broken(artifacts: Artifacts, file: File, after: int = 1000) -> None:
    """A download that breaks before it has got on by enough to go on at once."""
    file.breaks = [after]
    with pytest.raises(Unavailable, match="peer closed connection"):
        await fetched(artifacts)


def asked_from(site: Site) -> list[str]:
    return [headers.get("range", "the beginning") for _, headers in site.requests]


async def test_the_next_try_goes_on_where_the_last_one_broke(site: Site, artifacts: Artifacts, file: File) -> None:
    await broken(artifacts, file)
    assert await fetched(artifacts) == LARGE
    assert asked_from(site) == ["the beginning", "bytes=1000-"]
    assert site.requests[-1][1]["if-range"] == '"v1"'


async def test_a_download_that_gets_on_goes_on_by_itself(site: Site, artifacts: Artifacts, file: File) -> None:
    file.breaks = [SOME]
    assert await fetched(artifacts) == LARGE
    assert asked_from(site) == ["the beginning", f"bytes={SOME}-"]


async def test_another_agent_goes_on_with_it(site: Site, artifacts: Artifacts, file: File, tmp_path: Path) -> None:
    await broken(artifacts, file)
    async with httpx.AsyncClient(base_url=site.url) as server:
        assert await fetched(Artifacts(tmp_path, server)) == LARGE
    assert asked_from(site)[1:] == ["bytes=1000-"]


async def test_an_agent_that_is_killed_has_kept_what_it_got(
    site: Site, artifacts: Artifacts, file: File, tmp_path: Path
) -> None:
    file.stalls_after = SOME
    site.gate.clear()
    command = [sys.executable, "-c", PROGRAM, site.url, str(tmp_path), LARGE_SHA]
    agent = await asyncio.to_thread(subprocess.Popen, command)
    landing = Partial(tmp_path, LARGE_SHA)
    await eventually(lambda: landing.size() >= SOME // 2, within=30)
    agent.kill()
    await asyncio.to_thread(agent.wait)
    file.stalls_after = None
    site.gate.set()
    size = landing.size()
    assert await fetched(artifacts) == LARGE
    assert asked_from(site) == ["the beginning", f"bytes={size}-"]
    assert [path.name for path in tmp_path.iterdir()] == [f"{LARGE_SHA}.zip"]


async def test_killed_between_the_last_byte_and_the_name(site: Site, artifacts: Artifacts, tmp_path: Path) -> None:
    landing = Partial(tmp_path, LARGE_SHA)
    landing.begin(Origin("/large.zip", '"v1"', len(LARGE)))
    landing.path.write_bytes(LARGE)
    assert await fetched(artifacts) == LARGE
    assert site.requests == []


async def test_content_that_has_changed_is_fetched_anew(site: Site, artifacts: Artifacts, file: File) -> None:
    file.content = b"old" * len(LARGE)
    await broken(artifacts, file)
    file.content, file.etag = LARGE, '"v2"'
    assert await fetched(artifacts) == LARGE


async def test_a_server_that_knows_no_ranges_is_asked_anew(site: Site, artifacts: Artifacts, file: File) -> None:
    file.ranges = False
    await broken(artifacts, file)
    assert await fetched(artifacts) == LARGE


async def test_without_a_validator_nothing_is_kept(site: Site, artifacts: Artifacts, file: File) -> None:
    for file.etag in ("", 'W/"weak"'):
        await broken(artifacts, file)
    file.etag = '"v1"'
    assert await fetched(artifacts) == LARGE
    assert asked_from(site) == ["the beginning"] * 3


async def test_another_address_begins_anew(site: Site, artifacts: Artifacts, file: File) -> None:
    await broken(artifacts, file)
    site.answers["/mirror.zip"] = file
    async with artifacts.held("/mirror.zip", LARGE_SHA) as path:
        assert path.read_bytes() == LARGE
    assert asked_from(site)[-1] == "the beginning"


@pytest.mark.parametrize("kept", [b"x" * 1000, LARGE + b"more"])
async def test_what_does_not_fit_together_is_fetched_whole(
    site: Site, artifacts: Artifacts, tmp_path: Path, kept: bytes
) -> None:
    """A disk that kept other bytes than were written, and more of them than there are."""
    landing = Partial(tmp_path, LARGE_SHA)
    landing.begin(Origin("/large.zip", '"v1"', None))
    landing.path.write_bytes(kept)
    assert await fetched(artifacts) == LARGE
    assert asked_from(site) == [f"bytes={len(kept)}-", "the beginning"]


async def test_another_range_than_was_asked_for_is_not_appended(site: Site, artifacts: Artifacts, file: File) -> None:
    await broken(artifacts, file)
    file.shift = 1
    with pytest.raises(Unavailable, match="another range"):
        await fetched(artifacts)
    assert await fetched(artifacts) == LARGE


async def test_a_whole_archive_that_is_wrong_is_not_kept(artifacts: Artifacts, file: File, tmp_path: Path) -> None:
    await broken(artifacts, file)
    file.content = LARGE[:-1] + b"x"  # under the same validator: nobody can know before the end
    with pytest.raises(Corrupt):
        await fetched(artifacts)
    assert [*tmp_path.iterdir()] == []


async def test_a_given_up_download_is_kept_for_the_next(site: Site, artifacts: Artifacts, file: File) -> None:
    file.stalls_after = SOME
    site.gate.clear()
    wish = asyncio.create_task(fetched(artifacts))
    await eventually(lambda: site.open and site.requests)
    wish.cancel()
    await asyncio.wait([wish])
    site.gate.set()
    assert await fetched(artifacts) == LARGE


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b'{"format": 2}', b'{"format": 1, "url": "/large.zip"}'])
async def test_a_torn_note_is_no_obstacle(artifacts: Artifacts, tmp_path: Path, note: bytes) -> None:
    Partial(tmp_path, LARGE_SHA).path.write_bytes(b"x")
    (tmp_path / f"{LARGE_SHA}.part.json").write_bytes(note)
    assert await fetched(artifacts) == LARGE
    assert os.listdir(tmp_path) == [f"{LARGE_SHA}.zip"]


@pytest.mark.parametrize(
    ("headers", "validator", "size"),
    [
        ({"etag": '"a"', "content-length": "5"}, '"a"', 15),
        ({"etag": 'W/"a"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT"}, "Thu, 01 Jan 2026 00:00:00 GMT", None),
        ({"etag": '"a"', "content-encoding": "gzip", "content-length": "5"}, "", None),
        ({"content-length": "-5"}, "", None),
    ],
)
def test_what_an_answer_says_of_its_content(headers: dict[str, str], validator: str, size: int | None) -> None:
    response = httpx.Response(200, headers=headers)
    assert (sources.validator(response), sources.size_of(response, 10)) == (validator, size)


@pytest.mark.parametrize(
    ("header", "offset"),
    [("bytes 5-9/10", 5), ("bytes 5-9/*", 5), ("bytes */10", None), ("lines 5-9/10", None), ("", None)],
)
def test_where_a_part_begins(header: str, offset: int | None) -> None:
    assert sources.begins_at(httpx.Response(206, headers={"content-range": header})) == offset
