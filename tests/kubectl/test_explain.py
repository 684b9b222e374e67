"""``kubectl explain``: every field of every kind."""

import re
from collections.abc import Iterator

import pytest

from apiserver.api.schema import Schema
from apiserver.api.scheme import SCHEME, Served
from apiserver.api.views.registry import VIEWS
from tests.kubectl.program import Kubectl

FIELD = re.compile(r"^( +)([A-Za-z0-9]+)\t<(.+?)>( -required-)?$", re.MULTILINE)


def fields(place: Schema, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Schema]]:
    """Every field below a place, with the names that lead to it."""
    inner = place
    while inner.items is not None:
        inner = inner.items
    for name, field in inner.fields.items():
        yield (*path, name), field
        yield from fields(field, (*path, name))


def told(text: str) -> dict[tuple[str, ...], bool]:
    """The fields that a recursive explanation lists, and whether it calls them required."""
    found: dict[tuple[str, ...], bool] = {}
    path: list[str] = []
    for indent, name, _, required in FIELD.findall(text):
        depth = len(indent) // 2 - 1
        path[depth:] = [name]
        found[tuple(path)] = bool(required)
    return found


@pytest.mark.parametrize("kind", [*SCHEME, *VIEWS], ids=lambda kind: str(kind.resource))
def test_every_field_of_every_kind(kubectl: Kubectl, kind: Served) -> None:
    text = kubectl("explain", kind.plural, "--api-version", kind.api_version, "--recursive")
    assert f"KIND:       {kind.name}\n" in text
    assert told(text) == {path: field.required for path, field in fields(kind.schema)}


@pytest.mark.parametrize(
    ("path", "type"),
    [
        ("task.spec.entries.probes.readiness.httpGet.port", "IntOrString"),
        ("tk.spec.entries.nodeReplicas", "map[string]integer"),
        ("asg.status.conditions", "[]Condition"),
        ("event.involvedObject.name", "string"),
        ("leases.spec.renewTime", "string"),
        ("ns.status.phase", "string"),
    ],
)
def test_single_fields_are_told_in_the_words_of_the_model(kubectl: Kubectl, path: str, type: str) -> None:
    name, *steps = path.split(".")
    place = SCHEME.named(name).schema
    for step in steps:
        place = (place.items or place).fields[step]
    text = kubectl("explain", path)
    assert f"FIELD: {steps[-1]} <{type}>" in text
    assert place.description.splitlines()[0] in " ".join(text.split())


def test_a_field_that_is_none(kubectl: Kubectl) -> None:
    assert 'field "replicas" does not exist' in kubectl.refused("explain", "task.spec.replicas")
