"""Durable creates, beside plain SQLite and beside etcd's JSON gateway on the same disk."""

import itertools
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from tests.bench.load import Load, hammer
from tests.bench.processes import Server, etcd, has_etcd, plum
from tests.bench.requests import creates, etcd_creates, stored_bytes
from tests.bench.table import Row, Scale, milliseconds, ratios

CLIENTS = (1, 16, 64)
AIMS = {16: ">= 1.3 x etcd", 64: ">= 1.0 x etcd"}


def run(folder: Path, scale: Scale) -> Iterator[Row]:
    ours: list[dict[int, Load]] = []
    theirs: list[dict[int, Load]] = []
    size = 0
    for turn in range(scale.rounds):
        with plum(folder / f"plum-{turn}") as server:
            ours.append(_round(server, creates(), b"HTTP/1.1 201", scale))
            size = stored_bytes(server.address)
        if has_etcd():
            with etcd(folder / f"etcd-{turn}") as server:
                theirs.append(_round(server, etcd_creates(size), b'"succeeded":true', scale))
    raw = raw_commits(folder, size, scale.seconds)
    yield Row(f"sqlite3 alone: commits of twice {size:,} bytes, one writer", f"{raw:,.0f}/s")
    for clients in CLIENTS:
        mine = [one[clients] for one in ours]
        if has_etcd():
            others = [one[clients] for one in theirs]
            yield _row(f"etcd: txns of compare and put, JSON gateway, clients: {clients}", others)
            ratio = ratios([load.rate for load in mine], [load.rate for load in others])
        else:
            ratio = f"{median(load.rate for load in mine) / raw:.2f} x sqlite3"
        yield _row(f"durable creates of assignments, clients: {clients}", mine, ratio, AIMS.get(clients, ""))
    if not has_etcd():
        yield Row("etcd is not installed: nothing to stand beside the creates", "")
    yield Row("the generator's own core was at most", f"{_busiest(ours + theirs):.0%} busy")


def raw_commits(folder: Path, size: int, seconds: float) -> float:
    """Commits a second of plain sqlite3 with the same durability: two rows of the same size."""
    database = sqlite3.connect(folder / "raw.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        database.execute(f"pragma {pragma}")
    database.execute("create table objects (id integer primary key, name text unique, body blob)")
    database.execute("create table events (id integer primary key, body blob)")
    numbers = itertools.count()
    body = os.urandom(size)

    def commit() -> None:
        database.execute("begin immediate")
        database.execute("insert into objects (name, body) values (?, ?)", (str(next(numbers)), body))
        database.execute("insert into events (body) values (?)", (body,))
        database.execute("commit")

    found = rate(commit, seconds)
    database.close()
    return found


def rate(step: Callable[[], object], seconds: float) -> float:
    """How often a second the step can be done."""
    began = time.monotonic()
    done = 0
    while (elapsed := time.monotonic() - began) < seconds:
        step()
        done += 1
    return done / elapsed


def _round(server: Server, requests: Iterator[bytes], answer: bytes, scale: Scale) -> dict[int, Load]:
    """Each number of clients in turn."""
    return {
        clients: hammer(server.address, requests, clients=clients, seconds=scale.seconds, answer=answer)
        for clients in CLIENTS
    }


def _row(what: str, loads: list[Load], ratio: str = "", aim: str = "") -> Row:
    latencies = [latency for load in loads for latency in load.latencies]
    figure = f"{median(load.rate for load in loads):,.0f}/s {milliseconds(latencies)}"
    return Row(what, figure, ratio, aim)


def _busiest(rounds: list[dict[int, Load]]) -> float:
    return max(load.busy for one in rounds for load in one.values())
