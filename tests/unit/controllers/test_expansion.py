"""Artifacts, templates, names and slots: what expansion makes of a task."""

from datetime import UTC, datetime
from typing import Any

import pytest

from apiserver.api.expansion import (
    Artifact,
    assignment_name,
    expand,
    resolve,
    template_hash,
    template_of,
)
from apiserver.api.kinds.app import App
from apiserver.api.kinds.assignment import ASSIGNMENTS, STOPPED_FINALIZER, Assignment, Template
from apiserver.api.kinds.task import Entry, Task
from apiserver.api.machinery import writes
from apiserver.api.meta import is_dns_label

A, B = "a" * 64, "b" * 64
EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def task(*entries: dict[str, Any], status: dict[str, Any] | None = None, **spec: Any) -> Task:
    meta = {"name": "web", "namespace": "default", "uid": "u1", "generation": 3}
    body = {"apiVersion": "plum.dev/v1", "kind": "Task", "metadata": meta, "spec": {"entries": list(entries), **spec}}
    return Task.from_body(body | ({"status": status} if status else {}))


def app(sha256: str, *, created: str = EARLY, namespace: str = "default", version: str = "1") -> App:
    meta = {"name": f"hello-{sha256[:4]}", "namespace": namespace, "creationTimestamp": created}
    spec = {"name": "hello", "version": version, "sha256": sha256, "sizeBytes": 1}
    return App.from_body({"apiVersion": "plum.dev/v1", "kind": "App", "metadata": meta, "spec": spec})


HELLO = {"name": "main", "app": {"name": "hello", "version": "1"}}


@pytest.mark.parametrize(
    ("apps", "digest"),
    [
        pytest.param([app(A)], A, id="the only upload"),
        pytest.param([app(A, created=LATE), app(B)], A, id="the newest upload"),
        pytest.param([app(B), app(A)], B, id="a tie is broken by name"),
        pytest.param([app(A), app(B, namespace="other", created=LATE)], A, id="not of another namespace"),
        pytest.param([app(A), app(B, version="2", created=LATE)], A, id="not another version"),
    ],
)
def test_an_app_reference_is_the_newest_upload(apps: list[App], digest: str) -> None:
    found = resolve(task(HELLO), apps)
    assert found.artifacts == {"main": Artifact(f"/artifacts/sha256/{digest}", digest, "hello", "1")}
    assert found.missing == ()


def test_the_digest_of_the_entry_wins_over_the_newest() -> None:
    found = resolve(task({**HELLO, "sha256": A}), [app(A), app(B, created=LATE)])
    assert found.artifacts["main"].sha256 == A


@pytest.mark.parametrize(
    ("entry", "digest"),
    [
        pytest.param({"artifactUrl": f"/artifacts/sha256/{A}"}, A, id="carried by the path"),
        pytest.param({"artifactUrl": "http://x/app.zip", "sha256": B}, B, id="given beside the URL"),
        pytest.param({"artifactUrl": f"/artifacts/sha256/{A}", "sha256": B}, B, id="given wins"),
        pytest.param({"artifactUrl": f"/artifacts/hello_1_{A[:8]}.zip"}, A, id="of the upload with that file"),
        pytest.param({"artifactUrl": f"/artifacts/hello_1_{B[:8]}.zip"}, "", id="not of another namespace's"),
        pytest.param({"artifactUrl": "/app.zip"}, "", id="nobody knows"),
        pytest.param({"artifactUrl": "http://x/app.zip"}, "", id="elsewhere, nobody knows"),
    ],
)
def test_the_digest_of_an_address(entry: dict[str, Any], digest: str) -> None:
    found = resolve(task({"name": "main", **entry}), [app(A), app(B, namespace="other")])
    assert found.artifacts["main"] == Artifact(entry["artifactUrl"], digest)


@pytest.mark.parametrize(
    ("entry", "remedy"),
    [
        pytest.param(HELLO, "plumctl app push", id="not pushed"),
        pytest.param({**HELLO, "sha256": B}, "plumctl app push", id="not pushed with that digest"),
    ],
)
def test_what_is_missing_is_named_with_its_remedy(entry: dict[str, Any], remedy: str) -> None:
    found = resolve(task(entry), [app(A)] if "sha256" in entry else [])
    (missing,) = found.missing
    assert missing.entry == "main"
    assert "entry main" in missing.message
    assert remedy in missing.message


@pytest.mark.parametrize(("observed", "digest"), [(3, A), (2, B)])
def test_a_pin_holds_for_its_generation(observed: int, digest: str) -> None:
    pin = {"name": "main", "sha256": A, "artifactUrl": f"/artifacts/sha256/{A}"}
    found = resolve(task(HELLO, status={"observedGeneration": observed, "entries": [pin]}), [app(B)])
    assert found.artifacts["main"] == Artifact(f"/artifacts/sha256/{digest}", digest, "hello", "1")


def test_names_are_dns_labels_however_long_their_parts() -> None:
    seen = {
        assignment_name("u", "t" * 40, "e" * 13, home=home, ordinal=ordinal, template_hash="h", attempt=attempt)
        for home in ("", "Node_A.")
        for ordinal in (0, 1)
        for attempt in (0, 1)
    }
    assert len(seen) == 8
    assert all(is_dns_label(name) for name in seen)


def test_defaults_do_not_count_in_the_hash_but_everything_else_does() -> None:
    plain = Template(artifact_url="/x", sha256=A)
    assert template_hash(plain) == template_hash(Template(artifact_url="/x", sha256=A, stop_signal="TERM"))
    assert template_hash(plain) == "ac51f3d71b8a595e", (
        "the hash of a template without probes is what it was before there were any"
    )
    entry = Entry.model_validate({"name": "main", "artifactUrl": "/x", "startCmd": "run"})
    templates = [plain, template_of(entry, Artifact("/x", A), ""), template_of(entry, Artifact("/x", A), LATE)]
    assert len({template_hash(template) for template in templates}) == 3


def test_expansion_fills_every_slot_and_only_once() -> None:
    web = task({**HELLO, "nodeReplicas": {"nodeA": 2, "nodeB": 1}}, {**HELLO, "name": "side"})
    artifacts = resolve(web, [app(A)]).artifacts
    created = expand(web, artifacts, [])
    slots = [(copy.spec.entry, copy.spec.home, copy.spec.node_name, copy.spec.ordinal) for copy in created]
    assert slots == [
        ("main", "nodeA", "nodeA", 0),
        ("main", "nodeA", "nodeA", 1),
        ("main", "nodeB", "nodeB", 0),
        ("side", "", "", 0),
    ]
    assert expand(web, artifacts, created) == []
    assert expand(web, {}, []) == []
    for copy in created:
        assert copy.metadata.finalizers == (STOPPED_FINALIZER,)
        (owner,) = copy.metadata.owner_references
        assert (owner.uid, owner.controller, owner.block_owner_deletion) == ("u1", True, True)


@pytest.mark.parametrize(
    ("desired", "told", "wanted"),
    [
        pytest.param("Stopped", "Running", "Stopped", id="what people asked of the old one"),
        pytest.param("Stopped", "Stopped", "Running", id="a newer command to the task"),
    ],
)
def test_a_leaving_copy_is_followed_in_its_slot(desired: str, told: str, wanted: str) -> None:
    web = task({**HELLO, "replicas": 2})
    artifacts = resolve(web, [app(A)]).artifacts
    first, second = (copy.to_body() for copy in expand(web, artifacts, []))
    second["metadata"]["deletionTimestamp"] = LATE
    second["spec"] |= {"desired": desired, "taskState": told}
    (follower,) = expand(web, artifacts, [Assignment.from_body(first), Assignment.from_body(second)])
    assert follower.spec.ordinal == 1
    assert follower.spec.replaces == second["metadata"]["name"]
    assert follower.spec.attempt == second["spec"]["attempt"] + 1
    assert follower.spec.desired == wanted
    assert follower.metadata.name != second["metadata"]["name"]


def test_a_refilled_emptied_and_filled_slot_gets_a_new_name() -> None:
    """Attempts of a generation must not run into those of the next."""
    web = task(HELLO)
    artifacts = resolve(web, [app(A)]).artifacts
    names: list[str] = []
    leaving: list[Assignment] = []
    for _ in range(3):
        (copy,) = expand(web, artifacts, leaving)
        names.append(copy.metadata.name)
        body = copy.to_body()
        body["metadata"]["deletionTimestamp"] = LATE
        leaving = [Assignment.from_body(body)]
    for generation in range(4, 8):
        later = web.model_copy(update={"metadata": web.metadata.model_copy(update={"generation": generation})})
        names += [copy.metadata.name for copy in expand(later, artifacts, [])]
    assert len(set(names)) == len(names)


def test_what_is_expanded_is_as_valid_as_what_is_sent() -> None:
    wanted = task({**HELLO, "nodeReplicas": {"nodeA": 2}, "ports": [{"name": "http"}], "labels": {"a": "b"}})
    ctx = writes.Context(datetime(2026, 1, 1, tzinfo=UTC), "m", lambda: "u2")
    for copy in expand(wanted, resolve(wanted, [app(A)]).artifacts, ()):
        assert writes.derive(ASSIGNMENTS, copy, ctx) == writes.create(ASSIGNMENTS, copy.to_body(), ctx)
