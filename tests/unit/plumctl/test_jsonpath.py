"""kubectl's JSONPath; what real kubectl makes of the same templates is in tests/kubectl."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumctl import jsonpath
from plumctl.jsonpath import BadPath, Finder, Template

BODY: dict[str, Any] = {
    "kind": "Task",
    "metadata": {"name": "web", "labels": {"app.io/tier": "a", "b": "c"}},
    "spec": {
        "entries": [
            {"name": "main", "replicas": 2, "on": True},
            {"name": "api", "replicas": 5, "ports": [{"port": 80}, {"port": 443}]},
        ],
        "share": 0.5,
        "nothing": None,
    },
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("{.metadata.name}", "web"),
        ("{$.metadata.name}-{@.kind}", "web-Task"),
        ("{ .metadata.name }{'\\t'}{\"\\n\"}", "web\t\n"),
        ("{.metadata.labels.app\\.io/tier}{.metadata['labels']['b']}", "ac"),
        ("{.metadata['name','missing']}", "web"),
        ("{.spec.entries[*].name}", "main api"),
        ("{.spec.entries[0].name}{.spec.entries[-1].name}", "mainapi"),
        ("{.spec.entries[0,1].name}", "main api"),
        ("{.spec.entries[1:].name}{.spec.entries[:1].name}{.spec.entries[::2].name}", "apimainmain"),
        ('{.spec.entries[?(@.name=="api")].replicas}', "5"),
        ("{.spec.entries[?(@.name!='api')].replicas}", "2"),
        ("{.spec.entries[?(@.replicas > 2)].name}{.spec.entries[?(@.replicas<=2)].name}", "apimain"),
        ("{.spec.entries[?(@.ports)].name}{.spec.entries[?(@.on==true)].name}", "apimain"),
        ('{.spec.entries[?(@.name=="x)]}")].name}', ""),
        ("{.spec.entries[?(@.ports[?(@.port==443)])].name}", "api"),
        ("{.spec.entries[?(@.name==5)].name}", ""),
        ("{range .spec.entries[*]}{.name}:{.replicas};{end}", "main:2;api:5;"),
        ("{range .spec.entries[*]}{range .ports[*]}{.port},{end}|{end}", "|80,443,|"),
        ("{..port}", "80 443"),
        ("{.spec.entries[1].ports}", '[{"port":80},{"port":443}]'),
        ("{.spec.share} {.spec.nothing} {.spec.entries[0].on}", "0.5 null true"),
        ("{.none.at.all}{.metadata.name.deeper}{.none[0]}", ""),
        ("{.spec.entries[5:]}{1}{-1.5}{true}", "1-1.5true"),
    ],
)
def test_templates(template: str, text: str) -> None:
    assert Template(template).render(BODY) == text


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{.a", "unclosed action"),
        ("{.a['b}", "unclosed action"),
        ("{.a[}", "unterminated array"),
        ("{.a[b]}", "invalid array index b"),
        ("{.a[]}", "invalid array index"),
        ("{.a[-]}", "invalid array index"),
        ("{.a[::0]}", "the step must be greater than 0"),
        ("{a.b}", "unrecognized identifier"),
        ("{.a b}", "unrecognized character ' '"),
        ("{end}", "without {range"),
        ("{range .a[*]}x", "it needs an {end}"),
        ("{range 5}{end}", "range needs a path"),
        ('{"\\q"}', "unknown escape"),
        ("x" * 70_000, "at most 65536 are read"),
        ("{range .a[*]}" * 20 + "{end}" * 20, "nested deeper than 16"),
        ("{.a" + "[?(@" * 20 + ")]" * 20 + "}", "nested deeper than 16"),
    ],
)
def test_what_cannot_be_read(template: str, fault: str) -> None:
    with pytest.raises(BadPath) as caught:
        Template(template)
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{.spec.entries[7]}", "array index out of bounds: index 7, length 2"),
        ("{.metadata.name[0]}", "web is not a list"),
        ('{.spec.entries[?(@.ports[*].port=="x")]}', "can only compare one element at a time"),
    ],
)
def test_what_does_not_fit_the_object(template: str, fault: str) -> None:
    with pytest.raises(BadPath, match=fault.replace("[", "\\[")):
        Template(template).render(BODY)


@pytest.mark.parametrize("path", ["metadata.name", ".metadata.name", "{.metadata.name}", "{metadata.name}"])
def test_paths_as_people_write_them(path: str) -> None:
    assert Finder(path).find(BODY) == ["web"]


@pytest.mark.parametrize("path", ["", "{", "{}", "{.a}{.b}", "{.a}x", "{range .a}{end}"])
def test_what_is_not_one_path(path: str) -> None:
    with pytest.raises(BadPath):
        Finder(path)


def test_as_json_has_each_path() -> None:
    assert Template("{.kind}{.spec.entries[*].name} and {.none}").json(BODY) == [["Task"], ["main", "api"], []]


def test_what_finds_too_much_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonpath, "MAX_VALUES", 1000)
    body = {"a": [0] * 20}
    every = "{range .a[*]}{.}{end}"
    assert Template(every).render(body) == "0" * 20
    for template in ("{.a[" + ",".join("*" * 60) + "]}", "{.a[" + ",".join(["::"] * 60) + "]}", "{..}" * 60):
        with pytest.raises(BadPath, match="finds too much"):
            Template(template).render(body)
    with pytest.raises(BadPath, match="finds too much"):
        Template("{.b[" + ",".join("0" * 9) + "]}").render({"b": ["x" * 20_000]})


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b c"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
TOKENS = ["{", "}", ".a", "..", "[0]", "[*]", "[", "]", "[?(", ")]", "@.b", "==", ">", "1", "'x'", '"', "\\", "$", ","]
TOKENS += [":", "range ", "end", "{end}", "{range .a[*]}", " ", "[-1:]", "['a','b']", "true", "*"]
PIECES = st.lists(st.sampled_from(TOKENS), max_size=12).map("".join)


@settings(max_examples=200, deadline=None)
@given(PIECES | st.text(max_size=20), VALUES)
def test_nothing_but_a_bad_path_comes_out(template: str, value: Any) -> None:
    try:
        text = Template(template).render(value)
    except BadPath:
        return
    assert isinstance(text, str)
    if "{" not in template:
        assert text == template


@settings(max_examples=100, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=4), VALUES)
def test_any_name_is_found_when_its_signs_are_escaped(names: list[str], value: Any) -> None:
    body = value
    for name in reversed(names):
        body = {name: body}
    path = "".join("." + "".join(f"\\{char}" for char in name) for name in names)
    assert Template(f"{{{path}}}").json(body) == [[value]]
