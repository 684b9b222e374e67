"""Documents made to hurt: each is refused with a word, at a cost that its size explains."""

import pytest

from apiserver.api.errors import BadRequest
from apiserver.api.machinery.documents import MAX_BYTES, MAX_DUPLICATES, read_json
from apiserver.api.machinery.yaml_documents import MAX_NODES, read_yaml

LONG_KEY = "k" * 1_000_000
WIDE_TEXT = f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 1000)}]\n"
MERGES = "e: &e {}\nbig: {<<: [" + "*e, " * 30_000 + "*e], " + "".join(f"k{n}: 1, " for n in range(30_000)) + "}\n"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "&a ["])
def test_deep_yaml_does_not_end_the_process(opening: str) -> None:
    text = "a: " + opening * 500_000 if opening in ("[", "&a [") else opening * 500_000
    with pytest.raises(BadRequest, match=r"nested deeper than 64|a key must be a text"):
        read_yaml(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("- a\n" * (MAX_BYTES // 4), f"line {MAX_NODES}: more than {MAX_NODES} values", id="wide"),
        pytest.param(WIDE_TEXT, "characters once its aliases are expanded", id="long text many times"),
        pytest.param("a: !!bool x", "'x' is no bool", id="no bool"),
        pytest.param("a: !!int ''", "is no int", id="no int"),
        pytest.param("a: 0b_", "0b_", id="no digits"),
        pytest.param(f"a: {'1' * 10_000}", "too large", id="endless integer"),
        pytest.param("a: 99999999999999999999", "does not fit 64 bits", id="huge integer"),
        pytest.param("a: \ud800", "UTF-8", id="lone surrogate"),
        pytest.param("!foo {a: 1}", "tag !foo is not supported", id="tag of a mapping"),
        pytest.param("!!python/none x: 1", "is not supported", id="tag of a key"),
        pytest.param("a: !!set {b}", "is not supported", id="set"),
        pytest.param("a: &a 1\n---\nb: *a", "document 2, line 3: undefined alias", id="anchor of another document"),
        pytest.param("a: {<<: 1}", "<< must merge", id="merge of a number"),
    ],
)
def test_refusals(text: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        read_yaml(text)


def test_merges_cost_what_they_hold() -> None:
    assert len(read_yaml(MERGES)[0].body["big"]) == 30_000


def test_many_duplicates_are_cut_short() -> None:
    members = ", ".join(f'"k{n}": 1, "k{n}": 2' for n in range(50_000))
    found = read_json(f'{{"{LONG_KEY}": {{{members}}}}}'.encode())
    assert len(found.duplicates) == MAX_DUPLICATES
    assert max(map(len, found.duplicates)) <= 500


def test_aliases_make_copies() -> None:
    body = read_yaml("a: &a {x: [1]}\nb: *a\n")[0].body
    body["a"]["x"].append(2)
    assert body["b"] == {"x": [1]}


def test_json_numbers_stay_json_in_a_yaml_body() -> None:
    assert read_yaml(b'{"a": 1e3, "b": "yes", "b": "no"}')[0].body == {"a": 1000.0, "b": "no"}
    assert read_yaml(b'{"a": 1, "a": 2}')[0].duplicates == ("a",)


def test_port_pairs_and_dates_stay_texts() -> None:
    assert read_yaml("{a: 22:22, b: 2026-01-31, c: 190:20:30.15, 1: on, no: 0x1F}")[0].body == {
        "a": "22:22",
        "b": "2026-01-31",
        "c": "190:20:30.15",
        "1": True,
        "no": 31,
    }
