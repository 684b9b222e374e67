"""Which pages of other origins may use the API from a browser (the Fetch standard's CORS)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

METHODS = b"GET, POST, PUT, PATCH, DELETE, OPTIONS"
HEADERS = b"Content-Type, Authorization"
EXPOSED = b"Plum-Resource-Version, Warning, Retry-After"
ANY = "*"

_SHARED = frozenset({"api", "apis", "openapi", "artifacts", "version", "healthz", "livez", "readyz"})
"""First parts of the paths that the web UI uses: its development server is another origin."""

Headers = list[tuple[bytes, bytes]]


def first_part(path: str) -> str:
    """What stands between the first two slashes of a path."""
    return path[1:].partition("/")[0]


def is_legacy(path: str) -> bool:
    """Whether a path belongs to ``/v1``, whose every reply says who may read it."""
    return path.startswith("/v1/") or path == "/v1"


def is_api(path: str) -> bool:
    """Whether a page of an allowed origin may use the path at all."""
    return is_legacy(path) or first_part(path) in _SHARED


@dataclass(frozen=True)
class Cors:
    """The origins that may."""

    origins: Sequence[str] = ()
    """As browsers send them, ``http://localhost:5173``; ``*`` is any."""

    def allows(self, headers: Mapping[bytes, bytes]) -> bool:
        """Whether the request comes from a page that may; one without an origin comes from none."""
        origin = headers.get(b"origin", b"").decode("latin-1")
        return bool(origin) and (ANY in self.origins or origin in self.origins)

    def reply(self, path: str, headers: Mapping[bytes, bytes]) -> Headers:
        """What a reply says: on ``/v1`` always, elsewhere to those whom it concerns."""
        origin = headers.get(b"origin", b"")
        if not origin and not is_legacy(path):
            return []
        is_allowed = self.allows(headers) or is_own(headers)
        if not is_legacy(path) and not (is_api(path) and is_allowed):
            return []
        found: Headers = []
        if ANY in self.origins:
            found.append((b"access-control-allow-origin", b"*"))
        elif is_allowed and origin:
            found.append((b"access-control-allow-origin", origin))
        found += [
            (b"access-control-allow-methods", METHODS),
            (b"access-control-allow-headers", HEADERS),
            (b"access-control-expose-headers", EXPOSED),
            (b"vary", b"Origin"),
        ]
        return found

    def is_preflight(self, method: str, path: str, headers: Mapping[bytes, bytes]) -> bool:
        """Whether the request only asks what it may. It carries no credentials, so it is answered before they are
        asked for."""
        return method == "OPTIONS" and (is_legacy(path) or (is_api(path) and self.allows(headers)))


def is_own(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the page was served by this server."""
    origin = headers.get(b"origin", b"")
    return bool(origin) and origin.partition(b"://")[2] == headers.get(b"host", b"")
