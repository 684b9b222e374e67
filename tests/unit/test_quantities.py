"""Quantities: what they mean, and what is none."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.api.quantities import SUFFIXES, format_bytes, parse_quantity, whole


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        ("500m", "0.5"),
        ("1.5", "1.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-1", "-1"),
        ("+2k", "2000"),
        ("64Mi", str(64 * 1024**2)),
        ("1Ki", "1024"),
        ("1E", "1000000000000000000"),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("12e-1", "1.2"),
        ("100n", "0.0000001"),
        ("0.5Gi", str(512 * 1024**2)),
    ],
)
def test_values(text: str, value: str) -> None:
    assert parse_quantity(text) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", "m", "1 Mi", "1mi", "1KB", "1ki", "0x10", "1e", "1e999", "--1", "1.2.3", "١", "1Mi\n", "9" * 40]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity: write a number"):
        parse_quantity(text)


@given(digits=st.integers(0, 10**9), suffix=st.sampled_from(sorted(SUFFIXES)))
def test_a_suffix_multiplies(digits: int, suffix: str) -> None:
    value = parse_quantity(f"{digits}{suffix}")
    assert value == digits * SUFFIXES[suffix]
    assert 0 <= whole(f"{digits}{suffix}") - value < 1
    assert 0 <= value - whole(f"{digits}{suffix}", up=False) < 1


@given(count=st.integers(0, 2**62))
def test_bytes_come_back(count: int) -> None:
    assert whole(format_bytes(count)) == count


@given(text=st.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_quantity(text)
    except ValueError:
        return
    assert text.isascii()
