"""Three tasks as a newcomer has them: a web app that is well, a task of several entries, one that was stopped."""

from tests.browser.worlds import apps
from tests.browser.worlds.door import Door, Json, task_body

READINESS: Json = {"httpGet": {"port": "http", "path": "/ready"}, "periodSeconds": 5}
LIVENESS: Json = {"httpGet": {"port": "http", "path": "/"}, "periodSeconds": 10, "timeoutSeconds": 5}
OLD, NEW = "2.0.0", "2.1.0"

TASKS = ("shop", "pipeline", "billing")
"""Their names."""


def fill(door: Door) -> None:
    """Push the apps and create what is not there yet."""
    for package in (apps.shop(OLD), apps.shop(NEW), apps.pipeline(), apps.shop("5.2.0", "billing")):
        door.push(package.name, package.version, package.archive)
    if door.get("tasks", "shop") is None:
        door.create("tasks", _shop(OLD))
        # So that there is a past to look at, and to return to.
        door.merge("tasks", "shop", {"spec": _shop(NEW)["spec"]})
    for body in (_pipeline(), _billing()):
        if door.get("tasks", body["metadata"]["name"]) is None:
            door.create("tasks", body)
    if door.get("services", "storefront") is None:
        door.create("services", _storefront())


def _shop(version: str) -> Json:
    entry: Json = {
        "name": "main",
        "app": {"name": "shop", "version": version},
        "replicas": 2,
        "labels": {"tier": "web"},
        "ports": [{"name": "http"}],
        "services": [{"name": "shop", "port": "http", "protocol": "http"}],
        "probes": {"readiness": READINESS, "liveness": LIVENESS},
    }
    return task_body("shop", entry, labels={"team": "sales", "env": "production"})


def _pipeline() -> Json:
    app = apps.pipeline().reference
    return task_body(
        "pipeline",
        {"name": "ingest", "app": app, "startCmd": "./start.sh ingest", "env": [{"name": "EVERY", "value": "4"}]},
        {"name": "work", "app": app, "startCmd": "./start.sh work", "replicas": 2, "dependsOn": ["ingest"]},
        {"name": "report", "app": app, "startCmd": "./start.sh report", "restartPolicy": "Never"},
        labels={"team": "data"},
    )


def _billing() -> Json:
    entry: Json = {"name": "main", "app": {"name": "billing", "version": "5.2.0"}, "ports": [{"name": "http"}]}
    return task_body("billing", entry, state="Stopped", labels={"team": "finance"})


def _storefront() -> Json:
    return {
        "apiVersion": "plum.dev/v1",
        "kind": "Service",
        "metadata": {"name": "storefront"},
        "spec": {"selector": {"tier": "web"}, "ports": [{"port": "http", "protocol": "http"}]},
    }
