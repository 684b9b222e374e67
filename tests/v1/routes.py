"""Every request of the contract, for what holds of all of them."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

ROUTES: dict[str, tuple[str, ...]] = {
    "/v1/nodes/heartbeat": ("POST",),
    "/v1/nodes": ("GET",),
    "/v1/nodes/{id}": ("GET", "DELETE"),
    "/v1/apps/upload": ("POST",),
    "/v1/apps": ("GET",),
    "/v1/apps/{id}": ("DELETE",),
    "/v1/tasks": ("GET", "POST"),
    "/v1/tasks/{id}": ("GET", "PATCH", "DELETE"),
    "/v1/assignments": ("GET",),
    "/v1/assignments/{id}": ("PATCH", "DELETE"),
    "/v1/instances/status": ("POST",),
    "/v1/services/register": ("POST",),
    "/v1/services/heartbeat": ("POST",),
    "/v1/services": ("DELETE",),
    "/v1/services/list": ("GET",),
    "/v1/discovery": ("GET",),
    "/v1/resolve": ("GET",),
    "/v1/stream": ("GET",),
}

BODIES: dict[tuple[str, str], dict[str, object]] = {
    ("POST", "/v1/nodes/heartbeat"): {"nodeId": "common", "ip": "10.0.0.1", "labels": {"a": "b"}},
    ("POST", "/v1/tasks"): {"name": "common", "entries": [], "labels": {}, "artifactUrl": "", "startCmd": ""},
    ("PATCH", "/v1/tasks/{id}"): {"name": "common", "labels": {"a": "b"}},
    ("PATCH", "/v1/assignments/{id}"): {"desired": "Stopped"},
    ("POST", "/v1/instances/status"): {
        "instanceId": "nobody",
        "phase": "Running",
        "exitCode": 0,
        "healthy": True,
        "tsUnix": 1_700_000_000,
    },
    ("POST", "/v1/services/register"): {"instanceId": "i", "nodeId": "n", "ip": "10.0.0.1", "endpoints": []},
    ("POST", "/v1/services/heartbeat"): {"instanceId": "i", "health": []},
}
"""What takes JSON, and a body with every field it knows."""

WRONG: dict[str, object] = {"labels": {"a": 1}, "entries": "x", "endpoints": 3, "health": {}, "healthy": "yes"}
"""A value of the wrong type for a field; a number does for texts, a text for numbers."""


def path(route: str, name: str = "nobody") -> str:
    return route.replace("{id}", name)


def wrong_fields() -> list[tuple[str, str, str, object]]:
    """Method, route, field and a value that it cannot have."""
    found: list[tuple[str, str, str, object]] = []
    for (method, route), body in BODIES.items():
        for field, good in body.items():
            bad = WRONG.get(field, "1" if isinstance(good, int) else 1)
            found.append((method, route, field, bad))
    return found
