import os
from pathlib import Path

import pytest

from agent.usage.machine import Point, parse_cpu, parse_memory, read_machine
from agent.usage.reading import PAGE_BYTES, TICKS, Details, Stat, parse_io, parse_stat, read_details, read_stats
from agent.usage.reading import parse_memory as parse_statm

STAT = (
    b"4242 (a ) (b\n) S 7 4242 4242 0 -1 4194304 300 11 4 5 120 30 40 2 20 0 6 0 98765 1000000 2500 "
    b"18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n"
)
STATM = b"5000 2500 1700 10 0 800 0\n"
IO = b"rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 4096\n"
CPU = "cpu  1000 200 300 99999 8888 40 50 60 7 8\ncpu0 1 1 1 1 1 1 1 1 0 0\nintr 5\n"
MEMINFO = "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\nHugePages_Total:       0\n"


def test_a_stat_with_a_name_that_looks_like_fields() -> None:
    assert parse_stat(STAT) == Stat(
        pid=4242, parent=7, start_time=98765, ticks=150, reaped_ticks=42, threads=6, faults=304, resident_pages=2500,
        is_zombie=False,
    )  # fmt: skip
    assert not parse_stat(STAT.replace(b") S ", b") Z ")).is_zombie
    assert parse_stat(STAT.replace(b") S ", b") Z ").replace(b" 0 6 0 ", b" 0 1 0 ")).is_zombie


@pytest.mark.parametrize("raw", [b"", b"1 (x", b"1 (x) S 1 2", b"x (y) S " + b"1 " * 30])
def test_half_a_stat_is_none(raw: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        parse_stat(raw)


def test_memory_is_without_what_is_shared() -> None:
    assert parse_statm(STATM) == 800 * PAGE_BYTES
    assert parse_statm(b"5 2 3 0 0 0 0") == 0


def test_io_is_that_of_storage() -> None:
    assert parse_io(IO) == (4096, 8192)


def test_the_machine_works_where_it_is_neither_idle_nor_waiting() -> None:
    assert parse_cpu(CPU) == 1650 / TICKS
    assert parse_memory(MEMINFO) == (600 * 1024, 1000 * 1024)


def test_this_process_and_this_machine(tmp_path: Path) -> None:
    stats = read_stats()
    own = stats[os.getpid()]
    assert own.parent == os.getppid()
    assert own.threads >= 1
    details = read_details(own)
    assert 0 < details.memory_bytes < own.resident_pages * PAGE_BYTES
    assert details.open_fds >= 3
    usage, point = read_machine(tmp_path, 100.0, Point(90.0, 0.0))
    assert usage.cpu == round(usage.cpu_seconds / 10, 4)
    assert (point.seconds, point.cpu_seconds) == (100.0, usage.cpu_seconds)
    assert 0 < usage.memory_bytes < usage.memory_total_bytes
    assert 0 < usage.disk_free_bytes <= usage.disk_total_bytes
    assert read_machine(tmp_path, 100.0, None)[0].cpu is None


def test_a_process_that_is_gone_has_nothing() -> None:
    assert read_details(parse_stat(STAT)._replace(pid=2**22 + 5)) == Details()
