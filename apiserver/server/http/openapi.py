"""OpenAPI: an index of documents, the documents, and as much of version 2 as kubectl wants.

``GET /openapi/v3``              the documents' addresses, each with the digest of what is there
``GET /openapi/v3/apis/G/V``     one document, which may be kept for ever if it is asked for with its digest
``GET /openapi/v2``              an empty document: kubectl only wants to know that there is one
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version as package_version

import orjson
from starlette.requests import Request
from starlette.responses import Response

from apiserver.api.openapi.below import Below
from apiserver.api.openapi.document import document
from apiserver.api.scheme import Served
from apiserver.server.http import discovery
from apiserver.server.http.caching import ASK_AGAIN, FOREVER, is_known
from apiserver.server.http.requests import no_resource

JSON = "application/json"

PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""Not what kubectl accepts, which has an ``@``: Go's parser of media types takes none in an answer."""

_ASKED_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
_V2_PROTOBUF = bytes.fromhex("0a03322e30120a0a04506c756d1202763142004a00")
"""Swagger 2.0, titled Plum, version v1, with no path and no definition."""

_V2 = {"swagger": "2.0", "info": {"title": "Plum", "version": "v1"}, "paths": {}, "definitions": {}}


@dataclass(frozen=True)
class Rendered:
    """A document as bytes."""

    raw: bytes
    digest: str

    @classmethod
    def of(cls, body: object) -> "Rendered":
        """Write it down."""
        raw = orjson.dumps(body)
        return cls(raw, hashlib.sha256(raw).hexdigest())


class OpenApi:
    """The endpoints under ``/openapi``. Documents are made when the first of them is asked for."""

    async def index(self, request: Request) -> Response:
        """``GET /openapi/v3``."""
        return _reply(request, self._index, cache=ASK_AGAIN)

    async def document(self, request: Request) -> Response:
        """``GET /openapi/v3/…``. Raises NotFound."""
        found = self._documents.get(request.path_params["path"])
        if found is None:
            raise no_resource()
        is_named = request.query_params.get("hash") == found.digest
        return _reply(request, found, cache=FOREVER if is_named else ASK_AGAIN)

    async def v2(self, request: Request) -> Response:
        """``GET /openapi/v2``."""
        if _ASKED_PROTOBUF in request.headers.get("accept", ""):
            return Response(_V2_PROTOBUF, headers={"content-type": PROTOBUF, "vary": "accept"})
        return Response(orjson.dumps(_V2), media_type=JSON, headers={"vary": "accept"})

    @cached_property
    def _documents(self) -> dict[str, Rendered]:
        """By the path of the group and version, ``apis/plum.dev/v1`` or ``api/v1``."""
        release = package_version("plum")
        return {
            f"apis/{group}/{version}" if group else f"api/{version}": Rendered.of(
                document(group, version, kinds, below, release=release)
            )
            for (group, version), kinds in discovery.by_group().items()
        }

    @cached_property
    def _index(self) -> Rendered:
        paths = {
            path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={found.digest}"}
            for path, found in self._documents.items()
        }
        return Rendered.of({"paths": paths})


def below(kind: Served) -> list[Below]:
    """The subresources of a kind, as discovery tells of them."""
    return [Below(name, verbs, answer) for name, verbs, answer in discovery.below(kind)]


def _reply(request: Request, found: Rendered, *, cache: str) -> Response:
    """The bytes, or only that they are still those that the client has."""
    tag = f'"{found.digest}"'
    headers = {"etag": tag, "cache-control": cache}
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(found.raw, media_type=JSON, headers=headers)
