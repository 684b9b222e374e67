"""Uploads as ``/v1`` names them: by the file ``<name>_<version>_<first 8 of the digest>.zip`` under ``/artifacts/``."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from apiserver.api.errors import BadRequest
from apiserver.api.kinds.app import APPS, artifact_file, artifact_url
from apiserver.api.kinds.namespace import DEFAULT
from apiserver.api.meta import Body
from apiserver.server.blobs import Blobs
from apiserver.server.store.snapshot import Filter, Slot
from apiserver.server.store.store import Store
from apiserver.server.v1.names import unix
from apiserver.server.v1.projections import Projection
from apiserver.server.v1.shapes import AppShown
from apiserver.server.v1.views import Born

FOLDER = "/artifacts/"
_DIGESTS = "/artifacts/sha256/"


@dataclass(frozen=True, slots=True)
class Upload:
    """An App."""

    born: Born
    file: str
    shown: AppShown


class Uploads:
    """All apps, by the names of their files."""

    def __init__(self, store: Store, blobs: Blobs) -> None:
        self._store, self._blobs = store, blobs
        self.upload = Projection(_read, store.cache.tables[APPS.resource])

    def all(self, namespace: str) -> list[Upload]:
        """Those of a namespace, newest first."""
        found = [self.upload(slot) for slot in self._store.cache.select(Filter(APPS, namespace))]
        return sorted(found, key=lambda one: one.born, reverse=True)

    def digest(self, file: str) -> str:
        """What is behind a file name; empty if no upload, in whatever namespace, has it."""
        found = (self.upload(slot) for slot in self._store.cache.select(Filter(APPS)))
        return next((one.shown["sha256"] for one in found if one.file == file), "")

    def locate(self, url: str, host: str) -> tuple[str, str]:
        """An artifact's address as a task holds it, and the digest behind it, empty where nobody knows.

        What is on this server, which clients call ``host``, becomes a path of it. Raises BadRequest.
        """
        try:
            parts = urlsplit(url) if "://" in url else None
        except ValueError as error:
            raise BadRequest(f"bad request: artifactUrl: {url[:80]!r}: {error}") from None
        if parts is not None and parts.scheme in ("http", "https") and parts.netloc == host:
            url = parts.path
        elif parts is not None and parts.scheme:
            return url, ""
        path = url if url.startswith("/") else f"/{url}"
        if path.startswith(_DIGESTS):
            digest = path.removeprefix(_DIGESTS)
            return path, digest if self._blobs.has(digest) else ""
        return path, self.digest(unquote(path.removeprefix(FOLDER))) if path.startswith(FOLDER) else ""

    def shown(self, entry: Body) -> str:
        """The address that a task's entry is shown with: for an app by name and version its newest upload's."""
        if url := entry.get("artifactUrl"):
            return str(url)
        wanted = (entry["app"]["name"], entry["app"]["version"])
        fitting = (one for one in self.all(DEFAULT) if (one.shown["name"], one.shown["version"]) == wanted)
        return next((one.shown["url"] for one in fitting), "")


def _read(slot: Slot) -> Upload:
    body = slot.parse()
    metadata, spec = body["metadata"], body["spec"]
    name, version, sha256 = spec["name"], spec["version"], spec["sha256"]
    shown: AppShown = {
        "artifactId": slot.key.name,
        "name": name,
        "version": version,
        "url": artifact_url(name, version, sha256),
        "sha256": sha256,
        "sizeBytes": spec["sizeBytes"],
        "createdAt": unix(metadata["creationTimestamp"]),
    }
    return Upload((metadata["creationTimestamp"], metadata["uid"]), artifact_file(name, version, sha256), shown)
