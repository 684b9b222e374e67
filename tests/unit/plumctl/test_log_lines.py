"""Lines of logs: read from the wire however it cuts them, merged by time, written as asked."""

import io
from collections.abc import AsyncGenerator

from hypothesis import given
from hypothesis import strategies as st

from plumctl.log_lines import Line, Writer, lines_of, merged, parse


async def chunked(raw: bytes, cuts: list[int]) -> AsyncGenerator[bytes, None]:
    at = 0
    for cut in sorted(cut % (len(raw) + 1) for cut in cuts):
        yield raw[at:cut]
        at = cut
    yield raw[at:]


def test_lines_and_marks() -> None:
    assert parse("a", b"3:17 2026-01-02T15:04:05.000000Z two words ") == Line(
        "a", "3:17", "2026-01-02T15:04:05.000000Z", b"two words "
    )
    assert parse("a", b"3:18 2026-01-02T15:04:05.000000Z ").text == b""
    assert parse("a", b"3:18") == Line("a", "3:18")


@given(
    texts=st.lists(st.binary(max_size=20).filter(lambda text: b"\n" not in text)), cuts=st.lists(st.integers(0, 999))
)
async def test_chunks_may_end_anywhere(texts: list[bytes], cuts: list[int]) -> None:
    raw = b"".join(b"1:%d T %s\n" % (number, text) for number, text in enumerate(texts)) + b"1:99 T cut of"
    found = [line async for batch in lines_of("a", chunked(raw, cuts)) for line in batch]
    assert [line.text for line in found] == texts


async def of(lines: list[Line]) -> AsyncGenerator[Line, None]:
    for line in lines:
        yield line


@given(logs=st.lists(st.lists(st.integers(0, 9), max_size=8), max_size=5))
async def test_merging_keeps_each_order_and_sorts_by_time(logs: list[list[int]]) -> None:
    streams = [
        [Line(str(index), f"1:{at}", str(time), b"") for at, time in enumerate(sorted(times))]
        for index, times in enumerate(logs)
    ]
    found = [line async for line in merged([of(lines) for lines in streams])]
    assert [line.time for line in found] == sorted(line.time for line in found)
    for index, lines in enumerate(streams):
        assert [line for line in found if line.source == str(index)] == lines


async def test_a_clock_that_goes_back_holds_up_its_own_log_only() -> None:
    streams = [[Line("a", "1:1", "5", b"x"), Line("a", "1:2", "1", b"y")], [Line("b", "1:1", "4", b"z")]]
    found = [line.text async for line in merged([of(lines) for lines in streams])]
    assert found == [b"z", b"x", b"y"]


def test_writing() -> None:
    lines = [Line("a", "1:1", "T1", b"x"), Line("b", "1:1"), Line("b", "1:2", "T2", b"\xff")]
    for options, text in (
        ({}, b"x\n\xff\n"),
        ({"timestamps": True}, b"T1 x\nT2 \xff\n"),
        ({"prefix": True}, b"[assignment/a] x\n[assignment/b] \xff\n"),
        ({"prefix": True, "timestamps": True}, b"[assignment/a] T1 x\n[assignment/b] T2 \xff\n"),
        ({"prefix": True, "colour": True}, b"\x1b[36m[assignment/a]\x1b[0m x\n\x1b[32m[assignment/b]\x1b[0m \xff\n"),
    ):
        output = io.BytesIO()
        Writer(**{"prefix": False, "timestamps": False, "colour": False, "output": output} | options).write(lines)  # type: ignore[arg-type]
        assert output.getvalue() == text
