"""Whatever an assignment says, its pod is one that Kubernetes' own rules would let be."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from apiserver.api.kinds.assignment import ASSIGNMENTS, Assignment, Phase
from apiserver.api.meta import Body
from apiserver.api.selectors import EVERYTHING
from apiserver.api.views.pod_model import Pod
from apiserver.api.views.pod_states import PodPhase
from apiserver.api.views.pod_table import COLUMNS
from apiserver.api.views.pods import PODS, pod_of, seen_of
from apiserver.server.http.views.selection import view_filter
from apiserver.server.store.engine import Key
from apiserver.server.store.snapshot import Event, slot_of

NOW = datetime(2026, 1, 2, tzinfo=UTC)
FINAL = ("Succeeded", "Failed")

moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 2), timezones=st.just(UTC)).map(
    lambda moment: moment.isoformat()
)
words = st.sampled_from(
    ["", "Running", "Error", "Completed", "StartFailed", "Unhealthy", "DiskFull", "ArtifactCorrupt"]
)
conditions = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["Ready", "Prepared", "Placed", "Mine"]),
            "status": st.sampled_from(["True", "False", "Unknown"]),
        },
        optional={"message": st.text(max_size=5), "lastTransitionTime": moments},
    ),
    max_size=4,
    unique_by=lambda one: one["type"],
)
ports = st.lists(st.sampled_from(["http", "admin", "x"]), unique=True, max_size=3)
statuses = st.fixed_dictionaries(
    {},
    optional={
        "phase": st.sampled_from(get_args(Phase)),
        "reason": words,
        "message": st.text(max_size=10),
        "exitCode": st.integers(0, 255),
        "signal": st.integers(1, 64),
        "restarts": st.integers(0, 9),
        "pid": st.integers(1, 99999),
        "ip": st.sampled_from(["", "10.0.0.1"]),
        "ports": ports.flatmap(
            lambda names: st.tuples(*(st.integers(1, 3) for _ in names)).map(
                lambda numbers: [{"name": n, "port": p} for n, p in zip(names, numbers, strict=True)]
            )
        ),
        "startedAt": moments,
        "finishedAt": moments,
        "previousStartedAt": moments,
        "conditions": conditions,
    },
)
templates = st.fixed_dictionaries(
    {"artifactUrl": st.just("/x.zip"), "sha256": st.sampled_from(["", "a" * 64])},
    optional={
        "restartPolicy": st.sampled_from(["Always", "OnFailure", "Never"]),
        "appName": st.just("shop"),
        "appVersion": st.just("1"),
        "startCmd": st.just("exec ./it"),
        "ports": ports.map(lambda names: [{"name": name} for name in names]),
        "env": st.just([{"name": "A", "value": ""}]),
    },
)


@st.composite
def assignments(draw: st.DrawFn) -> Body:
    """A valid one, as the server stores and serves it."""
    metadata: dict[str, Any] = {"name": "web-1", "namespace": "default", "uid": "u", "resourceVersion": "1"}
    metadata |= draw(st.fixed_dictionaries({}, optional={"creationTimestamp": moments, "deletionTimestamp": moments}))
    spec = {"taskName": "web", "entry": "main", "template": draw(templates), "templateHash": "h"}
    spec["nodeName"] = draw(st.sampled_from(["", "nodeA"]))
    body = {"metadata": metadata, "spec": spec, "status": draw(statuses)}
    return Assignment.from_body({"apiVersion": "plum.dev/v1", "kind": "Assignment", **body}).to_body()


def filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: filled(item) for key, item in value.items() if item is not None}
    return [filled(item) for item in value] if isinstance(value, list) else value


@given(assignments())
def test_a_pod_is_of_its_model(body: Body) -> None:
    pod = pod_of(body)
    assert Pod.from_body(pod).to_body() == filled(pod)
    cells = [column.value(pod, NOW + timedelta(hours=1)) for column in COLUMNS]
    assert cells[0] == "web-1"


@given(assignments())
def test_phase_state_and_conditions_agree(body: Body) -> None:
    pod = pod_of(body)
    status, is_placed = pod["status"], bool(pod["spec"].get("nodeName"))
    holds = {one["type"]: one["status"] == "True" for one in status["conditions"]}
    assert list(holds) == ["PodScheduled", "Initialized", "ContainersReady", "Ready"]
    assert holds["PodScheduled"] == is_placed == bool(status.get("containerStatuses"))
    assert holds["Ready"] == holds["ContainersReady"]
    if not is_placed:
        return
    (container,) = status["containerStatuses"]
    (state,) = container["state"]
    assert holds["Ready"] == container["ready"]
    assert not container["ready"] or (state == "running" and status["phase"] == "Running")
    if status["phase"] in FINAL:
        assert state == "terminated"
        assert (status["phase"] == "Succeeded") == (container["state"]["terminated"]["reason"] == "Completed")
        assert pod["spec"]["restartPolicy"] != "Always"
    if status["phase"] == "Pending":
        assert state == "waiting"
    if "deletionTimestamp" in pod["metadata"]:
        assert pod["metadata"]["deletionGracePeriodSeconds"] >= 0


@given(assignments())
def test_selectors_see_the_phase_that_is_shown(body: Body) -> None:
    seen = seen_of(ASSIGNMENTS.selectable_values(body))
    pod = pod_of(body)
    assert seen == {"status.phase": pod["status"]["phase"], "spec.restartPolicy": pod["spec"]["restartPolicy"]}


@given(assignments(), assignments(), st.sampled_from(["=", "!="]), st.sampled_from(get_args(PodPhase)))
def test_a_watch_sees_pods_enter_and_leave_a_selection(old: Body, new: Body, operator: str, phase: str) -> None:
    selection = view_filter(PODS, ASSIGNMENTS, "default", EVERYTHING, f"status.phase{operator}{phase}")
    key = Key(ASSIGNMENTS.resource, "default", "web-1")
    before, after = (slot_of(ASSIGNMENTS, key, version, body, b"{}") for version, body in ((1, old), (2, new)))
    was, is_now = ((pod_of(body)["status"]["phase"] == phase) == (operator == "=") for body in (old, new))
    wanted = {(True, True): "MODIFIED", (False, True): "ADDED", (True, False): "DELETED", (False, False): None}
    assert selection.view(Event(2, "MODIFIED", after, before.seen)) == wanted[was, is_now]
    assert selection.view(Event(1, "ADDED", before, None)) == ("ADDED" if was else None)
    assert selection.view(Event(3, "DELETED", after, after.seen)) == ("DELETED" if is_now else None)
