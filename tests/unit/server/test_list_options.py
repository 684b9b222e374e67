"""What the query of a list or a watch may say together, in Kubernetes' words."""

import pytest

from apiserver.api.errors import BadRequest, Invalid
from apiserver.server.http.list_options import Start, check_list, check_watch, start

HEAD = 'ListOptions.meta.k8s.io "" is invalid: '


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"resourceVersion": "0"},
        {"resourceVersion": "0", "resourceVersionMatch": "NotOlderThan"},
        {"resourceVersion": "9", "resourceVersionMatch": "Exact"},
        {"continue": "token", "limit": "5"},
    ],
)
def test_lists_that_are_in_order(query: dict[str, str]) -> None:
    check_list(query)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (
            {"resourceVersionMatch": "Exact"},
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            {"resourceVersionMatch": "Exact", "resourceVersion": "0"},
            'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ),
        (
            {"resourceVersionMatch": "Near", "resourceVersion": "1"},
            'resourceVersionMatch: Unsupported value: "Near": supported values: "Exact", "NotOlderThan"',
        ),
        (
            {"resourceVersionMatch": "Exact", "resourceVersion": "1", "continue": "t"},
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided",
        ),
        ({"sendInitialEvents": "true"}, "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"),
    ],
)
def test_lists_that_are_not(query: dict[str, str], text: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_list(query)
    assert refused.value.message == HEAD + text


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (
            {"sendInitialEvents": "true"},
            "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
        (
            {"resourceVersionMatch": "NotOlderThan"},
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch "
            "unless sendInitialEvents is provided",
        ),
        (
            {"sendInitialEvents": "true", "resourceVersionMatch": "Exact"},
            "[resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to "
            'NotOlderThan, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
        ),
        (
            {"sendInitialEvents": "false", "resourceVersionMatch": "NotOlderThan", "continue": "t"},
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided",
        ),
    ],
)
def test_watches_that_are_not(query: dict[str, str], text: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_watch(query)
    assert refused.value.message == HEAD + text
    assert refused.value.details.kind == "ListOptions"


@pytest.mark.parametrize(
    ("initial", "version", "begin"),
    [
        ("", 0, Start(None)),
        ("", 5, Start(5)),
        ("true", 0, Start(None, is_list=True)),
        ("1", 5, Start(None, at_least=5, is_list=True)),
        ("false", 0, Start(9)),
        ("0", 5, Start(5)),
    ],
)
def test_where_a_watch_begins(initial: str, version: int, begin: Start) -> None:
    assert start({"sendInitialEvents": initial} if initial else {}, version, 9) == begin


def test_neither_yes_nor_no() -> None:
    with pytest.raises(BadRequest, match="sendInitialEvents"):
        start({"sendInitialEvents": "perhaps"}, 0, 9)
