"""Blobs over HTTP: ``PUT`` streams to disk, ``GET`` and ``HEAD`` serve with Range and the digest as ETag."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response

from apiserver.api.errors import BadRequest, NotFound, Timeout, TooLarge
from apiserver.server.blobs import Blobs
from apiserver.server.http.caching import AS_IT_IS, FOREVER

CHUNK_SECONDS = 60.0
"""How long an upload may stand still."""


@dataclass(frozen=True)
class Artifacts:
    """The endpoint of ``/artifacts/sha256/<hex>``."""

    blobs: Blobs

    async def put(self, request: Request) -> Response:
        """Take a blob in: 201, or 200 if it was here. Raises BadRequest, TooLarge, Timeout."""
        digest = request.path_params["digest"]
        check_size(request, self.blobs)
        created = await self.blobs.write(digest, body_chunks(request))
        return JSONResponse({"sha256": digest}, status_code=201 if created else 200)

    async def get(self, request: Request) -> Response:
        """Serve a blob. Raises NotFound."""
        return serve_blob(self.blobs, request.path_params["digest"])


def check_size(request: Request, blobs: Blobs, *, around: int = 0) -> None:
    """Raises TooLarge for an upload that says itself that it is; ``around`` bytes are not the artifact's."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > blobs.max_bytes + around:
        raise TooLarge(f"the artifact is over the limit of {blobs.max_bytes} bytes (--max-artifact-bytes)")


def serve_blob(blobs: Blobs, digest: str) -> Response:
    """A blob as a reply: whole or in ranges, with its digest as the entity tag. Raises NotFound."""
    path = blobs.path(digest)
    if path is None:
        raise NotFound(f'artifact "{digest[:80]}" not found')
    headers = {"etag": f'"{digest}"', "cache-control": FOREVER} | AS_IT_IS
    return FileResponse(path, media_type="application/zip", headers=headers)


async def body_chunks(request: Request) -> AsyncGenerator[bytes, None]:
    """The body as it arrives, without empty pieces. Raises Timeout when it stands still for ``CHUNK_SECONDS``,
    BadRequest when the client goes away."""
    stream = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout(CHUNK_SECONDS):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise Timeout(f"the upload stood still for {CHUNK_SECONDS:.0f} s") from None
        except ClientDisconnect:
            raise BadRequest("the connection was closed before the upload was complete") from None
        if chunk is None:
            return
        if chunk:
            yield chunk
