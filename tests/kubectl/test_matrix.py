"""Every kind in every form of output, and each object that is there against the document of its kind."""

import json
import re

import pytest
import yaml

from apiserver.api.scheme import SCHEME, Kind
from tests.kubectl.room import Room
from tests.kubectl.scope import FULL, KINDS
from tests.openapi import closed, documents, faults
from tests.specimens import specimens

BY_NAME = "jsonpath={range .items[*]}{.metadata.name}{'\\n'}{end}"


@pytest.fixture
def furnished(room: Room) -> Room:
    """With a specimen of each kind; those of the cluster are shared with other tests."""
    for plural, body in specimens(room.stage.digest).items():
        answer = room.stage.http.post(room.path(plural), json=body)
        assert answer.status_code in (201, 409), answer.text
    return room


@pytest.mark.parametrize("plural", KINDS if FULL else ["leases"])
def test_every_output(furnished: Room, plural: str) -> None:
    kubectl, kind = furnished.kubectl, SCHEME.named(plural)
    get = ("get", kind.resource)
    text = kubectl(*get, "-o", "json")
    names = [item["metadata"]["name"] for item in json.loads(text)["items"]]
    assert "specimen" in names
    assert [item["metadata"]["name"] for item in yaml.safe_load(kubectl(*get, "-o", "yaml"))["items"]] == names
    shown = [f"{kind.singular}.{kind.group}/{name}" if kind.group else f"{kind.singular}/{name}" for name in names]
    assert kubectl(*get, "-o", "name").splitlines() == shown
    assert kubectl(*get, "-o", BY_NAME).splitlines() == names
    assert kubectl(*get, "-o", "custom-columns=:.metadata.name", "--no-headers").split() == names
    assert kubectl(*get, "-o", "go-template={{range .items}}{{.metadata.name}} {{end}}").split() == names
    assert headings(kubectl(*get)) == columns(kind, wide=False)
    assert headings(kubectl(*get, "-o", "wide")) == columns(kind, wide=True)
    assert headings(kubectl(*get, "--show-labels", "-A"))[-1] == "LABELS"


def headings(table: str) -> list[str]:
    """The names over a table, which are two blanks or more apart."""
    return re.split(r" {2,}", table.splitlines()[0].strip())


def columns(kind: Kind, *, wide: bool) -> list[str]:
    return [column.name.upper() for column in kind.columns if wide or not column.priority]


@pytest.mark.parametrize("plural", KINDS if FULL else ["tasks"])
def test_every_way_to_name_a_kind(furnished: Room, plural: str) -> None:
    kind = SCHEME.named(plural)
    full = [f"{kind.plural}.{kind.version}.{kind.group}"] if kind.group else []
    for name in (kind.plural, kind.singular, kind.name, *kind.short_names, kind.resource, *full):
        assert furnished.kubectl("get", f"{name}/specimen", "-o", "jsonpath={.kind}") == kind.name


@pytest.mark.parametrize("plural", KINDS)
def test_every_kind_is_described(furnished: Room, plural: str) -> None:
    text = furnished.kubectl("describe", SCHEME.named(plural).resource, "specimen")
    assert re.search(r"^Name: +specimen$", text, re.MULTILINE)


def test_all_that_a_cluster_holds_is_as_the_documents_say(furnished: Room) -> None:
    http = furnished.stage.http
    found = {document["info"]["description"]: closed(document) for document in documents(http).values()}
    for kind in SCHEME:
        assert faults(found[f"The API {kind.api_version}."], http.get(kind.path()).json()) == []
