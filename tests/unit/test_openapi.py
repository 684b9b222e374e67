"""The documents that are made from the register of kinds."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel
from schemathesis.specs.openapi.definitions import OPENAPI_30_VALIDATOR

from apiserver.api import schema
from apiserver.api.openapi import answers, generic
from apiserver.api.openapi.components import Components, prefix
from apiserver.api.openapi.document import document
from apiserver.api.scheme import SCHEME
from apiserver.api.views.registry import VIEWS
from apiserver.server.http import discovery
from apiserver.server.http.openapi import below
from tests.openapi import references

GROUPS = discovery.by_group()
MODELS = [served.model for served in (*SCHEME, *VIEWS)] + [
    model
    for module in (answers, generic)
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, BaseModel)
]


def made(group: str, version: str) -> dict[str, Any]:
    return document(group, version, GROUPS[group, version], below, release="1")


def undescribed(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[str]:
    """The fields of a model, and of those below it, that say nothing of themselves."""
    if model in seen:
        return
    seen.add(model)
    for field in schema.of_model(model).fields.values():
        inner = field
        while inner.items is not None:
            inner = inner.items
        if inner.model is not None:
            yield from undescribed(inner.model, seen)
    yield from (f"{model.__name__}.{name}" for name in model.model_fields if not schema.description(model, name))


def test_every_field_says_what_it_is() -> None:
    seen: set[type[BaseModel]] = set()
    assert [name for model in MODELS for name in undescribed(model, seen)] == []
    assert [model.__name__ for model in seen if not model.__doc__] == []


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_documents_are_valid_and_whole(group: tuple[str, str]) -> None:
    found = made(*group)
    OPENAPI_30_VALIDATOR.validate(found)
    schemas = found["components"]["schemas"]
    assert {name.removeprefix("#/components/schemas/") for name in references(found)} <= set(schemas)
    assert [name for name, body in schemas.items() if not body.get("description")] == []
    names = [one["operationId"] for item in found["paths"].values() for key, one in item.items() if key != "parameters"]
    assert len(names) == len(set(names)) > 0


def test_kubectl_finds_what_it_looks_for() -> None:
    for (group, version), kinds in GROUPS.items():
        found = made(group, version)
        for kind in kinds:
            mark = {"group": group, "version": version, "kind": kind.name}
            assert [mark] in [
                one.get("x-kubernetes-group-version-kind") for one in found["components"]["schemas"].values()
            ]
            patches = [item["patch"] for item in found["paths"].values() if "patch" in item]
            for patch in (one for one in patches if one["x-kubernetes-group-version-kind"] == mark):
                names = {parameter["name"] for parameter in patch["parameters"]}
                assert {"fieldValidation", "dryRun", "fieldManager", "force"} <= names
                # Where it is listed, kubectl sends it; it cannot do without for the kinds that it knows by itself.
                known = "application/strategic-merge-patch+json" in patch["requestBody"]["content"]
                assert known == kind.is_kubernetes


def test_schemas_say_how_lists_merge_and_what_fields_take() -> None:
    schemas = made("plum.dev", "v1")["components"]["schemas"]
    entry, task = schemas["dev.plum.v1.Entry"]["properties"], schemas["dev.plum.v1.Task"]
    assert entry["env"]["x-kubernetes-list-type"] == "map"
    assert entry["env"]["x-kubernetes-list-map-keys"] == ["name"]
    assert entry["env"]["items"] == {"$ref": "#/components/schemas/dev.plum.v1.EnvVar"}
    assert entry["dependsOn"]["x-kubernetes-list-type"] == "set"
    assert schemas["dev.plum.v1.ServiceSpec"]["properties"]["selector"]["x-kubernetes-map-type"] == "atomic"
    assert entry["restartPolicy"]["enum"] == ["Always", "OnFailure", "Never"]
    assert entry["restartPolicy"]["default"] == "Always"
    assert entry["replicas"]["maximum"] == 10_000
    assert "default" not in entry["startCmd"]
    assert task["required"] == ["spec"]
    assert "required" not in schemas["dev.plum.v1.Entry"]  # names are filled in
    assert schemas["dev.plum.v1.TaskStatus"]["x-kubernetes-preserve-unknown-fields"] is True
    assert schemas["dev.plum.v1.Logs"]["properties"]["maxSize"]["x-kubernetes-int-or-string"] is True
    times = schemas["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]["properties"]
    assert times["creationTimestamp"]["format"] == "date-time"


def test_names_of_schemas_are_those_of_kubernetes_where_it_has_them() -> None:
    assert prefix("", "v1") == "io.k8s.api.core.v1"
    assert prefix("coordination.k8s.io", "v1") == "io.k8s.api.coordination.v1"
    assert prefix("autoscaling", "v1") == "io.k8s.api.autoscaling.v1"
    assert prefix("plum.dev", "v1") == "dev.plum.v1"


def test_two_models_of_one_name_are_a_fault() -> None:
    def other() -> type[BaseModel]:
        class Task(BaseModel):
            pass

        return Task

    components = Components("plum.dev", "v1")
    components.ref(other())
    with pytest.raises(ValueError, match=r"two models are called dev.plum.v1.Task"):
        components.ref(other())
