"""The UI has words, in both languages, for every reason that the programs write: found by a scan of their source."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from apiserver.api.errors import ApiError

ROOT = Path(__file__).parents[2]
LOCALES = ROOT / "ui/src/locales"

_CAMEL = re.compile(r"[A-Z][a-z]+([A-Z][a-z]+)*")

_TYPES = {"Normal", "Warning", "True", "False", "Available", "Progressing", "Placed", "Prepared", "Held"}
_NAMESPACE_TYPES = {
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
    "NamespaceDeletionContentFailure",
}
_KINDS_AND_POLICIES = {"Assignment", "Node", "Always", "OnFailure", "Apply", "Foreground", "Background"}
_FOREIGN = {"Accept", "Connection", "Host", "Ki", "MemTotal", "MemAvailable", "Checks", "Cursor"}
NO_REASONS = _TYPES | _NAMESPACE_TYPES | _KINDS_AND_POLICIES | _FOREIGN
"""Words in CamelCase that no status, condition or event has for a reason."""


def _sources() -> Iterator[Path]:
    """The programs that write reasons. What only tests use is none of them."""
    for package in ("agent", "controllers"):
        yield from (path for path in (ROOT / package).rglob("*.py") if path.name != "testing.py")
    yield ROOT / "apiserver/api/discovery.py"


@cache
def _reasons() -> dict[str, str]:
    """Every word in the sources that has the form of a reason, with the file where it stands."""
    found: dict[str, str] = {}
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CAMEL.fullmatch(node.value):
                found.setdefault(node.value, str(path.relative_to(ROOT)))
    return found


def _keys(language: str, file: str, name: str) -> set[str]:
    """The keys of an object literal in a locale."""
    text = (LOCALES / language / "words" / file).read_text()
    found = re.search(rf"^export const {name}\b.*?= \{{\n(.*?)^}}", text, re.DOTALL | re.MULTILINE)
    assert found is not None, f"{file} has no {name}"
    return set(re.findall(r"^  (\w+):", found[1], re.MULTILINE))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_reason_has_words(language: str) -> None:
    known = _keys(language, "reasons.ts", "reason") | _keys(language, "events.ts", "event")
    missing = {word: path for word, path in _reasons().items() if word not in known | NO_REASONS}
    assert not missing, "give them words in ui/src/locales and ui/src/lib/words/codes.ts, or list them in NO_REASONS"


def test_what_is_listed_as_no_reason_is_still_there() -> None:
    assert {word for word in NO_REASONS if word not in _reasons()} == set()


def test_every_error_of_the_server_is_explained() -> None:
    text = (ROOT / "ui/src/lib/words/classify.ts").read_text()
    explained = {int(code) for code in re.findall(r"case (\d{3}):", text)} | {500}
    assert {error.code for error in ApiError.__subclasses__()} <= explained
