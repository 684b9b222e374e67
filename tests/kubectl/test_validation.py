"""Commands that look into the document before they send: with validation on, as it is by default."""

import json
from pathlib import Path

import pytest

from apiserver.api.scheme import SCHEME
from tests.kubectl.program import Json, Kubectl
from tests.specimens import specimens

DIGEST = "a" * 64
UNDER_TEST = [kind.plural for kind in SCHEME if kind.plural != "apps"]
"""An App is refused while its archive is missing."""

BUILT_IN = ("events", "namespaces", "leases")
"""Kinds that kubectl knows by itself: it sends strategic merge patches for them."""


def manifest(plural: str, name: str) -> Json:
    """A specimen as people write them, without what programs write."""
    body = {key: value for key, value in specimens(DIGEST)[plural].items() if key != "status"}
    return body | {"metadata": body["metadata"] | {"name": name}}


@pytest.mark.parametrize("plural", [plural for plural in UNDER_TEST if plural not in BUILT_IN])
def test_every_kind_is_created_applied_replaced_edited_and_compared(
    alone: Kubectl, plural: str, tmp_path: Path
) -> None:
    kind = SCHEME.named(plural)
    who = f"{kind.singular}.{kind.group}/checked" if kind.group else f"{kind.singular}/checked"
    body = manifest(plural, "checked")
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(body))
    file = ("-f", str(path))
    assert alone("create", *file, "--save-config") == f"{who} created\n"
    assert alone.run("diff", *file).returncode == 0
    assert alone("apply", *file).startswith(who)
    path.write_text(json.dumps(body | {"metadata": body["metadata"] | {"labels": {"changed": "once"}}}))
    assert "changed: " in alone.run("diff", *file).stdout
    assert alone("replace", *file) == f"{who} replaced\n"
    assert alone("edit", who, EDITOR="sed -i s/changed:.once/changed:\\ again/") == f"{who} edited\n"
    assert alone("get", who, "-o", "jsonpath={.metadata.labels.changed}") == "again"


@pytest.mark.parametrize("plural", UNDER_TEST)
def test_an_unknown_field_is_refused_by_name(alone: Kubectl, plural: str) -> None:
    for verb in ("create", "apply"):
        said = alone.refused(verb, "-f", "-", stdin=manifest(plural, "strange") | {"stranger": 1})
        assert 'strict decoding error: unknown field "stranger"' in said
    warned = alone.run("create", "-f", "-", "--validate=warn", stdin=manifest(plural, "strange") | {"stranger": 1})
    assert (warned.returncode, 'Warning: unknown field "stranger"' in warned.stderr) == (0, True)


def test_lists_of_manifests(alone: Kubectl) -> None:
    items = [manifest("tasks", "first"), manifest("services", "second")]
    listed = {"apiVersion": "v1", "kind": "List", "items": items}
    assert alone("apply", "-f", "-", stdin=listed) == "task.plum.dev/first created\nservice.plum.dev/second created\n"
    found = alone("get", "task/first", "service/second", "-o", "yaml")
    assert (
        alone("replace", "-f", "-", stdin=found) == "task.plum.dev/first replaced\nservice.plum.dev/second replaced\n"
    )
