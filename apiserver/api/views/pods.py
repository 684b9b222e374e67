"""Assignments as core ``v1`` pods, for what only speaks of pods: ``kubectl logs``, ``top``, ``describe``, ``wait``.

A pod has the name, uid, version, labels and owners of its assignment, and one container, which is the entry. It is
read-only, but for its deletion, which is the assignment's.
"""

from collections.abc import Mapping
from typing import Any

from apiserver.api.kinds.assignment import ASSIGNMENTS, Template
from apiserver.api.meta import Body
from apiserver.api.scheme import Subresource
from apiserver.api.selectors import Requirement, Selector
from apiserver.api.views import pod_states, pod_table
from apiserver.api.views.pod_model import Pod
from apiserver.api.views.pod_states import PodPhase
from apiserver.api.views.registry import VIEWS, View

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
"""Annotation: the container that ``kubectl logs`` means when none is named."""

_DEFAULTS = Template(artifact_url="", sha256="")
_COPIED = (
    "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "labels",
    "ownerReferences", "finalizers",
)  # fmt: skip


def pod_of(body: Body) -> Body:
    """The pod of an assignment, both in wire form."""
    spec, status = body["spec"], body.get("status") or {}
    phase = pod_states.phase_of(str(status.get("phase") or ""), str(spec["template"].get("restartPolicy") or ""))
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": _metadata(body["metadata"], spec),
        "spec": _spec(spec, status),
        "status": _status(body, phase),
    }


def _metadata(metadata: Mapping[str, Any], spec: Body) -> Body:
    made = {name: metadata[name] for name in _COPIED if name in metadata}
    made["annotations"] = {**(metadata.get("annotations") or {}), DEFAULT_CONTAINER: spec["entry"]}
    if "deletionTimestamp" in made:
        made["deletionGracePeriodSeconds"] = _grace(spec["template"])  # `kubectl describe` counts on it
    return made


def _grace(template: Body) -> int:
    return int(template.get("terminationGracePeriodSeconds", _DEFAULTS.termination_grace_period_seconds))


def _image(template: Body) -> str:
    name, version = template.get("appName"), template.get("appVersion")
    return f"{name}:{version}" if name and version else str(template["artifactUrl"])


def _spec(spec: Body, status: Body) -> Body:
    template = spec["template"]
    container = {
        "name": spec["entry"],
        "image": _image(template),
        "command": ["/bin/sh", "-c", template["startCmd"]] if template.get("startCmd") else ["./start.sh"],
        "resources": {},
    }
    if ports := _ports(template, status):
        container["ports"] = ports
    if env := template.get("env"):
        container["env"] = [{name: one[name] for name in ("name", "value") if one.get(name)} for one in env]
    made = {
        "containers": [container],
        "restartPolicy": template.get("restartPolicy") or _DEFAULTS.restart_policy,
        "terminationGracePeriodSeconds": _grace(template),
    }
    return made | ({"nodeName": spec["nodeName"]} if spec.get("nodeName") else {})


def _ports(template: Body, status: Body) -> list[Body]:
    """Ports with their numbers: a fixed one, or the one that the process got; two may not have the same."""
    got = {one["name"]: one["port"] for one in status.get("ports") or ()}
    numbers = {one["name"]: one.get("port") or got.get(one["name"]) for one in template.get("ports") or ()}
    by_number = {number: name for name, number in reversed(numbers.items()) if number}
    named = sorted((name, number) for number, name in by_number.items())
    return [{"name": name, "containerPort": number, "protocol": "TCP"} for name, number in named]


def _status(body: Body, phase: PodPhase) -> Body:
    spec, status, created = body["spec"], body.get("status") or {}, body["metadata"].get("creationTimestamp")
    container = _container_status(body, phase)
    made: Body = {
        "phase": phase,
        "conditions": pod_states.conditions_of(body, phase, ready=container["ready"], entry=spec["entry"]),
        "qosClass": "BestEffort",
    }
    if spec.get("nodeName"):  # before that nobody has seen anything of it
        made["containerStatuses"] = [container]
    if phase == "Unknown":
        made |= {"reason": pod_states.unknown_because(status)}
        made |= {"message": status["message"]} if status.get("message") else {}
    if ip := status.get("ip"):
        made |= {"hostIP": ip, "podIP": ip, "podIPs": [{"ip": ip}]}
    return made | ({"startTime": created} if created and spec.get("nodeName") else {})


def _container_status(body: Body, phase: PodPhase) -> Body:
    spec, status = body["spec"], body.get("status") or {}
    state = pod_states.container_state(status)
    told = [c for c in status.get("conditions") or () if c["type"] == "Ready" and c["status"] == "True"]
    made = {
        "name": spec["entry"],
        "image": _image(spec["template"]),
        "imageID": f"sha256:{spec['template']['sha256']}" if spec["template"].get("sha256") else "",
        "ready": "running" in state and phase == "Running" and bool(told),
        "started": "running" in state,
        "restartCount": status.get("restarts") or 0,
        "state": state,
    }
    if before := pod_states.last_state(status):
        made["lastState"] = before
    return made | ({"containerID": f"process://{status['pid']}"} if status.get("pid") else {})


def seen_of(fields: Mapping[str, str]) -> Mapping[str, str]:
    """What field selectors see of a pod other than of its assignment."""
    policy = fields.get("spec.template.restartPolicy") or _DEFAULTS.restart_policy
    phase = pod_states.phase_of(fields.get("status.phase", ""), policy)
    return {"status.phase": phase, "spec.restartPolicy": policy}


def told_of_assignments(selector: Selector) -> Selector:
    """A field selector of events that asks for those about pods, so that it finds those about their assignments too:
    they have the same names and uids, and events are written about assignments."""
    found = selector.requirements
    about_pods = any((one.key, one.operator) == _KIND and "Pod" in one.values for one in found)
    return Selector(tuple(_told_of_assignment(one) for one in found)) if about_pods else selector


_KIND = ("involvedObject.kind", "in")
_SAME = {"involvedObject.kind": ("Pod", "Assignment"), "involvedObject.apiVersion": ("v1", ASSIGNMENTS.api_version)}


def _told_of_assignment(one: Requirement) -> Requirement:
    of_pods, of_assignments = _SAME.get(one.key, ("", ""))
    if one.operator != "in" or of_pods not in one.values:
        return one
    return Requirement(one.key, "in", one.values | {of_assignments})


PODS = VIEWS.register(
    View(
        model=Pod,
        plural="pods",
        short_names=("po",),
        verbs=("delete", "deletecollection", "get", "list", "watch"),
        subresources=(Subresource("log", ("get",), "Pod"),),
        columns=pod_table.COLUMNS,
        source=ASSIGNMENTS,
        project=pod_of,
        selectable=("spec.nodeName", "spec.restartPolicy", "status.phase"),
        derived=seen_of,
        unserved=("attach", "exec", "portforward"),
        unserved_because="nothing leads into a process from here: log in to its node (spec.nodeName)",
        edited_by="a pod shows an assignment, which its task makes: edit the task (kubectl edit task NAME)",
    )
)
