"""Assignments as pods: what a cluster would say of each state."""

from datetime import UTC, datetime
from typing import Any

import pytest

from apiserver.api.meta import Body
from apiserver.api.selectors import parse_fields
from apiserver.api.views.pod_table import COLUMNS
from apiserver.api.views.pods import PODS, pod_of, told_of_assignments
from apiserver.api.views.registry import VIEWS

NOW = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
STARTED, FINISHED = "2026-01-01T00:00:10.250000Z", "2026-01-01T00:00:40.750000Z"


def assignment(*, policy: str = "Always", node: str = "nodeA", **status: Any) -> Body:
    template = {"artifactUrl": "/x.zip", "sha256": "a" * 64, "restartPolicy": policy, "stopSignal": "TERM"}
    spec = {"taskName": "web", "entry": "main", "template": template, "templateHash": "h"}
    metadata = {"name": "web-1", "namespace": "default", "uid": "u", "resourceVersion": "7"}
    metadata |= {"creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"metadata": metadata, "spec": spec | ({"nodeName": node} if node else {}), "status": status}


def ready(status: str) -> list[Body]:
    return [{"type": "Ready", "status": status, "lastTransitionTime": "2026-01-01T00:00:11Z"}]


def cells(pod: Body) -> list[Any]:
    return [column.value(pod, NOW) for column in COLUMNS]


EARLIER = "2026-01-01T00:00:05.000000Z"
RAN = {"startedAt": STARTED, "finishedAt": FINISHED}
ENDED = {"startedAt": "2026-01-01T00:00:10Z", "finishedAt": "2026-01-01T00:00:40Z"}
STATES: list[tuple[str, dict[str, Any], str, str, Body, Body]] = [
    ("unplaced", {"node": ""}, "Pending", "Pending", {}, {}),
    ("unseen", {}, "Pending", "ContainerCreating", {"waiting": {"reason": "ContainerCreating"}}, {}),
    (
        "no app",
        {"phase": "Preparing", "reason": "ArtifactNotFound", "message": "404"},
        "Pending",
        "ArtifactNotFound",
        {"waiting": {"reason": "ArtifactNotFound", "message": "404"}},
        {},
    ),
    (
        "waits for others",
        {"phase": "Pending", "reason": "WaitingForDependencies", "message": "waits for db"},
        "Pending",
        "WaitingForDependencies",
        {"waiting": {"reason": "WaitingForDependencies", "message": "waits for db"}},
        {},
    ),
    (
        "runs",
        {"phase": "Running", "reason": "Running", "startedAt": STARTED, "conditions": ready("True")},
        "Running",
        "Running",
        {"running": {"startedAt": "2026-01-01T00:00:10Z"}},
        {},
    ),
    (
        "runs again",
        {"phase": "Running", "exitCode": 3, "restarts": 1, **RAN, "conditions": ready("False")},
        "Running",
        "Running",
        {"running": {"startedAt": "2026-01-01T00:00:10Z"}},
        {"terminated": {"exitCode": 3, "reason": "Error", "finishedAt": "2026-01-01T00:00:40Z"}},
    ),
    (
        "runs again, and is told when it had started before",
        {
            "phase": "Running",
            "exitCode": 3,
            "restarts": 1,
            "previousStartedAt": EARLIER,
            **RAN,
            "conditions": ready("True"),
        },
        "Running",
        "Running",
        {"running": {"startedAt": "2026-01-01T00:00:10Z"}},
        {"terminated": {"exitCode": 3, "reason": "Error", **ENDED, "startedAt": "2026-01-01T00:00:05Z"}},
    ),
    (
        "crashes",
        {"phase": "BackOff", "reason": "BackOff", "signal": 9, "restarts": 4, **RAN},
        "Running",
        "CrashLoopBackOff",
        {"waiting": {"reason": "CrashLoopBackOff"}},
        {"terminated": {"exitCode": 137, "signal": 9, "reason": "Error", **ENDED}},
    ),
    (
        "will be started again",
        {"policy": "OnFailure", "phase": "Failed", "reason": "Error", "exitCode": 1, **RAN},
        "Running",
        "Error",
        {"terminated": {"exitCode": 1, "reason": "Error", **ENDED}},
        {},
    ),
    (
        "failed for good",
        {
            "policy": "Never",
            "phase": "Failed",
            "reason": "Error",
            "message": "exited with code 1",
            "exitCode": 1,
            **RAN,
        },
        "Failed",
        "Error",
        {"terminated": {"exitCode": 1, "reason": "Error", "message": "exited with code 1", **ENDED}},
        {},
    ),
    (
        "never began",
        {"policy": "Never", "phase": "Failed", "reason": "StartFailed", "message": "no such file"},
        "Failed",
        "StartError",
        {"terminated": {"exitCode": 128, "reason": "StartError", "message": "no such file"}},
        {},
    ),
    (
        "nobody knows how",
        {"policy": "Never", "phase": "Failed", "reason": "Error", **RAN},
        "Failed",
        "ContainerStatusUnknown",
        {"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown", **ENDED}},
        {},
    ),
    (
        "is done",
        {"policy": "OnFailure", "phase": "Exited", "reason": "Completed", "exitCode": 0, **RAN},
        "Succeeded",
        "Completed",
        {"terminated": {"exitCode": 0, "reason": "Completed", **ENDED}},
        {},
    ),
    (
        "stopped by people",
        {"phase": "Stopped", "reason": "Stopped", "signal": 15, **RAN},
        "Pending",
        "Stopped",
        {"waiting": {"reason": "Stopped"}},
        {"terminated": {"exitCode": 143, "signal": 15, "reason": "Error", **ENDED}},
    ),
    (
        "nobody knows whether it runs",
        {"phase": "Unknown", "reason": "InDoubt", "message": "the system does not tell"},
        "Unknown",
        "InDoubt",
        {"waiting": {"reason": "InDoubt", "message": "the system does not tell"}},
        {},
    ),
    (
        "is silent",
        {"phase": "Unknown", "reason": "NodeSilent", "message": "node nodeA is silent", "pid": 7, "startedAt": STARTED},
        "Unknown",
        "NodeLost",
        {"running": {"startedAt": "2026-01-01T00:00:10Z"}},
        {},
    ),
]


@pytest.mark.parametrize(
    ("given", "phase", "shown", "state", "last"), [s[1:] for s in STATES], ids=[s[0] for s in STATES]
)
def test_states(given: dict[str, Any], phase: str, shown: str, state: Body, last: Body) -> None:
    pod = pod_of(assignment(**given))
    assert pod["status"]["phase"] == phase
    assert cells(pod)[2] == shown
    containers = pod["status"].get("containerStatuses", [])
    assert [one["state"] for one in containers] == ([state] if state else [])
    assert [one.get("lastState", {}) for one in containers] == ([last] if state else [])


def test_a_whole_pod() -> None:
    body = assignment(
        phase="Running",
        pid=42,
        ip="10.0.0.1",
        restarts=2,
        exitCode=1,
        ports=[{"name": "http", "port": 20001}],
        conditions=[*ready("True"), {"type": "Placed", "status": "True", "lastTransitionTime": "2026-01-01T00:00:01Z"}],
        **RAN,
    )
    body["metadata"] |= {
        "labels": {"plum.dev/task": "web"},
        "annotations": {"note": "x"},
        "deletionTimestamp": "2026-01-01T00:00:50Z",
        "managedFields": [{"manager": "m"}],
    }
    body["spec"]["template"] |= {
        "appName": "shop",
        "appVersion": "2",
        "startCmd": "exec ./shop",
        "terminationGracePeriodSeconds": 9,
        "env": [{"name": "MODE", "value": "fast"}],
        "ports": [{"name": "http"}, {"name": "admin", "port": 9000}, {"name": "later"}],
    }
    pod = pod_of(body)

    annotations = {"note": "x", "kubectl.kubernetes.io/default-container": "main"}
    assert pod["metadata"]["annotations"] == annotations
    assert pod["metadata"]["deletionGracePeriodSeconds"] == 9
    assert "managedFields" not in pod["metadata"]
    assert pod["spec"]["containers"] == [
        {
            "name": "main",
            "image": "shop:2",
            "command": ["/bin/sh", "-c", "exec ./shop"],
            "resources": {},
            "ports": [
                {"name": "admin", "containerPort": 9000, "protocol": "TCP"},
                {"name": "http", "containerPort": 20001, "protocol": "TCP"},
            ],
            "env": [{"name": "MODE", "value": "fast"}],
        }
    ]
    assert pod["status"]["containerStatuses"][0]["containerID"] == "process://42"
    assert {c["type"]: c["status"] for c in pod["status"]["conditions"]} == dict.fromkeys(
        ("PodScheduled", "Initialized", "ContainersReady", "Ready"), "True"
    )
    assert cells(pod) == ["web-1", "1/1", "Terminating", "2 (20s ago)", "60s", "10.0.0.1", "nodeA"]


def test_what_is_not_ready_says_why() -> None:
    told = [{"type": "Ready", "status": "False", "message": "the readiness probe fails: connection refused"}]
    waits = [{"type": "Placed", "status": "False", "message": "no node has room"}]
    found = [pod_of(assignment(node=node, phase=phase, conditions=conditions))["status"]["conditions"]
             for node, phase, conditions in (("nodeA", "Running", told), ("", "Pending", waits))]  # fmt: skip
    text = "containers with unready status: [main]: the readiness probe fails: connection refused"
    assert (found[0][3]["reason"], found[0][3]["message"]) == ("ContainersNotReady", text)
    assert (found[1][0]["status"], found[1][0]["reason"], found[1][0]["message"]) == (
        "False",
        "Unschedulable",
        "no node has room",
    )


def test_events_of_pods_are_those_of_assignments() -> None:
    fields = ("involvedObject.kind", "involvedObject.apiVersion", "involvedObject.name")
    about = told_of_assignments(parse_fields(f"{fields[0]}=Pod,{fields[1]}=v1,{fields[2]}=web-1", fields))
    assert about.matches({fields[0]: "Assignment", fields[1]: "plum.dev/v1", fields[2]: "web-1"})
    assert about.matches({fields[0]: "Pod", fields[1]: "v1", fields[2]: "web-1"})
    assert not about.matches({fields[0]: "Assignment", fields[1]: "plum.dev/v1", fields[2]: "web-2"})
    for text in ("involvedObject.apiVersion=v1", "involvedObject.kind!=Pod", "involvedObject.kind=Task"):
        assert told_of_assignments(parse_fields(text, fields)) == parse_fields(text, fields)


def test_views_have_places_of_their_own() -> None:
    assert VIEWS.served("", "v1", "pods") is PODS
    assert VIEWS.served("plum.dev", "v1", "pods") is None
    assert len({(view.group, view.version, view.plural) for view in VIEWS}) == 5
    with pytest.raises(ValueError, match="'pods' is there already"):
        VIEWS.register(PODS)
