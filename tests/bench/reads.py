"""Reads: one object beside the server's most trivial endpoint, lists beside etcd's and beside a mere copy."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.load import Address, Client, Load, busiest, clock, hammer, quiet_memory, row, send_all
from tests.bench.processes import Server, etcd, has_etcd, loopback, plum
from tests.bench.requests import ASSIGNMENTS, NAME, create, etcd_create, etcd_list, http
from tests.bench.table import Row, Scale, megabytes, milliseconds, quantile, ratios

CLIENTS = 16
ONE, TRIVIAL = http("GET", f"{ASSIGNMENTS}/{NAME.format(1)}"), http("GET", "/livez")
SIZES = (1_000, 10_000)
AIMS = {10_000: "< 40 ms"}
LISTS = 20


@dataclass(frozen=True)
class Lists:
    """One list, read some times."""

    length: int
    seconds: Sequence[float]

    @property
    def middle(self) -> float:
        return quantile(self.seconds, 0.5)


def run(folder: Path, scale: Scale) -> Iterator[Row]:
    sizes = [scale.count(size) for size in SIZES]
    with plum(folder / "plum") as server:
        ours = _lists(server, sizes, create, lambda size: http("GET", ASSIGNMENTS))
        yield from _single(server, scale)
    theirs: list[Lists] = []
    if has_etcd():
        size = ours[0].length // sizes[0]
        with etcd(folder / "etcd") as server:
            theirs = _lists(server, sizes, lambda number: etcd_create(number, size), etcd_list)
    with loopback(folder / "loopback") as server:
        copies = [_list(server.address, http("GET", f"/{one.length}")) for one in ours]
    for place, size in enumerate(sizes):
        yield from _rows(size, ours[place], copies[place], theirs[place : place + 1], AIMS.get(SIZES[place], ""))


def _single(server: Server, scale: Scale) -> Iterator[Row]:
    """One object and the trivial endpoint, turn by turn."""
    objects: list[Load] = []
    trivial: list[Load] = []
    for _ in range(scale.rounds):
        for request, loads in ((TRIVIAL, trivial), (ONE, objects)):
            endless = itertools.repeat(request)
            load = hammer(server.address, endless, clients=CLIENTS, seconds=scale.seconds / 2, cpu=server.cpu)
            loads.append(load)
    yield row(f"GET /livez, {CLIENTS} clients", trivial)
    ratio = ratios([load.rate for load in objects], [load.rate for load in trivial])
    yield row(f"GET of one object, {CLIENTS} clients", objects, ratio, ">= 0.8 x /livez")
    yield busiest(objects + trivial)


def _lists(
    server: Server, sizes: Sequence[int], create_one: Callable[[int], bytes], list_of: Callable[[int], bytes]
) -> list[Lists]:
    """Fill up to each size in turn, and list all there is."""
    found = []
    for before, size in itertools.pairwise((0, *sizes)):
        send_all(server.address, (create_one(number) for number in range(before, size)))
        found.append(_list(server.address, list_of(size)))
    return found


def _list(address: Address, request: bytes) -> Lists:
    """From the request to the last byte, one at a time; the first two do not count."""
    with Client(address) as client, quiet_memory():
        seconds = []
        for _ in range(LISTS + 2):
            if client.request(request) != 200:
                raise AssertionError(client.reply)
            seconds.append(clock() - client.sent)
        return Lists(client.length, seconds[2:])


def _rows(size: int, ours: Lists, copy: Lists, theirs: Sequence[Lists], aim: str) -> Iterator[Row]:
    yield Row(
        f"the bytes of a list of {size:,} ({megabytes(copy.length)}) copied over loopback", milliseconds(copy.seconds)
    )
    for other in theirs:
        yield Row(f"etcd: range of {size:,}, JSON gateway", milliseconds(other.seconds))
    ratio = f"{ours.middle / copy.middle:.1f} x copy" + "".join(
        f", {ours.middle / o.middle:.2f} x etcd" for o in theirs
    )
    yield Row(f"LIST of {size:,}, to its last byte", milliseconds(ours.seconds), ratio, aim)
