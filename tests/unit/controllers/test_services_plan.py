"""Which Service there is for a name, whose it is, and what it counts."""

from typing import Any

import pytest

from apiserver.api.discovery import ENDPOINTS_CONTROLLER, service_object_name
from apiserver.api.kinds.endpoint import Endpoint
from apiserver.api.kinds.service import DERIVED, Service
from apiserver.api.names import GIVEN_NAME
from controllers.services_plan import Action, Adopt, Create, Delete, SetCounts, plan
from tests.unit.controllers.discovered import endpoint

UP = endpoint(derived=False)
DOWN = endpoint(derived=False, port=1, status={"healthy": False})
MARK: dict[str, Any] = {"annotations": {DERIVED: "true"}}
OURS = {"manager": ENDPOINTS_CONTROLLER, "operation": "Update"}
COUNTED = {**OURS, "operation": "Apply", "subresource": "status"}
MANIFEST = {"manager": "plumctl", "operation": "Apply", "fieldsV1": {"f:metadata": {"f:labels": {"f:a": {}}}}}
DOOR = {"manager": "door", "operation": "Apply", "fieldsV1": {"f:metadata": {"f:annotations": {f"f:{DERIVED}": {}}}}}
SELECTS = {"selector": {"a": "b"}, "ports": [{"port": 80}]}


def service(*, counts: tuple[int, int] = (0, 0), spec: dict[str, Any] | None = None, **meta: Any) -> Service:
    status = {"endpoints": counts[0], "readyEndpoints": counts[1]}
    body = {"name": "orders", "namespace": "default", "uid": "u"} | meta
    return Service.from_body({"metadata": body, "spec": spec or {}, "status": status})


def told(action: Action) -> str:
    match action:
        case Create(made):
            return f"create {made.status.ready_endpoints}/{made.status.endpoints}"
        case SetCounts(_, status):
            return f"count {status.ready_endpoints}/{status.endpoints}"
        case Adopt():
            return "adopt"
        case Delete():
            return "delete"


@pytest.mark.parametrize(
    ("present", "endpoints", "expected"),
    [
        pytest.param(None, [], [], id="nothing"),
        pytest.param(None, [UP, DOWN], ["create 1/2"], id="a name that endpoints mention"),
        pytest.param(service(counts=(2, 1), **MARK), [UP, DOWN], [], id="all is well"),
        pytest.param(service(counts=(2, 2), **MARK), [UP, DOWN], ["count 1/2"], id="a turn"),
        pytest.param(service(counts=(1, 1), **MARK), [], ["delete"], id="the last one is gone"),
        pytest.param(service(counts=(1, 1)), [], ["count 0/0"], id="not of somebody's own"),
        pytest.param(service(), [], [], id="which may have none"),
        pytest.param(service(spec=SELECTS, managedFields=[MANIFEST]), [], [], id="nor is there anything to adopt"),
        pytest.param(service(**MARK, deletionTimestamp="2026-01-01T00:00:00Z"), [UP], [], id="one under deletion"),
        pytest.param(service(**MARK, managedFields=[OURS, COUNTED]), [], ["delete"], id="ours alone"),
        pytest.param(service(**MARK, managedFields=[OURS, MANIFEST]), [], ["adopt"], id="a manifest was applied"),
        pytest.param(service(**MARK, managedFields=[OURS, MANIFEST]), [UP], ["adopt"], id="with endpoints too"),
        pytest.param(service(**MARK, spec=SELECTS), [], ["adopt"], id="or it selects"),
        pytest.param(service(**MARK, managedFields=[DOOR]), [], ["delete"], id="derived by another program"),
    ],
)
def test_plan(present: Service | None, endpoints: list[Endpoint], expected: list[str]) -> None:
    assert [told(action) for action in plan("default", "orders", present, endpoints)] == expected


def test_a_derived_service_knows_the_name_that_was_given() -> None:
    odd = endpoint(derived=False, service="Order Service")
    (action,) = plan("default", service_object_name("Order Service"), None, [odd])
    assert isinstance(action, Create)
    assert action.service.metadata.annotations == {DERIVED: "true", GIVEN_NAME: "Order Service"}
    (action,) = plan("default", "orders", None, [UP])
    assert isinstance(action, Create)
    assert action.service.metadata.annotations == {DERIVED: "true"}
