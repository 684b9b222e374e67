"""Backup and restore with real servers: under load, cut off, killed, refused."""

import asyncio
import hashlib
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

import plumctl.commands  # noqa: F401 - adds the commands
from apiserver.api.backups import Manifest, Reader
from apiserver.api.kinds.event import Event, ObjectReference
from apiserver.api.kinds.namespace import Namespace
from apiserver.api.meta import ObjectMeta
from apiserver.client.backoff import Backoff
from apiserver.client.config import Config
from apiserver.client.informer import Informer
from apiserver.client.rest import RestClient
from apiserver.server.restore import UNFINISHED
from plumctl.cli import cli
from plumctl.locks import try_lock
from tests.background import background
from tests.integration.test_resources import expect
from tests.proxies import dam
from tests.servers import running_apiserver, start_apiserver

WRITERS = 8
BIG = 24 * 1024 * 1024
"""Bytes; more than sockets hold between two programs."""

PASSED = 300_000
"""Bytes that a dam lets through: more than everything before the artifacts."""


async def run_plumctl(*args: str, server: str = "", code: int = 0) -> str:
    """Run plumctl in a process; standard output, or with a code standard error."""
    process = await begin(*args, server=server)
    output, errors = await process.communicate()
    assert process.returncode == code, (args, process.returncode, output, errors)
    return (errors if code else output).decode()


async def backup(*args: str, server: str, code: int = 0) -> str:
    """As ``run_plumctl``, without a process."""
    environ = {"PLUM_SERVER": server, "KUBECONFIG": None, "PLUM_TOKEN": None}
    found = await asyncio.to_thread(CliRunner().invoke, cli, ["backup", *args], env=environ)
    assert found.exit_code == code, (args, found.output)
    return found.stderr if code else found.stdout


async def begin(*args: str, server: str = "") -> asyncio.subprocess.Process:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PLUM_")}
    command = [sys.executable, "-m", "plumctl", *args]
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *command, stdout=pipe, stderr=pipe, env=environ | {"PLUM_SERVER": server}
    )


async def until(what: str, condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def manifest_of(file: Path) -> Manifest:
    reader = Reader()
    reader.feed(file.read_bytes())
    return reader.end()


Moment = dict[str, tuple[int, int]]
"""Of each object its version and its number."""


@dataclass
class Ledger:
    """Every acknowledged write: by object, the version and the number written."""

    writes: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    highest: int = 0
    count: int = 0

    def note(self, stored: Event, number: int) -> None:
        version = int(stored.metadata.resource_version or 0)
        self.writes[stored.metadata.name].append((version, number))
        self.highest, self.count = max(self.highest, version), self.count + 1

    def at(self, version: int) -> Moment:
        """The objects as they were at a version."""
        past = {name: [one for one in writes if one[0] <= version] for name, writes in self.writes.items()}
        return {name: writes[-1] for name, writes in past.items() if writes}


def numbered(name: str) -> Event:
    metadata = ObjectMeta(name=name, namespace="default", labels={"counter": "1"})
    return Event(metadata=metadata, involved_object=ObjectReference(kind="Task", name="x"), message="0")


async def count_up(client: RestClient, ledger: Ledger, writer: int, stop: asyncio.Event) -> None:
    """Bump two counters, always the first one first."""
    pair = f"first-{writer}", f"second-{writer}"
    for name in pair:
        ledger.note(await client.create(numbered(name)), 0)
    number = 0
    while not stop.is_set():
        number += 1
        for name in pair:
            ledger.note(await client.patch(Event, name, {"message": str(number)}, namespace="default"), number)


@asynccontextmanager
async def load(client: RestClient) -> AsyncIterator[Ledger]:
    """Eight writers."""
    ledger, stop = Ledger(), asyncio.Event()
    writers = [asyncio.create_task(count_up(client, ledger, number, stop)) for number in range(WRITERS)]
    try:
        yield ledger
    finally:
        stop.set()
        await asyncio.gather(*writers)


@asynccontextmanager
async def informed(client: RestClient) -> AsyncIterator[Informer[Event]]:
    informer = Informer(client, Event, labels="counter=1", backoff=Backoff(base=0.05, cap=0.1))
    async with background(informer.run()):
        yield informer


def seen(events: Sequence[Event]) -> Moment:
    return {one.metadata.name: (int(one.metadata.resource_version or 0), int(one.message)) for one in events}


async def test_a_backup_under_load_is_one_moment_and_a_restore_goes_on_behind_it(tmp_path: Path) -> None:
    file, first = tmp_path / "backup.tar", ExitStack()
    url = first.enter_context(start_apiserver(tmp_path / "one"))
    async with RestClient(Config(url), manager="load") as client, informed(client) as informer:
        try:
            async with load(client) as ledger:
                await until("a history", lambda: ledger.count > 150)
                before = ledger.highest
                told = await backup(str(file), server=url)
                during = ledger.count
                await until("more writes", lambda: ledger.count > during + 50)
            await informer.wait_for_version(ledger.highest, timeout=20)
            assert seen(informer.items()) == ledger.at(ledger.highest)
        finally:
            await asyncio.to_thread(first.close)
        made = manifest_of(file)
        figures = f"{made.objects} objects, 0 artifacts, {file.stat().st_size} bytes"
        assert told == f"{file}: version {made.version}, {figures}\n"
        assert before <= made.version < ledger.highest

        two = str(tmp_path / "two")
        told = await run_plumctl("restore", str(file), "--server-data-dir", two)
        assert told.startswith(f"restored version {made.version} as of ")
        with start_apiserver(tmp_path / "two", "--addr", url.removeprefix("http://")):
            page = await client.list(Event, labels="counter=1")
            check_moment(seen(page.items), ledger.at(made.version))
            assert int(page.resource_version) > ledger.highest
            check_forgotten(url, ledger.highest)
            check_forgotten(url, made.version)
            await informer.wait_for_version(page.resource_version, timeout=20)
            assert seen(informer.items()) == seen(page.items)
            stored = await client.patch(Event, "first-0", {"message": "after"}, namespace="default")
            assert int(stored.metadata.resource_version or 0) > int(page.resource_version)
            await informer.wait_for_version(stored.metadata.resource_version or 0, timeout=20)


def check_moment(found: Moment, acknowledged: Moment) -> None:
    """Exactly what had been stored by one version: of every writer, both counters or the first one ahead by one."""
    assert found == acknowledged
    for writer in range(WRITERS):
        first, second = (found[f"{which}-{writer}"][1] for which in ("first", "second"))
        assert second <= first <= second + 1


def check_forgotten(url: str, version: int) -> None:
    query = {"watch": "poll", "resourceVersion": str(version), "timeoutSeconds": "1"}
    expect(httpx.get(f"{url}/api/v1/events", params=query, trust_env=False, timeout=10), 410, "Expired")


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a server that has ended, with a big artifact."""
    directory = tmp_path_factory.mktemp("big")
    raw = os.urandom(BIG)
    with start_apiserver(directory) as url:
        path = f"{url}/artifacts/sha256/{hashlib.sha256(raw).hexdigest()}"
        assert httpx.put(path, content=raw, trust_env=False, timeout=30).status_code == 201
    return directory


def metrics(url: str) -> dict[str, float]:
    lines = httpx.get(f"{url}/metrics", trust_env=False).text.splitlines()
    return {line.split()[0]: float(line.split()[1]) for line in lines if line.startswith("plum_backup")}


async def test_a_killed_plumctl_leaves_no_file_and_the_server_nothing(big: Path, tmp_path: Path) -> None:
    file, partial = tmp_path / "b.tar", tmp_path / "b.tar.partial"
    with start_apiserver(big) as url:
        async with dam(url, PASSED) as between:
            process = await begin("backup", str(file), "--artifacts", server=between.url)
            await asyncio.wait_for(between.is_full.wait(), 20)
            await until("a part", lambda: partial.stat().st_size > 0)
            refused = await asyncio.to_thread(httpx.get, f"{url}/backup", trust_env=False)
            expect(refused, 429, "TooManyRequests", "another backup is being made")
            assert int(refused.headers["retry-after"]) > 0
            other = await backup(str(file), server=url, code=1)
            assert "is being written by another plumctl backup" in other
            # Everything else goes on.
            name = f"meanwhile-{os.getpid()}"
            async with RestClient(Config(url), manager="test") as client:
                await client.create(Namespace(metadata=ObjectMeta(name=name)))
            assert any((big / "scratch").iterdir())
            process.kill()
            await process.communicate()
        await until("no copy", lambda: not any((big / "scratch").iterdir()))
        assert (file.exists(), partial.stat().st_mode & 0o777) == (False, 0o600)
        await until("a failure that counts", lambda: metrics(url)["plum_backup_failures_total"] == 1)
        await backup(str(file), "--artifacts", server=url)
        assert (partial.exists(), file.stat().st_mode & 0o777) == (False, 0o600)
        assert [one.size for one in manifest_of(file).artifacts] == [BIG]
        assert metrics(url)["plum_backups_total"] == 1
        assert metrics(url)["plum_backup_last_size_bytes"] == file.stat().st_size

        before = file.read_bytes()
        assert "exists; --force replaces it" in await backup(str(file), server=url, code=1)
        assert file.read_bytes() == before
        await backup(str(file), "--force", server=url)
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "link").symlink_to(file)
        for name in ("pipe", "link"):
            assert "no ordinary file" in await backup(str(tmp_path / name), "--force", server=url, code=1)
        assert manifest_of(file).artifacts == ()
        live = await run_plumctl("restore", str(file), "--server-data-dir", str(big), "--replace", code=1)
        assert live.startswith(f"error: {big} is in use by another server")


async def test_a_killed_server_leaves_no_file_and_its_copy_only_until_the_next_start(big: Path, tmp_path: Path) -> None:
    with running_apiserver(big) as (server, url):
        async with dam(url, PASSED) as between:
            process = await begin("backup", str(tmp_path / "b.tar"), "--artifacts", server=between.url)
            await asyncio.wait_for(between.is_full.wait(), 20)
            server.kill()
            await asyncio.to_thread(server.wait, 10)
            between.is_open.set()
            _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, list(tmp_path.iterdir())) == (1, [])
    assert errors.startswith(b"error: the connection broke before the backup was whole")
    assert any((big / "scratch").iterdir())
    with start_apiserver(big):
        assert not any((big / "scratch").iterdir())


def test_backups_pass_the_same_gate_as_everything(http: httpx.Client, tmp_path: Path) -> None:
    expect(http.get("/backup", headers={"origin": "http://evil.example"}), 403, "Forbidden")
    expect(http.get("/backup", headers={"host": "rebound.example"}), 403, "Forbidden")
    for method in ("POST", "PUT", "DELETE"):
        expect(http.request(method, "/backup"), 405, "MethodNotAllowed")
    assert http.head("/backup").status_code == 405
    found = http.get("/backup/")
    assert (found.status_code, found.headers["content-type"]) == (200, "application/x-tar")
    tokens = tmp_path / "tokens"
    tokens.write_text("0123456789abcdef,ann\n")
    with start_apiserver(tmp_path / "data", "--token-file", str(tokens)) as url:
        expect(httpx.get(f"{url}/backup", trust_env=False), 401, "Unauthorized")
        headers = {"authorization": "Bearer 0123456789abcdef"}
        assert httpx.get(f"{url}/backup", headers=headers, trust_env=False).status_code == 200


def test_no_server_starts_on_what_is_half_moved(tmp_path: Path) -> None:
    (tmp_path / UNFINISHED).write_text("1")
    command = [sys.executable, "-m", "apiserver.server", "--data-dir", str(tmp_path), "--addr", "127.0.0.1:0"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert refused.returncode == 1
    assert "a restore was interrupted; run plumctl restore again, with --replace" in refused.stderr
    assert not (tmp_path / "plum.db").exists()


async def test_a_restore_that_is_refused_says_why_and_uses_no_folder_of_an_up(tmp_path: Path) -> None:
    (tmp_path / "no.tar").write_bytes(b"no tar")
    no = str(tmp_path / "no.tar")
    told = await run_plumctl("restore", no, "--data-dir", str(tmp_path / "data"), code=1)
    assert told == f"error: {no} is not a whole backup: it is cut off before its end; nothing has been restored\n"
    both = ("--data-dir", "a", "--server-data-dir", "b")
    assert "not both" in await run_plumctl("restore", no, *both, code=2)
    lock = try_lock(tmp_path / "data" / "up.lock")
    where = "--server-data-dir", str(tmp_path / "data" / "server")
    assert "is in use by plumctl up; stop it" in await run_plumctl("restore", no, *where, code=1)
    os.close(lock)
