"""The plan of endpoints over instances that come up, go down and go, services that select, and others that register.

Writes go through the rules of the real server, so that ownership of fields is the real one. A plan may be cut short
anywhere, or be made on a world that has changed when it is performed.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from apiserver.api.discovery import ENDPOINTS_CONTROLLER, endpoint_name
from apiserver.api.errors import Conflict
from apiserver.api.kinds.assignment import Assignment
from apiserver.api.kinds.endpoint import ENDPOINTS, Endpoint, EndpointSpec
from apiserver.api.kinds.service import Service
from apiserver.api.machinery import writes
from apiserver.api.machinery.patches import merge_patch
from apiserver.api.meta import Body
from controllers.endpoints_plan import (
    EXPIRED_KEPT,
    SELECTED,
    Action,
    Change,
    Create,
    Delete,
    Plan,
    SetHealth,
    is_derived,
    is_expired,
    plan,
)
from tests.unit.controllers.discovered import READY, endpoint, instance, service

NAMES = ("a", "b")
OFFERS = [{"name": "orders", "port": port, "protocol": protocol} for port, protocol in ((80, "http"), (81, "grpc"))]
UP = ("Running", "Unknown", "Stopping")
name = st.sampled_from(NAMES)
pick = st.integers(0, 1000)


class Discovery(RuleBasedStateMachine):
    """Everything happens; then, left alone, each endpoint is as it should be, and nothing is written any more."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.versions, self.uids = count(1), count(1)
        self.instances: dict[str, Assignment] = {}
        self.services: dict[str, Service] = {}
        self.endpoints: dict[str, Body] = {}
        self.registered: dict[str, Any] = {}
        """The specs of what others registered, but for the health override, by name."""
        self.notes: dict[str, str] = {}
        """What others noted last on derived endpoints, by uid."""
        self.judged: set[str] = set()
        """Endpoints, by uid, that were settled while their instance was there."""
        self.stale: list[Action] = []
        self.select("front", [82, "web"])
        for name in NAMES:
            self.report(name, "Running", True, 3)
            self.someone_commands(name, "tier")

    @rule(name=name, phase=st.sampled_from(["Preparing", "Failed", "Running", *UP]), ready=st.booleans(), offers=pick)
    def report(self, name: str, phase: str, ready: bool, offers: int) -> None:
        """An agent, or for a silent node the node controller, tells how an instance is; perhaps a new one."""
        tier = {} if name not in self.instances else dict(self.instances[name].metadata.labels)
        offered = [offer for bit, offer in enumerate(OFFERS) if offers >> bit & 1] if phase in UP else []
        status = {"phase": phase, "services": offered, "conditions": [READY] if ready else []}
        old = self.instances.get(name)
        uid = old.metadata.uid if old else f"instance-{next(self.uids)}"
        meta: dict[str, Any] = {"uid": uid}
        if old and old.metadata.deletion_timestamp:
            meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        self.instances[name] = instance(name, labels=tier, status=status, metadata=meta)

    @rule(name=name, what=st.sampled_from(["stop", "start", "tier", "no tier", "delete", "vanish"]))
    def someone_commands(self, name: str, what: str) -> None:
        if (old := self.instances.get(name)) is None:
            return
        if what == "vanish":
            del self.instances[name]
            return
        body = old.to_body()
        if what in ("stop", "start"):
            body["spec"]["desired"] = "Stopped" if what == "stop" else "Running"
        elif what == "delete":
            body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        else:
            body["metadata"]["labels"] = {"tier": "web"} if what == "tier" else {}
        self.instances[name] = Assignment.from_body(body)

    @rule(name=st.sampled_from(["front", "orders"]), ports=st.lists(st.sampled_from([80, 82, "web"]), unique=True))
    def select(self, name: str, ports: list[int | str]) -> None:
        listed = [{"port": port, "protocol": "http"} for port in ports]
        self.services[name] = service(name, selector={"tier": "web"} if ports else {}, ports=listed)

    @rule(name=st.sampled_from([*NAMES, ""]), port=st.sampled_from([80, 90]), lease=st.sampled_from([None, 30]))
    def register(self, name: str, port: int, lease: int | None) -> None:
        """Over the other door; perhaps the very address that the instance's agent tells of."""
        body = endpoint(instance(name) if name else None, derived=False, port=port, leaseSeconds=lease).to_body()
        if body["metadata"]["name"] not in self.endpoints:
            del body["metadata"]["uid"], body["metadata"]["resourceVersion"]
            self.create(body, "someone")
            self.registered[body["metadata"]["name"]] = self.spec_of(body["metadata"]["name"])

    @rule(at=pick, value=st.sampled_from([True, False, None]))
    def override(self, at: int, value: bool | None) -> None:
        if self.endpoints:
            self.patch(self.any(at), {"spec": {"healthOverride": value}}, "app")

    @rule(at=pick, text=st.sampled_from(["x", "y"]), tier=st.sampled_from(["x", None]))
    def note(self, at: int, text: str, tier: str | None) -> None:
        """Someone takes notes on a derived endpoint, and meddles with ours."""
        derived = [name for name in self.endpoints if name not in self.registered]
        if derived:
            name = derived[at % len(derived)]
            self.patch(name, {"spec": {"labels": {"mine": text, "tier": tier}}}, "someone")
            self.notes[self.endpoints[name]["metadata"]["uid"]] = text

    @rule(at=pick)
    def lease(self, at: int) -> None:
        """Someone registers the address of a derived endpoint."""
        if self.endpoints:
            self.patch(self.any(at), {"spec": {"leaseSeconds": 30}}, "someone")
            name = self.any(at)
            if name in self.registered:
                self.registered[name] = self.spec_of(name)

    @rule(at=pick, expired=st.booleans())
    def hear(self, at: int, expired: bool) -> None:
        """The server has not heard of a registrant for long, or again."""
        leased = [found for found in self.found() if found.spec.lease_seconds]
        if leased:
            reason = "Expired" if expired else ""
            body = {"healthy": False, "reason": reason, "lastSeen": self.now.isoformat()}
            found = leased[at % len(leased)]
            self.set_status(found.metadata.name, body, "server")
            self.judged.discard(found.metadata.uid or "")

    @rule(minutes=st.sampled_from([1, 20]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(at=pick, cut=st.integers(0, 3), late=st.booleans())
    def follow(self, at: int, cut: int, late: bool) -> None:
        """A part of a plan is performed, perhaps only when the world has changed."""
        keys = [*self.keys()]
        if keys:
            actions = [*self.plan(keys[at % len(keys)]).actions[:cut]]
            for action in self.stale if late else actions:
                self.perform(action)
            self.stale = actions if late else []

    @rule()
    def settle(self) -> None:
        for action in self.stale:
            self.perform(action)
        self.stale = []
        for _ in range(8):
            self.collect()
            actions = [action for key in [*self.keys()] for action in self.plan(key).actions]
            for action in actions:
                self.perform(action)
            if not actions:
                break
        assert not [action for key in self.keys() for action in self.plan(key).actions], "nothing more to write"
        self.check()

    def teardown(self) -> None:
        self.settle()

    # What must be true of a settled world.

    def check(self) -> None:
        for name, spec in self.registered.items():
            assert self.spec_of(name) == spec, "others' endpoints are not ours to change"
        for found in self.found():
            one, uid = self.instances.get(found.spec.assignment), found.metadata.uid or ""
            if uid in self.notes:
                assert found.spec.labels["mine"] == self.notes[uid], "others' notes are not ours to change"
            if is_expired(found):
                continue
            if one is not None:
                self.judged.add(uid)
            if one is not None:
                alive = one.status.phase == "Running" and one.spec.desired == "Running"
                alive = alive and one.metadata.deletion_timestamp is None
                word = found.spec.health_override
                ready = bool(one.status.conditions) if word is None else word
                assert found.status.healthy == (alive and ready)
            elif not found.spec.assignment:
                assert found.status.healthy == (found.spec.health_override is not False)
            elif uid in self.judged and found.spec.health_override is None:
                assert not found.status.healthy, "what its instance took along comes back"
        for one in self.instances.values():
            self.check_derived(one)

    def check_derived(self, one: Assignment) -> None:
        ours = {f.metadata.name: f for f in self.found() if is_derived(f) and f.spec.assignment == one.metadata.name}
        assert all(found.metadata.owner_references[0].uid == one.metadata.uid for found in ours.values())
        if one.metadata.deletion_timestamp is not None:
            return
        names = {found.metadata.name for found in ours.values() if SELECTED not in found.metadata.annotations}
        offered = {self.address(one, offer.name, offer.port, offer.protocol) for offer in one.status.services}
        if one.status.services or one.status.phase == "Running":
            expired = {name for name, found in ours.items() if is_expired(found)}  # and left alone, if wanted at all
            assert names - expired == offered - self.registered.keys() - expired
        wanted = {
            self.address(one, found.metadata.name, 30001 if port.port == "web" else int(port.port), port.protocol)
            for found in self.services.values()
            if found.spec.selector.items() <= one.metadata.labels.items()
            for port in found.spec.ports
        }
        assert wanted <= ours.keys() | self.registered.keys()
        assert ours.keys() - names <= wanted
        for found in ours.values():
            if is_expired(found):
                continue
            mine = {key: value for key, value in one.metadata.labels.items() if not key.startswith("plum.dev/")}
            assert mine.items() <= found.spec.labels.items()

    @staticmethod
    def address(one: Assignment, name: str, port: int, protocol: str) -> str:
        return endpoint_name(
            EndpointSpec(service=name, assignment=one.metadata.name, ip=one.status.ip, port=port, protocol=protocol)
        )

    # The model of the server.

    def found(self) -> list[Endpoint]:
        return [Endpoint.from_body(body) for body in self.endpoints.values()]

    def any(self, at: int) -> str:
        return list(self.endpoints)[at % len(self.endpoints)]

    def spec_of(self, name: str) -> Body:
        return {key: value for key, value in self.endpoints[name]["spec"].items() if key != "healthOverride"}

    def keys(self) -> Iterator[str]:
        """As the reconciler's."""
        yield from {*self.instances, *(found.spec.assignment for found in self.found() if found.spec.assignment)}
        yield from (f"/{found.metadata.name}" for found in self.found() if not found.spec.assignment)

    def plan(self, key: str) -> Plan:
        one = self.instances.get(key)
        found = [f for f in self.found() if (f.spec.assignment or f"/{f.metadata.name}") == key]
        selecting = [
            s
            for s in self.services.values()
            if one and s.spec.selector and s.spec.selector.items() <= one.metadata.labels.items()
        ]
        ages = {f.metadata.uid or "": EXPIRED_KEPT * 9 for f in found}
        return plan(one, selecting, found, now=self.now, expired_for=ages)

    def context(self, manager: str) -> writes.Context:
        return writes.Context(self.now, manager, lambda: f"endpoint-{next(self.uids)}")

    def store(self, body: Body) -> None:
        meta = dict(body["metadata"], resourceVersion=str(next(self.versions)))
        self.endpoints[meta["name"]] = dict(body, metadata=meta)

    def create(self, body: Body, manager: str) -> None:
        self.store(writes.create(ENDPOINTS, body, self.context(manager)))

    def patch(self, name: str, patch: Body, manager: str) -> None:
        old = self.endpoints[name]
        self.store(writes.update(ENDPOINTS, old, merge_patch(old, patch), self.context(manager)))

    def set_status(self, name: str, status: Body, manager: str, *, version: str = "") -> None:
        meta = {"name": name, "namespace": "default"} | ({"resourceVersion": version} if version else {})
        config = {"apiVersion": ENDPOINTS.api_version, "kind": ENDPOINTS.name, "metadata": meta, "status": status}
        old = self.endpoints[name]
        self.store(writes.apply(ENDPOINTS, old, config, self.context(manager), force=True, subresource="status"))

    def perform(self, action: Action) -> None:
        """As the reconciler."""
        wanted = action.endpoint
        name, present = wanted.metadata.name, self.endpoints.get(wanted.metadata.name)
        version = wanted.metadata.resource_version or ""
        status = wanted.status
        try:
            match action:
                case Create():
                    if present is not None:
                        return
                    self.create(wanted.to_body(), ENDPOINTS_CONTROLLER)
                case SetHealth(_, status):
                    if present is None:
                        return
                case Change(_, patch):
                    if present is not None:
                        metadata = patch.get("metadata", {}) | {"resourceVersion": version}
                        self.patch(name, patch | {"metadata": metadata}, ENDPOINTS_CONTROLLER)
                    return
                case Delete():
                    if present is not None and present["metadata"]["resourceVersion"] == version:
                        assert name not in self.registered or is_expired(Endpoint.from_body(present))
                        self.registered.pop(name, None)
                        del self.endpoints[name]
                    return
            body = status.model_dump(mode="json", by_alias=True, exclude_none=True)
            self.set_status(name, body, ENDPOINTS_CONTROLLER, version=version)
        except Conflict:
            return

    def collect(self) -> None:
        """The garbage collector."""
        uids = {one.metadata.uid for one in self.instances.values()}
        for found in self.found():
            owners = {reference.uid for reference in found.metadata.owner_references}
            if owners and not owners & uids:
                del self.endpoints[found.metadata.name]


TestDiscovery = Discovery.TestCase
TestDiscovery.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
