"""Commands that look into the document before they send: with validation on, as it is by default."""

from pathlib import Path

import pytest

from apiserver.api.scheme import SCHEME
from tests.kubectl.program import Json
from tests.kubectl.room import Room
from tests.kubectl.scope import FULL, KINDS
from tests.specimens import specimens


def manifest(room: Room, plural: str, name: str) -> Json:
    """A specimen as people write them, without what programs write."""
    body = {key: value for key, value in specimens(room.stage.digest)[plural].items() if key != "status"}
    return body | {"metadata": body["metadata"] | {"name": name}}


@pytest.mark.parametrize("plural", KINDS if FULL else ["leases"])
def test_every_kind_is_created_applied_replaced_edited_and_compared(room: Room, plural: str, tmp_path: Path) -> None:
    kubectl, kind = room.kubectl, SCHEME.named(plural)
    who = f"{kind.singular}.{kind.group}/checked" if kind.group else f"{kind.singular}/checked"
    body = manifest(room, plural, "checked")
    path = tmp_path / "manifest.yaml"
    file = ("-f", room.file(path, body))
    assert kubectl("create", *file, "--save-config") == f"{who} created\n"
    assert kubectl.run("diff", *file).returncode == 0
    assert kubectl("apply", *file).startswith(who)
    room.file(path, body | {"metadata": body["metadata"] | {"labels": {"changed": "once"}}})
    assert "changed: " in kubectl.run("diff", *file).stdout
    assert kubectl("replace", *file) == f"{who} replaced\n"
    assert kubectl("edit", who, EDITOR="sed -i s/changed:.once/changed:\\ again/") == f"{who} edited\n"
    assert kubectl("get", who, "-o", "jsonpath={.metadata.labels.changed}") == "again"


@pytest.mark.parametrize("plural", KINDS)
def test_an_unknown_field_is_refused_by_name(room: Room, plural: str) -> None:
    strange = manifest(room, plural, "strange") | {"stranger": 1}
    for verb in ("create", "apply"):
        said = room.kubectl.refused(verb, "-f", "-", stdin=strange)
        assert 'strict decoding error: unknown field "stranger"' in said
    warned = room.kubectl.run("create", "-f", "-", "--validate=warn", stdin=strange)
    assert (warned.returncode, 'Warning: unknown field "stranger"' in warned.stderr) == (0, True)
