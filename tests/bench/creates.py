"""Durable creates, beside plain SQLite and beside etcd's JSON gateway on the same disk."""

import itertools
import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from statistics import median

from tests.bench.load import Load, busiest, hammer, rate, row, send_all
from tests.bench.processes import Server, etcd, has_etcd, plum
from tests.bench.requests import create, creates, etcd_creates, stored_bytes
from tests.bench.table import Row, Scale, ratios

CLIENTS = (1, 16, 64)
AIMS = {16: ">= 1.3 x etcd", 64: ">= 1.0 x etcd"}


@dataclass
class Turns:
    """What each turn found."""

    raw: list[float] = field(default_factory=list)
    ours: dict[int, list[Load]] = field(default_factory=lambda: defaultdict(list))
    """By the number of clients."""
    theirs: dict[int, list[Load]] = field(default_factory=lambda: defaultdict(list))
    size: int = 0
    """The bytes of one object as stored."""


def run(folder: Path, scale: Scale) -> Iterator[Row]:
    turns = Turns()
    for turn in range(scale.rounds):
        _turn(folder / str(turn), scale, turns)
    yield Row(f"sqlite3 alone: commits of twice {turns.size:,} bytes, one writer", f"{median(turns.raw):,.0f}/s")
    if not turns.theirs:
        yield Row("etcd is not installed: nothing to stand beside the creates", "")
    for clients in CLIENTS:
        mine, others = turns.ours[clients], turns.theirs.get(clients)
        if others:
            yield row(f"etcd: txns of compare and put, JSON gateway, clients: {clients}", others)
        peers = [load.rate for load in others] if others else turns.raw
        ratio = ratios([load.rate for load in mine], peers)
        what = f"durable creates of assignments, clients: {clients}"
        yield row(what, mine, ratio if others else f"{ratio} x sqlite3", AIMS.get(clients, ""))
    yield busiest([*chain(*turns.ours.values(), *turns.theirs.values())])


def _turn(folder: Path, scale: Scale, turns: Turns) -> None:
    """New servers, each number of clients at one and at the other right after it."""
    with ExitStack() as stack:
        ours = stack.enter_context(plum(folder / "plum"))
        theirs = stack.enter_context(etcd(folder / "etcd")) if has_etcd() else None
        send_all(ours.address, iter([create(0)]))
        turns.size = stored_bytes(ours.address, 0)
        turns.raw.append(raw_commits(folder, turns.size, scale.seconds / 2))
        here, there = creates(first=1), etcd_creates(turns.size)
        for clients in CLIENTS:
            turns.ours[clients].append(_load(ours, here, clients, scale, b"HTTP/1.1 201"))
            if theirs:
                turns.theirs[clients].append(_load(theirs, there, clients, scale, b'"succeeded":true'))


def _load(server: Server, requests: Iterator[bytes], clients: int, scale: Scale, answer: bytes) -> Load:
    return hammer(server.address, requests, clients=clients, seconds=scale.seconds, cpu=server.cpu, answer=answer)


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
