"""Power cuts: what is acknowledged has been flushed, not only written.

A kill leaves what was written; a power cut may leave only what was flushed. A preloaded library copies each file as
it is flushed, and after a kill the server goes on with those copies. ``make soak`` cuts more often: PLUM_SOAK_CUTS.
"""

import asyncio
import os
import random
import shutil
from pathlib import Path

from apiserver.server.store.sqlite import DATABASE
from tests.soak.process import FAULTY, Server
from tests.soak.scene import playing
from tests.soak.test_flush import FEW_WATCHERS, FEW_WRITERS

CUTS = int(os.environ.get("PLUM_SOAK_CUTS", "3"))


async def test_power_cuts_lose_nothing(tmp_path: Path, library: Path) -> None:
    rng = random.Random(5)
    data, flushed = tmp_path / "data", tmp_path / "flushed"
    flushed.mkdir()
    env = {"LD_PRELOAD": str(library), "PLUM_SOAK_DIRECTORY": str(data), "PLUM_SOAK_FLUSHED": str(flushed)}
    server = Server(data, log=tmp_path / "server.log", program=FAULTY, env=env)
    async with playing(server, writers=FEW_WRITERS, watchers=FEW_WATCHERS) as scene:
        for _ in range(CUTS):
            await scene.some_writes(20)
            # The moment is what is tried here: the work goes on without a break.
            await asyncio.sleep(rng.uniform(0.0, 0.3))
            await server.kill()
            put_back(data, flushed)
            await server.start()
        await scene.some_writes(20)
    print(f"\n{scene.summary(cuts=CUTS)}")


def put_back(data: Path, flushed: Path) -> None:
    """Only what was flushed; the other files are for the time of a process, or from before there was a log."""
    for path in data.glob(f"{DATABASE}*"):
        path.unlink()
    for name in (DATABASE, f"{DATABASE}-wal"):
        if (flushed / name).exists():
            shutil.copy(flushed / name, data)
