"""Objects as a user of the libraries writes them."""

from typing import Any

GROUP, VERSION, PLURAL = "plum.dev", "v1", "tasks"
API_VERSION = f"{GROUP}/{VERSION}"
DIGEST = "a" * 64
URL = f"/artifacts/sha256/{DIGEST}"


def task(
    name: str,
    *,
    replicas: int = 1,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """A task with one entry whose app nobody has uploaded: what runs is not the subject here."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Task",
        "metadata": {"name": name, "labels": labels or {}, "annotations": annotations or {}},
        "spec": {"entries": [{"name": "main", "artifactUrl": URL, "replicas": replicas}]} | spec,
    }


def with_replicas(count: int) -> dict[str, Any]:
    """A merge patch: lists are replaced whole."""
    return {"spec": task("any", replicas=count)["spec"]}


def note(name: str, namespace: str, *, about: str = "web") -> dict[str, Any]:
    """An event about a task."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name},
        "involvedObject": {"apiVersion": API_VERSION, "kind": "Task", "name": about, "namespace": namespace},
        "reason": "Tested",
        "message": "it was looked at",
        "type": "Normal",
    }
