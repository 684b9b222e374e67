"""Objects that tests put in by the other door, ``/apis``."""

from typing import Any

from tests.v1.client import Apis

DIGEST = "a" * 64


def add_assignment(apis: Apis, name: str, node: str, namespace: str = "default", **spec: Any) -> None:
    """An assignment on the node, of a task that is nobody's."""
    template = {"artifactUrl": f"/artifacts/sha256/{DIGEST}", "sha256": DIGEST}
    whole = {"taskName": "nobodys", "entry": "main", "nodeName": node, "template": template, "templateHash": "x"}
    apis.create("assignments", "Assignment", name, namespace, spec=whole | spec)


def add_task(
    apis: Apis, name: str, *entries: dict[str, Any], labels: dict[str, str] | None = None, **spec: Any
) -> None:
    """A task as its user would apply it."""
    apis.create("tasks", "Task", name, metadata={"labels": labels or {}}, spec={"entries": entries} | spec)


def add_namespace(apis: Apis, name: str) -> None:
    """A namespace besides ``default``."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    assert apis.ask("POST", "/api/v1/namespaces", json=body).status == 201
