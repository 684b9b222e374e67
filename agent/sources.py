"""Addresses of archives, opened: the API server's own with its token, all others without any.

The API server's token goes to the API server alone.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx

from agent.artifact_failures import Denied, Missing, Unavailable
from apiserver.client.trust import trust

READ_SECONDS = 30.0
"""How long a server may be silent, at the beginning and between two pieces."""

MAX_REDIRECTS = 5
_BUSY = (408, 425, 429)
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


@dataclass(frozen=True)
class Rest:
    """The bytes from ``offset`` on, of the very content that ``validator`` names and that has ``size`` bytes."""

    offset: int
    validator: str
    size: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What asks for it: if the content is another by now, the whole of that is answered."""
        return {"range": f"bytes={self.offset}-", "if-range": self.validator}


@asynccontextmanager
async def opened(server: httpx.AsyncClient, url: str, rest: Rest | None = None) -> AsyncIterator[httpx.Response]:
    """A streamed answer: 200 with the whole, and where a rest is asked for 206 with it or 416.

    Raises Missing, Denied, Unavailable; httpx.HTTPError, httpx.InvalidURL or ValueError for what cannot be asked.
    """
    headers = rest.headers if rest else {}
    if _is_own(url, server.base_url):
        async with server.stream("GET", url, headers=headers, timeout=READ_SECONDS) as response:
            yield _checked(response, url, rest)
        return
    headers |= {"accept-encoding": "identity"}
    async with httpx.AsyncClient(headers=headers, timeout=READ_SECONDS, trust_env=False, verify=trust(url)) as outside:
        place = url
        for _ in range(MAX_REDIRECTS + 1):
            async with outside.stream("GET", place) as response:
                if response.next_request is None:
                    yield _checked(response, url, rest)
                    return
                place = _redirected(place, response.headers["location"])
    raise Unavailable(f"{url}: more than {MAX_REDIRECTS} redirects")


def validator(response: httpx.Response) -> str:
    """What names the content of an answer for a later ``If-Range``; empty where nothing does."""
    if response.headers.get("content-encoding", "identity") != "identity":
        return ""  # ranges would count other bytes than ours
    tag: str = response.headers.get("etag", "")
    return tag if tag.startswith('"') else str(response.headers.get("last-modified", ""))


def size_of(response: httpx.Response, offset: int = 0) -> int | None:
    """Bytes of the whole content, of which the answer begins at ``offset``; None where it is not said."""
    length = response.headers.get("content-length", "")
    encoded = response.headers.get("content-encoding", "identity") != "identity"
    return offset + int(length) if length.isdigit() and not encoded else None


def begins_at(response: httpx.Response) -> int | None:
    """The offset at which a partial answer begins; None where it does not say so."""
    found = _RANGE.fullmatch(response.headers.get("content-range", "").strip())
    return int(found[1]) if found else None


def _checked(response: httpx.Response, url: str, rest: Rest | None) -> httpx.Response:
    """Raises Missing, Denied or Unavailable for an answer without the bytes."""
    code = response.status_code
    if code == httpx.codes.OK or (rest and code in (206, 416)):
        return response
    answer = f"{url}: the server answered {code} {response.reason_phrase}".rstrip()
    if code in (404, 410):
        raise Missing(f"{answer}; push the app, or correct the address")
    if 400 <= code < 500 and code not in _BUSY:
        raise Denied(f"{answer}; the agent's token (--token-file) goes to the API server alone, others need none")
    raise Unavailable(answer)


def _is_own(url: str, server: httpx.URL) -> bool:
    """Whether the URL is on our server. Raises Unavailable for what is no URL we fetch."""
    if url.startswith("/") and not url.startswith("//"):
        return True
    parts = _parts(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unavailable(f"{url}: is neither a path of the server nor an http(s) URL")
    there = httpx.URL(url)
    return (there.scheme, there.host, there.port) == (server.scheme, server.host, server.port)


def _parts(url: str) -> SplitResult:
    """The parts of a URL whose port can be one: sockets fail otherwise, and in no way that HTTP clients foresee. Raises
    ValueError."""
    parts = urlsplit(url)
    _ = parts.port
    return parts


def _redirected(url: str, location: str) -> str:
    target = urljoin(url, location)
    if _parts(target).scheme != urlsplit(url).scheme:
        raise Unavailable(f"{url}: redirects to another scheme: {target}")
    return target
