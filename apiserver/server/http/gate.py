"""What every request passes before it is routed: path, authentication, metrics, and faults after it."""

import ipaddress
import logging
import re
import time
from collections.abc import Callable, Mapping
from functools import lru_cache

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apiserver.api.errors import ApiError, Forbidden, InternalError, Invalid, MethodNotAllowed
from apiserver.server.http.auth import NOBODY, Authenticator, Expired, User
from apiserver.server.http.cors import Cors, Headers, is_legacy
from apiserver.server.http.metrics import Metrics
from apiserver.server.http.ui import Ui

log = logging.getLogger(__name__)


class Gate:
    """The outermost ASGI application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        ui: Ui,
        metrics: Metrics,
        authenticator: Authenticator | None,
        is_local: bool,
        cors: Cors,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``authenticator`` None lets everybody in; ``is_local``: the server listens on loopback only."""
        self._app, self._metrics, self._authenticator, self._monotonic = app, metrics, authenticator, monotonic
        self._ui, self._is_local, self._cors = ui, is_local, cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if len(path) > 1 and path.endswith("/"):  # the Python Kubernetes client asks so
            scope = dict(scope, path=path.rstrip("/") or "/")
        scope.setdefault("plum_verb", scope["method"].lower())
        headers = dict(scope["headers"])
        watched = _Watched(send, self._cors.reply(path, headers))
        began = self._monotonic()
        serving = self._metrics.begin(scope["method"])
        try:
            if self._cors.is_preflight(scope["method"], path, headers):
                await Response(status_code=204)(scope, receive, watched)
            else:
                await self._pass(scope, headers, receive, watched)
        finally:
            serving.dec()
            self._count(scope, watched, self._monotonic() - began)

    async def _pass(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, send: "_Watched") -> None:
        refusal = text_refusal if is_legacy(scope["path"]) else error_response
        try:
            if self._ui.takes(scope, headers):
                self._check_visit(headers)
                await self._ui(scope, receive, send)
                return
            user = self._user(scope, headers)
            check_impersonation(scope["path"], headers, user)
            scope["user_name"], scope["user_groups"], scope["user_uid"] = user.name, user.groups, user.uid
            await self._app(scope, receive, send)
        except ApiError as error:
            await refusal(error)(scope, receive, send)
        except Exception as error:
            log.exception("%s %s failed for a fault of ours", scope["method"], scope["path"])
            if send.status:
                raise
            await refusal(InternalError(f"Internal error occurred: {error}"))(scope, receive, send)

    def _check_visit(self, headers: Mapping[bytes, bytes]) -> None:
        """Refuse whom the files of the UI are not for, as for the API, but for who follows a link to it from elsewhere.
        Raises Forbidden."""
        if self._authenticator is None:
            check_host(headers, is_local=self._is_local)
        if not is_visit(headers):
            check_origin(headers, is_allowed=self._cors.allows(headers))

    def _user(self, scope: Scope, headers: Mapping[bytes, bytes]) -> User:
        if self._authenticator is None:
            check_browser(headers, is_local=self._is_local, is_allowed=self._cors.allows(headers))
            return NOBODY
        peer = scope.get("plum_peer")
        if peer is not None:
            check_origin(headers, is_allowed=self._cors.allows(headers))
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        return self._authenticator.user(scope["path"], authorization, peer)

    def _count(self, scope: Scope, watched: "_Watched", seconds: float) -> None:
        self._metrics.end(
            scope["plum_verb"], scope.get("plum_resource", ""), watched.status or 499, seconds, watched.size
        )


_DISCOVERY = re.compile("/version|/api(/[^/]+)?|/apis(/[^/]+){0,2}|/openapi/.*")


def check_impersonation(path: str, headers: Mapping[bytes, bytes], user: User) -> None:
    """Refuse what is asked in another's name (``kubectl --as``): done in one's own it would not be what was meant.
    What there is may be asked, for kubectl shows no other refusal of that than "unknown". Raises Forbidden."""
    if any(name.startswith(b"impersonate-") for name in headers) and not _DISCOVERY.fullmatch(path):
        other = headers.get(b"impersonate-user", b"")[:100].decode("latin-1")
        raise Forbidden(
            f'users "{other}" is forbidden: User "{user.name}" cannot impersonate resource "users" in API group "" '
            "at the cluster scope: nobody can be impersonated here; leave out --as, --as-group and --as-uid"
        )


def check_browser(headers: Mapping[bytes, bytes], *, is_local: bool, is_allowed: bool = False) -> None:
    """Refuse what a foreign web page makes a browser send, unless its origin ``is_allowed``. Raises Forbidden.

    Without tokens whoever reaches the server may run programs, and every page in a browser on this machine
    reaches loopback: by cross-site requests, which name their origin, and by names that it lets point here
    (DNS rebinding), which the host header gives away.
    """
    check_host(headers, is_local=is_local)
    check_origin(headers, is_allowed=is_allowed)


def check_host(headers: Mapping[bytes, bytes], *, is_local: bool) -> None:
    """Refuse a name that is not this machine's, where only this machine can reach the server. Raises Forbidden."""
    host = headers.get(b"host", b"")
    if is_local and host and not _is_loopback_name(host):
        shown = host[:100].decode("latin-1")
        raise Forbidden(f"the host {shown!r} is not this server's: use 127.0.0.1 or localhost, or --token-file")


def check_origin(headers: Mapping[bytes, bytes], *, is_allowed: bool) -> None:
    """Refuse what a web page of another origin makes a browser send, unless that origin ``is_allowed``: a browser sends
    it with whatever certificate it has, whoever wrote the page. Raises Forbidden."""
    if is_allowed:
        return
    host = headers.get(b"host", b"")
    origin = headers.get(b"origin")
    cross_site = headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin")
    if cross_site or (origin is not None and origin.partition(b"://")[2] != host):
        raise Forbidden("requests from other web pages are refused, but for those of --cors-origin, without a token")


def is_visit(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a browser shows the answer to a person, in a window of its own, where no other page can read it."""
    return headers.get(b"sec-fetch-mode") == b"navigate" and headers.get(b"sec-fetch-dest") == b"document"


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

    def __init__(self, send: Send, headers: Headers) -> None:
        """``headers`` are added to the reply's."""
        self._send, self._headers = send, headers
        self.status = 0
        self.size = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._headers:
                message = dict(message, headers=[*message.get("headers", ()), *self._headers])
        else:
            self.size += len(message.get("body", b""))
        await self._send(message)


def error_response(error: ApiError) -> Response:
    """The Status reply of an error; here errors become HTTP."""
    return JSONResponse(error.to_status(), status_code=error.code, headers=_headers(error))


def text_refusal(error: ApiError) -> Response:
    """The same for ``/v1``: one line of text."""
    line = " ".join(error.message.split())
    is_invalid = isinstance(error, Invalid)
    if is_invalid:
        line = f"bad request: {line}"
    headers = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
    code = 400 if is_invalid else error.code
    return Response(f"{line}\n".encode("utf-8", "replace"), status_code=code, headers=_headers(error) | headers)


def _headers(error: ApiError) -> dict[str, str]:
    headers = {}
    if error.details.retry_after_seconds or error.code in (429, 503):
        headers["retry-after"] = str(error.details.retry_after_seconds or 1)
    if error.code in (413, 504) or isinstance(error, Expired):
        headers["connection"] = "close"  # what the client has not sent yet is not waited for
    if isinstance(error, MethodNotAllowed) and error.allowed:
        headers["allow"] = ", ".join(error.allowed)
    if error.code == 401:
        headers["www-authenticate"] = "Bearer"
    return headers
