"""Forms: the file comes out as it went in, wherever the body is cut, and any other body is one clear refusal."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from apiserver.api.errors import BadRequest, Timeout
from apiserver.server.http import artifacts
from apiserver.server.http.multipart import MAX_HEADS, MAX_PARTS, MAX_SKIPPED, file_part

TYPE = b"multipart/form-data; boundary=XX"


def part(content: bytes, head: bytes = b'form-data; name="file"; filename="a.zip"') -> bytes:
    return b"--XX\r\nContent-Disposition: " + head + b"\r\n\r\n" + content + b"\r\n"


def field(content: bytes, name: bytes = b"other") -> bytes:
    return part(content, b'form-data; name="' + name + b'"')


END = b"--XX--\r\n"


def request(chunks: Sequence[bytes], content_type: bytes, *, ends: bool = True) -> Request:
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": c, "more_body": True} for c in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, Any]:
        if not messages or (not ends and len(messages) == 1):
            await asyncio.Event().wait()
        return messages.pop(0)

    headers = [(b"content-type", content_type)] if content_type else []
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


async def read(*chunks: bytes, content_type: bytes = TYPE) -> bytes:
    return b"".join([piece async for piece in file_part(request(chunks, content_type))])


def outcome(chunks: Sequence[bytes], content_type: bytes = TYPE) -> bytes | str:
    """The file, or the refusal up to its colon: positions in it are the parser's and may differ."""
    try:
        return asyncio.run(read(*chunks, content_type=content_type))
    except BadRequest as error:
        return error.message.partition(":")[0]


def cut(body: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[a:b] for a, b in pairwise(edges)]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(part(b"content") + END, TYPE, id="plain"),
        pytest.param(part(b"content") + b"--XX--", TYPE, id="no line end"),
        pytest.param(b"\r\n" + part(b"content") + END, TYPE, id="line end before"),
        pytest.param(part(b"content") + END + b"whatever follows", TYPE, id="epilogue"),
        pytest.param(field(b"x") + part(b"content") + field(b"y") + END, TYPE, id="among fields"),
        pytest.param(field(b"text", b"file") + part(b"content") + END, TYPE, id="a text of that name is no file"),
        pytest.param(part(b"content") + part(b"second") + END, TYPE, id="the first of two"),
        pytest.param(part(b"content", b'form-data; name=file; filename="a;b\\".zip"') + END, TYPE, id="odd name"),
        pytest.param(part(b"content", "form-data; name=file; filename=应用.zip".encode()) + END, TYPE, id="Chinese"),
        pytest.param(
            b'--XX\r\nCONTENT-disposition:form-data;name="file";filename=a\r\nX: y\r\n\r\ncontent\r\n' + END,
            b'Multipart/Form-Data; charset=utf-8; boundary="XX"',
            id="spelling",
        ),
    ],
)
async def test_the_file_is_found(body: bytes, content_type: bytes) -> None:
    assert await read(body, content_type=content_type) == b"content"
    assert await read(*(body[i : i + 1] for i in range(len(body))), content_type=content_type) == b"content"


async def test_an_empty_file_is_a_file() -> None:
    assert await read(part(b"") + END) == b""


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (b"{}", b"application/json", "^bad form: the body is application/json; send multipart/form-data"),
        (b"", b"", "^bad form: the body is of no type"),
        (part(b"x") + END, b"multipart/form-data", "^bad form: the content type names no boundary"),
        (part(b"x") + END, b"multipart/form-data; boundary=", "^bad form: the content type names no boundary"),
        (part(b"x") + END, b"multipart/form-data; boundary=" + b"y" * 201, "^bad form: the content type names no b"),
        (part(b"x") + END, b"multipart/form-data; boundary=YY", "^bad form: Expected boundary character"),
        (b"", TYPE, "^bad form: the body ends before the form does"),
        (part(b"x"), TYPE, "^bad form: the body ends before the form does"),
        ((part(b"x") + END)[:-4], TYPE, "^bad form: the body ends before the form does"),
        (b"PK" + part(b"x") + END, TYPE, "^bad form: the body does not begin with the boundary"),
        (b"\r\nPK" + part(b"x") + END, TYPE, "^bad form: the body does not begin with the boundary"),
        (b"--XX\r\nno head\r\n\r\nx\r\n" + END, TYPE, "^bad form: Found invalid character"),
        (b"--XX\r\n" + b"A: " + b"x" * 9000 + b"\r\n\r\n", TYPE, "^bad form: Maximum header size"),
        (field(b"") * (MAX_PARTS + 1) + END, TYPE, "^bad form: more than 100 parts"),
        (field(b"x" * (MAX_SKIPPED + 1)) + END, TYPE, "^bad form: more than 1048576 bytes beside the file"),
        (b"\r\n" * MAX_SKIPPED, TYPE, "^bad form: more than 1048576 bytes beside the file"),
        (field(b"", b"n" * 1000) * 70 + END, TYPE, f"^bad form: the heads of its parts are over {MAX_HEADS} bytes"),
        (END, TYPE, "^file required: the form has no file in the field 'file'"),
        (field(b"x") + END, TYPE, "^file required"),
        (field(b"x", b"file") + END, TYPE, "^file required"),
        (part(b"", b'form-data; name="file"; filename=""') + END, TYPE, "^file required"),
        (part(b"x", b'attachment; name="file"; filename="a"') + END, TYPE, "^file required"),
        (b"--XX\r\n\r\nx\r\n" + END, TYPE, "^file required"),
    ],
)
async def test_other_bodies_are_refused(body: bytes, content_type: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        await read(body, content_type=content_type)
    with pytest.raises(BadRequest, match=message.partition(":")[0]):
        await read(*(body[i : i + 1000] for i in range(0, len(body), 1000)), content_type=content_type)


async def test_pieces_come_before_the_body_is_complete() -> None:
    asked = request([part(b"x" * 1000)[:500]], TYPE, ends=False)
    pieces = file_part(asked)
    assert (await anext(pieces)).startswith(b"xxx")
    await pieces.aclose()


async def test_a_body_that_stands_still_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "CHUNK_SECONDS", 0.01)
    with pytest.raises(Timeout, match="stood still"):
        async for _ in file_part(request([part(b"x")], TYPE, ends=False)):
            pass


async def test_a_client_that_goes_away_is_told_of() -> None:
    asked = request([part(b"x")], TYPE)

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(BadRequest, match="closed before the upload was complete"):
        async for _ in file_part(Request(asked.scope, receive)):
            pass


@settings(max_examples=150, deadline=None)
@given(
    content=st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"--XX", b"--X", b"-", b"a", b"\0" * 50])).map(b"".join),
    places=st.lists(st.integers(0, 10_000), max_size=12),
)
@example(content=b"\r\n--X", places=[70, 71])
def test_what_goes_in_comes_out(content: bytes, places: list[int]) -> None:
    if b"\r\n--XX" in b"\r\n" + content:
        return  # a client chooses a boundary that is not in the file
    body = field(b"before") + part(content) + field(b"after") + END
    assert outcome(cut(body, places)) == content


PIECES = [
    b"--XX\r\n", b"\r\n--XX\r\n", b"\r\n--XX--", b"--XX", b"\r\n--XX", b"\r\n--XX-", b"\r\n--XX ", b"\r\n", b"\r",
    b"\n", b"--", b"-", b"Content-Disposition: ", b'form-data; name="file"; filename="a"', b'form-data; name="b"', b'"',
    b";", b":", b" ", b"X: y\r\n", b"a", b"\0", b"\xff", part(b"x"), part(b"x")[:-2], field(b"y"), END,
]  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(
    body=st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=16).map(b"".join),
    places=st.lists(st.integers(0, 10_000), max_size=8),
)
def test_any_bytes_are_a_file_or_a_refusal_wherever_they_are_cut(body: bytes, places: list[int]) -> None:
    whole = outcome([body])
    assert isinstance(whole, bytes) or whole in ("bad form", "file required")
    assert outcome(cut(body, places)) == whole
    assert outcome([body[i : i + 1] for i in range(len(body))]) == whole


@settings(max_examples=200, deadline=None)
@given(content_type=st.binary(max_size=60) | st.binary(max_size=30).map(lambda raw: b"multipart/form-data;" + raw))
def test_any_content_type_is_a_file_or_a_refusal(content_type: bytes) -> None:
    assert isinstance(outcome([part(b"x") + END], content_type), (bytes, str))


@settings(max_examples=200, deadline=None)
@given(head=st.text(st.sampled_from('form-data; name="file" filename=\\"\t*%\xff'), max_size=80))
def test_any_disposition_is_a_file_or_a_refusal(head: str) -> None:
    assert outcome([part(b"x", head.encode("latin-1")) + END]) in (b"x", "file required", "bad form")
