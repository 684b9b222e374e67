"""What every request passes before it is routed: path, authentication, metrics, and faults after it."""

import ipaddress
import logging
import time
from collections.abc import Callable, Mapping
from functools import lru_cache

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apiserver.api.errors import ApiError, Forbidden, InternalError
from apiserver.server.http.auth import ANONYMOUS, Tokens
from apiserver.server.http.metrics import Metrics

log = logging.getLogger(__name__)


class Gate:
    """The outermost ASGI application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        tokens: Tokens | None,
        is_local: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``is_local``: the server listens on loopback only."""
        self._app, self._metrics, self._tokens, self._monotonic = app, metrics, tokens, monotonic
        self._is_local = is_local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if len(path) > 1 and path.endswith("/"):  # the Python Kubernetes client asks so
            scope = dict(scope, path=path.rstrip("/") or "/")
        scope.setdefault("plum_verb", scope["method"].lower())
        watched = _Watched(send)
        began = self._monotonic()
        serving = self._metrics.begin(scope["method"])
        try:
            await self._pass(scope, receive, watched)
        finally:
            serving.dec()
            self._count(scope, watched, self._monotonic() - began)

    async def _pass(self, scope: Scope, receive: Receive, send: "_Watched") -> None:
        try:
            scope["user_name"] = self._user(scope)
            await self._app(scope, receive, send)
        except ApiError as error:
            await error_response(error)(scope, receive, send)
        except Exception as error:
            log.exception("%s %s failed for a fault of ours", scope["method"], scope["path"])
            if send.status:
                raise
            await error_response(InternalError(f"Internal error occurred: {error}"))(scope, receive, send)

    def _user(self, scope: Scope) -> str:
        headers = dict(scope["headers"])
        if self._tokens is None:
            check_browser(headers, is_local=self._is_local)
            return ANONYMOUS
        return self._tokens.user(scope["path"], headers.get(b"authorization", b"").decode("latin-1"))

    def _count(self, scope: Scope, watched: "_Watched", seconds: float) -> None:
        target = scope.get("plum_target")
        resource = target.kind.resource if target else ""
        self._metrics.end(scope["plum_verb"], resource, watched.status or 499, seconds, watched.size)


def check_browser(headers: Mapping[bytes, bytes], *, is_local: bool) -> None:
    """Refuse what a foreign web page makes a browser send. Raises Forbidden.

    Without tokens whoever reaches the server may run programs, and every page in a browser on this machine
    reaches loopback: by cross-site requests, which name their origin, and by names that it lets point here
    (DNS rebinding), which the host header gives away.
    """
    host = headers.get(b"host", b"")
    if is_local and host and not _is_loopback_name(host):
        shown = host[:100].decode("latin-1")
        raise Forbidden(f"the host {shown!r} is not this server's: use 127.0.0.1 or localhost, or --token-file")
    origin = headers.get(b"origin")
    cross_site = headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin")
    if cross_site or (origin is not None and origin.partition(b"://")[2] != host):
        raise Forbidden("requests from other web pages are refused while the server demands no tokens")


@lru_cache(maxsize=256)
def _is_loopback_name(raw: bytes) -> bool:
    host = raw.decode("latin-1")
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    try:
        return name.lower() == "localhost" or ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


class _Watched:
    """Notes the status on its way out, and how many bytes there were."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.size = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.size += len(message.get("body", b""))
        await self._send(message)


def error_response(error: ApiError) -> JSONResponse:
    """The Status reply of an error; the one place where errors become HTTP."""
    headers = {}
    if error.details.retry_after_seconds or error.code in (429, 503):
        headers["retry-after"] = str(error.details.retry_after_seconds or 1)
    if error.code in (413, 504):
        headers["connection"] = "close"  # what the client has not sent yet is not waited for
    if error.code == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(error.to_status(), status_code=error.code, headers=headers)
