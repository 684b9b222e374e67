"""``logs`` of an entry: what it may be, what it changes, and how the rotator learns of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.agent import read_clocks
from agent.folders import Folders
from agent.ledger import Ledger
from agent.logs import runs
from apiserver.api.expansion import Artifact, template_hash, template_of
from apiserver.api.kinds.assignment import Template
from apiserver.api.kinds.task import Entry, Logs
from tests.unit.agent.objects import assignment

SOURCE = {"name": "main", "artifactUrl": "/x.zip", "sha256": "a" * 64}


def entry(**logs: Any) -> Entry:
    return Entry.model_validate(SOURCE | ({"logs": logs} if logs else {}))


def template(found: Entry) -> Template:
    return template_of(found, Artifact("/x.zip", "a" * 64), "")


@pytest.mark.parametrize(
    ("logs", "size", "files"),
    [
        ({}, 10 * 1024**2, 5),
        ({"maxSize": "64Ki"}, 65536, 5),
        ({"maxSize": 65536}, 65536, 5),
        ({"maxSize": "1.5M", "maxFiles": 1}, 1_500_000, 1),
        ({"maxSize": "1Ti", "maxFiles": 100}, 1024**4, 100),
    ],
)
def test_what_it_may_be(logs: dict[str, Any], size: int, files: int) -> None:
    found = Logs.model_validate(logs)
    assert (found.max_size_bytes, found.max_files) == (size, files)


@pytest.mark.parametrize(
    ("logs", "message"),
    [
        ({"maxSize": "63Ki"}, "must be between 64Ki and 1Ti, not 63Ki"),
        ({"maxSize": "2Ti"}, "must be between 64Ki and 1Ti, not 2Ti"),
        ({"maxSize": "much"}, "is not a quantity: write a number"),
        ({"maxFiles": 0}, "greater than or equal to 1"),
        ({"maxFiles": 101}, "less than or equal to 100"),
    ],
)
def test_what_it_may_not_be(logs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Logs.model_validate(logs)


def test_it_is_part_of_the_template_where_it_is_given_and_else_changes_nothing() -> None:
    plain, given = template(entry()), template(entry(maxSize="1Mi"))
    assert "logs" not in plain.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert template_hash(plain) == template_hash(Template(artifact_url="/x.zip", sha256="a" * 64))
    assert given.logs == Logs(max_size="1Mi")
    assert template_hash(given) != template_hash(plain)
    assert template_hash(given) != template_hash(template(entry(maxSize="2Mi")))


def test_the_rotator_reads_what_the_agent_writes(tmp_path: Path) -> None:
    ledger, one = Ledger(Folders(tmp_path), now=read_clocks), assignment("web", uid="u-1")
    ledger.expect(one)
    (tmp_path / "run.json").write_bytes(ledger.facts(one.key, Logs(max_size="1Mi", max_files=7)))
    found = runs.limits(str(tmp_path))
    assert (found.size, found.files, found.budget) == (1024**2, 7, 8 * 1024**2)
    assert runs.uid(str(tmp_path)) == "u-1"
    assert json.loads((tmp_path / "run.json").read_text())["name"] == "web"
