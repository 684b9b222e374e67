"""The page about applying names every list and every atomic struct of every kind, and how they are merged."""

import re
from collections.abc import Iterator
from pathlib import Path

from apiserver.api.machinery.conflicts import MAX_TOLD
from apiserver.api.machinery.last_applied import KUBECTL, LAST_APPLIED
from apiserver.api.machinery.managers import ANCIENT, BEFORE_APPLY, MAX_NAME, MAX_UPDATERS
from apiserver.api.schema import Schema
from apiserver.api.scheme import SCHEME

TEXT = Path("docs/apply.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\w+|every kind) \| `([\w.\[\]*]+)` \| (.+?) \|", re.MULTILINE)
PROBE = re.compile(r"probes\.\w+")


def merged(schema: Schema, path: str = "") -> Iterator[tuple[str, str]]:
    """The lists of a tree and what in it is atomic, with the words of the page."""
    if schema.type == "array" and schema.items:
        how = "set" if schema.is_set else f"map by {', '.join(schema.keys)}" if schema.keys else "atomic"
        yield path, f"{how}, items atomic" if schema.items.atomic else how
        yield from merged(schema.items, f"{path}[]") if not schema.items.atomic else ()
    elif schema.atomic:
        yield path, f"atomic {'map' if schema.type == 'map' else 'struct'}"
    for name, field in schema.fields.items() if not schema.atomic else ():
        yield from merged(field, f"{path}.{name}" if path else name)


def test_the_table_is_what_the_models_say() -> None:
    expected = set()
    for kind in SCHEME:
        for path, how in merged(kind.schema):
            if path != "metadata.managedFields":
                whose = "every kind" if path.startswith("metadata.") else kind.name
                expected.add((whose, PROBE.sub("probes.*", path), how))
    assert sorted(ROW.findall(TEXT)) == sorted(expected)


def test_names_and_limits_are_those_of_the_code() -> None:
    for text in (f"`{ANCIENT}`", f"`{BEFORE_APPLY}`", f"`{KUBECTL}`", LAST_APPLIED, f"{MAX_NAME} characters"):
        assert text in TEXT
    assert f"at most {MAX_UPDATERS} entries of operation Update" in TEXT
    assert f"{MAX_TOLD:,} of them" in TEXT
