"""Instances, endpoints and services for tests of discovery."""

from typing import Any

from apiserver.api.discovery import ENDPOINTS_CONTROLLER, MANAGED_BY, endpoint_name
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.endpoint import Endpoint, EndpointSpec
from apiserver.api.kinds.service import Service

READY = {"type": "Ready", "status": "True"}
ORDERS = {"name": "orders", "port": 8080, "protocol": "http", "version": "1"}


def instance(name: str = "web-1", *, labels: dict[str, str] | None = None, **parts: Any) -> Assignment:
    """A running, ready copy; ``status``, ``spec`` and ``metadata`` replace or add fields."""
    status = {"phase": "Running", "ip": "10.0.0.1", "ports": [{"name": "web", "port": 30001}], "conditions": [READY]}
    spec = {"taskName": "web", "entry": "main", "nodeName": "nodeA", "templateHash": "h"}
    template = {"artifactUrl": "/x", "sha256": "0" * 64, "appVersion": "1"}
    meta: dict[str, Any] = {"name": name, "namespace": "default", "uid": f"uid-{name}"}
    meta |= {"labels": {"plum.dev/task": "web"} | (labels or {})}
    return Assignment.from_body(
        {
            "metadata": meta | parts.get("metadata", {}),
            "spec": spec | {"template": template} | parts.get("spec", {}),
            "status": status | parts.get("status", {}),
        }
    )


def endpoint(
    of: Assignment | None = None,
    *,
    derived: bool = True,
    status: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
    **spec: Any,
) -> Endpoint:
    """What the controller made of an instance's ``orders``, healthy; or what somebody registered."""
    body = {"service": "orders", "ip": "10.0.0.1", "port": 8080, "protocol": "http", "version": "1"}
    body |= {"assignment": of.metadata.name, "nodeName": "nodeA"} if of else {}
    body |= spec
    name = endpoint_name(EndpointSpec.model_validate(body))
    meta: dict[str, Any] = {"name": name, "namespace": "default", "uid": f"uid-{name}", "resourceVersion": "7"}
    if derived and of is not None:
        owner = {"apiVersion": "plum.dev/v1", "kind": "Assignment", "name": of.metadata.name, "uid": of.metadata.uid}
        meta |= {"labels": {MANAGED_BY: ENDPOINTS_CONTROLLER}, "ownerReferences": [owner | {"controller": True}]}
    told = status if status is not None else {"healthy": True, "reason": "Ready" if of else "Registered"}
    return Endpoint.from_body({"metadata": meta | (metadata or {}), "spec": body, "status": told})


def service(name: str = "front", *, annotations: dict[str, str] | None = None, **spec: Any) -> Service:
    meta = {"name": name, "namespace": "default", "annotations": annotations or {}}
    return Service.from_body({"metadata": meta, "spec": spec})
