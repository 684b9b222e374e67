"""The order of objects by what a path finds: numbers and quantities by size, texts as people read them. Pure."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from apiserver.api.meta import Body
from apiserver.api.quantities import parse_quantity
from plumctl.jsonpath import BadPath, Finder, as_text

Key = tuple[int, Decimal | float, list[tuple[int, int, str]]]


def in_order(items: Sequence[Body], finder: Finder, path: str) -> list[Body]:
    """The objects, those first that have nothing there. Raises BadPath when none has."""
    keyed = [(_key(finder.find(item)), item) for item in items]
    if keyed and all(key[0] == 0 for key, _ in keyed):
        raise BadPath(f"couldn't find any field with path {path!r} in the list of objects")
    return [item for _, item in sorted(keyed, key=lambda pair: pair[0])]


def _key(found: Sequence[Any]) -> Key:
    if not found or found[0] is None:
        return 0, 0, []
    value = found[0]
    if isinstance(value, int | float):
        return 1, value, []
    text = as_text(value)
    try:
        return 1, parse_quantity(text), []
    except ValueError:
        return 2, 0, _natural(text)


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Runs of digits count by size: ``web-9`` comes before ``web-10``."""
    parts = re.findall(r"[0-9]+|[^0-9]+", text[:1000])
    return [(0, int(part[:100]), part) if part[0] in "0123456789" else (1, 0, part) for part in parts]
