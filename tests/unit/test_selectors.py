"""Selectors: the grammar, the matching, the refusals."""

import pytest

from apiserver.api.errors import BadRequest
from apiserver.api.selectors import escaped, parse_fields, parse_labels


@pytest.mark.parametrize(
    ("text", "labels", "matches"),
    [
        ("", {}, True),
        ("a=b", {"a": "b"}, True),
        ("a==b", {"a": "c"}, False),
        ("a!=b", {}, True),
        ("a != b", {"a": "b"}, False),
        ("a", {"a": ""}, True),
        ("!a", {"a": ""}, False),
        ("a=", {"a": ""}, True),
        ("a in (x, y),b notin (z)", {"a": "y"}, True),
        ("a in (x,y)", {"a": "z"}, False),
        ("b notin (z)", {"b": "z"}, False),
        ("x.y/in=notin , in in (in)", {"x.y/in": "notin", "in": "in"}, True),
    ],
)
def test_label_selectors(text: str, labels: dict[str, str], matches: bool) -> None:
    assert parse_labels(text).matches(labels) is matches


@pytest.mark.parametrize("text", ["a=b,", ",", "a in b", "a in (", "a=(b)", "a b", "-a=b", "a=-", "a>1", "a=b=c"])
def test_bad_label_selectors(text: str) -> None:
    with pytest.raises(BadRequest, match="label selector"):
        parse_labels(text)


def test_field_selectors() -> None:
    selector = parse_fields("a.b=x,c!=y", ["a.b", "c"])
    assert selector.matches({"a.b": "x", "c": ""})
    assert not selector.matches({"a.b": "x", "c": "y"})
    assert selector.equalities() == {"a.b": "x"}
    with pytest.raises(BadRequest, match="field label not supported: d"):
        parse_fields("d=1", ["a.b"])
    with pytest.raises(BadRequest, match="path=value"):
        parse_fields("a.b", ["a.b"])


@pytest.mark.parametrize(
    ("text", "value"),
    [("a=Order Service", "Order Service"), (r"a=x\,y\=z\\", "x,y=z\\"), ("a = b=c ,", "b=c"), ("a==", "")],
)
def test_values_of_fields_are_any_text(text: str, value: str) -> None:
    assert parse_fields(text, ["a"]).equalities() == {"a": value}
    assert parse_fields(f"a={escaped(value)}", ["a"]).equalities() == {"a": value}


@pytest.mark.parametrize("text", ["a=b\\", r"a=\b", r"\a=b,", "=b", "a"])
def test_bad_field_selectors(text: str) -> None:
    with pytest.raises(BadRequest, match="field"):
        parse_fields(text, ["a"])
