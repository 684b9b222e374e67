"""A namespace of a running cluster, and kubectl in it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import yaml

from apiserver.api.scheme import SCHEME
from tests.e2e.cluster import Cluster, wait_for
from tests.kubectl.program import Json, Kubectl

SLEEP = "echo begin; exec sleep 1000"


@dataclass(frozen=True)
class Stage:
    """A cluster, how kubectl reaches it, and an archive that is there to be run."""

    cluster: Cluster
    kubectl: Kubectl
    http: httpx.Client
    """For what is not under test: a tenth of the time."""
    user: str
    """Who kubectl is to the cluster."""
    digest: str

    def room(self, namespace: str) -> "Room":
        """A new namespace."""
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        self.http.post("/api/v1/namespaces", json=body).raise_for_status()
        inside = replace(self.kubectl, options=(*self.kubectl.options, "--namespace", namespace))
        return Room(self, inside, namespace)


@dataclass(frozen=True)
class Room:
    """One test's namespace."""

    stage: Stage
    kubectl: Kubectl
    namespace: str

    def task(self, name: str, *, replicas: int = 0, labels: Json | None = None, **entry: Any) -> Json:
        """A manifest; by default of a task without copies."""
        about = {"name": "main", "artifactUrl": f"/artifacts/sha256/{self.stage.digest}", "startCmd": SLEEP}
        return {
            "apiVersion": "plum.dev/v1",
            "kind": "Task",
            "metadata": {"name": name, "labels": labels or {}},
            "spec": {"entries": [about | {"replicas": replicas} | entry]},
        }

    def create(self, name: str, **more: Any) -> Json:
        """A task; the manifest it was created from."""
        manifest = self.task(name, **more)
        self.stage.http.post(self.path("tasks"), json=manifest).raise_for_status()
        return manifest

    def still(self, name: str, node: str) -> Json:
        """An assignment that no agent looks after, and that seems to run."""
        template = {"artifactUrl": "/artifacts/x", "sha256": self.stage.digest}
        spec = {"taskName": "busy", "entry": "main", "nodeName": node, "template": template, "templateHash": "h"}
        body = {"metadata": {"name": name, "labels": {"plum.dev/task": "busy"}}, "spec": spec}
        self.stage.http.post(self.path("assignments"), json=body).raise_for_status()
        status, merge = {"status": {"phase": "Running"}}, {"content-type": "application/merge-patch+json"}
        path = f"{self.path('assignments', name)}/status"
        made: Json = self.stage.http.patch(path, json=status, headers=merge).raise_for_status().json()
        return made

    def path(self, plural: str, name: str = "") -> str:
        """The path of a collection, or of an object in it."""
        return SCHEME.named(plural).path(self.namespace, name)

    def get(self, plural: str, name: str) -> Json:
        """An object."""
        found: Json = self.stage.http.get(self.path(plural, name)).raise_for_status().json()
        return found

    def entry(self, task: str) -> Json:
        """The first entry of a task."""
        found: Json = self.get("tasks", task)["spec"]["entries"][0]
        return found

    def copies(self, task: str) -> list[Json]:
        """A task's assignments."""
        query = {"labelSelector": f"plum.dev/task={task}"}
        answer = self.stage.http.get(self.path("assignments"), params=query)
        found: list[Json] = answer.raise_for_status().json()["items"]
        return found

    def running(self, task: str, count: int) -> list[Json]:
        """Wait until exactly so many copies of a task there are, and all run."""

        def look() -> list[Json] | None:
            found = self.copies(task)
            phases = [one.get("status", {}).get("phase") for one in found]
            return found if phases == ["Running"] * count else None

        return wait_for(f"{count} running copies of {task}", look)

    def leave(self) -> None:
        """End what runs, without waiting for it."""
        self.stage.http.delete(self.path("tasks")).raise_for_status()

    def file(self, path: Path, *manifests: Json) -> str:
        """Manifests in a file of YAML documents."""
        path.write_text(documents(*manifests))
        return str(path)


def documents(*manifests: Json) -> str:
    """YAML documents."""
    return yaml.safe_dump_all(manifests)
