"""What Kubernetes documents of server-side apply, as cases: each with its rule in our words.

Owners are called ``ann`` where they have a place by apply, ``ann!`` by any other write, ``ann/status`` through the
door of the status. A place is called as in conflicts. ``GONE``: there is no such place. The model must agree with
all of it, and so must the server.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.properties.apply_model import Body

GONE = "(gone)"
MAIN, WEB = '.spec.entries[name="main"]', '.spec.entries[name="web"]'
READY = '.status.conditions[type="Ready"]'


@dataclass(frozen=True)
class Step:
    """A write; ``body`` is a config to apply, or a merge patch for what there is by then."""

    verb: str
    manager: str
    body: Body
    options: Body = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """Steps, of which the last may fail, and what is true then."""

    rule: str
    steps: tuple[Step, ...]
    values: dict[str, Any] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    conflicts: set[str] = field(default_factory=set)
    invalid: bool = False


def task(*entries: Body, **parts: Any) -> Body:
    """A config: the entry ``main``, or those given; labels, finalizers and owners go to the metadata."""
    metadata = {key: parts.pop(key) for key in ("labels", "finalizers", "ownerReferences") if key in parts}
    listed = [{"artifactUrl": "/1"} | entry for entry in entries] or [{"name": "main", "artifactUrl": "/1"}]
    return {"metadata": metadata, "spec": {"entries": listed} | parts}


def main(**fields: Any) -> Body:
    return {"name": "main"} | fields


def web(**fields: Any) -> Body:
    return {"name": "web"} | fields


def ready(status: str = "True", **fields: Any) -> Body:
    return {"status": {"conditions": [{"type": "Ready", "status": status} | fields]}}


def apply(manager: str, body: Body, **options: Any) -> Step:
    return Step("apply", manager, body, options)


def forced(manager: str, body: Body) -> Step:
    return Step("apply", manager, body, {"force": True})


def told(manager: str, body: Body, **options: Any) -> Step:
    """An apply through the door of the status."""
    return Step("apply", manager, body, {"door": "status"} | options)


def write(manager: str, patch: Body, **options: Any) -> Step:
    return Step("update", manager, patch, options)


def owner(uid: str, name: str) -> Body:
    return {"apiVersion": "v1", "kind": "K", "name": name, "uid": uid}


CASES = (
    Case(
        "Applying what is not there creates it, and the applied fields are the applier's.",
        (apply("ann", task(main(replicas=2), labels={"a": "1"})),),
        {f"{MAIN}.replicas": 2, ".metadata.labels.a": "1"},
        {f"{MAIN}.replicas": "ann", MAIN: "ann", f"{MAIN}.name": "ann", ".metadata.labels.a": "ann"},
    ),
    Case(
        "What defaulting adds to an applied object is nobody's.",
        (apply("ann", task()),),
        {".spec.state": "Running", f"{MAIN}.restartPolicy": "Always"},
        {".spec.state": "", f"{MAIN}.restartPolicy": "", ".spec.strategy.maxUnavailable": ""},
    ),
    Case(
        "Who creates an object has all of it, what defaulting added too.",
        (write("ann", task()),),
        {".spec.state": "Running"},
        {".spec.state": "ann!", MAIN: "ann!", f"{MAIN}.artifactUrl": "ann!"},
    ),
    Case(
        "Applying another value to a field of another manager is a conflict.",
        (apply("ann", task(state="Running")), apply("bob", task(state="Stopped"))),
        {".spec.state": "Running"},
        {".spec.state": "ann"},
        {".spec.state ann"},
    ),
    Case(
        "A conflict names every field and every manager that has it.",
        (
            apply("ann", task(state="Running", labels={"a": "1"})),
            apply("bob", task(state="Running")),
            apply("cyd", task(state="Stopped", labels={"a": "2"})),
        ),
        conflicts={".spec.state ann", ".spec.state bob", ".metadata.labels.a ann"},
    ),
    Case(
        "A refused apply changes nothing, not even where it met no conflict.",
        (apply("ann", task(state="Running")), apply("bob", task(state="Stopped", labels={"b": "1"}))),
        {".metadata.labels.b": GONE},
        {f"{MAIN}.artifactUrl": "ann"},
        {".spec.state ann"},
    ),
    Case(
        "With force the value changes and its applier becomes the only manager.",
        (apply("ann", task(state="Running")), forced("bob", task(state="Stopped"))),
        {".spec.state": "Stopped"},
        {".spec.state": "bob"},
    ),
    Case(
        "Force takes the contested fields only; what both want alike stays shared.",
        (
            apply("ann", task(state="Running", labels={"a": "1", "b": "1"})),
            forced("bob", task(state="Stopped", labels={"a": "1"})),
        ),
        owners={".spec.state": "bob", ".metadata.labels.a": "ann bob", ".metadata.labels.b": "ann"},
    ),
    Case(
        "Applying the same value shares the field.",
        (apply("ann", task(state="Stopped")), apply("bob", task(state="Stopped"))),
        owners={".spec.state": "ann bob"},
    ),
    Case(
        "One who shares a field cannot change it without a conflict.",
        (
            apply("ann", task(state="Stopped")),
            apply("bob", task(state="Stopped")),
            apply("ann", task(state="Running")),
        ),
        {".spec.state": "Stopped"},
        conflicts={".spec.state bob"},
    ),
    Case(
        "A manager changes what is its own as it likes.",
        (apply("ann", task(state="Running")), apply("ann", task(state="Stopped"))),
        {".spec.state": "Stopped"},
        {".spec.state": "ann"},
    ),
    Case(
        "A field that its only manager leaves out of its config is removed.",
        (apply("ann", task(main(replicas=2), labels={"a": "1", "b": "1"})), apply("ann", task(labels={"b": "1"}))),
        {f"{MAIN}.replicas": GONE, ".metadata.labels.a": GONE, ".metadata.labels.b": "1"},
    ),
    Case(
        "A field with a default goes back to it when its only manager leaves it out.",
        (apply("ann", task(main(restartPolicy="Never"), state="Stopped")), apply("ann", task())),
        {".spec.state": "Running", f"{MAIN}.restartPolicy": "Always"},
        {".spec.state": "", f"{MAIN}.restartPolicy": ""},
    ),
    Case(
        "A field that somebody else has too stays when one manager leaves it out.",
        (apply("ann", task(state="Stopped")), apply("bob", task(state="Stopped")), apply("ann", task())),
        {".spec.state": "Stopped"},
        {".spec.state": "bob"},
    ),
    Case(
        "It stays as well if the other one wrote it by an update.",
        (write("bob", task(state="Stopped")), apply("ann", task(state="Stopped")), apply("ann", task())),
        {".spec.state": "Stopped"},
        {".spec.state": "bob!"},
    ),
    Case(
        "Who has lost a field can give up the claim by leaving it out; the value is the other's.",
        (apply("ann", task(state="Running")), forced("bob", task(state="Stopped")), apply("ann", task())),
        {".spec.state": "Stopped"},
        {".spec.state": "bob"},
    ),
    Case(
        "An update never meets a conflict; what it changes is its writer's alone.",
        (apply("ann", task(state="Running")), write("bob", {"spec": {"state": "Stopped"}})),
        {".spec.state": "Stopped"},
        {".spec.state": "bob!", f"{MAIN}.artifactUrl": "ann"},
    ),
    Case(
        "An update that leaves a value as it is takes nothing.",
        (apply("ann", task(state="Stopped")), write("bob", {"spec": {"state": "Stopped"}})),
        owners={".spec.state": "ann"},
    ),
    Case(
        "What an update removes is nobody's any more.",
        (
            apply("ann", task(labels={"a": "1"})),
            apply("bob", task(labels={"a": "1"})),
            write("cyd", {"metadata": {"labels": None}}),
        ),
        {".metadata.labels.a": GONE},
        {".metadata.labels.a": ""},
    ),
    Case(
        "Who lost a field to an update meets a conflict at the next apply.",
        (
            apply("ann", task(state="Running")),
            write("bob", {"spec": {"state": "Stopped"}}),
            apply("ann", task(state="Running")),
        ),
        {".spec.state": "Stopped"},
        conflicts={".spec.state bob!"},
    ),
    Case(
        "What a manager has by updates is not what it has by apply: it meets itself.",
        (
            apply("ann", task(state="Running")),
            write("ann", {"spec": {"state": "Stopped"}}),
            apply("ann", task(state="Running")),
        ),
        conflicts={".spec.state ann!"},
    ),
    Case(
        "A value that is nobody's can be applied without a conflict.",
        (apply("ann", task()), apply("bob", task(state="Stopped"))),
        {".spec.state": "Stopped"},
        {".spec.state": "bob"},
    ),
    Case(
        "Applying what is the default makes it owned.",
        (apply("ann", task(state="Running")),),
        owners={".spec.state": "ann"},
    ),
    Case(
        "An update can share what was applied only by what it adds: the applier keeps the rest.",
        (apply("ann", task(labels={"a": "1"})), write("bob", {"metadata": {"labels": {"b": "1"}}})),
        owners={".metadata.labels.a": "ann", ".metadata.labels.b": "bob!"},
    ),
    Case(
        "A map has managers by its keys.",
        (apply("ann", task(labels={"a": "1"})), apply("bob", task(labels={"b": "1"}))),
        {".metadata.labels.a": "1", ".metadata.labels.b": "1"},
        {".metadata.labels.a": "ann", ".metadata.labels.b": "bob"},
    ),
    Case(
        "Leaving a map out removes one's own keys and no other's.",
        (apply("ann", task(labels={"a": "1"})), apply("bob", task(labels={"b": "1"})), apply("ann", task())),
        {".metadata.labels.a": GONE, ".metadata.labels.b": "1"},
    ),
    Case(
        "The members of a set have managers of their own.",
        (apply("ann", task(finalizers=["f"])), apply("bob", task(finalizers=["g", "f"]))),
        {".metadata.finalizers": ["g", "f"]},
        {'.metadata.finalizers[="f"]': "ann bob", '.metadata.finalizers[="g"]': "bob"},
    ),
    Case(
        "A member of a set goes with its last manager.",
        (
            apply("ann", task(finalizers=["f", "h"])),
            apply("bob", task(finalizers=["g", "f"])),
            apply("ann", task()),
        ),
        {".metadata.finalizers": ["g", "f"]},
        {'.metadata.finalizers[="f"]': "bob"},
    ),
    Case(
        "Items of a list with keys are merged by their keys.",
        (apply("ann", task(main(replicas=1))), apply("bob", task(main(startCmd="x"), web()))),
        {f"{MAIN}.replicas": 1, f"{MAIN}.startCmd": "x", f"{WEB}.artifactUrl": "/1"},
        {MAIN: "ann bob", f"{MAIN}.replicas": "ann", f"{MAIN}.startCmd": "bob", WEB: "bob"},
    ),
    Case(
        "An item goes when its only manager leaves it out, with the defaults in it.",
        (apply("ann", task(main(), web())), apply("ann", task(main()))),
        {WEB: GONE, f"{MAIN}.artifactUrl": "/1"},
    ),
    Case(
        "An item that another applies too stays; what only the first had in it goes.",
        (
            apply("ann", task(main(), web(replicas=2, startCmd="x"))),
            apply("bob", task(main(), web(startCmd="x"))),
            apply("ann", task(main())),
        ),
        {f"{WEB}.replicas": GONE, f"{WEB}.startCmd": "x"},
        {WEB: "bob", f"{WEB}.name": "bob", f"{WEB}.startCmd": "bob"},
    ),
    Case(
        "Who applied an item can take it away though an update has written into it.",
        (
            apply("ann", task(main(), web())),
            write("bob", {"spec": {"entries": [main(artifactUrl="/1"), web(artifactUrl="/1", replicas=3)]}}),
            apply("ann", task(main())),
        ),
        {WEB: GONE},
    ),
    Case(
        "Lists with keys inside items work alike.",
        (
            apply("ann", task(main(env=[{"name": "A", "value": "1"}]))),
            apply("bob", task(main(env=[{"name": "B", "value": "1"}]))),
            apply("ann", task(main())),
        ),
        {f'{MAIN}.env[name="A"]': GONE, f'{MAIN}.env[name="B"].value': "1"},
        {f'{MAIN}.env[name="B"]': "bob"},
    ),
    Case(
        "A conflict inside an item is about the field, not the item.",
        (
            apply("ann", task(main(env=[{"name": "A", "value": "1"}]))),
            apply("bob", task(main(env=[{"name": "A", "value": "2"}]))),
        ),
        conflicts={f'{MAIN}.env[name="A"].value ann'},
    ),
    Case(
        "Force on a field of an item leaves the item itself shared.",
        (apply("ann", task(main(replicas=1))), forced("bob", task(main(replicas=2)))),
        owners={MAIN: "ann bob", f"{MAIN}.replicas": "bob"},
    ),
    Case(
        "Another key is another item: the old one goes, the new one comes.",
        (apply("ann", task(main(), web())), apply("ann", task(main(), {"name": "api"}))),
        {WEB: GONE, '.spec.entries[name="api"].artifactUrl': "/1"},
    ),
    Case(
        "Merged items are in the order of the config.",
        (apply("ann", task(main(), web())), apply("ann", task(web(), main()))),
        {".spec.entries/names": ["web", "main"]},
    ),
    Case(
        "An item that only the live list has keeps its place among its neighbours.",
        (apply("ann", task(web(), main())), apply("bob", task(main(), {"name": "api"}))),
        {".spec.entries/names": ["web", "main", "api"]},
    ),
    Case(
        "The order of a list with keys is nobody's: an update that turns it round takes nothing.",
        (apply("ann", task(finalizers=["f", "g"])), write("bob", {"metadata": {"finalizers": ["g", "f"]}})),
        {".metadata.finalizers": ["g", "f"]},
        {'.metadata.finalizers[="f"]': "ann"},
    ),
    Case(
        "Two items with one key cannot be applied.",
        (apply("ann", task()), apply("bob", task(main(), main()))),
        invalid=True,
    ),
    Case(
        "A member cannot be applied twice in a set.",
        (apply("ann", task()), apply("bob", task(finalizers=["f", "f"]))),
        invalid=True,
    ),
    Case(
        "An item without its key cannot be applied.",
        (apply("ann", task()), apply("bob", task(main(env=[{"value": "1"}])))),
        invalid=True,
    ),
    Case(
        "A list without keys has one manager as a whole.",
        (
            apply("ann", task(main(probes={"readiness": {"exec": {"command": ["a"]}}}))),
            apply("bob", task(main(probes={"readiness": {"exec": {"command": ["a", "b"]}}}))),
        ),
        conflicts={f"{MAIN}.probes.readiness.exec.command ann"},
    ),
    Case(
        "A list without keys is replaced, not merged.",
        (
            apply("ann", task(main(probes={"readiness": {"exec": {"command": ["a", "b"]}}}))),
            forced("bob", task(main(probes={"readiness": {"exec": {"command": ["c"]}}}))),
        ),
        {f"{MAIN}.probes.readiness.exec.command": ["c"]},
        {f"{MAIN}.probes.readiness.exec.command": "bob"},
    ),
    Case(
        "A struct that is applied whole is contested whole.",
        (
            apply("ann", task(ownerReferences=[owner("u", "1"), owner("v", "1")])),
            apply("bob", task(ownerReferences=[owner("u", "2")])),
        ),
        conflicts={'.metadata.ownerReferences[uid="u"] ann'},
    ),
    Case(
        "Owners' references of different managers live side by side.",
        (
            apply("ann", task(ownerReferences=[owner("u", "1")])),
            apply("bob", task(ownerReferences=[owner("v", "1")])),
            apply("ann", task()),
        ),
        {".metadata.ownerReferences": [owner("v", "1")]},
        {'.metadata.ownerReferences[uid="v"]': "bob"},
    ),
    Case(
        "The fields of a struct can have different managers.",
        (apply("ann", task(strategy={"maxUnavailable": 2})), apply("bob", task(strategy={"maxSurge": 2}))),
        owners={".spec.strategy.maxUnavailable": "ann", ".spec.strategy.maxSurge": "bob"},
    ),
    Case(
        "A struct that is nobody's any more goes with the defaults in it.",
        (apply("ann", task(main(logs={"maxFiles": 2}))), apply("ann", task(main()))),
        {f"{MAIN}.logs": GONE},
    ),
    Case(
        "A struct in which somebody has something stays, and what is given up in it goes back to its default.",
        (
            apply("ann", task(main(logs={"maxFiles": 2}))),
            apply("bob", task(main(logs={"maxSize": "20Mi"}))),
            apply("ann", task(main())),
        ),
        {f"{MAIN}.logs.maxFiles": 5, f"{MAIN}.logs.maxSize": "20Mi"},
        {f"{MAIN}.logs.maxFiles": "", f"{MAIN}.logs.maxSize": "bob"},
    ),
    Case(
        "Applying through the main door ignores the status.",
        (apply("ann", task() | ready()),),
        {READY: GONE},
        {READY: ""},
    ),
    Case(
        "Applying through the door of the status ignores the rest, and its books are kept apart.",
        (apply("ann", task()), told("ann", task(state="Stopped", labels={"a": "1"}) | ready())),
        {".spec.state": "Running", ".metadata.labels.a": GONE, f"{READY}.status": "True"},
        {READY: "ann/status", f"{READY}.status": "ann/status", f"{MAIN}.artifactUrl": "ann"},
    ),
    Case(
        "Leaving something out behind one door removes nothing behind the other.",
        (apply("ann", task(labels={"a": "1"})), told("ann", ready()), apply("ann", task())),
        {".metadata.labels.a": GONE, f"{READY}.status": "True"},
        {READY: "ann/status"},
    ),
    Case(
        "A conflict about the status tells the subresource.",
        (apply("ann", task()), told("ann", ready("True")), told("bob", ready("False"))),
        {f"{READY}.status": "True"},
        conflicts={f"{READY}.status ann/status"},
    ),
    Case(
        "Writing the status takes what it changes through that door.",
        (
            apply("ann", task()),
            told("ann", ready("True", reason="1")),
            write("bob", ready("False", reason="1"), door="status"),
        ),
        owners={f"{READY}.status": "bob!/status", f"{READY}.reason": "ann/status", READY: "ann/status"},
    ),
    Case(
        "Conditions of different types have different managers.",
        (
            apply("ann", task()),
            told("ann", ready()),
            told("bob", {"status": {"conditions": [{"type": "Good", "status": "True"}]}}),
            told("ann", {"status": {"replicas": 1}}),
        ),
        {READY: GONE, '.status.conditions[type="Good"].status': "True"},
    ),
    Case(
        "What no schema describes is taken by the keys of its objects.",
        (
            apply("ann", task()),
            told("ann", {"status": {"operator": {"p": {"deep": 1}}}}),
            told("bob", {"status": {"operator": {"p": {"er": 2}}}}),
        ),
        {".status.operator.p.deep": 1, ".status.operator.p.er": 2},
        {".status.operator.p.deep": "ann/status", ".status.operator.p.er": "bob/status"},
    ),
    Case(
        "Lists that no schema describes are one value.",
        (
            apply("ann", task()),
            told("ann", {"status": {"operator": {"p": [1]}}}),
            told("bob", {"status": {"operator": {"p": [1, 2]}}}),
        ),
        conflicts={".status.operator.p ann/status"},
    ),
    Case(
        "Clearing managedFields takes every field from its managers.",
        (apply("ann", task(labels={"a": "1"})), write("bob", {}, reset=True)),
        {".metadata.labels.a": "1"},
        {".metadata.labels.a": "", MAIN: ""},
    ),
    Case(
        "Clearing managedFields together with a change comes first: the change is its writer's.",
        (
            apply("ann", task(labels={"a": "1"})),
            write("bob", {"metadata": {"labels": {"b": "1"}}}, reset=True),
        ),
        owners={".metadata.labels.a": "", ".metadata.labels.b": "bob!"},
    ),
    Case(
        "What is there without managers when it is applied first counts as an update before the first apply.",
        (
            apply("ann", task(labels={"a": "1"})),
            write("bob", {}, reset=True),
            apply("cyd", task(labels={"b": "1"})),
        ),
        owners={".metadata.labels.a": "before-first-apply!", MAIN: "before-first-apply! cyd"},
    ),
    Case(
        "That is not taken without force either.",
        (
            apply("ann", task(labels={"a": "1"})),
            write("bob", {}, reset=True),
            apply("cyd", task(labels={"a": "2"})),
        ),
        conflicts={".metadata.labels.a before-first-apply!"},
    ),
    Case(
        "A field is handed over by sharing it and then leaving it out.",
        (
            apply("ann", task(main(replicas=3))),
            apply("handover", {"spec": {"entries": [main(replicas=3)]}}),
            apply("ann", task()),
        ),
        {f"{MAIN}.replicas": 3},
        {f"{MAIN}.replicas": "handover"},
    ),
    Case(
        "A manager that has lost its last field is no manager any more.",
        (
            apply("ann", task()),
            apply("bob", {"metadata": {"labels": {"a": "1"}}}),
            write("cyd", {"metadata": {"labels": {"a": "2"}}}),
        ),
        {".metadata.labels.a": "2"},
        {".metadata.labels.a": "cyd!", "": "ann cyd!"},
    ),
)
