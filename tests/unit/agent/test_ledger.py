"""Records on their way to the disk."""

import asyncio
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.folders import Folders
from agent.instances import Instance, Moment, Record
from agent.ledger import Ledger
from tests.unit.agent.objects import assignment
from tests.unit.agent.waiting import eventually


async def test_a_save_that_is_cancelled_on_a_slow_disk_does_not_meet_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both write to the same scratch file."""
    folders = Folders(tmp_path)
    ledger = Ledger(folders, now=lambda: Moment(0.0, datetime.now(UTC)))
    one = assignment("web")
    ledger.expect(one)
    goes_on, saving, most = threading.Event(), 0, 0
    save = folders.save

    def slow(record: Record, data: Path | None = None) -> None:
        nonlocal saving, most
        saving += 1
        most = max(most, saving)
        goes_on.wait(10)
        save(record, data)
        saving -= 1

    with folders.locked():
        monkeypatch.setattr(folders, "save", slow)
        first = asyncio.create_task(ledger.save(one.key))
        await eventually(lambda: saving)
        first.cancel()
        ledger.change(one.key, Instance.settled)
        second = asyncio.create_task(ledger.save(one.key))
        await asyncio.wait([second], timeout=0.05)
        goes_on.set()
        await asyncio.gather(first, second, return_exceptions=True)
        assert most == 1
