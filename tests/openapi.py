"""Objects against the documents that describe them."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import httpx
from jsonschema_rs import Draft4Validator

Json = dict[str, Any]


def documents(http: httpx.Client) -> dict[str, Json]:
    """All that the server has, by the names in its index."""
    index = http.get("/openapi/v3").json()["paths"]
    return {name: http.get(entry["serverRelativeURL"]).json() for name, entry in index.items()}


def closed(document: Json) -> Json:
    """The same schemas, but taking no field that they do not name unless they say so."""
    made = deepcopy(document)
    for schema in made["components"]["schemas"].values():
        if "properties" in schema and "x-kubernetes-preserve-unknown-fields" not in schema:
            schema["additionalProperties"] = False
    return made


def validator(document: Json, schema: Json) -> Draft4Validator:
    """What judges values by a schema of a document."""
    return Draft4Validator({"allOf": [schema], "components": document["components"]}, validate_formats=True)


def schema_of(document: Json, group: str, version: str, kind: str) -> Json:
    """A reference to the schema that is marked as the kind's."""
    wanted = {"group": group, "version": version, "kind": kind}
    for name, schema in document["components"]["schemas"].items():
        if wanted in schema.get("x-kubernetes-group-version-kind", ()):
            return {"$ref": f"#/components/schemas/{name}"}
    raise AssertionError(f"no schema of {wanted}")


def faults(document: Json, body: Mapping[str, Any]) -> list[str]:
    """What is wrong with an object, or a list, by the schema of its kind."""
    group, _, version = str(body["apiVersion"]).rpartition("/")
    judge = validator(document, schema_of(document, group, version, str(body["kind"])))
    return [f"{list(found.instance_path)}: {found.message}" for found in judge.iter_errors(dict(body))]


def references(place: object) -> Iterator[str]:
    """Every ``$ref`` at or below a place."""
    if isinstance(place, dict):
        if isinstance(place.get("$ref"), str):
            yield place["$ref"]
        for value in place.values():
            yield from references(value)
    if isinstance(place, list):
        for value in place:
            yield from references(value)
