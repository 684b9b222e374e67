"""What objects cost in memory, and what they cost at a start."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from tests.bench.load import clock, send_all
from tests.bench.processes import plum
from tests.bench.requests import NODES, create, stored_bytes
from tests.bench.table import Row, Scale, megabytes

COUNTS = (10_000, 100_000)
AIMS = {10_000: "< 100 MB"}
START_AIM = "< 5 s"


def run(folder: Path, scale: Scale) -> Iterator[Row]:
    count = 0
    with plum(folder) as server:
        empty = server.memory()
        yield Row("server memory without objects; its start", f"{megabytes(empty)}, {server.started:.2f} s")
        for full in COUNTS:
            before, count = count, scale.count(full)
            began = clock()
            send_all(server.address, (create(number, number % NODES) for number in range(before, count)))
            speed = (count - before) / (clock() - began)
            memory, size = server.memory(), stored_bytes(server.address, 0)
            per_object = (memory - empty) / count
            figure = f"{megabytes(memory)}, {per_object:,.0f} bytes an object"
            what = f"server memory, {count:,} assignments, created at {speed:,.0f}/s"
            yield Row(what, figure, f"{per_object / size:.1f} x its JSON", AIMS.get(full, ""))
    raw, length = _read(folder)
    yield Row(f"sqlite3 alone: all bodies read ({megabytes(length)})", f"{raw:.3f} s")
    with plum(folder) as server:
        started, memory = server.started, server.memory()
    yield Row(
        f"start with {count:,} assignments, to the first good /readyz",
        f"{started:.2f} s",
        f"{started / raw:.1f}",
        START_AIM,
    )
    yield Row("server memory after that start", megabytes(memory))


def _read(folder: Path) -> tuple[float, int]:
    """The seconds that reading all current objects takes without Plum, and how many bytes they have."""
    found = next(path for path in folder.rglob("*.db") if path.is_file())
    began = clock()
    database = sqlite3.connect(f"file:{found}?mode=ro", uri=True)
    length = sum(len(body) for (body,) in database.execute("select body from objects"))
    database.close()
    return clock() - began, length
