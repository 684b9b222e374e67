"""What writers are told while it is not certain what is stored."""

import asyncio
from pathlib import Path

import pytest

from apiserver.api.errors import AlreadyExists, ServiceUnavailable, Timeout
from apiserver.server.store import committer
from apiserver.server.store.decisions import Intents, View
from apiserver.server.store.engine import OutcomeUnknown
from apiserver.server.store.retention import Retention
from apiserver.server.store.sqlite import SQLiteEngine
from tests.soak import faulty_server
from tests.stores import DISK_FULL, FLUSH_FAILED, KIND, FaultyEngine, body, put, running


async def test_nothing_is_answered_on_the_strength_of_what_is_not_stored() -> None:
    """Writers of one batch see each other's changes, but no answer may rest on them before the commit."""

    def nothing_to_do(view: View) -> Intents:
        assert view.get(KIND, "default", "a")
        return []

    def refused(view: View) -> Intents:
        assert view.get(KIND, "default", "a")
        raise AlreadyExists("a already exists")

    engine = FaultyEngine()
    engine.fault = DISK_FULL
    async with running(engine) as store:
        writers = (store.write(decide) for decide in (put(body("a")), nothing_to_do, refused))
        answers = await asyncio.gather(*writers, return_exceptions=True)
    assert [type(answer) for answer in answers] == [ServiceUnavailable] * 3


async def test_those_behind_a_batch_of_unknown_outcome_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer, "MAX_BATCH", 1)
    monkeypatch.setattr(committer, "TOLD_AFTER", 0.1)
    monkeypatch.setattr(committer, "SETTLE_SECONDS", (0.01,))
    engine = FaultyEngine()
    engine.fault = FLUSH_FAILED
    async with running(engine) as store:
        first, second = (asyncio.create_task(store.write(put(body(name)))) for name in "ab")
        with pytest.raises(ServiceUnavailable, match="nothing can be written for now"):
            await second
        assert not first.done()
        with pytest.raises(Timeout, match="not known: flush failed"):
            await first
        engine.fault = None
        while store.committer.trouble:
            await asyncio.sleep(0.01)
        assert (await store.write(put(body("c"))))[0].version == 1


@pytest.mark.parametrize("fault", ["commit, rolled back", "commit, left open", "commit, stored"])
async def test_a_compaction_of_unknown_outcome_is_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    faults = tmp_path / "faults.json"
    monkeypatch.setenv(faulty_server.VARIABLE, str(faults))
    faulty_server.spoil(monkeypatch.setattr)
    engine = SQLiteEngine(tmp_path)
    async with running(engine, keep=Retention(changes=40)) as store:
        for _ in range(50):
            await store.write(put(body("a"), body("b")))
        faulty_server.write_faults(faults, {fault: 1.0})
        with pytest.raises(OutcomeUnknown):
            await store.maintenance.step()
        faulty_server.write_faults(faults, {})
        with pytest.raises(ServiceUnavailable, match="not stored"):
            await store.write(put(body("c")))
        await store.write(put(body("c")))
        await store.maintenance.step()
        kept = engine.changes_after(store.floor, size=1 << 20)
        assert len(kept) == engine.log_size[0] > 30
