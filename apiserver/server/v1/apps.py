"""Apps over ``/v1``: uploads by form, and the files under ``/artifacts/``."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from apiserver.api.errors import NotFound
from apiserver.api.kinds.app import APPS, AppSpec, app_object_name
from apiserver.api.kinds.namespace import DEFAULT, NAMESPACES
from apiserver.api.machinery import writes
from apiserver.api.package import Meta
from apiserver.server.blobs import Incoming
from apiserver.server.http.artifacts import check_size, serve_blob
from apiserver.server.http.multipart import file_part
from apiserver.server.transaction import Transaction, not_found
from apiserver.server.uploads import judge
from apiserver.server.v1.calls import Call, json_reply, no_content
from apiserver.server.v1.names import MANAGER
from apiserver.server.v1.parts import Parts
from apiserver.server.v1.uploads import Uploads

FORM_BYTES = 1 << 20
"""What a form may have around its file."""


class Apps:
    """The handlers of ``/v1/apps``."""

    def __init__(self, parts: Parts, uploads: Uploads) -> None:
        self._registry, self._blobs, self._unused, self._uploads = parts.registry, parts.blobs, parts.unused, uploads

    async def upload(self, call: Call) -> Response:
        """Take an archive in; equal ones are one app. Raises BadRequest, TooLarge, Timeout; NotFound, Forbidden for the
        namespace."""
        namespace = call.query.get("namespace") or DEFAULT
        if self._registry.store.get(NAMESPACES, "", namespace) is None:  # before all of an archive has come
            raise NotFound(f"namespace {namespace[:120]!r} not found; create it first")
        check_size(call.request, self._blobs, around=FORM_BYTES)
        async with self._blobs.take(file_part(call.request)) as incoming:
            meta = await asyncio.to_thread(judge, incoming.path)
            await incoming.keep()
            name = app_object_name(meta.name, meta.version, incoming.sha256)
            await self._registry.transact(lambda txn: _store(txn, namespace, name, meta, incoming), call.actor)
        slot = self._registry.store.get(APPS, namespace, name)
        if slot is None:
            raise not_found(APPS, name)
        return json_reply(self._uploads.upload(slot).shown)

    async def list(self, call: Call) -> Response:
        """All uploads, newest first."""
        return json_reply([one.shown for one in self._uploads.all(DEFAULT)])

    async def delete(self, call: Call) -> Response:
        """Delete an upload, and its file if no other has its digest. Raises NotFound, Conflict while it is in use."""

        def work(txn: Transaction) -> str:
            app = txn.require(APPS, DEFAULT, call.id)
            txn.delete(APPS, app)
            return str(app["spec"]["sha256"])

        await self._unused.remove(await self._registry.transact(work, call.actor))
        return no_content()

    async def file(self, request: Request) -> Response:
        """``/artifacts/<file>``. Raises NotFound."""
        name = request.path_params["file"]
        digest = self._uploads.digest(name)
        if not digest:
            raise NotFound(f"artifact {name[:120]!r} not found: no upload has that file; see GET /v1/apps")
        return serve_blob(self._blobs, digest)


def _store(txn: Transaction, namespace: str, name: str, meta: Meta, incoming: Incoming) -> None:
    """The App of an archive, unless there is one."""
    if txn.exists(APPS, namespace, name):
        return
    spec = AppSpec(
        name=meta.name,
        version=meta.version,
        sha256=incoming.sha256,
        size_bytes=incoming.size,
        services=meta.services,
    )
    metadata = {"name": name, "namespace": namespace}
    body = {"metadata": metadata, "spec": spec.model_dump(mode="json", by_alias=True)}
    txn.create(APPS, writes.create(APPS, body, txn.context(MANAGER)))
