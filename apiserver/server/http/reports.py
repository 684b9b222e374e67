"""Reading what agents report: one JSON document, ``Content-Encoding: gzip`` if they like."""

import asyncio
import zlib
from typing import TypeVar

from pydantic import ValidationError
from starlette.requests import Request

from apiserver.api.errors import BadRequest, Details, Invalid, Timeout, TooLarge
from apiserver.api.kinds.node import NODES
from apiserver.api.machinery.decode import causes_of
from apiserver.api.machinery.documents import MAX_BYTES
from apiserver.api.meta import Model
from apiserver.server.http.requests import read_body, unsupported

ModelT = TypeVar("ModelT", bound=Model)
BODY_SECONDS = 20.0


async def read_report(request: Request, model: type[ModelT], *, node: str, kind: str) -> ModelT:
    """A node's report of some kind. Raises BadRequest, Invalid, TooLarge, UnsupportedMediaType, Timeout."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            raw = _plain(await read_body(request), request.headers.get("content-encoding", ""))
    except TimeoutError:
        raise Timeout(f"the report did not arrive within {BODY_SECONDS:.0f} s") from None
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        causes = causes_of(error)[:20]
        text = ", ".join(f"{cause.field or 'the body'}: {cause.message}" for cause in causes)
        details = Details(name=node, kind=kind, group=NODES.group, causes=causes)
        raise Invalid(f'{kind} of node "{node}" is invalid: {text}', details=details) from None


def _plain(raw: bytes, encoding: str) -> bytes:
    """The body unpacked, within the limit of size. Raises BadRequest, TooLarge, UnsupportedMediaType."""
    if encoding.lower() in ("", "identity"):
        return raw
    if encoding.lower() != "gzip":
        raise unsupported(f"content-encoding {encoding[:40]}", ("gzip", "identity"))
    unpacking = zlib.decompressobj(wbits=31)
    try:
        plain = unpacking.decompress(raw, MAX_BYTES)
    except zlib.error as error:
        raise BadRequest(f"the body is not gzip, as its content-encoding says: {error}") from None
    if unpacking.unconsumed_tail:
        raise TooLarge(f"the report is over the limit of {MAX_BYTES} bytes")
    if not unpacking.eof:
        raise BadRequest("the body ends in the middle of its gzip stream")
    return plain
