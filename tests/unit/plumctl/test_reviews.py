"""What auth asks, and how it shows what it is told."""

from typing import Any

import pytest

from plumctl.auth import asked, rules


@pytest.mark.parametrize(
    ("arguments", "attributes"),
    [
        (
            ("get", "tasks", "", "shop"),
            {"resource": "tasks", "group": "plum.dev", "version": "v1", "namespace": "shop"},
        ),
        (("get", "tk/web", "", "shop"), {"resource": "tasks", "name": "web"}),
        (("get", "ns", "", "shop"), {"resource": "namespaces", "namespace": None, "group": None}),
        (("get", "asg", "log", ""), {"resource": "assignments", "subresource": "log", "namespace": None}),
        (("*", "*", "", "a"), {"resource": "*", "group": "*", "verb": "*"}),
        (("get", "pots.kitchen.io", "", "a"), {"resource": "pots", "group": "kitchen.io", "version": None}),
    ],
)
def test_what_is_asked(arguments: tuple[str, str, str, str], attributes: dict[str, Any]) -> None:
    found = asked(*arguments)["resourceAttributes"]
    assert {key: found.get(key) for key in attributes} == attributes


def test_what_is_no_resource() -> None:
    assert asked("get", "/metrics", "", "a") == {"nonResourceAttributes": {"path": "/metrics", "verb": "get"}}


def test_rules() -> None:
    status = {
        "resourceRules": [{"verbs": ["get", "list"], "apiGroups": ["plum.dev"], "resources": ["tasks"]}],
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz"]}],
    }
    assert [line.split() for line in rules(status, headers=False)] == [
        ["tasks.plum.dev", "[]", "[]", "[get", "list]"],
        ["[/healthz", "/readyz]", "[]", "[get]"],
    ]
    assert rules(status, headers=True)[0].startswith("Resources        Non-Resource URLs")
