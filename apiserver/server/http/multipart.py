"""One file out of a multipart form, handed on as it arrives: nothing of it is kept in memory or spooled.

What else is in the form is skipped, within bounds. The form must be complete before the file counts as read: a body
that breaks off is an error, however much of the file was there.
"""

import logging
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from apiserver.api.errors import BadRequest
from apiserver.server.http.artifacts import body_chunks

MAX_PARTS = 100
MAX_HEADS = 64 * 1024
"""Bytes of the heads of all parts."""

MAX_SKIPPED = 1 << 20
"""Bytes of all that is not the file: other fields, and line ends before the form."""

FORM = b"multipart/form-data"
_BOUNDARY = re.compile(rb"[\x20-\x7e]{1,200}")

# It tells the log of every bad form what its sender is told anyway.
logging.getLogger("python_multipart").setLevel(logging.ERROR)


async def file_part(request: Request, field: str = "file") -> AsyncGenerator[bytes, None]:
    """The bytes of the first file of that field, in pieces of any size but none empty.

    A field counts as a file when it has a file name. Raises BadRequest (``bad form: …`` for what is no multipart
    form, is malformed, too long beside the file or breaks off; ``file required: …`` for one without such a file),
    Timeout when the body stands still.
    """
    form = _Form(_boundary(request), field)
    async with aclosing(body_chunks(request)) as chunks:
        async for chunk in chunks:
            for piece in form.feed(chunk):
                yield piece
            if form.is_complete:
                break  # what follows a form means nothing
    if not form.is_complete:
        raise _bad("the body ends before the form does; send it again")
    if not form.is_found:
        raise BadRequest(f"file required: the form has no file in the field {field!r}; send the zip as that field")


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != FORM:
        shown = kind[:80].decode("latin-1") or "of no type"
        raise _bad(f"the body is {shown}; send {FORM.decode()} with the zip as the field 'file'")
    boundary = options.get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        raise _bad("the content type names no boundary that can be used; leave the header to your HTTP client")
    return boundary


def _bad(why: str) -> BadRequest:
    return BadRequest(f"bad form: {why}")


class _Form:
    """A form as it arrives. What it says does not depend on where the body is cut into chunks."""

    def __init__(self, boundary: bytes, field: str) -> None:
        self.is_complete = self.is_found = False
        self._field = field.encode()
        self._is_begun = self._is_inside = False
        self._parts = self._heads = self._skipped = 0
        self._name, self._value, self._disposition = b"", b"", b""
        self._pieces: list[bytes] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )

    def feed(self, chunk: bytes) -> Sequence[bytes]:
        """Go on with the next bytes of the body; the pieces of the file in them. Raises BadRequest."""
        if not self._is_begun:
            chunk = self._begin(chunk)
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _bad(f"{error}; send it as an HTTP client makes it") from None
        pieces, self._pieces = self._pieces, []
        return pieces

    def _begin(self, chunk: bytes) -> bytes:
        """The chunk from the first boundary on. Some clients send line ends before it; behind these the parser
        would skip any number of other bytes as well."""
        rest = chunk.lstrip(b"\r\n")
        self._skip(len(chunk) - len(rest))
        if rest:
            self._is_begun = True
            if not rest.startswith(b"-"):
                raise _bad("the body does not begin with the boundary that its content type names")
        return rest

    def _skip(self, count: int) -> None:
        self._skipped += count
        if self._skipped > MAX_SKIPPED:
            raise _bad(f"more than {MAX_SKIPPED} bytes beside the file; send the file alone")

    def _head(self, data: bytes) -> bytes:
        self._heads += len(data)
        if self._heads > MAX_HEADS:
            raise _bad(f"the heads of its parts are over {MAX_HEADS} bytes; send the file alone")
        return data

    def _on_part_begin(self) -> None:
        self._disposition = b""
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise _bad(f"more than {MAX_PARTS} parts; send the file alone")

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += self._head(data[start:end])

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += self._head(data[start:end])

    def _on_header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name, self._value = b"", b""

    def _on_headers_finished(self) -> None:
        kind, options = parse_options_header(self._disposition)
        is_file = kind == b"form-data" and options.get(b"name") == self._field and bool(options.get(b"filename"))
        self._is_inside = is_file and not self.is_found
        self.is_found = self.is_found or is_file

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_inside:
            self._pieces.append(data[start:end])
        else:
            self._skip(end - start)

    def _on_part_end(self) -> None:
        self._is_inside = False

    def _on_end(self) -> None:
        self.is_complete = True
