"""The services of a large fleet, and the endpoints behind them, as their controllers would have them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from apiserver.api.discovery import ENDPOINTS_CONTROLLER
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.endpoint import Endpoint
from apiserver.api.kinds.service import Service
from apiserver.api.meta import Resource
from controllers import endpoints_plan, services_plan
from tests.browser.worlds.door import Door, Json
from tests.browser.worlds.mass import Mass

SELECTED: dict[str, Json] = {
    "all-web": {"tier": "web"},
    "storefront": {"plum.dev/task": "node-exporter"},
    "legacy-crm": {"plum.dev/task": "crm"},
}
"""Services by selector; the last one selects nothing."""


def fill(door: Door, mass: Mass, copies: Sequence[Assignment], now: datetime) -> None:
    """Create the services that people made, the endpoints, and the services that come of them."""
    bodies = [_service(name, selector) for name, selector in SELECTED.items()]
    list(mass.create("services", bodies))
    made = [Service.from_body(body) for body in door.items("services")]
    wanted: list[Endpoint] = []
    for copy in copies:
        selecting = [one for one in made if one.spec.selector.items() <= copy.metadata.labels.items()]
        actions = endpoints_plan.plan(copy, selecting, [], now=now, expired_for={}).actions
        wanted += [action.endpoint for action in actions if isinstance(action, endpoints_plan.Create)]
    list(mass.create("endpoints", map(_body, wanted)))
    list(mass.apply_status("endpoints", map(_status, wanted), ENDPOINTS_CONTROLLER))
    _count(mass, made, wanted)


def _count(mass: Mass, made: Sequence[Service], endpoints: Sequence[Endpoint]) -> None:
    """Derived services, and how many endpoints each service has."""
    by_service = defaultdict[str, list[Endpoint]](list)
    for endpoint in endpoints:
        by_service[endpoint.spec.service].append(endpoint)
    known = {service.metadata.name: service for service in made}
    told: list[Service] = []
    for name in by_service.keys() | known.keys():
        for action in services_plan.plan("default", name, known.get(name), by_service[name]):
            if isinstance(action, services_plan.Create):
                list(mass.create("services", [_body(action.service)]))
                told.append(action.service)
            elif isinstance(action, services_plan.SetCounts):
                told.append(action.service.model_copy(update={"status": action.status}))
    list(mass.apply_status("services", map(_status, told), ENDPOINTS_CONTROLLER))


def _service(name: str, selector: Json) -> Json:
    ports = [{"port": "http" if name == "all-web" else "metrics", "protocol": "http"}]
    spec: Json = {"selector": selector, "ports": ports}
    return {"apiVersion": "plum.dev/v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _body(found: Resource) -> Json:
    return found.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"status"})


def _status(found: Endpoint | Service) -> Json:
    status = found.status.model_dump(mode="json", by_alias=True, exclude_none=True)
    metadata = {"name": found.metadata.name}
    return {"apiVersion": found.api_version, "kind": found.kind, "metadata": metadata, "status": status}
