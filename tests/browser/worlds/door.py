"""How worlds are written: the API of one server, blocking, with errors that show the server's words."""

import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from apiserver.api.kinds.app import app_object_name, artifact_path

Json = dict[str, Any]

PLUM = "/apis/plum.dev/v1"
NAMESPACED = f"{PLUM}/namespaces/default"
EVENTS = "/api/v1/namespaces/default/events"
MERGE = {"content-type": "application/merge-patch+json"}


def path_of(plural: str, name: str = "") -> str:
    """Where objects of a kind are, in the namespace ``default``."""
    base = {"nodes": f"{PLUM}/nodes", "events": EVENTS}.get(plural, f"{NAMESPACED}/{plural}")
    return f"{base}/{quote(name)}" if name else base


@dataclass
class Door:
    """The API of one server."""

    http: httpx.Client

    def __enter__(self) -> "Door":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def create(self, plural: str, body: Json) -> Json:
        """The object as it is stored."""
        return self._sent(self.http.post(path_of(plural), json=body))

    def merge(self, plural: str, name: str, patch: Json, *, subresource: str = "") -> Json:
        """The object after a merge patch."""
        path = path_of(plural, name) + (f"/{subresource}" if subresource else "")
        return self._sent(self.http.patch(path, json=patch, headers=MERGE))

    def delete(self, plural: str, name: str) -> None:
        """Gone, or being deleted. What is not there is gone."""
        answer = self.http.delete(path_of(plural, name))
        if answer.status_code != 404:
            self._sent(answer)

    def items(self, plural: str, **query: str) -> list[Json]:
        """All objects of a kind, or those that the query selects."""
        found: list[Json] = self._sent(self.http.get(path_of(plural), params=query))["items"]
        return found

    def get(self, plural: str, name: str) -> Json | None:
        """One object, if it is there."""
        answer = self.http.get(path_of(plural, name))
        return None if answer.status_code == 404 else self._sent(answer)

    def push(self, name: str, version: str, archive: bytes) -> str:
        """Upload an app; its digest. Pushing the same again changes nothing."""
        digest = hashlib.sha256(archive).hexdigest()
        self.http.put(artifact_path(digest), content=archive).raise_for_status()
        body = app_body(name, version, digest, len(archive))
        if self.get("apps", body["metadata"]["name"]) is None:
            self.create("apps", body)
        return digest

    @staticmethod
    def _sent(answer: httpx.Response) -> Json:
        assert answer.is_success, (answer.request.method, answer.request.url, answer.status_code, answer.text)
        found: Json = answer.json()
        return found


def open_door(url: str) -> Door:
    """The server's API; close it, or use it as a context."""
    return Door(httpx.Client(base_url=url, trust_env=False, timeout=60, headers={"user-agent": "plumctl/0.1.0"}))


def app_body(name: str, version: str, digest: str, size: int, services: tuple[Json, ...] = ()) -> Json:
    """An App about a blob that is there."""
    return {
        "apiVersion": "plum.dev/v1",
        "kind": "App",
        "metadata": {"name": app_object_name(name, version, digest)},
        "spec": {"name": name, "version": version, "sha256": digest, "sizeBytes": size, "services": list(services)},
    }


def node_body(name: str, labels: Json | None = None, *, unschedulable: bool = False) -> Json:
    """A Node."""
    spec = {"unschedulable": True} if unschedulable else {}
    return {
        "apiVersion": "plum.dev/v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": spec,
    }


def task_body(name: str, *entries: Json, state: str = "Running", labels: Json | None = None, **spec: Any) -> Json:
    """A Task."""
    return {
        "apiVersion": "plum.dev/v1",
        "kind": "Task",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"state": state, "entries": list(entries), **spec},
    }
