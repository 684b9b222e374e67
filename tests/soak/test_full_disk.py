"""A full disk: writes are refused and say why, everything else goes on, and it is over once there is space.

``make soak`` runs it longer: PLUM_SOAK_CYCLES sets how often the disk is filled. (A file system is not made read-only
while files are open for writing on it; what happens where one goes read-only by itself is in ``test_flush``.)
"""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import orjson
import pytest

from tests.soak.conftest import cannot
from tests.soak.process import FAULTY, Server
from tests.soak.scene import Scene, playing
from tests.soak.selections import GROUP
from tests.soak.test_flush import FEW_WATCHERS, FEW_WRITERS, some_failures
from tests.soak.wire import ask

CYCLES = int(os.environ.get("PLUM_SOAK_CYCLES", "2"))
SIZE = "48m"
CAUSES = ("full", "disk I/O error", "unable to open", "No space left")
"""SQLite has more than one name for it: some of its files cannot grow, others cannot be flushed or opened."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        cannot("mounting a small file system needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        cannot(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


class Ballast:
    """A file that takes what space there is."""

    def __init__(self, disk: Path) -> None:
        self._disk, self._path = disk, disk / "ballast"

    def fill(self, *, leave: int) -> None:
        """Take all space but so many bytes, or all if there is less; the server takes some meanwhile."""
        with self._path.open("wb") as file:
            while (left := self._left() - leave) > 0:
                with suppress(OSError):
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), min(left, 1 << 20))

    def _left(self) -> int:
        found = os.statvfs(self._disk)
        return found.f_bavail * found.f_frsize

    def free(self) -> None:
        """Give it back."""
        self._path.unlink()


def is_cause(message: str) -> bool:
    return any(cause in message for cause in CAUSES)


async def until_answer(server: Server, path: str, status: int, text: str = "") -> None:
    """Wait until a path is answered so. In between a small write may fit, and all is well for a moment."""
    while True:
        found, raw = await ask(server.url, path)
        if found == status and text in raw.decode():
            return


async def check_full(scene: Scene) -> None:
    """What must hold while nothing can be written."""
    server = scene.server
    await until_answer(server, "/readyz", 503, "full")
    await until_answer(server, "/metrics", 200, "\nplum_store_writable 0.0\n")
    assert await ask(server.url, "/livez") == (200, b"ok")
    status, raw = await ask(server.url, f"{GROUP}/assignments?limit=1")
    assert status == 200
    for item in orjson.loads(raw)["items"]:
        metadata = item["metadata"]
        path = f"{GROUP}/namespaces/{metadata['namespace']}/assignments/{metadata['name']}"
        assert (await ask(server.url, path))[0] in (200, 404)
    status, raw = await ask(
        server.url, f"{GROUP}/assignments?watch=poll&timeoutSeconds=30&resourceVersion={scene.since}"
    )
    assert status == 200
    assert orjson.loads(raw)["items"]


async def restart(server: Server, ballast: Ballast) -> bool:
    """Start it while the disk is full; whether it could. One that cannot must be able to once there is space."""
    try:
        await server.start()
    except EOFError:
        ballast.free()
        await server.start()
        return False
    ballast.free()
    return True


async def test_a_full_disk_refuses_writes_and_nothing_else(tmp_path: Path, disk: Path) -> None:
    rng = random.Random(4)
    ballast = Ballast(disk)
    server = Server(disk / "data", log=tmp_path / "server.log", program=FAULTY)
    ends = {"freed": 0, "restarted full": 0, "restarted freed": 0}
    async with playing(server, writers=FEW_WRITERS, watchers=FEW_WATCHERS, is_cause=is_cause) as scene:
        for number in range(CYCLES):
            await scene.some_writes(50)
            ballast.fill(leave=rng.randint(0, 300_000))
            await some_failures(scene, rng.randint(1, 60))
            if number % 2 == 0:
                await check_full(scene)
                ballast.free()
                ends["freed"] += 1
            else:
                await server.kill()
                ends["restarted full" if await restart(server, ballast) else "restarted freed"] += 1
        await scene.some_writes(50)
        await server.kill()
        await server.start()
    print(f"\n{scene.summary(**ends)}")
