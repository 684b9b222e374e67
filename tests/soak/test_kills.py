"""kill -9 of the server under load: nothing acknowledged is lost, no version goes back, and every watch that
resumes is told everything once and in order.

``make soak`` runs it longer: PLUM_SOAK_KILLS sets how often the server is killed.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from apiserver.api.kinds.assignment import Assignment
from apiserver.client.config import Config
from apiserver.client.informer import Informer
from apiserver.client.rest import RestClient
from tests.background import background
from tests.soak.faulty_server import SLOW, VARIABLE, write_faults
from tests.soak.process import FAULTY, PLAIN, Server
from tests.soak.scene import playing

KILLS = int(os.environ.get("PLUM_SOAK_KILLS", "5"))
LONGEST = 1.0 if KILLS > 10 else 0.4
"""Seconds from when the server is ready to when it is killed, at most."""


async def test_kills_lose_nothing_and_watches_resume_exactly(tmp_path: Path) -> None:
    """Every other server has a slow disk, and small bounds, so that watches overflow and read the log from it."""
    rng = random.Random(1)
    faults = tmp_path / "faults.json"
    write_faults(faults, {SLOW: 0.3})
    server = Server(tmp_path / "data", log=tmp_path / "server.log", program=FAULTY, env={VARIABLE: str(faults)})
    async with playing(server) as scene, informed(server) as informer:
        for number in range(KILLS):
            # The moment is what is tried here: the work goes on without a break.
            await asyncio.sleep(rng.uniform(0.05, LONGEST))
            await server.kill()
            server.program = FAULTY if number % 2 else PLAIN
            await server.start()
        await scene.some_writes(100)
        await scene.rest()
        await agree(informer, server)
    print(f"\n{scene.summary(kills=KILLS)}")


@asynccontextmanager
async def informed(server: Server) -> AsyncIterator[Informer[Assignment]]:
    """The informer that programs use, on some of the objects."""
    async with RestClient(Config(server.url), manager="soak") as client:
        informer = Informer(client, Assignment, labels="app=a", rng=random.Random(1))
        async with background(informer.run()):
            yield informer


async def agree(informer: Informer[Assignment], server: Server) -> None:
    """Wait until the informer's copy is what the server has, in the same versions."""
    async with RestClient(Config(server.url), manager="soak") as client:
        page = await client.list(Assignment, labels="app=a")
    stored = {item.key: item.metadata.resource_version for item in page.items}
    async with asyncio.timeout(30):
        while {item.key: item.metadata.resource_version for item in informer.items()} != stored:
            await asyncio.sleep(0.01)
