"""Schemas of a document: every model once, by a name that says where it belongs, with references below."""

from typing import Any

from pydantic import BaseModel

from apiserver.api import meta, reports, schema, usage
from apiserver.api.openapi import answers, generic
from apiserver.api.schema import INT_OR_STRING as INT_OR_STRING_FORMAT
from apiserver.api.schema import Schema
from apiserver.api.scheme import Served

Json = dict[str, Any]

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
OWN = "dev.plum.v1"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"

_OF_META = frozenset({meta.__name__, generic.__name__})
_OF_PLUM = frozenset({answers.__name__, usage.__name__, reports.__name__})
_INTEGER, _FLOAT = "int64", "double"


def gvk(kind: Served, name: str = "") -> Json:
    """A kind, or its list by ``name``, as Kubernetes marks schemas and operations."""
    return {"group": kind.group, "version": kind.version, "kind": name or kind.name}


def prefix(group: str, version: str) -> str:
    """What the names of a group's schemas begin with: ``dev.plum.v1``, and Kubernetes' own for its groups."""
    if not group or group.endswith(".k8s.io") or "." not in group:
        return f"io.k8s.api.{group.removesuffix('.k8s.io') or 'core'}.{version}"
    return ".".join([*reversed(group.split(".")), version])


class Components:
    """The schemas that one document has come to need."""

    def __init__(self, group: str, version: str) -> None:
        self._prefix = prefix(group, version)
        self._models: dict[str, type[BaseModel]] = {}
        self.schemas: dict[str, Json] = {}

    def ref(self, model: type[BaseModel]) -> Json:
        """A reference to a model, which is written down with all below it. Raises ValueError where two models
        would have one name."""
        name = self._name(model)
        known = self._models.setdefault(name, model)
        if known is not model:
            raise ValueError(f"two models are called {name}: {known!r} and {model!r}")
        if name not in self.schemas:
            self.schemas[name] = {}  # a model below may lead back here
            self.schemas[name] = self._of_model(schema.of_model(model))
        return _reference(name)

    def kind(self, kind: Served) -> Json:
        """A reference to a kind, which is marked as one."""
        made = self.ref(kind.model)
        self.schemas[self._name(kind.model)]["x-kubernetes-group-version-kind"] = [gvk(kind)]
        return made

    def list_of(self, kind: Served) -> Json:
        """A reference to a kind's list."""
        name = f"{self._name(kind.model)}List"
        listed = f"{kind.name}List"
        self.schemas[name] = {
            "description": f"A list of {kind.plural}.",
            "type": "object",
            "required": ["metadata", "items"],
            "properties": {
                "apiVersion": _constant(kind.api_version, "The group and version of the kind."),
                "kind": _constant(listed, f"Always {listed}."),
                "metadata": _described(self.ref(generic.ListMeta), "What the list says of itself."),
                "items": {"type": "array", "items": self.kind(kind), "description": "The objects."},
            },
            "x-kubernetes-group-version-kind": [gvk(kind, listed)],
        }
        return _reference(name)

    def _name(self, model: type[BaseModel]) -> str:
        if model.__module__ in _OF_META:
            return f"{META}.{model.__name__}"
        return f"{OWN if model.__module__ in _OF_PLUM else self._prefix}.{model.__name__}"

    def _of_model(self, tree: Schema) -> Json:
        made: Json = {"description": tree.description, "type": "object"}
        if required := [name for name, field in tree.fields.items() if field.required]:
            made["required"] = required
        made["properties"] = {name: self._field(field) for name, field in tree.fields.items()}
        return made | ({"x-kubernetes-preserve-unknown-fields": True} if tree.keeps_unknown else {})

    def _field(self, field: Schema) -> Json:
        """A field: its value with words of its own, which kubectl shows in lists of fields."""
        default = None if field.is_sparse else field.default
        told = f" By default {default}." if default and field.enum != (default,) else ""
        made = _described(self._value(field), field.description + told)
        if field.format == INT_OR_STRING_FORMAT:
            made["x-kubernetes-int-or-string"] = True
        if field.atomic:
            made["x-kubernetes-map-type"] = "atomic"
        return made | ({} if default is None else {"default": default})

    def _value(self, place: Schema) -> Json:
        """The schema of a value, without what is said of the field that holds it."""
        if place.model is not None:
            return self.ref(place.model)
        if place.format == INT_OR_STRING_FORMAT:
            return self._int_or_string()
        if place.type == "any":
            return {"type": "object", "x-kubernetes-preserve-unknown-fields": True} if place.keeps_unknown else {}
        made: Json = {"type": "object" if place.type == "map" else place.type}
        if form := place.format or {"integer": _INTEGER, "number": _FLOAT}.get(place.type, ""):
            made["format"] = form
        if place.enum:
            made["enum"] = list(place.enum)
        made |= place.bounds
        if place.type == "map" and place.items:
            made["additionalProperties"] = self._value(place.items)
        if place.type == "array" and place.items:
            made |= {"items": self._item(place.items)} | _list_type(place)
        return made

    def _item(self, item: Schema) -> Json:
        value = self._value(item)
        return {"allOf": [value], "x-kubernetes-map-type": "atomic"} if item.atomic else value

    def _int_or_string(self) -> Json:
        self.schemas[INT_OR_STRING] = {
            "description": "A number, or a text.",
            "oneOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": True,
        }
        return _reference(INT_OR_STRING)


_MERGED = {"x-kubernetes-patch-strategy": "merge"}


def _list_type(place: Schema) -> Json:
    """How a list is merged: by server-side apply, and by strategic patches."""
    if place.keys:
        by_key = {"x-kubernetes-patch-merge-key": place.keys[0]} | _MERGED if len(place.keys) == 1 else {}
        return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(place.keys)} | by_key
    return {"x-kubernetes-list-type": "set"} | _MERGED if place.is_set else {"x-kubernetes-list-type": "atomic"}


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _described(value: Json, text: str) -> Json:
    """A value with words of its own; beside a reference nothing else would count."""
    if "$ref" in value:
        return {"description": text, "allOf": [value]}
    return {"description": text} | value


def _constant(value: str, text: str) -> Json:
    return {"description": text, "type": "string", "enum": [value], "default": value}
