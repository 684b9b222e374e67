"""The certificates of an ``up`` are looked at for as long as it runs, whatever one look comes to."""

import asyncio
from typing import cast

import pytest

from plumctl import up
from plumctl.local_cluster import LocalCluster


async def test_a_failed_renewal_is_told_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Cluster:
        """Has trouble twice."""

        def __init__(self) -> None:
            self.troubles: list[Exception] = [OSError("the disk is full"), ValueError("a name that cannot be")]
            self.renewed = asyncio.Event()

        def renew(self) -> None:
            if self.troubles:
                raise self.troubles.pop(0)
            self.renewed.set()

    monkeypatch.setattr(up, "RENEW_SECONDS", 0)
    cluster = Cluster()
    renewing = asyncio.create_task(up._renew(cast(LocalCluster, cluster)))
    await asyncio.wait([renewing, asyncio.create_task(cluster.renewed.wait())], return_when=asyncio.FIRST_COMPLETED)
    assert cluster.renewed.is_set()
    renewing.cancel()
    told = capsys.readouterr().err
    assert "the disk is full; trying again later" in told
    assert "a name that cannot be; trying again later" in told
