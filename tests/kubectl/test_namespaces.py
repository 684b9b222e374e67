"""Namespaces come and go with kubectl, and what is in them goes with them."""

from pathlib import Path

from tests.e2e.cluster import wait_for
from tests.kubectl.room import Room

MANIFEST = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "coming", "creationTimestamp": None},
    "spec": {},
    "status": {},
}
"""What ``kubectl create namespace --dry-run=client -o yaml`` prints."""


def test_a_deleted_namespace_is_emptied_first(room: Room, tmp_path: Path) -> None:
    kubectl, name = room.kubectl, room.namespace
    room.create("web", replicas=1)
    (copy,) = room.running("web", 1)
    leaving = {"metadata": {"finalizers": [*copy["metadata"]["finalizers"], "example.com/hold"]}}
    kubectl("patch", "asg", copy["metadata"]["name"], "--type=merge", "-p", str(leaving).replace("'", '"'))
    out = tmp_path / "out"
    with kubectl.running("delete", "namespace", name, "--timeout=45s", out=out) as deleting:
        wait_for("Terminating", lambda: "Terminating" in kubectl("get", "namespace", name))
        late = kubectl.refused("create", "-f", "-", stdin=room.task("late"))
        assert f"unable to create new content in namespace {name} because it is being terminated" in late
        told = "jsonpath={.status.conditions[?(@.type=='NamespaceFinalizersRemaining')].message}"
        wait_for("its reason", lambda: "example.com/hold" in kubectl("get", "namespace", name, "-o", told))
        kubectl("patch", "asg", copy["metadata"]["name"], "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        assert deleting.wait(50) == 0
    assert out.read_text().endswith(f'namespace "{name}" deleted\n')
    assert "not found" in kubectl.refused("get", "namespace", name)
    assert kubectl("get", "tasks,assignments,events", "-o", "name") == ""
    room.stage.room(name)


def test_a_namespace_as_kubectl_writes_it(room: Room) -> None:
    kubectl = room.kubectl
    assert kubectl("apply", "-f", "-", stdin=MANIFEST) == "namespace/coming created\n"
    version = kubectl("get", "ns", "coming", "-o", "jsonpath={.metadata.resourceVersion}")
    assert kubectl("apply", "-f", "-", stdin=MANIFEST) == "namespace/coming configured\n", "for the empty time"
    assert kubectl("get", "ns", "coming", "-o", "jsonpath={.metadata.resourceVersion}") == version
    assert kubectl("get", "ns", "coming", "-o", "jsonpath={.spec.finalizers}{.status.phase}") == '["kubernetes"]Active'
    assert kubectl("label", "ns", "coming", "team=a") == "namespace/coming labeled\n"
    assert kubectl("create", "namespace", "made") == "namespace/made created\n"
    assert kubectl("delete", "ns", "made", "coming") == 'namespace "made" deleted\nnamespace "coming" deleted\n'
    said = kubectl.refused("delete", "ns", "default")
    assert 'namespaces "default" is forbidden: this namespace may not be deleted' in said


def test_watch_list_clients(room: Room) -> None:
    """As newer kubectl does by default: what there is and the changes in one watch."""
    kubectl = room.kubectl
    room.create("web")
    new = {"KUBE_FEATURE_WatchListClient": "true"}
    done = kubectl.run("wait", "task/web", "--for=jsonpath={.spec.state}=Running", "--timeout=45s", "-v6", **new)
    assert done.returncode == 0, done.stderr
    assert "sendInitialEvents=true" in done.stderr
    assert "fall back" not in done.stderr
    assert kubectl("delete", "task", "web", "--cascade=foreground", **new) == 'task.plum.dev "web" deleted\n'
