"""One object of each kind with every field that people and programs may give."""

from typing import Any

Json = dict[str, Any]

LABELS = {"app": "specimen"}
TIME, MICRO = "2026-01-02T15:04:05Z", "2026-01-02T15:04:05.123456Z"
PORTS: list[Json] = [{"name": "web", "port": 8080}, {"name": "free"}]
SERVICES: list[Json] = [{"name": "shop", "port": "web", "protocol": "http", "version": "2"}]
TIMES: Json = {
    "initialDelaySeconds": 1,
    "periodSeconds": 5,
    "timeoutSeconds": 2,
    "successThreshold": 1,
    "failureThreshold": 4,
}
PROBES: Json = {
    "startup": {"exec": {"command": ["test", "-f", "ready"]}, **TIMES},
    "readiness": {
        "httpGet": {
            "port": "web",
            "path": "/ready?deep=1",
            "scheme": "https",
            "host": "127.0.0.1",
            "httpHeaders": [{"name": "X-Probe", "value": "plum"}],
        },
        **TIMES,
        "successThreshold": 2,
    },
    "liveness": {"tcpSocket": {"port": 8080, "host": "127.0.0.1"}, **TIMES},
}
RUN: Json = {
    "startCmd": "./serve",
    "env": [{"name": "COLOUR", "value": "plum"}],
    "ports": PORTS,
    "services": SERVICES,
    "restartPolicy": "OnFailure",
    "terminationGracePeriodSeconds": 9,
    "stopSignal": "INT",
    "dependsOn": ["base"],
    "probes": PROBES,
    "logs": {"maxSize": "1Mi", "maxFiles": 3},
}
CONDITIONS: list[Json] = [
    {
        "type": "Ready",
        "status": "True",
        "reason": "ProbePassed",
        "message": "it answers",
        "lastTransitionTime": TIME,
        "observedGeneration": 1,
    }
]


def specimens(digest: str) -> dict[str, Json]:
    """By plural. ``digest`` is that of an artifact that is there."""
    return {
        "tasks": _task(digest),
        "assignments": _assignment(digest),
        "apps": {
            **_head("plum.dev/v1", "App", "specimen"),
            "spec": {
                "name": "specimen",
                "version": "1",
                "sha256": digest,
                "sizeBytes": 1,
                "services": [{"name": "shop", "protocol": "http", "port": 8080}],
            },
        },
        "services": {
            **_head("plum.dev/v1", "Service", "specimen"),
            "spec": {"selector": LABELS, "ports": [{"port": "web", "protocol": "http", "version": "1"}]},
            "status": {"endpoints": 2, "readyEndpoints": 1},
        },
        "endpoints": {
            **_head("plum.dev/v1", "Endpoint", "specimen"),
            "spec": {
                "service": "shop",
                "assignment": "specimen",
                "nodeName": "specimen",
                "ip": "127.0.0.1",
                "port": 8080,
                "protocol": "http",
                "version": "1",
                "labels": LABELS,
                "healthOverride": True,
                "leaseSeconds": 60,
            },
            "status": {"healthy": True, "reason": "Registered", "lastSeen": MICRO},
        },
        "nodes": _node(),
        "events": _event(),
        "namespaces": {
            **_head("v1", "Namespace", "specimen"),
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active", "conditions": CONDITIONS},
        },
        "leases": {
            **_head("coordination.k8s.io/v1", "Lease", "specimen"),
            "spec": {
                "holderIdentity": "me",
                "leaseDurationSeconds": 15,
                "acquireTime": MICRO,
                "renewTime": MICRO,
                "leaseTransitions": 1,
            },
            "status": {"state": "Held"},
        },
    }


def _head(api_version: str, kind: str, name: str) -> Json:
    metadata = {"name": name, "labels": LABELS, "annotations": {"note": "a specimen"}}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def _task(digest: str) -> Json:
    whole = {
        **RUN,
        "name": "whole",
        "artifactUrl": f"/artifacts/sha256/{digest}",
        "sha256": digest,
        "replicas": 0,
        "labels": {"tier": "front"},
    }
    base = {"name": "base", "app": {"name": "specimen", "version": "1"}, "nodeReplicas": {"nodeA": 0}}
    status = {"name": "whole", "desired": 1, "running": 1, "ready": 1, "sha256": digest, "artifactUrl": "/artifacts/x"}
    return {
        **_head("plum.dev/v1", "Task", "specimen"),
        "spec": {"state": "Running", "strategy": {"maxUnavailable": 1, "maxSurge": 1}, "entries": [whole, base]},
        "status": {
            "observedGeneration": 1,
            "replicas": 1,
            "readyReplicas": 1,
            "updatedReplicas": 1,
            "entries": [status],
            "selector": "plum.dev/task=specimen",
            "conditions": CONDITIONS,
        },
    }


def _assignment(digest: str) -> Json:
    template = {
        **RUN,
        "artifactUrl": f"/artifacts/sha256/{digest}",
        "sha256": digest,
        "appName": "specimen",
        "appVersion": "1",
        "restartedAt": TIME,
    }
    return {
        **_head("plum.dev/v1", "Assignment", "specimen"),
        "spec": {
            "taskName": "other",
            "entry": "whole",
            "home": "nodeA",
            "ordinal": 1,
            "attempt": 2,
            "replaces": "specimen-whole-0",
            "nodeName": "nodeA",
            "desired": "Running",
            "taskState": "Running",
            "template": template,
            "templateHash": "abc",
        },
        "status": {
            "phase": "Running",
            "reason": "Started",
            "message": "it runs",
            "exitCode": 1,
            "signal": 15,
            "restarts": 3,
            "pid": 4711,
            "ip": "127.0.0.1",
            "ports": [{"name": "web", "port": 8080}],
            "services": [{"name": "shop", "port": 8080, "protocol": "http", "version": "2"}],
            "startedAt": MICRO,
            "finishedAt": MICRO,
            "previousStartedAt": MICRO,
            "reportedAt": MICRO,
            "conditions": CONDITIONS,
        },
    }


def _node() -> Json:
    return {
        **_head("plum.dev/v1", "Node", "specimen"),
        "spec": {"unschedulable": True},
        "status": {
            "ip": "127.0.0.1",
            "agent": {"name": "plum", "version": "1"},
            "bootID": "b",
            "capacity": {"cpu": "4", "memory": "16Gi"},
            "portRange": "20000-20999",
            "conditions": CONDITIONS,
        },
    }


def _event() -> Json:
    return {
        **_head("v1", "Event", "specimen"),
        "involvedObject": {
            "apiVersion": "plum.dev/v1",
            "kind": "Task",
            "namespace": "default",
            "name": "specimen",
            "uid": "u",
            "resourceVersion": "1",
            "fieldPath": "spec.entries",
        },
        "reason": "Looked",
        "message": "somebody looked",
        "type": "Normal",
        "source": {"component": "tests", "host": "here"},
        "reportingComponent": "tests",
        "reportingInstance": "tests-1",
        "action": "Look",
        "count": 2,
        "firstTimestamp": TIME,
        "lastTimestamp": TIME,
        "eventTime": MICRO,
        "series": {"count": 2, "lastObservedTime": MICRO},
        "related": {
            "apiVersion": "plum.dev/v1",
            "kind": "App",
            "namespace": "default",
            "name": "specimen",
            "uid": "u",
            "resourceVersion": "1",
            "fieldPath": "spec.name",
        },
    }
