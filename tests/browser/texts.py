"""What the UI says, as its own files of texts have it, so that one story runs in every language."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.browser.chromium import ROOT
from tests.browser.looks import Language

LOCALES = ROOT / "ui" / "src" / "locales"
TOKEN = re.compile(
    r"""\s+ | //[^\n]* | /\*.*?\*/
    | (?P<text>"(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | `(?:[^`\\]|\\.)*`)
    | (?P<name>[A-Za-z_$][\w$]*) | (?P<sign>[{}:,+])""",
    re.VERBOSE | re.DOTALL,
)
ESCAPES = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
OBJECT = re.compile(r"^(?:export )?const (\w+)[^=\n]*=\s*\{", re.MULTILINE)
PARAMETER = re.compile(r"((?:@[.:\w]*)?\{\w+\})")
LITERAL = re.compile(r"\{'([^']*)'\}")

Tree = dict[str, "str | Tree"]


class NotTexts(Exception):
    """The file is more than texts."""


@dataclass(frozen=True)
class Texts:
    """One language's texts."""

    language: Language

    def __call__(self, key: str, count: int | None = None, **values: object) -> str:
        """The text of a key such as ``shell.nav.tasks``; of two forms the one for ``count``. Raises KeyError."""
        area, *rest = key.split(".")
        found: str | Tree = _area(self.language, area)
        for part in rest:
            if not isinstance(found, dict):
                raise KeyError(key)
            found = found[part]
        if not isinstance(found, str):
            raise KeyError(key)
        forms = [form.strip() for form in found.split(" | ")]
        text = forms[0] if count in (None, 1) or len(forms) == 1 else forms[-1]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return LITERAL.sub(r"\1", text)

    def pattern(self, key: str, count: int | None = None) -> re.Pattern[str]:
        """The text of a key, whatever stands for its parameters and for the texts that it refers to by them."""
        parts = PARAMETER.split(self(key, count))
        return re.compile("".join(".*" if PARAMETER.fullmatch(part) else re.escape(part) for part in parts))


@cache
def _area(language: Language, area: str) -> Tree:
    """An area is the object of that name in its file; or the file puts it together of others, in a folder beside it."""
    folder = LOCALES / language
    found: Tree = {}
    for path in (folder / f"{area}.ts", *sorted((folder / area).glob("*.ts"))):
        text = path.read_text(encoding="utf-8")
        for start in OBJECT.finditer(text):
            tokens = _tokens(text[start.end() - 1 :])
            next(tokens)
            found[start[1]] = _object(tokens)
    whole = found.get(area, {})
    assert isinstance(whole, dict)
    return found | whole


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            return  # what follows the object is not ours
        at = found.end()
        if found.lastgroup:
            yield found.lastgroup, found[found.lastgroup]


def _object(tokens: Iterator[tuple[str, str]]) -> Tree:
    """What stands between braces, the first of which is read. Raises NotTexts."""
    made: Tree = {}
    key = ""
    for kind, token in tokens:
        if token == "}" and kind == "sign":
            return made
        if kind == "sign" and token == "{":
            made[key], key = _object(tokens), ""
        elif kind == "sign":
            key = "" if token == "," else key
        elif key and kind == "text":
            before = made.get(key, "")
            made[key] = (before if isinstance(before, str) else "") + _unquoted(token)
        elif kind in ("name", "text"):
            key = _unquoted(token) if kind == "text" else token
        else:
            raise NotTexts(token)
    raise NotTexts("an object has no end")


def _unquoted(token: str) -> str:
    def character(found: re.Match[str]) -> str:
        escaped = found[1]
        return chr(int(escaped[1:], 16)) if len(escaped) == 5 else {"n": "\n", "t": "\t"}.get(escaped, escaped)

    return ESCAPES.sub(character, token[1:-1])
