"""Unknown fields and validation: each error names its field in a user's words."""

from typing import Any

import pytest

from apiserver.api.errors import BadRequest, Invalid
from apiserver.api.kinds.assignment import ASSIGNMENTS
from apiserver.api.kinds.task import TASKS
from apiserver.api.machinery.decode import decode, validate
from apiserver.api.machinery.documents import Document


def task(**entry: Any) -> dict[str, Any]:
    return {"metadata": {"name": "t"}, "spec": {"entries": [{"name": "main", "artifactUrl": "/x"} | entry]}}


def test_unknown_fields_are_found_everywhere() -> None:
    body = task(oops=1, env=[{"name": "A", "valu": "x"}], labels={"any": "key"})
    body |= {"more": 1, "status": {"operator": {"x": None}}}
    decoded, warnings = decode(TASKS, Document(body, ("spec.x",)), "Warn")
    assert warnings == [
        'unknown field "spec.entries[0].oops"',
        'unknown field "spec.entries[0].env[0].valu"',
        'unknown field "more"',
        'duplicate field "spec.x"',
    ]
    assert decoded["status"] == {"operator": {"x": None}}
    assert "more" not in decoded
    assert decode(TASKS, Document(body), "Ignore")[1] == []
    with pytest.raises(BadRequest, match=r'cannot be handled as a Task: strict decoding error: unknown field "spec'):
        decode(TASKS, Document(body), "Strict")


def test_null_is_absent() -> None:
    body = task(env=None)
    body["metadata"] |= {"finalizers": None, "creationTimestamp": None}
    decoded, _ = decode(TASKS, Document(body), "Strict")
    assert decoded == task()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"kind": "Node"}, "kind: the object says 'Node'"),
        ({"metadata": []}, "metadata: must be an object"),
        ({"metadata": {"labels": [1]}}, "metadata.labels: must be an object"),
        ({"metadata": {"name": 1}}, "metadata.name: must be a text"),
        ({"metadata": {"finalizers": "x"}}, "metadata.finalizers: must be a list"),
        ({"spec": "x"}, "spec: must be an object"),
    ],
)
def test_wrong_shapes(body: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        decode(TASKS, Document(body), "Warn")


@pytest.mark.parametrize(
    ("body", "field", "reason", "words"),
    [
        (task(replicas=-1), "spec.entries[0].replicas", "FieldValueInvalid", "-1: must be greater than or equal to 0"),
        (task(replicas="1"), "spec.entries[0].replicas", "FieldValueTypeInvalid", '"1": must be of type integer'),
        (task(env=[{"value": "x"}]), "spec.entries[0].env[0].name", "FieldValueRequired", "Required value"),
        (task(env=[{"name": "PLUM_X"}]), "spec.entries[0].env[0].name", "FieldValueInvalid", "set by the agent"),
        (task(restartPolicy="No"), "spec.entries[0].restartPolicy", "FieldValueNotSupported", '"Always"'),
        (task(startCmd="x" * 40_000), "spec.entries[0].startCmd", "FieldValueTooLong", "32768"),
        (task(startCmd="a\0b"), "spec.entries[0].startCmd", "FieldValueInvalid", "NUL"),
        (task(env=[{"name": "A", "value": "\0"}]), "spec.entries[0].env[0].value", "FieldValueInvalid", "NUL"),
        (task(app={"name": "a/b", "version": "1"}), "spec.entries[0].app.name", "FieldValueInvalid", "no slash"),
        (task(nodeReplicas={"../x": 1}), "spec.entries[0].nodeReplicas", "FieldValueInvalid", "not a node name"),
        (task(artifactUrl="file:///etc/passwd"), "spec.entries[0].artifactUrl", "FieldValueInvalid", "http"),
        (task(ports=[{"name": "http", "port": 70000}]), "spec.entries[0].ports[0].port", "FieldValueInvalid", "65535"),
        (task(labels={"plum.dev/task": "x"}), "spec.entries[0].labels", "FieldValueInvalid", "set by the controller"),
        ({"metadata": {"name": "t"}, "spec": {}}, "spec.entries", "FieldValueRequired", "Required value"),
        ({"metadata": {"name": "T"}, "spec": task()["spec"]}, "metadata.name", "FieldValueInvalid", "DNS label"),
        ({"metadata": {}, "spec": task()["spec"]}, "metadata.name", "FieldValueRequired", "name or generateName"),
    ],
)
def test_causes(body: dict[str, Any], field: str, reason: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        validate(TASKS, body)
    causes = caught.value.details.causes
    assert [(cause.field, cause.reason) for cause in causes] == [(field, reason)]
    assert words in causes[0].message
    assert caught.value.message.startswith("Task.plum.dev ")
    assert f" is invalid: {field}: " in caught.value.message


def test_bad_metadata() -> None:
    metadata = {
        "name": "t",
        "labels": {"a b": "x", "c": "-"},
        "annotations": {"k": "x" * 300_000},
        "finalizers": ["a b"],
    }
    with pytest.raises(Invalid) as caught:
        validate(TASKS, task() | {"metadata": metadata})
    fields = [cause.field for cause in caught.value.details.causes]
    assert fields == ["metadata.labels", "metadata.labels", "metadata.annotations", "metadata.finalizers"]


def test_a_placed_copy_stays() -> None:
    def assignment(node: str) -> dict[str, Any]:
        return {"spec": {"nodeName": node}}

    assert not ASSIGNMENTS.rules(assignment("a"), assignment(""))
    assert not ASSIGNMENTS.rules(assignment("a"), assignment("a"))
    for changed in ("", "b"):
        assert ASSIGNMENTS.rules(assignment(changed), assignment("a"))[0].field == "spec.nodeName"
