"""Quantities as in Kubernetes: ``500m``, ``1.5``, ``64Mi``, ``2e3``. Pure, and exact: no floats."""

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Annotated

from pydantic import AfterValidator

from apiserver.api.meta import IntOrString

_FORM = re.compile(r"([+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30}))(?:([eE])([+-]?[0-9]{1,2})|([a-zA-Z]{0,2}))")
_BINARY = {name: Decimal(1024) ** power for power, name in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)}
_DECIMAL = {
    name: Decimal(10) ** power
    for name, power in (
        ("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18),
    )
}  # fmt: skip
SUFFIXES = _BINARY | _DECIMAL
HINT = "write a number with or without a suffix, for example 500m, 1.5, 64Mi or 2G"


def parse_quantity(text: str) -> Decimal:
    """The value of a quantity. Raises ValueError that shows how to write one."""
    found = _FORM.fullmatch(text)
    if found is None or (found[4] or "") not in SUFFIXES:
        raise ValueError(f"{text[:60]!r} is not a quantity: {HINT}")
    scale = Decimal(10) ** int(found[3]) if found[2] else SUFFIXES[found[4] or ""]
    return Decimal(found[1]) * scale


def whole(text: str, *, up: bool = True) -> int:
    """The value as a whole number, of bytes for example; a fraction counts as one more, or with ``up`` False as
    nothing. Raises ValueError."""
    return int(parse_quantity(text).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR))


def format_bytes(count: int) -> str:
    """The shortest exact quantity of so many bytes: ``10Mi``, ``1000``."""
    for name in reversed(_BINARY):
        unit = int(_BINARY[name])
        if count and count % unit == 0:
            return f"{count // unit}{name}"
    return str(count)


def _text(value: int | str) -> str:
    """The text of a quantity, which JSON may also write as a number."""
    text = str(value)
    parse_quantity(text)
    return text


Quantity = Annotated[int | str, IntOrString(), AfterValidator(_text)]
"""A field that holds a quantity; in memory it is its text."""
