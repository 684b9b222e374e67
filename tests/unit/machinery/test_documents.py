"""Bytes to objects: what is read, what is refused and in which words."""

import contextlib
import json
import re
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.api.errors import ApiError, BadRequest
from apiserver.api.machinery.documents import (
    MAX_BYTES,
    MAX_DUPLICATES,
    Document,
    _duplicates,
    read_json,
    read_json_value,
)
from apiserver.api.machinery.yaml_documents import read_yaml


def test_json_with_duplicates() -> None:
    found = read_json(b'{"a": {"b": 1, "b": 2}, "l": [{"x": 1, "x": 1}]}')
    assert found.body == {"a": {"b": 2}, "l": [{"x": 1}]}
    assert found.duplicates == ("a.b", "l[0].x")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        pytest.param(b"[]", "must be a JSON object", id="no object"),
        pytest.param(b'{"a": ', "line 1, column", id="cut off"),
        pytest.param(b'{"a": NaN}', "NaN", id="nan"),
        pytest.param(b'{"a": 1e999}', "too large", id="infinite"),
        pytest.param(b'{"a": 99999999999999999999}', "64 bits", id="huge integer"),
        pytest.param(b'{"a": "\\ud800"}', "surrogate", id="lone surrogate"),
        pytest.param(b"\xff", "UTF-8", id="no utf-8"),
        pytest.param(b'{"a":' * 100 + b"1" + b"}" * 100, "deeper than 64", id="deep"),
        pytest.param(b"[" * 100_000, "deeper than 64", id="very deep"),
        pytest.param(b'{"a": ' + b"1" * 10_000 + b"}", "acceptable", id="endless integer"),
        pytest.param(b" " * (MAX_BYTES + 1), "over the limit", id="long"),
    ],
)
def test_json_refusals(raw: bytes, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        read_json(raw)


def test_yaml_documents() -> None:
    text = "# nothing\n---\na: 1\nb: {c: yes, d: 2026-01-01, e: '1'}\n---\n---\n"
    text += "a: &x [1]\nb: *x\nc:\n  <<: {p: 1, q: 2}\n  q: 3\n"
    first, second = read_yaml(text)
    assert (first.body, first.line) == ({"a": 1, "b": {"c": True, "d": "2026-01-01", "e": "1"}}, 3)
    assert second.body == {"a": [1], "b": [1], "c": {"p": 1, "q": 3}}
    assert read_yaml("a: 1\nb:\n  c: 1\n  c: 2\n")[0].duplicates == ("b.c",)


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("a: 1\n---\nb: [", r"f\.yaml: document 2, line 4: not YAML", id="cut off"),
        pytest.param("- 1", "must be a mapping", id="list"),
        pytest.param("a: !!python/object/apply:os.system [x]", "tag", id="python sequence"),
        pytest.param("a: !!python/name:os.system x", "tag", id="python name"),
        pytest.param("a: &a [*a]", "alias contains itself", id="cycle"),
        pytest.param(BOMB, "aliases are expanded", id="bomb"),
        pytest.param("? [1]\n: 2", "key must be a text", id="complex key"),
        pytest.param("a: *nowhere", "undefined alias", id="no anchor"),
        pytest.param("a: .inf", "too large", id="infinite"),
        pytest.param("a: " + "[" * 2000, "deeper than|not YAML", id="deep"),
        pytest.param("x" * (MAX_BYTES + 1), "over the limit", id="long"),
    ],
)
def test_yaml_refusals(text: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        read_yaml(text, source="f.yaml")


@given(st.binary(max_size=200) | st.text(alphabet="{}[]:,-&*!<>|'\"\n #ab1~", max_size=60).map(str.encode))
def test_only_api_errors_come_out(raw: bytes) -> None:
    for read in (read_json, read_yaml):
        with contextlib.suppress(ApiError):
            read(raw)


TEXTS = st.text(alphabet='a:"\\ {},é\n', max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(TEXTS, inner), max_size=3),
    max_leaves=12,
)


def written(value: Any, *, ascii_only: bool) -> str:
    """JSON in which a list of pairs is an object, keys that come twice included."""
    if isinstance(value, list) and value and all(isinstance(pair, tuple) for pair in value):
        pairs = (f"{json.dumps(key, ensure_ascii=ascii_only)} :{written(v, ascii_only=ascii_only)}" for key, v in value)
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(item, ascii_only=ascii_only) for item in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_only)


@given(VALUES, st.booleans())
def test_the_quick_way_finds_what_the_slow_way_finds(value: Any, ascii_only: bool) -> None:
    raw = written([("a:b", value), ("c", value)], ascii_only=ascii_only).encode()
    try:
        found = read_json_value(raw)
    except BadRequest as error:
        with pytest.raises(BadRequest, match=re.escape(str(error))):
            read_json(raw)
    else:
        assert read_json(raw) == Document(found, tuple(islice(_duplicates(found, ()), MAX_DUPLICATES)))
