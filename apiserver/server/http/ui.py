"""The web UI: one page, and the files that it loads. They are the same for everybody and hold no secret, so they are
open without a token; what they show they ask the API for, as whoever signs in.

A browser that goes to an address which is none of the API's gets the page, and the page shows what the address means:
``/``, ``/tasks/hello``. Programs, which do not ask for HTML, get what they always got.
"""

import gzip
from collections.abc import Collection, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from apiserver.server.http.caching import AS_IT_IS, ASK_AGAIN, FOREVER, is_known
from apiserver.server.http.compression import accepts_gzip
from apiserver.server.http.cors import first_part
from apiserver.server.http.ui_files import ASSETS, INDEX, BuiltFiles, media_type
from apiserver.server.http.ui_unbuilt import UNBUILT

RESOURCE = "ui"
"""What metrics call all of it: what a browser may ask for has no end."""

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # components and the editor set styles of their own
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
} | AS_IT_IS


class Ui:
    """An ASGI application for what ``takes`` says yes to."""

    def __init__(self, others: Collection[str], files: BuiltFiles) -> None:
        """``others``: the first parts of paths that are the API's."""
        self._others, self._files = frozenset(others), files

    def takes(self, scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
        """Whether a request is for the UI."""
        path: str = scope["path"]
        if scope["method"] not in ("GET", "HEAD") or first_part(path) in self._others:
            return False
        return path.startswith(ASSETS) or _wants_html(headers) or self._files.has(path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        scope["plum_resource"] = RESOURCE
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path: str = request.scope["path"]
        address = path if path.startswith(ASSETS) or self._files.has(path) else INDEX
        body = await self._files.body(address)
        if body is None:
            return _missing() if path.startswith(ASSETS) else _unbuilt()
        headers = HEADERS | {
            "etag": body.tag,
            "cache-control": FOREVER if address.startswith(ASSETS) else ASK_AGAIN,
            "vary": "Accept, Accept-Encoding",
        }
        if is_known(request, body.tag):
            return Response(status_code=304, headers=headers)
        raw = body.raw
        if body.is_gzip and accepts_gzip(request):
            headers["content-encoding"] = "gzip"
        elif body.is_gzip:
            raw = gzip.decompress(raw)
        return Response(raw, headers=headers | {"content-type": media_type(address)})


def _wants_html(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a browser is going to an address: programs do not name this type."""
    offers = headers.get(b"accept", b"").lower().split(b",")
    return any(offer.partition(b";")[0].strip() == b"text/html" for offer in offers)


def _missing() -> Response:
    headers = HEADERS | {"content-type": "text/plain; charset=utf-8", "cache-control": ASK_AGAIN}
    return Response("There is no such file of the web UI: load the page anew.\n", 404, headers)


def _unbuilt() -> Response:
    headers = HEADERS | {"content-type": "text/html; charset=utf-8", "cache-control": ASK_AGAIN, "vary": "Accept"}
    return Response(UNBUILT, 404, headers)
