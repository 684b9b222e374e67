"""Assignments for tests."""

from typing import Any

from apiserver.api.kinds.assignment import STOPPED_FINALIZER, Assignment
from apiserver.api.meta import Body

NODE = "nodeA"


def assignment(
    name: str,
    *,
    uid: str = "",
    spec: Body | None = None,
    template: Body | None = None,
    metadata: Body | None = None,
    status: Body | None = None,
) -> Assignment:
    """An assignment to this node that wants to run; the parts given replace or add fields."""
    whole: dict[str, Any] = {"artifactUrl": "/artifacts/sha256/" + "0" * 64, "sha256": "0" * 64} | (template or {})
    return Assignment.from_body(
        {
            "metadata": {
                "namespace": "default",
                "name": name,
                "uid": uid or f"uid-{name}",
                "finalizers": [STOPPED_FINALIZER],
            }
            | (metadata or {}),
            "spec": {"taskName": "web", "entry": "main", "nodeName": NODE, "templateHash": "h", "template": whole}
            | (spec or {}),
            "status": status or {},
        }
    )
