"""Server-side apply where the reference of the property test does not go: keys, spellings, shapes, times, limits."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apiserver.api.errors import Conflict, Invalid
from apiserver.api.kinds.assignment import ASSIGNMENTS
from apiserver.api.kinds.service import SERVICES
from apiserver.api.kinds.task import TASKS
from apiserver.api.machinery import writes
from apiserver.api.machinery.conflicts import MAX_TOLD
from apiserver.api.machinery.decode import MAX_ANNOTATIONS
from apiserver.api.machinery.fieldsets import from_fields_v1
from apiserver.api.machinery.last_applied import KUBECTL, LAST_APPLIED
from apiserver.api.machinery.managers import MAX_NAME
from apiserver.api.meta import Body
from apiserver.api.scheme import Kind

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DIGEST = "a" * 64


def context(manager: str, seconds: int = 0) -> writes.Context:
    return writes.Context(NOW + timedelta(seconds=seconds), manager, lambda: "uid")


def applied(
    kind: Kind, old: Body | None, config: Body, manager: str, *, force: bool = False, seconds: int = 0, door: str = ""
) -> Body:
    head: Body = {"apiVersion": kind.api_version, "kind": kind.name}
    body: Body = json.loads(json.dumps(head | {"metadata": {"name": "t"}} | config))
    return writes.apply(kind, old, body, context(manager, seconds), force=force, subresource=door)


def task(**fields: Any) -> Body:
    return {"spec": {"entries": [{"name": "main", "artifactUrl": "/x"} | fields]}}


def service(*ports: Body, selector: Body | None = None) -> Body:
    return {"spec": {"selector": selector or {"a": "1"}, "ports": [*ports]}}


def entry(body: Body, manager: str) -> Body:
    (found,) = [one for one in body["metadata"]["managedFields"] if one["manager"] == manager]
    assert isinstance(found, dict)
    return found


def given(live: Body, *entries: Body) -> Body:
    return dict(live, metadata=live["metadata"] | {"managedFields": [*entries]})


def test_a_port_is_the_same_by_number_and_by_text() -> None:
    live = applied(SERVICES, None, service({"port": "8080"}), "ann")
    assert [port["port"] for port in live["spec"]["ports"]] == [8080]
    live = applied(SERVICES, live, service({"port": 8080, "protocol": "http"}), "ann")
    assert live["spec"]["ports"] == [{"port": 8080, "protocol": "http"}]
    live = applied(SERVICES, live, service({"port": "8080"}), "bob")
    assert len(live["spec"]["ports"]) == 1
    with pytest.raises(Invalid, match=r"spec\.ports\[1\]\.port: Duplicate value"):
        applied(SERVICES, live, service({"port": 80}, {"port": "80"}), "ann")


def test_two_spellings_of_a_value_are_no_conflict() -> None:
    probes = {"readiness": {"httpGet": {"port": "80", "scheme": "HTTPS"}}}
    live = applied(TASKS, None, task(probes=probes), "ann")
    both = applied(TASKS, live, task(probes=probes), "bob")
    assert both["spec"] == live["spec"]
    with pytest.raises(Conflict, match=r"httpGet\.scheme"):
        applied(TASKS, both, task(probes={"readiness": {"httpGet": {"port": 80, "scheme": "http"}}}), "bob")


def test_a_key_that_is_left_out_has_its_default() -> None:
    template = {"artifactUrl": "/x", "sha256": DIGEST}
    spec = {"taskName": "t", "entry": "main", "template": template, "templateHash": "h"}
    live = applied(ASSIGNMENTS, None, {"spec": spec}, "ann")
    offer = {"name": "web", "port": 80}
    live = applied(ASSIGNMENTS, live, {"status": {"services": [offer]}}, "agent", door="status")
    assert live["status"]["services"] == [offer | {"protocol": "tcp"}]
    again = {"status": {"services": [offer | {"protocol": "tcp"}, offer | {"protocol": "udp"}]}}
    live = applied(ASSIGNMENTS, live, again, "agent", door="status")
    assert [one["protocol"] for one in live["status"]["services"]] == ["tcp", "udp"]


def test_a_selector_is_somebodys_whole_decision() -> None:
    live = applied(SERVICES, None, service({"port": 80}, selector={"a": "1"}), "ann")
    with pytest.raises(Conflict, match=r'conflict with "ann": \.spec\.selector$'):
        applied(SERVICES, live, service({"port": 80}, selector={"b": "1"}), "bob")
    forced = applied(SERVICES, live, service({"port": 80}, selector={"b": "1"}), "bob", force=True)
    assert forced["spec"]["selector"] == {"b": "1"}


def test_null_says_nothing() -> None:
    live = applied(TASKS, None, task(replicas=2, startCmd="x"), "ann")
    after = applied(TASKS, live, {"metadata": {"name": "t"}} | task(replicas=2), "bob")
    assert "f:startCmd" not in json.dumps(entry(after, "bob")["fieldsV1"])


def test_an_empty_map_claims_the_map_and_not_its_keys() -> None:
    live = applied(TASKS, None, {"metadata": {"name": "t", "labels": {}}} | task(env=[]), "ann")
    labelled = applied(TASKS, live, {"metadata": {"name": "t", "labels": {"b": "1"}}} | task(), "bob")
    after = applied(TASKS, labelled, task(), "ann")
    assert after["metadata"]["labels"] == {"b": "1"}


def test_another_shape_is_a_conflict_where_nothing_is_described() -> None:
    live = applied(TASKS, None, task(), "ann")
    live = applied(TASKS, live, {"status": {"op": {"p": [1], "q": {"deep": 1}}}}, "ann", door="status")
    with pytest.raises(Conflict) as caught:
        applied(TASKS, live, {"status": {"op": {"p": {"deep": 1}, "q": 1}}}, "bob", door="status")
    assert {cause.field for cause in caught.value.details.causes} == {".status.op.p", ".status.op.q.deep"}
    forced = applied(TASKS, live, {"status": {"op": {"p": {"deep": 1}, "q": 1}}}, "bob", force=True, door="status")
    assert forced["status"]["op"] == {"p": {"deep": 1}, "q": 1}
    assert [one["manager"] for one in forced["metadata"]["managedFields"]] == ["ann", "bob"]


def test_times_are_those_of_the_last_change() -> None:
    live = applied(TASKS, None, task(replicas=1), "ann")
    same = applied(TASKS, live, task(replicas=1), "ann", seconds=5)
    assert same == live
    more = applied(TASKS, live, task(replicas=2), "ann", seconds=6)
    assert entry(more, "ann")["time"] == "2026-01-01T00:00:06Z"
    labelled = writes.update(
        TASKS, more, dict(more, metadata=more["metadata"] | {"labels": {"a": "1"}}), context("b", 7)
    )
    again = writes.update(
        TASKS, labelled, dict(labelled, metadata=labelled["metadata"] | {"labels": {"a": "2"}}), context("b", 8)
    )
    assert (entry(labelled, "b")["time"], entry(again, "b")["time"]) == ("2026-01-01T00:00:07Z", "2026-01-01T00:00:08Z")
    assert entry(again, "ann")["time"] == "2026-01-01T00:00:06Z"
    without = dict(again, metadata={key: value for key, value in again["metadata"].items() if key != "labels"})
    gone = writes.update(TASKS, again, without, context("c", 9))
    assert [one["manager"] for one in gone["metadata"]["managedFields"]] == ["ann"]


def test_who_creates_has_it_all_whatever_the_object_says() -> None:
    claim = {"manager": "eve", "operation": "Apply", "apiVersion": "plum.dev/v1", "fieldsV1": {"f:spec": {"f:x": {}}}}
    body = {"metadata": {"name": "t", "managedFields": [claim]}} | task()
    live = writes.create(TASKS, body, context("ann"))
    assert [one["manager"] for one in live["metadata"]["managedFields"]] == ["ann"]


def noted(config: Body, live: Body) -> Body:
    """The live object as if a client had applied the config last."""
    annotations = {LAST_APPLIED: json.dumps({"apiVersion": "plum.dev/v1", "kind": "Task"} | config)}
    return dict(live, metadata=live["metadata"] | {"annotations": annotations})


def test_what_the_client_side_applied_is_no_conflict_for_its_tool() -> None:
    config = {"metadata": {"name": "t"}} | task(replicas=1, startCmd="x")
    live = writes.create(TASKS, noted(config, json.loads(json.dumps(config))), context("kubectl-client-side-apply"))
    scaled = writes.update(TASKS, live, dict(live, **task(replicas=5, startCmd="x")), context("scaler"))
    with pytest.raises(Conflict) as caught:
        applied(TASKS, scaled, task(replicas=2, startCmd="y"), KUBECTL)
    assert [cause.field for cause in caught.value.details.causes] == ['.spec.entries[name="main"].replicas']
    with pytest.raises(Conflict, match="2 conflicts"):
        applied(TASKS, scaled, task(replicas=2, startCmd="y"), "other")
    moved = applied(TASKS, live, task(replicas=2, startCmd="y"), KUBECTL)
    assert (moved["spec"]["entries"][0]["replicas"], moved["spec"]["entries"][0]["startCmd"]) == (2, "y")
    assert json.loads(moved["metadata"]["annotations"][LAST_APPLIED])["spec"] == task(replicas=2, startCmd="y")["spec"]
    assert applied(TASKS, moved, task(replicas=2, startCmd="y"), KUBECTL) == moved


@pytest.mark.parametrize(
    "text",
    ["", "no", "[]", '{"apiVersion":"v9","spec":{}}', '{"apiVersion":"plum.dev/v1","metadata":5}', "[" * 900, "{"],
)
def test_an_annotation_that_is_none_excuses_nothing(text: str) -> None:
    live = writes.create(TASKS, {"metadata": {"name": "t", "annotations": {LAST_APPLIED: text}}} | task(), context("a"))
    with pytest.raises(Conflict):
        applied(TASKS, live, task(artifactUrl="/y"), KUBECTL)


def test_an_annotation_that_would_be_too_large_goes() -> None:
    large = "x" * (MAX_ANNOTATIONS - 500)
    metadata = {"name": "t", "annotations": {LAST_APPLIED: "{}", "large": large}}
    live = writes.create(TASKS, {"metadata": metadata} | task(), context("a"))
    after = applied(TASKS, live, task(startCmd="y" * 1000), KUBECTL)
    assert after["metadata"]["annotations"] == {"large": large}


def test_a_great_many_conflicts_are_counted_and_some_told() -> None:
    labels: Body = {f"l{number}": "1" for number in range(600)}
    live = applied(TASKS, None, {"metadata": {"name": "t", "labels": labels}} | task(), "ann")
    live = applied(TASKS, live, {"metadata": {"name": "t", "labels": labels}} | task(), "bob")
    with pytest.raises(Conflict) as caught:
        applied(TASKS, live, {"metadata": {"name": "t", "labels": dict.fromkeys(labels, "2")}} | task(), "cyd")
    assert caught.value.message.startswith(
        'Apply failed with 1200 conflicts: conflicts with "ann":\n- .metadata.labels.l0'
    )
    assert caught.value.message.endswith("\nand 200 more")
    assert len(caught.value.details.causes) == MAX_TOLD


def deep(levels: int) -> Body:
    tree: Body = {}
    for _ in range(levels):
        tree = {"f:x": tree}
    return tree


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"operation": "Steal"}, r"managedFields\[0\]\.operation"),
        ({"fieldsType": "FieldsV2"}, r"managedFields\[0\]\.fieldsType"),
        ({"apiVersion": "plum.dev/v9"}, r'managedFields\[0\]\.apiVersion: .* supported values: "plum\.dev/v1"'),
        ({"manager": "m" * (MAX_NAME + 1)}, r"managedFields\[0\]\.manager: .* at most 128 characters"),
        ({"manager": "a\nb"}, r"managedFields\[0\]\.manager: .*must be printable"),
        ({"subresource": "s" * (MAX_NAME + 1)}, r"managedFields\[0\]\.subresource"),
        ({"fieldsV1": deep(65)}, r"managedFields\[0\]\.fieldsV1: Invalid value"),
        ({"fieldsV1": {"f:x": {'k:{"a":NaN}': {}}}}, r"managedFields\[0\]\.fieldsV1: Invalid value"),
        ({"fieldsV1": {"f:x": {'k:{"a":[1]}': {}}}}, r"managedFields\[0\]\.fieldsV1: Invalid value"),
        ({"fieldsV1": {"f:x": {"v:": {}}}}, r"managedFields\[0\]\.fieldsV1: Invalid value"),
        ({"fieldsV1": {"f:x": None}}, r"managedFields\[0\]\.fieldsV1: Invalid value"),
    ],
)
def test_books_that_are_none_are_refused(change: Body, words: str) -> None:
    live = applied(TASKS, None, task(), "ann")
    claim = {"manager": "eve", "operation": "Apply", "apiVersion": "plum.dev/v1", "fieldsV1": {"f:spec": {}}}
    with pytest.raises(Invalid, match=words):
        writes.update(TASKS, live, given(live, claim | change), context("eve"))


def test_one_owner_has_one_entry() -> None:
    live = applied(TASKS, None, task(), "ann")
    claim = {"manager": "eve", "operation": "Apply", "apiVersion": "plum.dev/v1", "fieldsV1": {"f:spec": {}}}
    with pytest.raises(Invalid, match=r'managedFields\[1\]\.manager: Duplicate value: "eve"'):
        writes.update(TASKS, live, given(live, claim, claim), context("eve"))


def test_trees_are_bounded_by_what_their_paths_weigh() -> None:
    wide: Body = {f"f:{number}": {} for number in range(30_000)}
    for _ in range(40):
        wide = {"f:x": wide}
    with pytest.raises(ValueError, match="too many or too long"):
        from_fields_v1(wide)


def test_books_given_with_a_change_come_first() -> None:
    live = applied(TASKS, None, {"metadata": {"name": "t", "labels": {"a": "1", "b": "1"}}} | task(), "ann")
    labels: Body = {"f:metadata": {"f:labels": {"f:a": {}, "f:b": {}}}}
    claim = {"manager": "eve", "operation": "Apply", "apiVersion": "plum.dev/v1", "fieldsV1": labels}
    new = given(live, claim)
    new["metadata"] |= {"labels": {"a": "1", "b": "2"}}
    after = writes.update(TASKS, live, new, context("bob"))
    assert entry(after, "eve")["fieldsV1"] == {"f:metadata": {"f:labels": {"f:a": {}}}}
    assert entry(after, "bob")["fieldsV1"] == {"f:metadata": {"f:labels": {"f:b": {}}}}


def test_members_of_sets_are_unique_by_any_verb() -> None:
    live = applied(TASKS, None, task(), "ann")
    twice = dict(live, metadata=live["metadata"] | {"finalizers": ["a/b", "a/b"]})
    with pytest.raises(Invalid, match=r'metadata\.finalizers\[1\]: Duplicate value: "a/b"'):
        writes.update(TASKS, live, twice, context("bob"))
