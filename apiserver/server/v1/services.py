"""Registrations over ``/v1``: an agent or an app says what an instance offers, and how well."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from apiserver.api.discovery import MANAGED_BY, endpoint_name, is_managed
from apiserver.api.errors import BadRequest
from apiserver.api.kinds.assignment import ASSIGNMENTS
from apiserver.api.kinds.endpoint import ENDPOINTS, EndpointSpec
from apiserver.api.kinds.namespace import DEFAULT
from apiserver.api.machinery import writes
from apiserver.api.meta import Body
from apiserver.api.scheme import dig
from apiserver.api.selectors import equal
from apiserver.server.endpoint_health import tell
from apiserver.server.store.engine import Key
from apiserver.server.store.snapshot import Filter, Slot
from apiserver.server.transaction import Transaction
from apiserver.server.v1.calls import Call, no_content
from apiserver.server.v1.names import MANAGER, read_id
from apiserver.server.v1.parts import Parts
from apiserver.server.v1.shapes import EndpointGiven, HealthGiven, Registration, ServiceHeartbeat

Specs = Mapping[str, EndpointSpec]
"""Endpoints by the names of their objects."""


class Services:
    """The handlers of ``/v1/services`` that write."""

    def __init__(self, parts: Parts) -> None:
        self._registry, self._store = parts.registry, parts.registry.store
        self._leases, self._ttl = parts.endpoint_leases, parts.heartbeat_ttl

    async def register(self, call: Call) -> Response:
        """These are all endpoints of the instance; others that were registered go. What the app says of its health
        stays. Raises BadRequest, NotFound (the namespace)."""
        given = await call.body(Registration)
        namespace, instance = self._locate(given.instance_id or "")
        wanted = self._wanted(given, instance)
        slots = self._slots(namespace, instance)
        found = self._store.get(ASSIGNMENTS, namespace, instance)
        if not self._is_told(slots, wanted, found.parse() if found is not None else None):
            await self._registry.transact(lambda txn: self._replace(txn, namespace, instance, wanted), call.actor)
        self._leases.heard(Key(ENDPOINTS.resource, namespace, name) for name in wanted)
        return no_content()

    def _wanted(self, given: Registration, instance: str) -> Specs:
        needed = (("instanceId", given.instance_id), ("nodeId", given.node_id), ("ip", given.ip))
        missing = [name for name, value in needed if not value]
        if missing or not given.endpoints:
            raise BadRequest(f"missing fields: {', '.join(missing or ['endpoints'])}")
        specs = [self._spec(given, index, endpoint, instance) for index, endpoint in enumerate(given.endpoints)]
        return {endpoint_name(spec): spec for spec in specs}

    def _spec(self, given: Registration, index: int, endpoint: EndpointGiven, instance: str) -> EndpointSpec:
        """One of the endpoints. Raises BadRequest that names the field."""
        if not endpoint.service_name or endpoint.port is None:
            name = "port" if endpoint.service_name else "serviceName"
            raise BadRequest(f"missing fields: endpoints[{index}].{name}")
        spec: dict[str, Any] = {
            "service": endpoint.service_name,
            "assignment": instance,
            "node_name": given.node_id,
            "ip": given.ip,
            "port": endpoint.port,
            "protocol": endpoint.protocol or "tcp",
            "version": endpoint.version or "",
            "labels": endpoint.labels or {},
            "lease_seconds": self._ttl,
        }
        try:
            return EndpointSpec(**spec)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_context=False)[0]
            field = ".".join(map(str, fault["loc"]))
            raise BadRequest(f"bad request: endpoints[{index}].{field}: {fault['msg']}") from None

    def _locate(self, id: str) -> tuple[str, str]:
        """Namespace and name of an instance; what is none of ours is in ``default``, whatever it calls itself."""
        namespace, name = read_id(id)
        is_ours = self._store.get(ASSIGNMENTS, namespace, name) is not None
        return (namespace, name) if is_ours else (DEFAULT, id)

    def _slots(self, namespace: str, instance: str) -> list[Slot]:
        return list(self._store.cache.select(_of(namespace, instance)))

    def _is_told(self, slots: Iterable[Slot], wanted: Specs, instance: Body | None) -> bool:
        """Whether a registration says nothing new: then it is a sign of life and no more."""
        left = dict(wanted)
        for slot in slots:
            body = slot.parse()
            spec = left.pop(slot.key.name, None)
            if _is_derived(body) and spec is None:
                continue
            if spec is None or _is_left(body, spec, instance) or dig(body, "status.reason") == "Expired":
                return False
            if not _is_derived(body) and _without_override(body["spec"]) != _wire(spec):
                return False
        return not left

    def _replace(self, txn: Transaction, namespace: str, instance: str, wanted: Specs) -> None:
        present = {slot.key.name: slot.parse() for slot in txn.select(_of(namespace, instance))}
        found = txn.get(ASSIGNMENTS, namespace, instance)
        for name, body in present.items():
            if name not in wanted and not _is_derived(body):
                txn.delete(ENDPOINTS, body)
        for name, spec in wanted.items():
            old = present.get(name)
            if old is None:
                tell(txn, self._create(txn, namespace, name, spec), expired=False, last_seen="")
            elif not _is_derived(old) or _is_left(old, spec, found):
                override = {key: old["spec"][key] for key in ("healthOverride",) if key in old["spec"]}
                new = dict(old, metadata=_registered(old["metadata"]), spec=_wire(spec) | override)
                changed = txn.update(ENDPOINTS, old, new, MANAGER)
                tell(txn, changed, expired=False, last_seen="")

    def _create(self, txn: Transaction, namespace: str, name: str, spec: EndpointSpec) -> Body:
        metadata: Body = {"name": name, "namespace": namespace}
        instance = txn.get(ASSIGNMENTS, namespace, spec.assignment)
        if instance is not None:
            owner = {
                "apiVersion": ASSIGNMENTS.api_version,
                "kind": ASSIGNMENTS.name,
                "name": spec.assignment,
                "uid": instance["metadata"]["uid"],
            }
            metadata["ownerReferences"] = [owner]
        body = {"metadata": metadata, "spec": _wire(spec)}
        return txn.create(ENDPOINTS, writes.create(ENDPOINTS, body, txn.context(MANAGER)))

    async def heartbeat(self, call: Call) -> Response:
        """The instance's endpoints are alive; what it says of their health counts until it says otherwise. Raises
        BadRequest."""
        given = await call.body(ServiceHeartbeat)
        if not given.instance_id:
            raise BadRequest("missing instanceId: say of which instance the endpoints are")
        namespace, instance = self._locate(given.instance_id)
        slots = self._slots(namespace, instance)
        said = {slot.key.name: flag for slot in slots if (flag := _said(slot.parse(), given.health or ())) is not None}
        if said or any(dig(slot.parse(), "status.reason") == "Expired" for slot in slots):
            await self._registry.transact(lambda txn: self._override(txn, namespace, instance, said), call.actor)
        self._leases.heard(slot.key for slot in slots)
        return no_content()

    def _override(self, txn: Transaction, namespace: str, instance: str, said: Mapping[str, bool]) -> None:
        for slot in txn.select(_of(namespace, instance)):
            body = slot.parse()
            if slot.key.name in said:
                new = dict(body, spec=dict(body["spec"], healthOverride=said[slot.key.name]))
                body = txn.update(ENDPOINTS, body, new, MANAGER)
            tell(txn, body, expired=False, last_seen="")

    async def delete(self, call: Call) -> Response:
        """Nothing is registered for the instance any more. What the endpoints controller derives stays, without what
        the app has said of its health. Raises BadRequest."""
        id = call.required("instanceId")
        namespace, instance = self._locate(id)

        def work(txn: Transaction) -> None:
            for slot in list(txn.select(_of(namespace, instance))):
                body = slot.parse()
                if not _is_derived(body):
                    txn.delete(ENDPOINTS, body)
                elif "healthOverride" in body["spec"]:
                    new = dict(body, spec=_without_override(body["spec"]))
                    new = txn.update(ENDPOINTS, body, new, MANAGER)
                    tell(txn, new, expired=False, last_seen="")

        await self._registry.transact(work, call.actor)
        return no_content()


def _of(namespace: str, instance: str) -> Filter:
    return Filter(ENDPOINTS, namespace, fields=equal("spec.assignment", instance))


def _is_derived(body: Body) -> bool:
    """Whether the endpoints controller keeps it, and knows better."""
    return is_managed(body["metadata"].get("labels") or {})


def _is_left(body: Body, spec: EndpointSpec, instance: Body | None) -> bool:
    """Whether it was derived from an offer that the instance's agent makes no more, so that its controller is about to
    delete it. Original agents register once: what they find there from another agent must become theirs."""
    if instance is None or not _is_derived(body):
        return False
    offers = dig(instance, "status.services") or ()
    address = (spec.service, spec.port, spec.protocol)
    return all((offer["name"], offer["port"], offer["protocol"]) != address for offer in offers)


def _registered(metadata: Body) -> Body:
    """Of an endpoint that is its registrant's, whosever it was."""
    labels = metadata.get("labels") or {}
    return dict(metadata, labels={key: value for key, value in labels.items() if key != MANAGED_BY})


def _wire(spec: EndpointSpec) -> Body:
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True)


def _without_override(spec: Body) -> Body:
    return {key: value for key, value in spec.items() if key != "healthOverride"}


def _said(body: Body, health: Iterable[HealthGiven]) -> bool | None:
    """What a heartbeat says of an endpoint; what it leaves open fits every endpoint."""
    spec = body["spec"]
    for one in health:
        address = (one.service_name, one.ip or spec["ip"], one.port or spec["port"], one.protocol or spec["protocol"])
        if address == (spec["service"], spec["ip"], spec["port"], spec["protocol"]):
            return bool(one.healthy)
    return None
