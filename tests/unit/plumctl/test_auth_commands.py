"""auth against a real server: what it takes one for, and what one may do."""

import json

from tests.unit.plumctl.conftest import Ctl


def test_who_am_i(ctl: Ctl) -> None:
    shown = [line.split() for line in ctl("auth", "whoami").stdout.splitlines()]
    assert shown == [
        ["ATTRIBUTE", "VALUE"],
        ["Username", "system:anonymous"],
        ["Groups", "[system:unauthenticated]"],
    ]
    assert json.loads(ctl("auth", "whoami", "-o", "json").stdout)["kind"] == "SelfSubjectReview"
    assert ctl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}").stdout == "system:anonymous"


def test_what_may_i_do(ctl: Ctl) -> None:
    for question in (("delete", "tasks"), ("get", "asg/x", "--subresource=log"), ("get", "/metrics"), ("get", "pods")):
        answer = ctl("auth", "can-i", *question)
        assert (answer.exit_code, answer.stdout) == (0, "yes\n")
    assert ctl("auth", "can-i", "list", "nodes", "-q").output == ""
    assert ctl("auth", "can-i", "--list").stdout.splitlines()[0].startswith("Resources")
    assert "[*]" in ctl("auth", "can-i", "--list", "--no-headers").stdout
    assert ctl("auth", "can-i", "get").exit_code == 2
