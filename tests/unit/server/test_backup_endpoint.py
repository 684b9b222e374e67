"""How the reply of a backup ends when it does not end well: without its last bytes, and counted."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from starlette.requests import Request

from apiserver.api.backups import END, NotABackup, Reader
from apiserver.server.http import backup as module
from apiserver.server.http.backup import BackupEndpoint, BackupMetrics
from tests.archives import sha256
from tests.unit.server.test_backup import BLOB, backups, leftovers

Message = dict[str, Any]


class Client:
    """What a client has been sent; ``on_body`` is what it does at each piece."""

    def __init__(self, on_body: Callable[["Client"], Awaitable[None]] | None = None) -> None:
        self.start: Message = {}
        self.body = b""
        self.is_complete = self.is_aborted = False
        self.left = asyncio.Event()
        self._on_body = on_body

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
            return
        if self._on_body:
            await self._on_body(self)
        self.body += message["body"]
        self.is_complete = not message["more_body"]

    def abort(self) -> None:
        self.is_aborted = True


async def ask(directory: Path, client: Client, register: CollectorRegistry) -> None:
    async with backups(directory) as (_, making):
        (directory / "artifacts" / "sha256" / sha256(BLOB)).write_bytes(BLOB)
        scope: Message = {
            "type": "http",
            "method": "GET",
            "path": "/backup",
            "headers": [],
            "query_string": b"artifacts=true",
        }
        scope["plum_abort"] = client.abort
        endpoint = BackupEndpoint(making, BackupMetrics(register))
        response = await endpoint.get(Request(scope))
        try:
            await response(scope, client.receive, client.send)  # type: ignore[arg-type]
        finally:
            assert leftovers(directory) == []


def counts(register: CollectorRegistry) -> tuple[float | None, float | None]:
    """Backups that went well, and that did not."""
    names = "plum_backups_total", "plum_backup_failures_total"
    done, failed = (register.get_sample_value(name) for name in names)
    return done, failed


def is_whole(body: bytes) -> bool:
    reader = Reader()
    reader.feed(body)
    try:
        reader.end()
    except NotABackup:
        return False
    return True


async def test_the_copy_is_gone_before_the_end_is_sent(tmp_path: Path) -> None:
    async def look(client: Client) -> None:
        length = int(dict(client.start["headers"])[b"content-length"])
        is_last = len(client.body) == length - len(END)
        assert bool(leftovers(tmp_path)) is not is_last

    client, register = Client(look), CollectorRegistry()
    await ask(tmp_path, client, register)
    assert (client.is_complete, is_whole(client.body), counts(register)) == (True, True, (1, 0))
    assert register.get_sample_value("plum_backup_last_size_bytes") == len(client.body)


async def test_a_client_that_leaves(tmp_path: Path) -> None:
    async def leave(client: Client) -> None:
        client.left.set()
        await asyncio.sleep(0)

    client, register = Client(leave), CollectorRegistry()
    await ask(tmp_path, client, register)
    assert (client.is_complete, is_whole(client.body), counts(register)) == (False, False, (0, 1))


async def test_a_client_that_takes_nothing_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stand_still(client: Client) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "STUCK_SECONDS", 0.01)
    client, register = Client(stand_still), CollectorRegistry()
    await ask(tmp_path, client, register)
    assert (client.is_complete, client.is_aborted, counts(register)) == (False, True, (0, 1))


async def test_a_file_that_cannot_be_read_breaks_the_reply_off(tmp_path: Path) -> None:
    async def vanish(client: Client) -> None:
        (tmp_path / "artifacts" / "sha256" / sha256(BLOB)).unlink(missing_ok=True)

    client, register = Client(vanish), CollectorRegistry()
    with pytest.raises(FileNotFoundError):
        await ask(tmp_path, client, register)
    assert (client.is_complete, is_whole(client.body), counts(register)) == (False, False, (0, 1))
