"""Which writes one look at an instance and its endpoints leads to."""

from datetime import UTC, datetime, timedelta

import pytest

from apiserver.api.discovery import ENDPOINTS_CONTROLLER, MANAGED_BY, endpoint_name, given_name, service_object_name
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.endpoint import Endpoint
from apiserver.api.kinds.service import Service
from apiserver.api.names import GIVEN_NAME
from controllers.endpoints_plan import EXPIRED_KEPT, SELECTED, Action, Change, Create, Delete, Plan, SetHealth, plan
from tests.unit.controllers.discovered import ORDERS, endpoint, instance, service

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LEAVING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
NOT_READY = {"conditions": [{"type": "Ready", "status": "False"}]}
DOWN = {"phase": "Failed", **NOT_READY}
WEB = instance(status={"services": [ORDERS]})
OWN = endpoint(WEB)
GUEST = endpoint(WEB, derived=False, port=9000)
OUTSIDE = endpoint(derived=False)
NODE = {"apiVersion": "plum.dev/v1", "kind": "Node", "name": "nodeA", "uid": "uid-nodeA"}
EXPIRED = {"healthy": False, "reason": "Expired"}


def look(
    one: Assignment | None, *endpoints: Endpoint, services: tuple[Service, ...] = (), witnessed: timedelta = timedelta()
) -> Plan:
    ages = {endpoint.metadata.uid or "": witnessed for endpoint in endpoints}
    return plan(one, services, endpoints, now=NOW, expired_for=ages)


def told(action: Action) -> str:
    match action:
        case SetHealth(_, status):
            return f"{'healthy' if status.healthy else 'unhealthy'}: {status.reason}"
        case Create(made):
            return f"create {made.spec.service}:{made.spec.protocol}:{made.spec.port} {made.status.reason}"
        case Change(_, patch):
            return f"change {patch}"
        case Delete(gone):
            return f"delete {gone.spec.service}:{gone.spec.port}"


@pytest.mark.parametrize(
    ("one", "endpoints", "expected"),
    [
        pytest.param(WEB, [OWN], [], id="all is well"),
        pytest.param(WEB, [], ["create orders:http:8080 Ready"], id="what it offers"),
        pytest.param(
            instance(status={"services": [ORDERS], **NOT_READY}), [], ["create orders:http:8080 NotReady"], id="not yet"
        ),
        pytest.param(instance(status={"services": [ORDERS], "ip": ""}), [], [], id="no address, no endpoint"),
        pytest.param(instance(), [OWN], ["delete orders:8080"], id="a running process that offers it no more"),
        pytest.param(instance(status=DOWN), [OWN], ["unhealthy: InstanceNotRunning"], id="a process that is down"),
        pytest.param(
            instance(status={"services": [ORDERS], "phase": "Stopping"}),
            [OWN],
            ["unhealthy: InstanceNotRunning"],
            id="one that is about to be",
        ),
        pytest.param(
            instance(status={"services": [ORDERS]}, spec={"desired": "Stopped"}),
            [OWN],
            ["unhealthy: InstanceStopped"],
            id="stopped, before its agent says so",
        ),
        pytest.param(
            instance(status={"services": [ORDERS], "phase": "Unknown"}),
            [OWN],
            ["unhealthy: NodeSilent"],
            id="on a silent node",
        ),
        pytest.param(
            instance(status={"services": [ORDERS]}, metadata=LEAVING),
            [OWN, GUEST],
            ["unhealthy: InstanceLeaving"] * 2,
            id="an instance under deletion",
        ),
        pytest.param(instance(status={"services": [ORDERS]}, metadata=LEAVING), [], [], id="nothing new for it"),
        pytest.param(None, [OWN], ["unhealthy: InstanceLeaving"], id="gone: the garbage collector follows"),
        pytest.param(None, [GUEST], ["unhealthy: InstanceLeaving"], id="and so is what others registered for it"),
        pytest.param(
            None,
            [endpoint(WEB, metadata={"ownerReferences": []})],
            ["delete orders:8080"],
            id="unless nobody would ever",
        ),
        pytest.param(
            instance(status={"services": [ORDERS]}, metadata={"uid": "another"}),
            [OWN],
            ["delete orders:8080"],
            id="of an earlier one of its name",
        ),
        pytest.param(
            instance(status={"services": [ORDERS]}, metadata=LEAVING | {"uid": "another"}),
            [OWN],
            ["delete orders:8080"],
            id="of an earlier one, although this one is leaving too",
        ),
        pytest.param(
            instance(status={"services": [ORDERS | {"name": "new"}], "phase": "Stopping"}),
            [OWN],
            ["delete orders:8080", "create new:http:8080 InstanceNotRunning"],
            id="a process that is up says what it offers, also while it ends",
        ),
        pytest.param(instance(), [endpoint(WEB, metadata=LEAVING)], [], id="under deletion already"),
        pytest.param(
            None,
            [endpoint(WEB, healthOverride=True, status={"healthy": True, "reason": "Overridden"})],
            ["unhealthy: InstanceLeaving"],
            id="whatever the app said of itself before",
        ),
        pytest.param(
            None,
            [endpoint(derived=False, assignment="elsewhere", metadata={"ownerReferences": [NODE]})],
            [],
            id="an owner of another kind says nothing of an instance",
        ),
        pytest.param(
            None,
            [endpoint(derived=False, status={"healthy": True, "reason": "Ready"})],
            ["healthy: Registered"],
            id="what names no instance never had one",
        ),
        pytest.param(WEB, [OWN, GUEST], [], id="others' stay"),
        pytest.param(
            instance(status={"services": [ORDERS], **NOT_READY}),
            [GUEST, OWN],
            ["unhealthy: NotReady"] * 2,
            id="all are judged by readiness",
        ),
        pytest.param(
            WEB, [endpoint(WEB, healthOverride=False)], ["unhealthy: Overridden"], id="the app's own word counts"
        ),
        pytest.param(
            instance(status={"services": [ORDERS], **NOT_READY}),
            [endpoint(WEB, healthOverride=True)],
            ["healthy: Overridden"],
            id="more than readiness",
        ),
        pytest.param(
            instance(status=DOWN),
            [endpoint(WEB, healthOverride=True)],
            ["unhealthy: InstanceNotRunning"],
            id="but not for a process that is down",
        ),
        pytest.param(
            WEB, [endpoint(WEB, derived=False, labels={"x": "y"})], [], id="an address that is registered already"
        ),
        pytest.param(None, [OUTSIDE], [], id="outside of Plum"),
        pytest.param(None, [endpoint(derived=False, status={})], ["healthy: Registered"], id="newly registered"),
        pytest.param(
            None,
            [endpoint(derived=False, assignment="elsewhere", status={})],
            ["healthy: Registered"],
            id="of an instance that never was one",
        ),
        pytest.param(
            WEB,
            [endpoint(WEB, version="0", nodeName="nodeB")],
            ["change {'spec': {'version': '1', 'nodeName': 'nodeA'}}"],
            id="brought up to date",
        ),
        pytest.param(
            instance(status={"services": [ORDERS, ORDERS | {"port": 70000}]}),
            [OWN],
            [],
            id="what cannot be an endpoint is none",
        ),
        pytest.param(WEB, [endpoint(WEB, status=EXPIRED)], ["healthy: Ready"], id="without a lease nothing expires"),
        pytest.param(
            instance(), [endpoint(WEB, status=EXPIRED, leaseSeconds=5)], ["delete orders:8080"], id="unwanted anyway"
        ),
    ],
)
def test_plan(one: Assignment | None, endpoints: list[Endpoint], expected: list[str]) -> None:
    step = look(one, *endpoints)
    assert [told(action) for action in step.actions] == expected
    assert step.look_again is None


def test_a_derived_endpoint_says_whose_it_is() -> None:
    one = instance(status={"services": [ORDERS]}, labels={"tier": "web"})
    (made,) = [action.endpoint for action in look(one).actions]
    assert made.metadata.name == endpoint_name(made.spec)
    assert (made.metadata.namespace, made.metadata.labels) == ("default", {MANAGED_BY: ENDPOINTS_CONTROLLER})
    (owner,) = made.metadata.owner_references
    assert (owner.kind, owner.name, owner.uid, owner.controller) == ("Assignment", "web-1", "uid-web-1", True)
    spec = made.spec
    assert (spec.service, spec.assignment, spec.node_name, spec.ip) == ("orders", "web-1", "nodeA", "10.0.0.1")
    assert (spec.port, spec.protocol, spec.version, spec.labels) == (8080, "http", "1", {"tier": "web"})
    assert (spec.lease_seconds, spec.health_override) == (None, None)
    assert (made.status.healthy, made.status.last_seen) == (True, NOW)


def test_labels_follow_the_instance_and_leave_those_of_others() -> None:
    owned = {"manager": ENDPOINTS_CONTROLLER, "fieldsV1": {"f:spec": {"f:labels": {"f:tier": {}, "f:old": {}}}}}
    labels = {"tier": "web", "old": "1", "mine": "x"}
    found = endpoint(WEB, labels=labels, metadata={"managedFields": [owned]})
    (change,) = look(instance(status={"services": [ORDERS]}, labels={"tier": "db"}), found).actions
    assert isinstance(change, Change)
    assert change.patch == {"spec": {"labels": {"old": None, "tier": "db"}}}


def test_a_sign_of_life_is_noted_when_health_turns() -> None:
    seen = "2026-01-01T00:00:00.000000Z"
    healthy = endpoint(WEB, status={"healthy": True, "reason": "Ready", "lastSeen": seen})
    for one, moves in (
        (instance(status={"services": [ORDERS], **NOT_READY}), True),
        (instance(status={"services": [ORDERS], "phase": "Unknown"}), False),  # no sign from there
    ):
        (turn,) = look(one, healthy).actions
        assert isinstance(turn, SetHealth)
        assert turn.status.last_seen == (NOW if moves else healthy.status.last_seen)
    (turn,) = look(WEB, healthy.model_copy(update={"spec": endpoint(WEB, healthOverride=True).spec})).actions
    assert isinstance(turn, SetHealth)
    assert (turn.status.healthy, turn.status.reason) == (True, "Overridden")
    assert turn.status.last_seen == healthy.status.last_seen


def test_turns_of_health_come_first() -> None:
    stopped = instance(status={"services": [ORDERS, ORDERS | {"port": 1}], **NOT_READY})
    surplus = endpoint(WEB, port=2)
    kinds = [type(action) for action in look(stopped, surplus, OWN).actions]
    assert kinds[0] is SetHealth
    assert {*kinds[1:]} == {Create, Delete}


FRONT = service(selector={"tier": "web"}, ports=[{"port": "web", "protocol": "http"}, {"port": 9, "version": "2"}])
TIERED = instance(labels={"tier": "web"})


def test_a_service_selects_by_labels_on_its_ports() -> None:
    made = [action.endpoint for action in look(TIERED, services=(FRONT,)).actions]
    assert {(one.spec.service, one.spec.port, one.spec.protocol, one.spec.version) for one in made} == {
        ("front", 30001, "http", "1"),
        ("front", 9, "tcp", "2"),
    }
    assert all(SELECTED in one.metadata.annotations for one in made)
    without = instance(labels={"tier": "web"}, status={"ports": []})
    assert [told(action) for action in look(without, services=(FRONT,)).actions] == ["create front:tcp:9 Ready"]


def test_a_selection_counts_while_the_instance_is_down_and_ends_at_once() -> None:
    down = instance(labels={"tier": "web"}, status=DOWN)
    offered = endpoint(WEB, status={"healthy": False, "reason": "InstanceNotRunning"}, labels={"tier": "web"})
    selected = endpoint(
        WEB,
        service="front",
        port=9,
        protocol="tcp",
        version="2",
        labels={"tier": "web"},
        status={"healthy": False, "reason": "InstanceNotRunning"},
    )
    annotated = selected.metadata.model_copy(update={"annotations": {SELECTED: "true"}})
    selected = selected.model_copy(update={"metadata": annotated})
    step = look(down, offered, selected, services=(FRONT,))
    assert [told(action) for action in step.actions] == ["create front:http:30001 InstanceNotRunning"]
    assert [told(action) for action in look(down, offered, selected).actions] == ["delete front:9"]


def test_what_is_offered_and_selected_is_offered() -> None:
    port = {"port": 8080, "protocol": "http"}
    same = service("orders", selector={"plum.dev/task": "web"}, ports=[port])
    assert look(WEB, OWN, services=(same,)).actions == ()
    (made,) = [action.endpoint for action in look(instance(), services=(same,)).actions]
    selected = made.model_copy(update={"metadata": made.metadata.model_copy(update={"uid": "u"})})
    (change,) = look(WEB, selected).actions
    assert isinstance(change, Change)
    assert change.patch == {"metadata": {"annotations": {SELECTED: None}}}


def test_a_name_that_is_no_label_is_given_by_an_annotation() -> None:
    name = service_object_name("Order Service")
    odd = service(name, annotations={GIVEN_NAME: "Order Service"}, selector={"tier": "web"}, ports=[{"port": 9}])
    assert given_name(odd) == "Order Service"
    assert given_name(service("front", annotations={GIVEN_NAME: "other"})) == "front"
    (made,) = [action.endpoint for action in look(TIERED, services=(odd,)).actions]
    assert made.spec.service == "Order Service"


@pytest.mark.parametrize(
    ("last_seen", "witnessed", "left"),
    [
        pytest.param(NOW - timedelta(seconds=35), timedelta(hours=1), 595, id="by its status"),
        pytest.param(NOW - timedelta(hours=1), timedelta(seconds=100), 500, id="a step of the clock expires nothing"),
        pytest.param(NOW + timedelta(hours=1), timedelta(seconds=100), 600, id="nor does it keep us waiting"),
        pytest.param(None, timedelta(seconds=100), 500, id="by what was seen"),
        pytest.param(NOW - timedelta(hours=1), EXPIRED_KEPT, None, id="over"),
    ],
)
def test_the_expired_stay_for_ten_minutes(last_seen: datetime | None, witnessed: timedelta, left: float | None) -> None:
    status = EXPIRED | ({"lastSeen": last_seen.isoformat()} if last_seen else {})
    expired = endpoint(WEB, derived=False, status=status, leaseSeconds=30)
    registered = expired.model_copy(update={"metadata": GUEST.metadata})
    step = look(WEB, OWN, registered, witnessed=witnessed)
    assert step.look_again == left
    assert [told(action) for action in step.actions] == ([] if left else ["delete orders:8080"])


def test_an_expired_one_is_nobody_elses_business() -> None:
    expired = endpoint(derived=False, status=EXPIRED, leaseSeconds=30, healthOverride=True)
    assert look(None, expired) == Plan((), EXPIRED_KEPT.total_seconds())
    heard = endpoint(derived=False, status={"healthy": False, "reason": ""}, leaseSeconds=30)
    assert [told(action) for action in look(None, heard).actions] == ["healthy: Registered"]


def test_an_expired_one_does_not_keep_the_address_from_what_the_instance_offers() -> None:
    expired = endpoint(WEB, derived=False, status=EXPIRED, leaseSeconds=30)
    assert expired.metadata.name == OWN.metadata.name
    assert [told(action) for action in look(WEB, expired).actions] == ["delete orders:8080"]
    assert look(instance(), expired) == Plan((), EXPIRED_KEPT.total_seconds())  # it offers nothing there itself
    heard = endpoint(WEB, derived=False, status={"healthy": True, "reason": "Ready"}, leaseSeconds=30)
    assert look(WEB, heard) == Plan()
