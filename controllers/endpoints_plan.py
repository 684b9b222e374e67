"""Which endpoints an instance should have, and how healthy each is. Pure; any prefix of a plan may be all that happens.

A derived endpoint carries the label ``MANAGED_BY``. All others were registered by somebody: of those only the health
is judged, and what has been expired for long goes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import ValidationError

from apiserver.api.discovery import ENDPOINTS_CONTROLLER, MANAGED_BY, endpoint_name, given_name, is_managed, judge
from apiserver.api.expansion import is_live
from apiserver.api.kinds.assignment import Assignment, Offer
from apiserver.api.kinds.endpoint import Endpoint, EndpointSpec, EndpointStatus
from apiserver.api.kinds.service import Service
from apiserver.api.meta import Body, ObjectMeta, OwnerReference
from controllers import labels

SELECTED = "plum.dev/selected"
"""Annotation of a derived endpoint that is there because a Service selects the instance, not because the instance
offers it: such a one goes with the selection, also while the instance is down."""

EXPIRED_KEPT = timedelta(minutes=10)
"""How long an endpoint stays, unhealthy, after its registrant's lease has run out."""


@dataclass(frozen=True)
class SetHealth:
    """Write the status, unless the endpoint has changed since it was seen."""

    endpoint: Endpoint
    status: EndpointStatus


@dataclass(frozen=True)
class Create:
    """Store a new endpoint, and then its status."""

    endpoint: Endpoint


@dataclass(frozen=True)
class Change:
    """Bring a derived endpoint up to date by a merge patch, unless it has changed since it was seen."""

    endpoint: Endpoint
    patch: Body


@dataclass(frozen=True)
class Delete:
    """Delete the endpoint, unless it has changed since it was seen: its registrant may have been heard of."""

    endpoint: Endpoint


Action = SetHealth | Create | Change | Delete


@dataclass(frozen=True)
class Plan:
    """What to do now, turns of health first, and in how many seconds to look again although nothing has changed."""

    actions: tuple[Action, ...] = ()
    look_again: float | None = None


def plan(
    instance: Assignment | None,
    services: Iterable[Service],
    endpoints: Sequence[Endpoint],
    *,
    now: datetime,
    expired_for: Mapping[str, timedelta],
) -> Plan:
    """The next writes for all ``endpoints`` that name an instance, or for one that names none.

    ``instance`` is the assignment, None where there is none of that name; ``services`` are those that select it.
    How long an endpoint has been expired is read off its status, but at most as long as the caller has seen it
    so by a clock that nobody sets: ``expired_for``, by uid. A converged world gets an empty plan.
    """
    present = {endpoint.metadata.name: endpoint for endpoint in endpoints}
    wanted = _orphans(present) if instance is None else _wanted(instance, services, present)
    actions: list[Action] = []
    waits: list[float] = []
    for endpoint in present.values():
        if is_expired(endpoint) and not _is_surplus(endpoint, wanted):
            if instance is not None and not is_derived(endpoint) and endpoint.metadata.name in wanted:
                actions += _delete(endpoint)  # it stands in the way of the derived one
                continue
            left = EXPIRED_KEPT - _age(endpoint, now, expired_for.get(endpoint.metadata.uid or "", timedelta()))
            if left > timedelta():
                waits.append(min(left, EXPIRED_KEPT).total_seconds())
            else:
                actions += _delete(endpoint)
        else:
            actions += _next(endpoint, wanted, instance, now)
    for name in wanted.keys() - present.keys():
        actions.append(Create(wanted[name].model_copy(update={"status": _judged(wanted[name], instance, now)})))
    turns_first = sorted(actions, key=lambda action: (not isinstance(action, SetHealth), action.endpoint.metadata.name))
    return Plan(tuple(turns_first), min(waits, default=None))


def is_derived(endpoint: Endpoint) -> bool:
    """Whether the controller made it, and may change and delete it."""
    return is_managed(endpoint.metadata.labels)


def is_expired(endpoint: Endpoint) -> bool:
    """Whether the server says that the registrant's lease has run out. Only the server takes that back."""
    return endpoint.status.reason == "Expired" and endpoint.spec.lease_seconds is not None


def _age(endpoint: Endpoint, now: datetime, witnessed: timedelta) -> timedelta:
    """How long it has been expired."""
    seen, lease = endpoint.status.last_seen, timedelta(seconds=endpoint.spec.lease_seconds or 0)
    return witnessed if seen is None else min(witnessed, now - seen - lease)


def _is_surplus(endpoint: Endpoint, wanted: Mapping[str, Endpoint]) -> bool:
    """Whether it is ours and should not be, or is not of the assignment that it should be of."""
    if not is_derived(endpoint):
        return False
    match = wanted.get(endpoint.metadata.name)
    return match is None or not _owners(endpoint) >= _owners(match)


def _delete(endpoint: Endpoint) -> list[Action]:
    return [Delete(endpoint)] if endpoint.metadata.deletion_timestamp is None else []


def _next(
    endpoint: Endpoint, wanted: Mapping[str, Endpoint], instance: Assignment | None, now: datetime
) -> list[Action]:
    """One step at most: a changed status is a changed endpoint, and the next look sees the rest."""
    if _is_surplus(endpoint, wanted):
        return _delete(endpoint)
    status = _judged(endpoint, instance, now)
    if (status.healthy, status.reason) != (endpoint.status.healthy, endpoint.status.reason):
        return [SetHealth(endpoint, status)]
    patch = _difference(endpoint, wanted[endpoint.metadata.name]) if is_derived(endpoint) else {}
    return [Change(endpoint, patch)] if patch else []


def _judged(endpoint: Endpoint, instance: Assignment | None, now: datetime) -> EndpointStatus:
    """The status it should have. A silent node has given no sign of life now."""
    healthy, reason = judge(endpoint, instance, expired=False)
    is_kept = healthy == endpoint.status.healthy or reason == "NodeSilent"
    return EndpointStatus(healthy=healthy, reason=reason, last_seen=endpoint.status.last_seen if is_kept else now)


def _orphans(present: Mapping[str, Endpoint]) -> dict[str, Endpoint]:
    """What stays although its assignment does not exist: what others registered, and what the garbage collector
    sees to."""
    return {name: endpoint for name, endpoint in present.items() if not is_derived(endpoint) or _owners(endpoint)}


def _wanted(instance: Assignment, services: Iterable[Service], present: Mapping[str, Endpoint]) -> dict[str, Endpoint]:
    """The derived endpoints that there should be, by name.

    A process that is up says what it offers, also that it is nothing. What one that is down offered stays, and so
    does everything of an assignment under deletion: it goes with that.
    """
    uid = instance.metadata.uid
    derived = {name: found for name, found in present.items() if is_derived(found) and uid in _owners(found)}
    if not is_live(instance):
        return derived
    wanted = {
        endpoint.metadata.name: endpoint for endpoint in _derive(instance, _selected(instance, services), SELECTED)
    }
    if not instance.status.services and instance.status.phase != "Running":
        wanted |= {name: _kept(endpoint, instance) for name, endpoint in derived.items() if not _is_selected(endpoint)}
    return wanted | {endpoint.metadata.name: endpoint for endpoint in _derive(instance, instance.status.services)}


def _owners(endpoint: Endpoint) -> set[str]:
    return {reference.uid for reference in endpoint.metadata.owner_references}


def _is_selected(endpoint: Endpoint) -> bool:
    return SELECTED in endpoint.metadata.annotations


def _kept(endpoint: Endpoint, instance: Assignment) -> Endpoint:
    spec = endpoint.spec.model_copy(update={"labels": _labels(instance), "node_name": instance.spec.node_name})
    return endpoint.model_copy(update={"spec": spec})


def _selected(instance: Assignment, services: Iterable[Service]) -> Iterator[Offer]:
    """What the services that select the instance say it offers, as far as it has the ports."""
    numbers = {port.name: port.port for port in instance.status.ports}
    for service in services:
        for port in service.spec.ports:
            number = port.port if isinstance(port.port, int) else numbers.get(port.port)
            if number is not None:
                version = port.version or instance.spec.template.app_version
                yield Offer(name=given_name(service), port=number, protocol=port.protocol, version=version)


def _derive(instance: Assignment, offers: Iterable[Offer], *annotations: str) -> Iterator[Endpoint]:
    """The endpoints of what an instance offers. What cannot be one, such as an instance without an address, is none."""
    for offer in offers:
        try:
            spec = EndpointSpec(
                service=offer.name,
                assignment=instance.metadata.name,
                node_name=instance.spec.node_name,
                ip=instance.status.ip,
                port=offer.port,
                protocol=offer.protocol,
                version=offer.version,
                labels=_labels(instance),
            )
        except ValidationError:
            continue
        meta = ObjectMeta(
            name=endpoint_name(spec),
            namespace=instance.metadata.namespace,
            labels={MANAGED_BY: ENDPOINTS_CONTROLLER},
            annotations=dict.fromkeys(annotations, "true"),
            owner_references=(_owner(instance),),
        )
        yield Endpoint(metadata=meta, spec=spec)


def _labels(instance: Assignment) -> dict[str, str]:
    return {key: value for key, value in instance.metadata.labels.items() if not key.startswith("plum.dev/")}


def _owner(instance: Assignment) -> OwnerReference:
    return OwnerReference(
        api_version=instance.api_version,
        kind=instance.kind,
        name=instance.metadata.name,
        uid=instance.metadata.uid or "",
        controller=True,
    )


def _difference(endpoint: Endpoint, wanted: Endpoint) -> Body:
    """The merge patch that makes a derived endpoint what it should be; empty where it is. ``healthOverride``, and
    labels that others put there, are none of its business."""
    spec: Body = {}
    if endpoint.spec.version != wanted.spec.version:
        spec["version"] = wanted.spec.version
    if endpoint.spec.node_name != wanted.spec.node_name:
        spec["nodeName"] = wanted.spec.node_name
    ours = labels.owned(endpoint, ENDPOINTS_CONTROLLER, "spec")
    if changed := labels.changes(endpoint.spec.labels, wanted.spec.labels, ours):
        spec["labels"] = changed
    patch: Body = {"spec": spec} if spec else {}
    if _is_selected(endpoint) != _is_selected(wanted):
        patch["metadata"] = {"annotations": {SELECTED: "true" if _is_selected(wanted) else None}}
    return patch
